import type { Candidate } from "@delete/matching-client";
import type { CSSProperties } from "react";
import { displayName } from "./Name";

/** Stands where the app has photos: shapes, colours and initials of the person's own, the same each time. */
export function Portrait({ person }: { person: Pick<Candidate, "id" | "name"> }) {
  return (
    <div className="portrait" aria-hidden="true" style={{ "--hue": hue(person.id) } as CSSProperties}>
      <svg viewBox="0 0 100 100" preserveAspectRatio="xMidYMid slice">
        {shapes(person.id).map(({ kind, x, y, size, turn, light }, index) => (
          <g key={index} className={light ? "light" : "dark"} transform={`translate(${x} ${y}) rotate(${turn}) scale(${size})`}>
            {kind === 0 && <circle r="1" />}
            {kind === 1 && <path d="M-1 0a1 1 0 0 1 2 0z" />}
            {kind === 2 && <path d="M-1-.28h2v.56h-2z" />}
            {kind === 3 && <path fillRule="evenodd" d="M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0zM-.6 0a.6.6 0 1 0 1.2 0a.6.6 0 1 0-1.2 0z" />}
          </g>
        ))}
      </svg>
      <bdi>{initials(displayName(person))}</bdi>
    </div>
  );
}

interface Shape {
  /** Disc, half disc, bar or ring. */
  kind: number;
  x: number;
  y: number;
  size: number;
  /** In degrees. */
  turn: number;
  light: boolean;
}

/** Four shapes, each from five digits of the id. */
function shapes(id: string): Shape[] {
  const digits = [...id.replaceAll("-", "")].map((digit) => Number.parseInt(digit, 16));
  return [0, 5, 15, 20].map((start, index) => {
    const [kind = 0, x = 0, y = 0, size = 0, turn = 0] = digits.slice(start);
    return { kind: kind % 4, x: x * 6 + 5, y: y * 6 + 5, size: 18 + size * 2, turn: turn * 22.5, light: index % 2 === 0 };
  });
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
