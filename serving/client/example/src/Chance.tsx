/** The chance that both like each other, as a ring. */
export function Chance({ percent }: { percent: number }) {
  return (
    <p className="chance">
      <svg viewBox="0 0 36 36" aria-hidden="true">
        <circle cx="18" cy="18" r="15.9" />
        <circle cx="18" cy="18" r="15.9" pathLength={100} strokeDasharray={`${percent} 100`} />
      </svg>
      <span aria-hidden="true">{percent}%</span>
      <span className="visually-hidden">{percent} percent chance that you both like each other</span>
    </p>
  );
}
