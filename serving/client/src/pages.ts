import type { MatchingClient } from "./client.js";
import { answered } from "./problems.js";
import type { Conversations, Likes, Match, Matches } from "./schema.js";

export interface PageOptions {
  /** How many a page, 1 to 50; the API's own choice if left out. */
  limit?: number;
  signal?: AbortSignal;
}

/**
 * The pages of my matches, in the order of the list, all of one publication, whatever is published meanwhile.
 *
 * After a ProblemError the same page can be asked for again with `next()`; only after status 410 is the list gone for
 * good, and a new `matchPages` begins the newer one.
 */
export function matchPages(api: MatchingClient, { limit, signal }: PageOptions = {}): AsyncIterableIterator<Matches> {
  return pagesOf((cursor) => answered(api.GET("/v1/me/matches", { params: { query: { limit, cursor } }, signal })));
}

/** All my matches, one by one, in the order of the list. Throws ProblemError; with status 410 the list is gone: begin again. */
export async function* allMatches(api: MatchingClient, options?: PageOptions): AsyncGenerator<Match, void> {
  for await (const page of matchPages(api, options)) yield* page.matches;
}

/**
 * The pages of the likes that wait for my decision, as `matchPages` gives matches.
 *
 * Throws ProblemError of type `urn:delete:problem:likes-secret` where likes are secret.
 */
export function likePages(api: MatchingClient, { limit, signal }: PageOptions = {}): AsyncIterableIterator<Likes> {
  return pagesOf((cursor) => answered(api.GET("/v1/me/likes", { params: { query: { limit, cursor } }, signal })));
}

/** The pages of my conversations, those first where something happened last. No conversation is on two of them. */
export function conversationPages(
  api: MatchingClient,
  { limit, signal }: PageOptions = {},
): AsyncIterableIterator<Conversations> {
  return pagesOf((cursor) => answered(api.GET("/v1/me/conversations", { params: { query: { limit, cursor } }, signal })));
}

function pagesOf<Page extends { next_cursor: string | null }>(
  ask: (cursor: string | null) => Promise<Page>,
): AsyncIterableIterator<Page> {
  let cursor: string | null = null;
  let ended = false;
  return {
    async next() {
      if (ended) return { done: true, value: undefined };
      const page = await ask(cursor);
      cursor = page.next_cursor;
      ended = cursor === null;
      return { done: false, value: page };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
