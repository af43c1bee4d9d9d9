import {
  answered,
  createMatchingClient,
  type ImpressionObserver,
  type MatchingClient,
  observeImpressions,
  type Titles,
} from "@delete/matching-client";
import { createContext, type ReactNode, use, useCallback, useEffect, useRef, useState } from "react";
import { type Backend, createBackend } from "./backend";
import { API_URL, HAS_BACKEND } from "./settings";

interface Session {
  api: MatchingClient;
  /** Null where nothing writes, so the app only shows. */
  backend: Backend | null;
  /** The titles of prompts, read once; null where they cannot be read just now. */
  readTitles: () => Promise<Titles | null>;
  /** Null where nothing receives impressions. */
  impressions: ImpressionObserver | null;
  signOut: (why?: string) => void;
  /** Goes on as another person, whose token this is. */
  signIn: (token: string) => void;
}

export const REFUSED = "Your token is not valid, or no longer. Please sign in again.";

const SessionContext = createContext<Session | null>(null);

/** The session of the user who is signed in. */
export function useSession(): Session {
  const session = use(SessionContext);
  if (session === null) throw new Error("useSession is for what is inside SessionProvider");
  return session;
}

interface Props {
  token: string;
  onSignOut: Session["signOut"];
  onSignIn: Session["signIn"];
  children: ReactNode;
}

export function SessionProvider({ token, onSignOut: signOut, onSignIn: signIn, children }: Props) {
  const [api] = useState(() => createMatchingClient({ baseUrl: API_URL, token }));
  const [backend] = useState(() => (HAS_BACKEND ? createBackend(token, () => signOut(REFUSED)) : null));
  const titles = useRef<Titles>(null);
  const [impressions, setImpressions] = useState<ImpressionObserver | null>(null);

  const readTitles = useCallback(async () => {
    titles.current ??= await answered(api.GET("/v1/titles")).catch(() => null);
    return titles.current;
  }, [api]);

  useEffect(() => {
    if (backend === null) return;
    const observer = observeImpressions({ send: backend.sendImpressions });
    setImpressions(observer);
    return () => observer.disconnect();
  }, [backend]);

  return <SessionContext value={{ api, backend, readTitles, impressions, signOut, signIn }}>{children}</SessionContext>;
}
