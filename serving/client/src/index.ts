export { createMatchingClient } from "./client.js";
export type { MatchingClient, MatchingClientOptions, Token } from "./client.js";
export { observeImpressions, toCard } from "./impressions.js";
export type { Card, Impression, ImpressionObserver, ImpressionOptions, Surface } from "./impressions.js";
export { allMatches, likePages, matchPages } from "./pages.js";
export type { PageOptions } from "./pages.js";
export { answered, ProblemError } from "./problems.js";
export type * from "./schema.js";
