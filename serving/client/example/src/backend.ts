import { answered, type Card, type Impression, ProblemError } from "@delete/matching-client";

/** What an app's own backend does, as far as the example needs it: examples/backend in this repository. */
export type Backend = ReturnType<typeof createBackend>;

/** The card that a decision is made on. The surface is null where it is not known. */
export type DecidedCard = Omit<Card, "surface"> & { surface: Card["surface"] | null };

/** Somebody to sign in as, and who is signed in. */
export interface Person {
  id: string;
  name: string;
  age: number;
  paused: boolean;
}

export interface Message {
  id: string;
  mine: boolean;
  sent_at: string;
  /** Null for a simulated message, which has no words. */
  body: string | null;
}

export interface Thread {
  messages: Message[];
  i_agree: boolean;
  both_agree: boolean;
}

/** The backend as somebody who is signed in. `onRefused` is called when the token is not valid, or no longer. */
export function createBackend(token: string, onRefused: () => void) {
  async function ask<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    try {
      return await request<Body>(method, path, body, { Authorization: `Bearer ${token}` });
    } catch (error) {
      if (error instanceof ProblemError && error.status === 401) onRefused();
      throw error;
    }
  }
  return {
    readMe: () => ask<Person>("GET", "me"),
    setPaused: (paused: boolean) => ask("PUT", "me/paused", { paused }),
    decide: (id: string, kind: "like" | "pass", card: DecidedCard) =>
      ask<{ conversation_id: string | null }>("PUT", `decisions/${id}`, { kind, ...card }),
    undo: (id: string) => ask("DELETE", `decisions/${id}`),
    block: (candidateId: string) => ask("PUT", `blocks/${candidateId}`),
    sendImpressions: (batch: Impression[]) => ask("POST", "views", batch),
    readThread: (conversation: string) => ask<Thread>("GET", `conversations/${conversation}/messages`),
    send: (conversation: string, id: string, body: string) =>
      ask("PUT", `conversations/${conversation}/messages/${id}`, { body }),
    setConsent: (conversation: string, agree: boolean) => ask("PUT", `conversations/${conversation}/consent`, { agree }),
    close: (conversation: string) => ask("POST", `conversations/${conversation}/close`),
  };
}

/** The simulated people to sign in as. */
export function readPeople(): Promise<Person[]> {
  return request("GET", "people");
}

/** A token of a simulated person. */
export async function signInAs(personId: string): Promise<string> {
  return (await request<{ token: string }>("POST", "sign-in", { person_id: personId })).token;
}

/** Throws ProblemError for anything but success; a network failure is the TypeError of `fetch`. */
async function request<Body>(method: string, path: string, body?: unknown, headers = {}): Promise<Body> {
  const response = await fetch(`/backend/${path}`, {
    method,
    headers: { "Content-Type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
    keepalive: method !== "GET", // what is written outlives the page
  });
  const content = response.status === 204 ? null : await response.json().catch(() => undefined);
  return answered<Body>(Promise.resolve(response.ok ? { data: content, response } : { error: content, response }));
}
