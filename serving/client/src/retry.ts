import { ProblemError } from "./problems.js";

const MOST_SECONDS = 60;

/**
 * Whether the API itself did not answer: the network failed, or something in between answered in its place, such as a
 * proxy with a page of its own. Nothing in such an answer is meant for people.
 */
export function isUnreachable(error: unknown): boolean {
  return !(error instanceof ProblemError) || error.type === "about:blank";
}

/**
 * Seconds until a failed request is worth repeating by itself, or null where repeating does not help.
 *
 * That is what `Retry-After` asks for, otherwise about 2, 4, 8 … 60 seconds after the first, second, third … `attempt`,
 * spread at random, so that not all users of a service that was away ask again at once.
 */
export function retryDelay(error: unknown, attempt: number): number | null {
  if (error instanceof ProblemError && error.retryAfter !== null) return error.retryAfter;
  const mayPass = isUnreachable(error) || (error instanceof ProblemError && (error.status >= 500 || error.status === 429));
  return mayPass ? Math.ceil(Math.min(MOST_SECONDS, 2 ** attempt) * (0.75 + Math.random() / 4)) : null;
}
