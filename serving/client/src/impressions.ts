import { createOutbox } from "./outbox.js";
import type { Match, Publication } from "./schema.js";

/** Where a card is shown. */
export type Surface = "list" | "likes" | "most_compatible" | "similar";

/** What a card shows: the candidate, and where the app has it from. */
export interface Card {
  candidate_id: string;
  /** The `publication.id` of the response; null if there is none. */
  publication_id: number | null;
  /** The `rank` of a match on the list, from 1; null elsewhere. */
  position: number | null;
  surface: Surface;
}

/** A card that was on screen. */
export interface Impression extends Card {
  /** Seconds between the impression and the report, so that a wrong clock of the device does no harm. */
  seconds_ago: number;
}

export interface ImpressionOptions {
  /**
   * Takes a batch of at most 100 impressions, to send it to the app's backend. If it throws or rejects, the batch is
   * handed over again later. The page may be closing: use `fetch` with `keepalive: true`.
   */
  send: (batch: Impression[]) => unknown;
  /** The longest time between an impression and its report, in milliseconds; 10,000 if left out. */
  interval?: number;
}

export interface ImpressionObserver {
  /** Observes an element that shows a card, and returns the function that ends this. */
  observe: (element: Element, card: Card) => () => void;
  /** Reports what was collected. It is also reported when the page is hidden or left. */
  flush: () => void;
  /** Reports what was collected, and ends. */
  disconnect: () => void;
}

const SURFACES = { published: "list", similar: "similar", like: "likes" } as const;

/** The card of a match: on the surface that its source names, unless another is given. */
export function toCard(match: Match, publication: Publication | null, surface?: Surface): Card {
  const where = surface ?? SURFACES[match.source];
  const published = where === "list" || where === "most_compatible";
  return {
    candidate_id: match.candidate.id,
    publication_id: (published && publication?.id) || null,
    position: where === "list" ? match.rank : null,
    surface: where,
  };
}

const SHARE = 0.5;
const DURATION = 1000;

/**
 * Collects impressions: a card counts once half of it has been on screen for one second without a break.
 *
 * A candidate counts once for each publication, surface and UTC day.
 */
export function observeImpressions({ send, interval = 10_000 }: ImpressionOptions): ImpressionObserver {
  const outbox = createOutbox(send, interval);
  const cards = new Map<Element, Card>();
  const counted = new Set<string>();
  const watch = watchVisibility((element) => {
    const card = cards.get(element);
    const key = card && [card.candidate_id, card.publication_id, card.surface, today()].join();
    if (card === undefined || key === undefined || counted.has(key)) return;
    counted.add(key);
    outbox.add({ ...card, at: Date.now() });
  });
  const onVisibility = () => document.visibilityState === "hidden" && outbox.flush();
  document.addEventListener("visibilitychange", onVisibility);
  addEventListener("pagehide", outbox.flush);

  return {
    observe(element, card) {
      cards.set(element, card);
      watch.observe(element);
      return () => {
        watch.unobserve(element);
        cards.delete(element);
      };
    },
    flush: outbox.flush,
    disconnect() {
      document.removeEventListener("visibilitychange", onVisibility);
      removeEventListener("pagehide", outbox.flush);
      watch.disconnect();
      outbox.close();
    },
  };
}

/** Calls `onSeen` when SHARE of an element has been on screen for DURATION, on a page that is not hidden. */
function watchVisibility(onSeen: (element: Element) => void) {
  const onScreen = new Set<Element>();
  const timers = new Map<Element, ReturnType<typeof setTimeout>>();

  function update(element: Element) {
    const visible = onScreen.has(element) && document.visibilityState === "visible";
    if (visible && !timers.has(element)) timers.set(element, setTimeout(onSeen, DURATION, element));
    if (visible) return;
    clearTimeout(timers.get(element));
    timers.delete(element);
  }

  function leave(element: Element) {
    onScreen.delete(element);
    update(element);
  }

  const updateAll = () => onScreen.forEach(update);
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting, intersectionRatio } of entries) {
        if (isIntersecting && intersectionRatio >= SHARE) onScreen.add(target);
        else onScreen.delete(target);
        update(target);
      }
    },
    { threshold: SHARE },
  );
  document.addEventListener("visibilitychange", updateAll);
  return {
    observe: (element: Element) => observer.observe(element),
    unobserve(element: Element) {
      observer.unobserve(element);
      leave(element);
    },
    disconnect() {
      document.removeEventListener("visibilitychange", updateAll);
      observer.disconnect();
      [...onScreen].forEach(leave);
    },
  };
}

/** The UTC day, such as 2026-01-31. */
function today(): string {
  return new Date(Date.now()).toISOString().slice(0, 10);
}
