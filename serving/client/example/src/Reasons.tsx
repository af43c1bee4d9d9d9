import type { Match } from "@delete/matching-client";

/** Why this person is shown, in at most so many sentences. */
export function Reasons({ match, most }: { match: Match; most: number }) {
  if (match.source === "similar") {
    return (
      <p className="similar">
        <strong>Worth a look</strong> Not on your list, but what they write is a lot like you.
      </p>
    );
  }
  if (match.source === "like" && match.reasons.length === 0) return null;
  if (match.reasons.length === 0) return <p className="quiet">The two of you simply fit.</p>;
  return (
    <ul className="reasons" role="list">
      {match.reasons.slice(0, most).map((reason) => (
        <li key={reason.code} dir="auto">
          {reason.sentence}
        </li>
      ))}
    </ul>
  );
}
