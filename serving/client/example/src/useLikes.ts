import { likePages, type Match, type MatchingClient } from "@delete/matching-client";
import { useCallback, useEffect, useRef, useState } from "react";

interface Likes {
  likes: Match[];
  /** Whether there are more of them to ask for. */
  hasMore: boolean;
}

const NOTHING: Likes = { likes: [], hasMore: false };

/**
 * The likes that wait for my decision, as far as they were asked for.
 *
 * There are none where the API keeps likes secret. Any other problem hides them as well: the list below tells it.
 */
export function useLikes(api: MatchingClient) {
  const [pages] = useState(() => likePages(api));
  const [state, setState] = useState(NOTHING);
  const asking = useRef(false);

  const more = useCallback(async () => {
    if (asking.current) return;
    asking.current = true;
    try {
      const { value: page } = await pages.next();
      if (page === undefined) return;
      setState(({ likes }) => ({ likes: [...likes, ...page.likes], hasMore: page.next_cursor !== null }));
    } catch {
      setState(({ likes }) => ({ likes, hasMore: false }));
    } finally {
      asking.current = false;
    }
  }, [pages]);

  useEffect(() => void more(), [more]);

  return { ...state, more };
}
