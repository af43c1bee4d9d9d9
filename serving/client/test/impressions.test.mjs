// The page and its clock are made up here; tests/serving/client/test_impressions.py has a real browser.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { observeImpressions, toCard } from "@delete/matching-client";

/** @typedef {import("@delete/matching-client").Impression} Impression */
const real = { now: Date.now, setTimeout, clearTimeout };
/** @type {{ now: number, timers: Map<number, { at: number, run: () => void }>, document: EventTarget & { visibilityState: string }, page: EventTarget, look: (element: object, share: number) => void }} */
let world;

beforeEach(() => {
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  world = { now: Date.parse("2026-01-31T12:00Z"), timers: new Map(), document, page: new EventTarget(), look: () => {} };
  let last = 0;
  Object.assign(globalThis, {
    document,
    addEventListener: world.page.addEventListener.bind(world.page),
    removeEventListener: world.page.removeEventListener.bind(world.page),
    setTimeout(/** @type {(...values: unknown[]) => void} */ run, /** @type {number} */ delay, /** @type {unknown[]} */ ...values) {
      world.timers.set(++last, { at: world.now + delay, run: () => run(...values) });
      return last;
    },
    clearTimeout: (/** @type {number} */ timer) => world.timers.delete(timer),
    IntersectionObserver: class {
      elements = new Set();
      /** @param {(entries: object[]) => void} callback */
      constructor(callback, /** @type {{ threshold: number }} */ { threshold }) {
        assert.equal(threshold, 0.5);
        world.look = (target, share) => {
          if (this.elements.has(target)) callback([{ target, isIntersecting: share > 0, intersectionRatio: share }]);
        };
      }
      /** @param {object} element */
      observe = (element) => this.elements.add(element);
      /** @param {object} element */
      unobserve = (element) => this.elements.delete(element);
      disconnect = () => this.elements.clear();
    },
  });
  Date.now = () => world.now;
});

afterEach(() => {
  Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
  Date.now = real.now;
});

/** Lets time go by, and everything happen that is due. */
async function wait(/** @type {number} */ milliseconds) {
  const end = world.now + milliseconds;
  for (;;) {
    const [next] = [...world.timers].filter(([, { at }]) => at <= end).sort(([, one], [, other]) => one.at - other.at);
    if (next === undefined) break;
    world.timers.delete(next[0]);
    world.now = next[1].at;
    next[1].run();
    await Promise.resolve();
  }
  world.now = end;
  await Promise.resolve();
}

function show(/** @type {string} */ visibilityState) {
  world.document.visibilityState = visibilityState;
  world.document.dispatchEvent(new Event("visibilitychange"));
}

/** @returns {import("@delete/matching-client").Card} */
function card(/** @type {number} */ position) {
  return { candidate_id: `c${position}`, publication_id: 7, position, surface: "list" };
}

/** An observer and what it has reported. */
function collect(/** @type {(batch: Impression[]) => unknown} */ answer = () => {}) {
  /** @type {Impression[][]} */
  const batches = [];
  const seen = observeImpressions({ send: (batch) => (batches.push(batch), answer(batch)) });
  /** A card on an element of its own. */
  const add = (/** @type {number} */ position) => {
    const element = /** @type {Element} */ ({});
    return { element, stop: seen.observe(element, card(position)) };
  };
  return { ...seen, add, batches, who: () => batches.map((batch) => batch.map((each) => each.candidate_id)) };
}

test("half of a card for one second is an impression, and less of either is none", async () => {
  const { add, batches } = collect();
  const [whole, quick, little] = [add(1), add(2), add(3)];
  world.look(whole.element, 0.5);
  world.look(quick.element, 1);
  world.look(little.element, 0.49);
  await wait(999);
  world.look(quick.element, 0.4);
  await wait(1);
  world.look(quick.element, 0.9);
  await wait(999);
  world.look(quick.element, 0);
  await wait(20_000);
  assert.deepEqual(batches, [[{ ...card(1), seconds_ago: 10 }]]);
});

test("a candidate counts once a day for a publication and surface", async () => {
  const { add, observe, flush, who } = collect();
  const element = /** @type {Element} */ ({});
  const again = /** @type {Element} */ ({});
  observe(element, card(1));
  observe(again, { ...card(1), surface: "similar" });
  for (const _ of [1, 2, 3]) {
    for (const each of [element, again, add(1).element]) world.look(each, 1);
    await wait(1000);
    for (const each of [element, again]) world.look(each, 0);
  }
  flush();
  assert.deepEqual(who(), [["c1", "c1"]]);
  await wait(12 * 3600 * 1000);
  world.look(element, 1);
  await wait(1000);
  flush();
  assert.deepEqual(who().slice(1), [["c1"]]);
});

test("a hidden page shows nothing and reports at once", async () => {
  const { add, who } = collect();
  const [early, late] = [add(1), add(2)];
  world.look(early.element, 1);
  await wait(1000);
  world.look(late.element, 1);
  await wait(500);
  show("hidden");
  assert.deepEqual(who(), [["c1"]]);
  await wait(60_000);
  show("visible");
  await wait(999);
  world.page.dispatchEvent(new Event("pagehide"));
  assert.deepEqual(who(), [["c1"]]);
  await wait(1);
  world.page.dispatchEvent(new Event("pagehide"));
  assert.deepEqual(who(), [["c1"], ["c2"]]);
});

test("a report that fails is repeated with its age, in batches", async () => {
  let broken = true;
  const { add, batches, who } = collect(() => (broken ? Promise.reject(new Error("offline")) : undefined));
  for (let position = 1; position <= 150; position++) world.look(add(position).element, 1);
  await wait(11_000);
  broken = false;
  await wait(10_000);
  assert.deepEqual(batches.map((batch) => batch.length), [100, 50, 100, 50]);
  assert.deepEqual(who().slice(2), who().slice(0, 2));
  assert.deepEqual(batches.map(([first]) => first?.seconds_ago), [10, 10, 20, 20]);
  await wait(100_000);
  assert.equal(batches.length, 4);
});

test("a card that is taken away, and an observer that ended, count no more", async () => {
  const { add, disconnect, who } = collect(() => assert.fail("offline"));
  const [first, gone, open] = [add(1), add(2), add(3)];
  world.look(first.element, 1);
  await wait(1000);
  world.look(gone.element, 1);
  gone.stop();
  assert.equal(world.timers.size, 1); // the report's
  world.look(open.element, 1);
  await wait(500);
  disconnect();
  show("hidden");
  await wait(100_000);
  assert.deepEqual(who(), [["c1"]]);
  assert.equal(world.timers.size, 0);
});

test("a match knows its surface, and its place if it has one", () => {
  const match = /** @type {import("@delete/matching-client").Match} */ ({ candidate: { id: "c" }, rank: 3, source: "published" });
  const publication = { id: 7, made_at: "2026-01-31T03:00:00Z" };
  const nowhere = { candidate_id: "c", publication_id: null, position: null };
  assert.deepEqual(toCard(match, publication), { candidate_id: "c", publication_id: 7, position: 3, surface: "list" });
  assert.deepEqual(toCard({ ...match, source: "similar" }, publication), { ...nowhere, surface: "similar" });
  assert.deepEqual(toCard({ ...match, source: "like" }, publication), { ...nowhere, surface: "likes" });
  const today = toCard(match, publication, "most_compatible");
  assert.deepEqual(today, { ...nowhere, publication_id: 7, surface: "most_compatible" });
  assert.equal(toCard(match, null).publication_id, null);
});
