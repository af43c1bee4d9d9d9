import { toCard } from "@delete/matching-client";
import { type RefObject, useEffect, useRef } from "react";
import { useDecisions } from "./decisions/decisions";
import { LikesSection } from "./LikesSection";
import { ListEnd } from "./ListEnd";
import { MatchCard, type OpenListener } from "./MatchCard";
import { useSession } from "./session";
import { useLikes } from "./useLikes";
import { useMatches } from "./useMatches";

interface Props {
  heading: RefObject<HTMLHeadingElement | null>;
  hidden: boolean;
  onOpen: OpenListener;
}

export function MatchList({ heading, hidden, onOpen }: Props) {
  const { api } = useSession();
  const list = useMatches(api);
  const received = useLikes(api);
  const end = useRef<HTMLDivElement>(null);
  const { gone } = useDecisions();
  const { more, publication, status } = list;
  const shown = list.matches.length;
  const today = list.today?.match && !gone.has(list.today.match.candidate.id) ? list.today : undefined;
  const first = today?.match?.candidate.id;
  const likers = new Set(received.likes.map((like) => like.candidate.id));
  // Each person once: those who stand above are left out below.
  const matches = list.matches.filter(({ candidate }) => !gone.has(candidate.id));
  const others = matches.filter(({ candidate }) => candidate.id !== first && !likers.has(candidate.id));

  // An observer tells of changes only: where a page came and was scrolled past within a frame, another is needed.
  useEffect(() => {
    if (hidden || status !== "more" || end.current === null) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && void more(), { rootMargin: "600px" });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [hidden, status, more, shown]);

  function restart() {
    list.restart();
    heading.current?.focus();
  }

  function goToTop() {
    window.scrollTo({ top: 0 });
    heading.current?.focus({ preventScroll: true });
  }

  return (
    <div hidden={hidden} className="list" aria-busy={status === "loading"}>
      <h1 ref={heading} tabIndex={-1}>
        Your matches
      </h1>
      {today?.match && (
        <section aria-labelledby="today">
          <h2 id="today">Most compatible today</h2>
          <MatchCard
            match={today.match}
            shown={toCard(today.match, today.publication, "most_compatible")}
            wide
            likesMe={likers.has(today.match.candidate.id)}
            onOpen={onOpen}
          />
        </section>
      )}
      <LikesSection received={received} isLeftOut={(id) => id === first || gone.has(id)} onOpen={onOpen} />
      <section aria-labelledby="everyone">
        {others.length > 0 && <h2 id="everyone">Your list</h2>}
        <ol className="cards" role="list">
          {others.map((match) => (
            <li key={match.candidate.id}>
              <MatchCard match={match} shown={toCard(match, publication)} onOpen={onOpen} />
            </li>
          ))}
        </ol>
        <div ref={end}>
          <ListEnd list={{ ...list, matches }} onRestart={restart} onTop={goToTop} />
        </div>
      </section>
    </div>
  );
}
