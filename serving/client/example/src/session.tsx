import { createMatchingClient, type ImpressionObserver, type MatchingClient, observeImpressions } from "@delete/matching-client";
import { createContext, type ReactNode, use, useEffect, useState } from "react";
import { sendImpressions } from "./sendImpressions";

interface Session {
  api: MatchingClient;
  /** Null where nothing receives impressions. */
  impressions: ImpressionObserver | null;
  signOut: (why?: string) => void;
}

const SessionContext = createContext<Session | null>(null);

/** Whoever is signed in. */
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
  const [api] = useState(() => createMatchingClient({ baseUrl: import.meta.env.VITE_MATCHING_API ?? "", token }));
  const [impressions, setImpressions] = useState<ImpressionObserver | null>(null);

  useEffect(() => {
    if (!import.meta.env.DEV) return; // only the development server has a receiver
    const observer = observeImpressions({ send: sendImpressions });
    setImpressions(observer);
    return () => observer.disconnect();
  }, []);

  return <SessionContext value={{ api, impressions, signOut: onSignOut }}>{children}</SessionContext>;
}
