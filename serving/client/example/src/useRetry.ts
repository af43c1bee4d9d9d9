import { retryDelay } from "@delete/matching-client";
import { useEffect, useMemo, useState } from "react";

/**
 * Repeats what failed, ever more patiently, as long as it fails; at once when the network is back.
 *
 * Returns the seconds until the next attempt, or null where only the user can go on.
 */
export function useRetry(error: unknown, onRetry: () => void): number | null {
  const [failed, setFailed] = useState({ error, times: 1 });
  if (failed.error !== error) setFailed({ error, times: failed.times + 1 });
  const seconds = useMemo(() => retryDelay(failed.error, failed.times), [failed]);

  useEffect(() => {
    if (seconds === null) return;
    const waiting = setTimeout(onRetry, seconds * 1000);
    return () => clearTimeout(waiting);
  }, [failed, seconds, onRetry]);

  useEffect(() => {
    addEventListener("online", onRetry);
    return () => removeEventListener("online", onRetry);
  }, [onRetry]);

  return seconds;
}
