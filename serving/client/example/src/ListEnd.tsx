import { ProblemError } from "@delete/matching-client";
import { Trouble } from "./Trouble";
import type { useMatches } from "./useMatches";

interface Props {
  list: ReturnType<typeof useMatches>;
  onRestart: () => void;
}

/** What follows the cards: more of them, the end, or what went wrong. */
export function ListEnd({ list, onRestart }: Props) {
  const { error, matches, more, publication, status } = list;
  const gone = error instanceof ProblemError && error.type === "urn:delete:problem:cursor-gone";
  return (
    <div className="list-end">
      <p role="status" className={status === "loading" ? "quiet" : "visually-hidden"}>
        {status === "loading" ? "Looking for your matches …" : told(matches.length, status === "end")}
      </p>
      {error !== null && <Trouble error={error} onRetry={gone ? onRestart : more} />}
      {(status === "more" || (status === "loading" && matches.length > 0 && error === null)) && (
        <button type="button" onClick={more} aria-disabled={status === "loading"}>
          Show more matches
        </button>
      )}
      {status === "end" && (matches.length > 0 ? <p className="quiet">That is everyone for now.</p> : <Nobody published={publication !== null} />)}
    </div>
  );
}

function told(count: number, all: boolean): string {
  return `${count} ${count === 1 ? "match" : "matches"} shown${all ? ", that is everyone" : ""}.`;
}

function Nobody({ published }: { published: boolean }) {
  return (
    <div className="empty">
      <h2>Nobody to show just now</h2>
      <p>
        {published
          ? "Your next list may bring somebody. While your profile is paused, nobody is shown."
          : "The first matches are being made. Come back in a while."}
      </p>
    </div>
  );
}
