import type { Candidate } from "@delete/matching-client";

/** The name, in its own direction of writing, and the age. */
export function Name({ candidate }: { candidate: Pick<Candidate, "name" | "age"> }) {
  return (
    <>
      <Called candidate={candidate} />, {candidate.age}
    </>
  );
}

/** The name alone. */
export function Called({ candidate }: { candidate: Pick<Candidate, "name"> }) {
  return <bdi>{displayName(candidate)}</bdi>;
}

/** The API leaves out a name that is far too long. */
export function displayName({ name }: Pick<Candidate, "name">): string {
  return name.trim() || "Somebody";
}
