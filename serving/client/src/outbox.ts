import type { Card, Impression } from "./impressions.js";

/** A card and when it was seen, in milliseconds by the device's clock. */
export type SeenCard = Card & { at: number };

export interface Outbox {
  add: (seen: SeenCard) => void;
  flush: () => void;
  close: () => void;
}

const BATCH = 100;
/** Impressions that wait while reports fail; beyond it the oldest are dropped. */
const MOST_WAITING = 1000;

/** Hands impressions over in batches, at most `interval` milliseconds after each, and again those that were refused. */
export function createOutbox(send: (batch: Impression[]) => unknown, interval: number): Outbox {
  let open = true;
  let waiting: SeenCard[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  function keep(seen: SeenCard[]) {
    if (!open) return;
    waiting = [...waiting, ...seen].sort((one, other) => one.at - other.at).slice(-MOST_WAITING);
    timer ??= setTimeout(flush, interval);
  }

  function flush() {
    clearTimeout(timer);
    timer = undefined;
    const seen = waiting;
    waiting = [];
    for (let start = 0; start < seen.length; start += BATCH) void handOver(seen.slice(start, start + BATCH));
  }

  async function handOver(seen: SeenCard[]) {
    const now = Date.now();
    try {
      await send(seen.map(({ at, ...card }) => ({ ...card, seconds_ago: Math.max(0, now - at) / 1000 })));
    } catch {
      keep(seen);
    }
  }

  function close() {
    open = false;
    flush();
  }

  return { add: (seen) => keep([seen]), flush, close };
}
