import type { Conversation } from "@delete/matching-client";
import { displayName } from "../Name";
import { timeAgo } from "./timeAgo";

/** Whose turn it is, and since when. */
export function Turn({ conversation }: { conversation: Conversation }) {
  const { closed, since, turn } = conversation;
  const ago = <time dateTime={since}>{timeAgo(since)}</time>;
  if (turn !== "mine") {
    return (
      <p className="quiet">
        {closed ? "It ended" : turn === "theirs" ? "You wrote" : "You matched"} {ago}
      </p>
    );
  }
  return (
    <p className="turn">
      <strong>Your turn</strong>{" "}
      <span>
        <bdi>{displayName(conversation.candidate)}</bdi> wrote {ago}
      </span>
    </p>
  );
}
