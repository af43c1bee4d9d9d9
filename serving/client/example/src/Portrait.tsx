import type { Candidate } from "@delete/matching-client";
import type { CSSProperties } from "react";

/** Stands where the app has photos: initials on colours of the person's own. */
export function Portrait({ candidate }: { candidate: Candidate }) {
  return (
    <div className="portrait" aria-hidden="true" style={{ "--hue": hue(candidate.id) } as CSSProperties}>
      {initials(candidate.name)}
    </div>
  );
}

function initials(name: string): string {
  return name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? "")
    .join("");
}

function hue(id: string): number {
  return Number.parseInt(id.slice(-6), 16) % 360;
}
