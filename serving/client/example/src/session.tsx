import {
  answered,
  createMatchingClient,
  type ImpressionObserver,
  type MatchingClient,
  observeImpressions,
  type Titles,
} from "@delete/matching-client";
import { createContext, type ReactNode, use, useCallback, useEffect, useRef, useState } from "react";
import { sendImpressions } from "./sendImpressions";
import { API_URL } from "./settings";

interface Session {
  api: MatchingClient;
  /** The titles of prompts, read once; null where they cannot be read just now. */
  readTitles: () => Promise<Titles | null>;
  /** Null where nothing receives impressions. */
  impressions: ImpressionObserver | null;
  signOut: (why?: string) => void;
}

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
  children: ReactNode;
}

export function SessionProvider({ token, onSignOut, children }: Props) {
  const [api] = useState(() => createMatchingClient({ baseUrl: API_URL, token }));
  const titles = useRef<Titles>(null);
  const [impressions, setImpressions] = useState<ImpressionObserver | null>(null);

  const readTitles = useCallback(async () => {
    titles.current ??= await answered(api.GET("/v1/titles")).catch(() => null);
    return titles.current;
  }, [api]);

  useEffect(() => {
    if (!import.meta.env.DEV) return; // only the development server has a receiver
    const observer = observeImpressions({ send: sendImpressions });
    setImpressions(observer);
    return () => observer.disconnect();
  }, []);

  return <SessionContext value={{ api, readTitles, impressions, signOut: onSignOut }}>{children}</SessionContext>;
}
