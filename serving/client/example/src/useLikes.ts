import { likePages, type Match, type MatchingClient, retryDelay } from "@delete/matching-client";
import { useCallback, useEffect, useRef, useState } from "react";

export interface Likes {
  likes: Match[];
  /** Whether there are more of them to ask for. */
  hasMore: boolean;
  /** Why the last request failed; null if it did not. */
  error: unknown;
}

const NOTHING: Likes = { likes: [], hasMore: false, error: null };

/**
 * The likes that wait for my decision, as far as they were asked for.
 *
 * There are none where the API keeps likes secret. Other problems are not shown, as the list below shows them; what
 * may pass is tried again.
 */
export function useLikes(api: MatchingClient) {
  const [pages] = useState(() => likePages(api));
  const [state, setState] = useState(NOTHING);
  const asking = useRef(false);
  const failures = useRef(0);

  const more = useCallback(async () => {
    if (asking.current) return;
    asking.current = true;
    try {
      const { value: page } = await pages.next();
      failures.current = 0;
      if (page === undefined) return;
      setState(({ likes }) => ({ likes: [...likes, ...page.likes], hasMore: page.next_cursor !== null, error: null }));
    } catch (error) {
      failures.current += 1;
      setState(({ likes }) => ({ likes, hasMore: false, error }));
    } finally {
      asking.current = false;
    }
  }, [pages]);

  useEffect(() => void more(), [more]);

  useEffect(() => {
    const seconds = state.error === null ? null : retryDelay(state.error, failures.current);
    if (seconds === null) return;
    const waiting = setTimeout(more, seconds * 1000);
    return () => clearTimeout(waiting);
  }, [state.error, more]);

  return { ...state, more };
}
