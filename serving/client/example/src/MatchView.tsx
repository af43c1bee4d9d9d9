import { answered, type Card, type Match, type Titles, toCard } from "@delete/matching-client";
import { useCallback, useEffect, useRef, useState } from "react";
import type { DecidedCard } from "./backend";
import { MatchDetails } from "./MatchDetails";
import { useSession } from "./session";
import { Trouble } from "./Trouble";

interface Props {
  candidateId: string;
  /** The card that was opened last; null after a reload. */
  opened: Card | null;
}

/** One match, as it is now: what changed since the list was read counts. */
export function MatchView({ candidateId, opened }: Props) {
  const { api, readTitles } = useSession();
  const [shown, setShown] = useState<{ match: Match; titles: Titles | null }>();
  const [error, setError] = useState<unknown>();
  const back = useRef<HTMLAnchorElement>(null);

  const ask = useCallback(async () => {
    try {
      const path = { candidate_id: candidateId };
      const [match, titles] = await Promise.all([
        answered(api.GET("/v1/me/matches/{candidate_id}", { params: { path } })),
        readTitles(),
      ]);
      setShown({ match, titles });
      setError(undefined);
    } catch (error) {
      setError(error);
    }
  }, [api, candidateId, readTitles]);

  useEffect(() => {
    window.scrollTo({ top: 0, behavior: "instant" });
    document.title = "A match, in Delete";
    back.current?.focus();
    void ask();
  }, [ask]);

  return (
    <div className="view">
      <a ref={back} href="#/" className="back">
        <span aria-hidden="true">←</span> Back to your matches
      </a>
      {shown && <MatchDetails {...shown} shown={card(shown.match, opened)} />}
      {error !== undefined && <Trouble error={error} onRetry={ask} heading="h1" />}
      <p role="status" className="quiet">
        {shown || error !== undefined ? "" : "Opening …"}
      </p>
    </div>
  );
}

/** Of a view that was opened by its address, nothing says which publication showed the card, and where. */
function card(match: Match, opened: Card | null): DecidedCard {
  if (opened?.candidate_id === match.candidate.id) return opened;
  const card = toCard(match, null);
  return match.source === "published" ? { ...card, position: null, surface: null } : card;
}
