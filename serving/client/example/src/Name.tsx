import type { Candidate } from "@delete/matching-client";

/** The name, in its own direction of writing, and the age. */
export function Name({ candidate }: { candidate: Candidate }) {
  return (
    <>
      <bdi>{displayName(candidate)}</bdi>, {candidate.age}
    </>
  );
}

/** The API leaves out a name that is far too long. */
export function displayName(candidate: Candidate): string {
  return candidate.name.trim() || "Somebody";
}
