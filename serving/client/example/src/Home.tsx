import { type MouseEvent, useEffect, useRef } from "react";
import { Brand } from "./Brand";
import { MatchList } from "./MatchList";
import { MatchView } from "./MatchView";
import { Navigation } from "./Navigation";
import { ConversationList } from "./conversations/ConversationList";
import { ConversationView } from "./conversations/ConversationView";
import { useRoute } from "./route";
import { useSession } from "./session";

interface Opened {
  link: HTMLElement;
  scrolledTo: number;
}

/** The list, and over it what is open: a match, or conversations. The list stays: who comes back is where they were. */
export function Home() {
  const { signOut } = useSession();
  const { view, id } = useRoute();
  const listed = view === "matches" && id === null;
  const opened = useRef<Opened>(null);
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    if (!listed) return;
    document.title = "Your matches, in Delete";
    const { link, scrolledTo } = opened.current ?? { link: heading.current, scrolledTo: 0 };
    window.scrollTo({ top: scrolledTo, behavior: "instant" });
    link?.focus({ preventScroll: true });
  }, [listed]);

  function remember(event: MouseEvent<HTMLElement>) {
    opened.current = { link: event.currentTarget, scrolledTo: window.scrollY };
  }

  return (
    <>
      <header>
        <Brand />
        <Navigation view={view} />
        <button type="button" className="plain" onClick={() => signOut()}>
          Sign out
        </button>
      </header>
      <main>
        <MatchList heading={heading} hidden={!listed} onOpen={remember} />
        {view === "matches" && id !== null && <MatchView key={id} candidateId={id} />}
        {view === "conversations" && id === null && <ConversationList />}
        {view === "conversations" && id !== null && <ConversationView key={id} conversationId={id} />}
      </main>
    </>
  );
}
