import { ProblemError } from "@delete/matching-client";
import { Nobody } from "./Nobody";
import { Trouble } from "./Trouble";
import type { useMatches } from "./useMatches";

interface Props {
  list: ReturnType<typeof useMatches>;
  onRestart: () => void;
  onTop: () => void;
}

const OUTDATED = ["urn:delete:problem:cursor-gone", "urn:delete:problem:cursor-invalid"];

/** What follows the cards: more of them, the end, or what went wrong. */
export function ListEnd({ list, onRestart, onTop }: Props) {
  const { emptyBecause, error, matches, more, status } = list;
  const outdated = error instanceof ProblemError && OUTDATED.includes(error.type);
  return (
    <div className="list-end">
      <p role="status" className={status === "loading" ? "quiet" : "visually-hidden"}>
        {status === "loading" ? "Looking for your matches …" : told(matches.length, status === "end")}
      </p>
      {error !== null && <Trouble error={error} onRetry={outdated ? onRestart : more} />}
      {(status === "more" || (status === "loading" && matches.length > 0 && error === null)) && (
        <button type="button" onClick={more} aria-disabled={status === "loading"}>
          Show more matches
        </button>
      )}
      {status === "end" && (matches.length > 0 ? <End onTop={onTop} /> : <Nobody because={emptyBecause} onRestart={onRestart} />)}
    </div>
  );
}

function told(count: number, all: boolean): string {
  return `${count} ${count === 1 ? "match" : "matches"} shown${all ? ", that is everyone" : ""}.`;
}

function End({ onTop }: { onTop: () => void }) {
  return (
    <>
      <h2>That is everyone for now.</h2>
      <p className="quiet">
        Like or pass, and your next list has room for others. A wider age range or a longer distance brings more people.
      </p>
      <button type="button" className="plain" onClick={onTop}>
        Back to the top
      </button>
    </>
  );
}
