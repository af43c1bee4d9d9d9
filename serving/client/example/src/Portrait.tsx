import type { Candidate } from "@delete/matching-client";
import type { CSSProperties } from "react";
import { displayName } from "./Name";

/** Stands where the app has photos: initials on colours of the person's own. */
export function Portrait({ candidate }: { candidate: Candidate }) {
  return (
    <div className="portrait" aria-hidden="true" style={{ "--hue": hue(candidate.id) } as CSSProperties}>
      <bdi>{initials(displayName(candidate))}</bdi>
    </div>
  );
}

const letters = new Intl.Segmenter(undefined, { granularity: "grapheme" }); // a flag or a family is one of them

function initials(name: string): string {
  return name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...letters.segment(word)][0]?.segment ?? "")
    .join("");
}

function hue(id: string): number {
  return Number.parseInt(id.slice(-6), 16) % 360;
}
