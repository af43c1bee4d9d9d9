import { type MouseEvent, useEffect, useRef } from "react";
import { Brand } from "./Brand";
import { MatchList } from "./MatchList";
import { MatchView } from "./MatchView";
import { useOpenMatch } from "./route";
import { useSession } from "./session";

interface Opened {
  link: HTMLElement;
  scrolledTo: number;
}

/** The list, and over it, while one is open, a match. The list stays: who comes back is where they were. */
export function Home() {
  const { signOut } = useSession();
  const open = useOpenMatch();
  const opened = useRef<Opened>(null);
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    if (open !== null) return;
    document.title = "Your matches, in Delete";
    const { link, scrolledTo } = opened.current ?? { link: heading.current, scrolledTo: 0 };
    window.scrollTo({ top: scrolledTo, behavior: "instant" });
    link?.focus({ preventScroll: true });
  }, [open]);

  function remember(event: MouseEvent<HTMLElement>) {
    opened.current = { link: event.currentTarget, scrolledTo: window.scrollY };
  }

  return (
    <>
      <header>
        <Brand />
        <button type="button" className="plain" onClick={() => signOut()}>
          Sign out
        </button>
      </header>
      <main>
        <MatchList heading={heading} hidden={open !== null} onOpen={remember} />
        {open !== null && <MatchView key={open} candidateId={open} />}
      </main>
    </>
  );
}
