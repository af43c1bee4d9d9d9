"""What nights bring: figures of each day, and differences between arms with intervals by resampling people."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import rel_entr

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.market.outcomes.inequality import compute_gini
from models.ml.scoring.candidates import ScoredPairs
from models.simulation.behaviour import LIST, Cards, CardViews
from models.simulation.event_log import PASS, EventLog
from models.simulation.world import World

RESAMPLES = 1000
NEWCOMER_DAYS = 3
SHORT_LIST = 12


@dataclass(frozen=True)
class Interval:
    """An estimate with the bounds of its 95 % interval."""

    estimate: float
    low: float
    high: float


def measure_day(log: EventLog, lists: Cards, p_match: Float64Array, before: EventLog) -> dict[str, float]:
    """Measure the last day of a log.

    Args:
        log: The log after the day.
        lists: The lists of the day.
        p_match: What was said of each listed pair, (k,).
        before: The log before the day.
    """
    day, world = len(log.days) - 1, log.world
    present, matched = world.find_present(day), log.matched
    known = world.joins <= day
    receiver, sender = log.find_pending(present)
    said, seen = _compare_with_luck(log, lists, p_match, log.days[-1])
    return {
        "day": day,
        "matches": int(matched.sum()) // 2,
        "new_matches": (int(matched.sum()) - int(before.matched.sum())) // 2,
        "with_match": float(np.asarray(matched.any(axis=1))[known].mean()),
        "views_gini": compute_gini(count_views(log)[known]),
        "likes_waiting": len(receiver),
        "matches_waiting": int(world.draw_likes(receiver, sender).sum()),
        "short_lists": float((np.bincount(lists.viewer, minlength=world.people)[present] < SHORT_LIST).mean()),
        "refusers_listed": int((before.decided[lists.candidate, lists.viewer] == PASS).sum()),
        "newcomers_matched": measure_newcomers(log),
        "p_match_said": said,
        "p_match_seen": seen,
    }


def measure_p_like(world: World, scored: ScoredPairs, seen: CardViews) -> dict[str, float]:
    """Compare p_like with the truth over all scored candidates, and over those that their viewers saw in lists.

    The ranker learns from the pairs that were shown, so it may be wrong elsewhere.

    Args:
        world: The people.
        scored: The scored candidates of the day.
        seen: The impressions of the day.

    Returns:
        For `scored` and for `shown` pairs: the mean p_like `said` and `true`, and the `excess` log loss of p_like over
        that of the true probability, in nats.
    """
    listed = seen.surface == LIST
    pair = seen.cards.viewer[listed] * world.people + seen.cards.candidate[listed]
    shown = np.isin(scored.viewer * world.people + scored.candidate, pair)
    true, said = world.compute_p_like(scored.viewer, scored.candidate), scored.p_like.astype(np.float64)
    excess = rel_entr(true, said) + rel_entr(1 - true, 1 - said)
    return {
        f"p_like_{name}_{pairs}": float(values[rows].mean()) if rows.any() else float("nan")
        for pairs, rows in (("scored", np.ones(len(shown), bool)), ("shown", shown))
        for name, values in (("said", said), ("true", true), ("excess", excess))
    }


def count_views(log: EventLog) -> Int64Array:
    """Count how often each person was looked at in a list, int64 (n,)."""
    cards = [day.cards.candidate[day.surface == LIST] for day in log.days]
    return np.bincount(np.concatenate([np.empty(0, np.int64), *cards]), minlength=log.world.people)


def measure_newcomers(log: EventLog) -> float:
    """Compute the share of joiners of NEWCOMER_DAYS days and more who have a match; NaN without joiners."""
    joins, today = log.world.joins, len(log.days)
    new = (joins > 0) & (joins + NEWCOMER_DAYS <= today)
    return float(np.asarray(log.matched.any(axis=1))[new].mean()) if new.any() else float("nan")


def compare_matches(ours: BoolArray, theirs: BoolArray, seed: int) -> Interval:
    """Compare the matches of two arms with the same people: the relative gain, with a bootstrap interval over people.

    Args:
        ours: Who matched whom, bool (n, n).
        theirs: Who matched whom in the reference arm, bool (n, n).
        seed: Seed of the resampling.
    """
    counts = np.stack([ours.sum(axis=1), theirs.sum(axis=1)]).astype(np.float64)
    people = counts.shape[1]
    drawn = np.random.default_rng(seed).multinomial(people, np.full(people, 1 / people), RESAMPLES)
    sums = drawn @ counts.T
    gains = sums[:, 0] / np.maximum(sums[:, 1], 1) - 1
    low, high = np.quantile(gains, [0.025, 0.975])
    return Interval(float(counts[0].sum() / max(counts[1].sum(), 1) - 1), float(low), float(high))


def _compare_with_luck(log: EventLog, lists: Cards, p_match: Float64Array, seen: CardViews) -> tuple[float, float]:
    """Compute the mean p_match of the cards looked at in lists, and the share of them who would like each other."""
    world, rows = log.world, seen.surface == LIST
    viewer, candidate = seen.cards.viewer[rows], seen.cards.candidate[rows]
    said = pd.Series(p_match, lists.viewer * world.people + lists.candidate)
    both = world.draw_likes(viewer, candidate) & world.draw_likes(candidate, viewer)
    return float(said.reindex(viewer * world.people + candidate).mean()), float(both.mean())
