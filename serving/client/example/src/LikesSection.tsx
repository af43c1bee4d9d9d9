import { toCard } from "@delete/matching-client";
import { MatchCard, type OpenListener } from "./MatchCard";
import { useSession } from "./session";
import { useLikes } from "./useLikes";

/** Who likes me and waits for my decision; nothing where there is nobody, or where likes are secret. */
export function LikesSection({ onOpen }: { onOpen: OpenListener }) {
  const { hasMore, likes, more } = useLikes(useSession().api);
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
      {hasMore && (
        <button type="button" onClick={more}>
          Show more likes
        </button>
      )}
    </section>
  );
}
