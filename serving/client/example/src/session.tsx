import { createMatchingClient, type MatchingClient } from "@delete/matching-client";
import { createContext, type ReactNode, use, useState } from "react";

interface Session {
  api: MatchingClient;
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
  return <SessionContext value={{ api, signOut: onSignOut }}>{children}</SessionContext>;
}
