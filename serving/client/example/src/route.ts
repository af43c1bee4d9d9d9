import { useSyncExternalStore } from "react";

/** What is open by the page's address: the list of matches, one match, all conversations, or one. */
export type Route = { view: "matches" | "conversations"; id: string | null };

const ROUTE = /^#\/(matches|conversations)(?:\/([0-9a-f-]{36}))?$/;
const LIST: Route = { view: "matches", id: null };

export const MATCHES = "#/";
export const CONVERSATIONS = "#/conversations";

/** The address of a match's own view. */
export function matchAddress(candidateId: string): string {
  return `#/matches/${candidateId}`;
}

/** The address of a conversation's own view. */
export function conversationAddress(conversationId: string): string {
  return `${CONVERSATIONS}/${conversationId}`;
}

export function useRoute(): Route {
  return read(useSyncExternalStore(subscribe, () => location.hash));
}

function read(hash: string): Route {
  const found = ROUTE.exec(hash);
  return found ? { view: found[1] as Route["view"], id: found[2] ?? null } : LIST;
}

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}
