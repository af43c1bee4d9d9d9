import { type Conversation, conversationPages, type MatchingClient } from "@delete/matching-client";
import { useCallback, useEffect, useRef, useState } from "react";

export interface Conversations {
  conversations: Conversation[];
  status: "loading" | "more" | "end" | "trouble";
  /** Why the last request failed; null if it did not. */
  error: unknown;
}

const NOTHING: Conversations = { conversations: [], status: "loading", error: null };

/** My conversations, as far as they were asked for. */
export function useConversations(api: MatchingClient) {
  const [pages] = useState(() => conversationPages(api));
  const [state, setState] = useState(NOTHING);
  const asking = useRef(false);

  const more = useCallback(async () => {
    if (asking.current) return;
    asking.current = true;
    setState((before) => ({ ...before, status: "loading" }));
    try {
      const { value: page } = await pages.next();
      setState(({ conversations }) => ({
        conversations: [...conversations, ...(page?.conversations ?? [])],
        status: page?.next_cursor ? "more" : "end",
        error: null,
      }));
    } catch (error) {
      setState((before) => ({ ...before, status: "trouble", error }));
    } finally {
      asking.current = false;
    }
  }, [pages]);

  useEffect(() => void more(), [more]);

  return { ...state, more };
}
