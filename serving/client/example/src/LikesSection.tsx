import { toCard } from "@delete/matching-client";
import { MatchCard, type OpenListener } from "./MatchCard";
import type { useLikes } from "./useLikes";

interface Props {
  received: ReturnType<typeof useLikes>;
  /** Whether a candidate is shown elsewhere, or was decided on. */
  isLeftOut: (candidateId: string) => boolean;
  onOpen: OpenListener;
}

/** Who likes me and waits for my decision; nothing where there is nobody, or where likes are secret. */
export function LikesSection({ received, isLeftOut, onOpen }: Props) {
  const likes = received.likes.filter((like) => !isLeftOut(like.candidate.id));
  if (likes.length === 0) return null;
  return (
    <section aria-labelledby="likes">
      <h2 id="likes">They like you</h2>
      <ol className="cards" role="list">
        {likes.map((like) => (
          <li key={like.candidate.id}>
            <MatchCard match={like} shown={toCard(like, null)} onOpen={onOpen} />
          </li>
        ))}
      </ol>
      {received.hasMore && (
        <button type="button" className="plain" onClick={received.more}>
          Show more likes
        </button>
      )}
    </section>
  );
}
