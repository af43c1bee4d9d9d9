import type { Card } from "@delete/matching-client";
import { type MouseEvent, useEffect, useRef } from "react";
import { AccountMenu } from "./account/AccountMenu";
import { PauseBanner } from "./account/PauseBanner";
import { useAccount } from "./account/useAccount";
import { Brand } from "./Brand";
import { MatchList } from "./MatchList";
import { MatchView } from "./MatchView";
import { Navigation } from "./Navigation";
import { ConversationList } from "./conversations/ConversationList";
import { ConversationView } from "./conversations/ConversationView";
import { Toasts } from "./notices/Toasts";
import { useRoute } from "./route";

interface Opened {
  link: HTMLElement;
  scrolledTo: number;
  card: Card;
}

/** The list, and over it what is open: a match, or conversations. The list stays: who comes back is where they were. */
export function Home() {
  const account = useAccount();
  const { view, id } = useRoute();
  const listed = view === "matches" && id === null;
  const opened = useRef<Opened>(null);
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    if (!listed) return;
    document.title = "Your matches, in Delete";
    const { link, scrolledTo } = opened.current ?? { link: null, scrolledTo: 0 };
    window.scrollTo({ top: scrolledTo, behavior: "instant" });
    if (document.activeElement?.closest(".toasts")) return; // what was decided on can be undone
    const next = link?.isConnected ? link : heading.current;
    next?.focus({ preventScroll: true });
  }, [listed]);

  function remember({ currentTarget: link }: MouseEvent<HTMLElement>, card: Card) {
    opened.current = { link, card, scrolledTo: window.scrollY };
  }

  return (
    <>
      <header>
        <Brand />
        <Navigation view={view} />
        <AccountMenu account={account} />
      </header>
      <Toasts />
      <main key={account.changes}>
        <PauseBanner account={account} />
        <MatchList heading={heading} hidden={!listed} onOpen={remember} />
        {view === "matches" && id !== null && <MatchView key={id} candidateId={id} opened={opened.current?.card ?? null} />}
        {view === "conversations" && id === null && <ConversationList />}
        {view === "conversations" && id !== null && <ConversationView key={id} conversationId={id} />}
      </main>
    </>
  );
}
