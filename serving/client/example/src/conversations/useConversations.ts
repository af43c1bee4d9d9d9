import { type Conversation, conversationPages, type MatchingClient } from "@delete/matching-client";
import { useCallback, useEffect, useRef, useState } from "react";

export interface Conversations {
  conversations: Conversation[];
  status: "loading" | "more" | "end" | "trouble";
  /** Why the last request failed; null if it did not. */
  error: unknown;
}

const NOTHING: Conversations = { conversations: [], status: "loading", error: null };

/** My conversations, as far as they were asked for; all anew after `restart`. */
export function useConversations(api: MatchingClient) {
  const [pages, setPages] = useState(() => conversationPages(api));
  const [state, setState] = useState(NOTHING);
  const asking = useRef<unknown>(null);

  const more = useCallback(async () => {
    if (asking.current === pages) return;
    asking.current = pages;
    setState((before) => ({ ...before, status: "loading" }));
    try {
      const { value: page } = await pages.next();
      if (asking.current !== pages) return;
      setState(({ conversations }) => ({
        conversations: [...conversations, ...(page?.conversations ?? [])],
        status: page?.next_cursor ? "more" : "end",
        error: null,
      }));
    } catch (error) {
      if (asking.current === pages) setState((before) => ({ ...before, status: "trouble", error }));
    } finally {
      if (asking.current === pages) asking.current = null;
    }
  }, [pages]);

  useEffect(() => void more(), [more]);

  const restart = useCallback(() => {
    setState(NOTHING);
    setPages(conversationPages(api));
  }, [api]);

  return { ...state, more, restart };
}
