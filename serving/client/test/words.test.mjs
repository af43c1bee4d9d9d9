import assert from "node:assert/strict";
import { test } from "node:test";
import { isUnreachable, ProblemError, promptTitle, retryDelay } from "@delete/matching-client";

/**
 * @param {number} status
 * @param {import("@delete/matching-client").ProblemType} type
 * @param {Record<string, string>} [headers]
 */
function problem(status, type, headers) {
  return new ProblemError({ type, title: "", status, detail: "" }, new Response(null, { status, headers }));
}

test("what may pass is worth repeating, ever more patiently", () => {
  for (const error of [new TypeError("fetch failed"), problem(502, "about:blank"), problem(404, "about:blank")]) {
    assert.ok(isUnreachable(error));
    const delays = [1, 2, 3, 4, 5, 6, 50].map((attempt) => retryDelay(error, attempt) ?? 0);
    const most = [2, 4, 8, 16, 32, 60, 60];
    delays.forEach((delay, index) => assert.ok(delay <= (most[index] ?? 0) && delay >= (most[index] ?? 0) * 0.75, `${delays}`));
  }
  assert.ok(!isUnreachable(problem(503, "urn:delete:problem:unavailable")));
  assert.notEqual(retryDelay(problem(503, "urn:delete:problem:unavailable"), 1), null);
  for (const type of /** @type {const} */ (["token-invalid", "no-profile", "likes-secret"]))
    assert.equal(retryDelay(problem(403, `urn:delete:problem:${type}`), 1), null);
});

test("Retry-After is honoured, in seconds and as a date", () => {
  const type = "urn:delete:problem:too-many-requests";
  assert.equal(retryDelay(problem(429, type, { "Retry-After": "90" }), 1), 90);
  const date = new Date(Date.now() + 30_000).toUTCString();
  const delay = retryDelay(problem(502, "about:blank", { "Retry-After": date }), 1) ?? 0;
  assert.ok(delay >= 28 && delay <= 30, `${delay}`);
  assert.equal(retryDelay(problem(502, "about:blank", { "Retry-After": new Date(0).toUTCString() }), 1), 0);
  assert.ok((retryDelay(problem(502, "about:blank", { "Retry-After": "soon" }), 1) ?? 0) >= 1);
});

test("a prompt has a title", () => {
  const titles = { locale: "en", prompts: { about_me: "Who I am" } };
  assert.equal(promptTitle("about_me", titles), "Who I am");
  assert.equal(promptTitle("ideal_weekend", titles), "Ideal weekend");
  assert.equal(promptTitle("about_me", null), "About me");
  assert.equal(promptTitle("What I love", titles), "What I love");
  assert.equal(promptTitle("constructor", titles), "constructor");
});
