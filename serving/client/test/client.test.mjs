// Run by pytest against the real API, which tells in the environment where it is and whom it takes this for.
import assert from "node:assert/strict";
import { test } from "node:test";
import { allMatches, answered, conversationPages, createMatchingClient, likePages, matchPages, ProblemError } from "@delete/matching-client";

const { API = "", TOKEN = "", EXPIRED_TOKEN = "", NEWCOMER_TOKEN = "", LISTED = "", PARTNER = "", PUBLICATION = "", SCENES = "", TELLING_API = "", LIKERS = "", CONVERSATIONS = "" } = process.env;
const listed = LISTED.split(" ");
const api = createMatchingClient({ baseUrl: API, token: TOKEN });

/** @param {string} name Something that happens to the database of the API. */
async function scene(name) {
  assert.equal((await fetch(`${SCENES}/${name}`)).status, 200);
}

/**
 * @param {Promise<unknown>} asking
 * @param {number} status
 */
async function refusal(asking, status) {
  const error = await asking.then(() => assert.fail("it was answered"), (/** @type {unknown} */ error) => error);
  assert.ok(error instanceof ProblemError);
  assert.equal(error.status, status);
  return error;
}

test("the first matches", async () => {
  const { matches, publication, topped_up } = await answered(
    api.GET("/v1/me/matches", { params: { query: { limit: 3 } } }),
  );
  assert.deepEqual(matches.map((match) => match.candidate.id), listed.slice(0, 3));
  assert.deepEqual(matches.map((match) => match.rank), [1, 2, 3]);
  assert.equal(matches[0]?.p_match_percent, 90);
  assert.equal(topped_up, false);
  assert.ok(publication && Date.parse(publication.made_at) <= Date.now());
});

test("every page, each person once and in order", async () => {
  const sizes = [];
  for await (const page of matchPages(api, { limit: 25 })) sizes.push(page.matches.length);
  assert.deepEqual(sizes, [25, 25, 14]);
  const people = [];
  for await (const match of allMatches(api)) people.push(match.candidate.id);
  assert.deepEqual(people, listed);
});

test("one match, the partner of the day, similar people, the publication", async () => {
  const { match: today } = await answered(api.GET("/v1/me/most-compatible"));
  const similar = await answered(api.GET("/v1/me/similar", { params: { query: { limit: 2 } } }));
  for (const candidate_id of [listed[0] ?? "", PARTNER, similar.matches[1]?.candidate.id ?? ""]) {
    const one = await answered(api.GET("/v1/me/matches/{candidate_id}", { params: { path: { candidate_id } } }));
    assert.equal(one.candidate.id, candidate_id);
    if (candidate_id === PARTNER) assert.deepEqual(one, today);
  }
  assert.deepEqual(similar.matches.map((match) => match.source), ["similar", "similar"]);
  assert.equal((await answered(api.GET("/v1/publications/current"))).id, Number(PUBLICATION));
});

test("likes in pages where they are told, and a problem where they are secret", async () => {
  const telling = createMatchingClient({ baseUrl: TELLING_API, token: TOKEN });
  const people = [];
  for await (const page of likePages(telling, { limit: 2 })) people.push(...page.likes.map((like) => like.candidate.id));
  assert.deepEqual(people, LIKERS.split(" "));
  const { type } = await refusal(likePages(api).next(), 403);
  assert.equal(type, "urn:delete:problem:likes-secret");
});

test("conversations in pages, with whose turn it is", async () => {
  const found = [];
  for await (const page of conversationPages(api, { limit: 2 })) found.push(...page.conversations);
  assert.deepEqual(found.map(({ candidate, turn }) => `${candidate.id}:${turn}`), CONVERSATIONS.split(" "));
  assert.deepEqual(found.map(({ openers }) => openers.length > 0), found.map(({ stage }) => stage === "new"));
});

test("an answer that has not changed is not sent again", async () => {
  const first = await api.GET("/v1/me/matches");
  const headers = { "If-None-Match": first.response.headers.get("ETag") };
  const { data, response } = await api.GET("/v1/me/matches", { headers });
  assert.deepEqual([response.status, data], [304, undefined]);
});

test("a problem is typed, with and without throwing", async () => {
  const stranger = { params: { path: { candidate_id: "00000000-0000-4000-8000-000000000000" } } };
  const { data, error } = await api.GET("/v1/me/matches/{candidate_id}", stranger);
  assert.equal(data, undefined);
  assert.deepEqual([error?.status, error?.type], [404, "urn:delete:problem:not-among-matches"]);
  const { message, problem, type } = await refusal(
    answered(api.GET("/v1/me/matches", { params: { query: { limit: 51 } } })),
    422,
  );
  assert.equal(problem.errors?.[0]?.parameter, "limit");
  assert.match(message, /^limit: /);
  assert.equal(type, "urn:delete:problem:parameter-invalid");
});

test("a token that is refused is a 401", async () => {
  const expired = createMatchingClient({ baseUrl: API, token: EXPIRED_TOKEN });
  const { type } = await refusal(answered(expired.GET("/v1/me/matches")), 401);
  assert.equal(type, "urn:delete:problem:token-invalid");
});

test("who has no profile yet is told so, and no token is renewed", async () => {
  const newcomer = createMatchingClient({
    baseUrl: API,
    token: (refused) => (refused === undefined ? NEWCOMER_TOKEN : assert.fail("it was renewed")),
  });
  const { type } = await refusal(answered(newcomer.GET("/v1/me/matches")), 403);
  assert.equal(type, "urn:delete:problem:no-profile");
});

test("a token that is refused is renewed once", async () => {
  /** @type {(string | undefined)[]} */
  const asked = [];
  const renewing = createMatchingClient({
    baseUrl: API,
    token: async (refused) => {
      asked.push(refused);
      return refused === undefined ? EXPIRED_TOKEN : TOKEN;
    },
  });
  const { matches } = await answered(renewing.GET("/v1/me/matches", { params: { query: { limit: 1 } } }));
  assert.equal(matches[0]?.candidate.id, listed[0]);
  assert.deepEqual(asked, [undefined, EXPIRED_TOKEN]);
  const stubborn = createMatchingClient({ baseUrl: API, token: () => EXPIRED_TOKEN });
  await refusal(answered(stubborn.GET("/v1/me/matches")), 401);
});

test("a busy API says when to try again, and the same page can be asked for again", async () => {
  const pages = matchPages(api, { limit: 50 });
  const first = await pages.next();
  await scene("too-slow");
  assert.equal((await refusal(pages.next(), 503)).retryAfter, 5);
  await scene("quick-again");
  const second = await pages.next();
  assert.deepEqual([...first.value.matches, ...second.value.matches].map((match) => match.candidate.id), listed);
  assert.equal((await pages.next()).done, true);
});

test("what somebody else answers is a problem too", async () => {
  const elsewhere = createMatchingClient({ baseUrl: `${SCENES}/elsewhere`, token: TOKEN });
  const { message, type } = await refusal(answered(elsewhere.GET("/v1/me/matches")), 404);
  assert.match(message, /^the answer was 404/);
  assert.equal(type, "about:blank");
});

test("a list that is gone between pages is a 410, and a new one begins", async () => {
  const pages = matchPages(api, { limit: 20 });
  await pages.next();
  await scene("publication-gone");
  const { message, type } = await refusal(pages.next(), 410);
  assert.match(message, /start again without a cursor/);
  assert.equal(type, "urn:delete:problem:cursor-gone");
  const people = [];
  for await (const match of allMatches(api, { limit: 20 })) people.push(match.candidate.id);
  assert.deepEqual(people, [...listed].reverse());
});
