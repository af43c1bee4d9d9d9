import { LEAST_PERCENT } from "./settings";

/** The chance that both like each other, as a ring that says what it is; nothing where it would only discourage. */
export function Chance({ percent }: { percent: number | null }) {
  if (percent === null || percent < LEAST_PERCENT) return null;
  return (
    <p className="chance">
      <span className="ring">
        <svg viewBox="0 0 36 36" aria-hidden="true">
          <circle cx="18" cy="18" r="15.9" />
          <circle cx="18" cy="18" r="15.9" pathLength={100} strokeDasharray={`${percent} 100`} />
        </svg>
        <strong>{percent}%</strong>
      </span>{" "}
      <span>chance that you both like each other</span>
    </p>
  );
}
