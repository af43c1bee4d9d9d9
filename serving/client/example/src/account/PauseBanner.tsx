import type { Account } from "./useAccount";

/** Says that I am paused, on every page. */
export function PauseBanner({ account: { me, setPaused } }: { account: Account }) {
  if (!me?.paused) return null;
  return (
    <section className="pause" aria-label="Pause">
      <p>
        <strong>You are paused.</strong> Nobody sees you, and you see nobody.
      </p>
      <button type="button" onClick={() => void setPaused(false)}>
        Resume
      </button>
    </section>
  );
}
