import type { Conversation } from "@delete/matching-client";
import { displayName } from "../Name";
import { timeAgo } from "./timeAgo";

/** Whose turn it is, and since when. */
export function Turn({ conversation }: { conversation: Conversation }) {
  const { closed, since, turn } = conversation;
  const ago = <time dateTime={since}>{timeAgo(since)}</time>;
  if (closed) return <p className="turn">It ended {ago}</p>;
  if (turn === "nobody") return <p className="turn">You matched {ago}</p>;
  if (turn === "theirs") return <p className="turn">You wrote {ago}</p>;
  return (
    <p className="turn">
      <strong>Your turn</strong>{" "}
      <span>
        <bdi>{displayName(conversation.candidate)}</bdi> wrote {ago}
      </span>
    </p>
  );
}
