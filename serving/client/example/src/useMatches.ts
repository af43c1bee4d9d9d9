import { answered, type Match, type Matches as Page, type MatchingClient, matchPages, type MostCompatible, type Publication } from "@delete/matching-client";
import { useCallback, useEffect, useRef, useState } from "react";

export type EmptyReason = NonNullable<Page["empty_because"]>;

export interface List {
  /** The partner of the day; undefined until it is known. */
  today: MostCompatible | undefined;
  matches: Match[];
  /** Where the list comes from; null if there are no lists at all yet. */
  publication: Publication | null;
  /** Why there are no matches, as far as the API says. */
  emptyBecause: EmptyReason | null;
  status: "loading" | "more" | "end" | "trouble";
  /** What went wrong, until it works again; otherwise null. */
  error: unknown;
}

const NOTHING: List = {
  today: undefined,
  matches: [],
  publication: null,
  emptyBecause: null,
  status: "loading",
  error: null,
};

/** My matches as far as they were asked for; `more` asks for the next page, or once more for one that failed. */
export function useMatches(api: MatchingClient) {
  const [pages, setPages] = useState(() => matchPages(api));
  const [state, setState] = useState(NOTHING);
  const today = useRef<MostCompatible>(undefined);
  const asking = useRef(false);

  const more = useCallback(async () => {
    if (asking.current) return;
    asking.current = true;
    setState((before) => ({ ...before, status: "loading" }));
    try {
      if (today.current === undefined) today.current = await answered(api.GET("/v1/me/most-compatible"));
      const { value: page } = await pages.next();
      setState((before) => ({
        today: today.current,
        matches: [...before.matches, ...(page?.matches ?? [])],
        publication: page?.publication ?? null,
        emptyBecause: page?.empty_because ?? null,
        status: page?.next_cursor ? "more" : "end",
        error: null,
      }));
    } catch (error) {
      setState((before) => ({ ...before, status: "trouble", error }));
    } finally {
      asking.current = false;
    }
  }, [api, pages]);

  useEffect(() => void more(), [more]);

  /** Forgets everything and begins the list that is published now. */
  function restart() {
    today.current = undefined;
    setState(NOTHING);
    setPages(matchPages(api));
  }

  return { ...state, more, restart };
}
