"""What nights bring: figures of each day, and intervals of the last day's by resampling people."""

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


@dataclass(frozen=True)
class PersonalOutcome:
    """What n people have at the end of a simulation, (n,) each.

    Attributes:
        matches: Number of matches.
        views: Number of times that the person was looked at in a list.
        likes_waiting: Number of likes received that wait.
        joined: Whether the person has been there at all.
        new: Whether the person joined after the first day, and at least NEWCOMER_DAYS days ago.
    """

    matches: Int64Array
    views: Int64Array
    likes_waiting: Int64Array
    joined: BoolArray
    new: BoolArray


def measure_day(log: EventLog, lists: Cards, p_match: Float64Array, before: EventLog) -> dict[str, float]:
    """Measure the last day of a log; a mean over nobody is NaN.

    Args:
        log: The log after the day.
        lists: The lists of the day.
        p_match: What was said of each listed pair, (k,); NaN where nothing was said.
        before: The log before the day.
    """
    day, world = len(log.days) - 1, log.world
    present, (said, seen) = world.find_present(day), _compare_with_luck(log, lists, p_match, log.days[-1])
    receiver, sender = log.find_pending(present)
    outcome = measure_people(log)
    matches, before_matches = outcome.matches.sum() // 2, before.matched.sum() // 2
    listed = np.bincount(lists.viewer, minlength=world.people)
    return {
        "day": day,
        "matches": int(matches),
        "new_matches": int(matches - before_matches),
        "with_match": _compute_mean(outcome.matches[outcome.joined] > 0),
        "views_gini": compute_gini(outcome.views[outcome.joined]),
        "likes_waiting": len(receiver),
        "matches_waiting": int(world.draw_likes(receiver, sender).sum()),
        "short_lists": _compute_mean(listed[present] < SHORT_LIST),
        "refusers_listed": int((before.decided[lists.candidate, lists.viewer] == PASS).sum()),
        "newcomers_matched": _compute_mean(outcome.matches[outcome.new] > 0),
        "cards_viewed": len(seen),
        "p_match_said": _compute_mean(said),
        "p_match_seen": _compute_mean(seen),
    }


def measure_people(log: EventLog) -> PersonalOutcome:
    """Measure what each person has after the last day of a log."""
    days, joins = len(log.days), log.world.joins
    receiver, _ = log.find_pending(log.world.find_present(days - 1))
    return PersonalOutcome(
        matches=log.matched.sum(axis=1, dtype=np.int64),
        views=count_views(log),
        likes_waiting=np.bincount(receiver, minlength=log.world.people),
        joined=joins < days,
        new=(joins > 0) & (joins + NEWCOMER_DAYS <= days),
    )


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


def add_intervals(figures: pd.DataFrame, outcome: PersonalOutcome, gain: Interval, seed: int) -> pd.DataFrame:
    """Add to an arm's figures the 95 % intervals of the last day, and its gain over a reference arm.

    Args:
        figures: The figures of each day.
        outcome: What people have after the last day.
        gain: The gain over a reference arm with the same people.
        seed: Seed of the resampling.

    Returns:
        The figures with the columns `*_low` and `*_high` of `bound_figures`, gain, gain_low and gain_high, all missing
        but on the last day.
    """
    added = {"gain": gain.estimate, "gain_low": gain.low, "gain_high": gain.high}
    for name, (low, high) in bound_figures(outcome, seed).items():
        added |= {f"{name}_low": low, f"{name}_high": high}
    return figures.join(pd.DataFrame(added, index=figures.index[-1:]))


def bound_figures(outcome: PersonalOutcome, seed: int) -> dict[str, tuple[float, float]]:
    """Compute the bounds of the 95 % intervals of the last day's figures, by resampling people.

    Args:
        outcome: What people have after the last day.
        seed: Seed of the resampling.

    Returns:
        Lower and upper bound by the name of the figure in `measure_day`; NaN for a mean over nobody.
    """
    drawn = _draw_resamples(len(outcome.matches), seed)
    matched, joined, views = outcome.matches > 0, outcome.joined, outcome.views
    figures = {
        "matches": drawn @ outcome.matches / 2,
        "with_match": _compute_shares(drawn, matched, joined),
        "views_gini": np.array([compute_gini(np.repeat(views[joined], each)) for each in drawn[:, joined]]),
        "likes_waiting": drawn @ outcome.likes_waiting,
        "newcomers_matched": _compute_shares(drawn, matched, outcome.new),
    }
    return {name: _compute_bounds(each) for name, each in figures.items()}


def compare_counts(ours: Int64Array, theirs: Int64Array, seed: int) -> Interval:
    """Compare the matches of two arms with the same people: the relative gain, with a bootstrap interval over people.

    The gain is NaN if the reference arm has none. Lasting conversations and meetings are compared alike.

    Args:
        ours: Matches of each person, (n,).
        theirs: Matches of each person in the reference arm, (n,).
        seed: Seed of the resampling.
    """
    drawn = _draw_resamples(len(ours), seed)
    bounds = _compute_bounds(_compute_gains(drawn @ ours, drawn @ theirs))
    return Interval(float(_compute_gains(ours.sum(), theirs.sum())), *bounds)


def _compute_gains(ours: Int64Array, theirs: Int64Array) -> Float64Array:
    """Compute relative gains; NaN where there is nothing to gain over."""
    return np.where(theirs > 0, ours / np.maximum(theirs, 1) - 1, np.nan)


def _draw_resamples(people: int, seed: int) -> Int64Array:
    """Draw how often each person is in each resample, int64 (RESAMPLES, people)."""
    return np.random.default_rng(seed).multinomial(people, np.full(people, 1 / people), RESAMPLES)


def _compute_shares(drawn: Int64Array, which: BoolArray, among: BoolArray) -> Float64Array:
    """Compute the share of `which` among some people in each resample, (r,); NaN where a resample has none of them."""
    there = drawn @ among.astype(np.int64)
    return np.where(there > 0, (drawn @ (which & among).astype(np.int64)) / np.maximum(there, 1), np.nan)


def _compute_bounds(figures: Float64Array) -> tuple[float, float]:
    """Compute the bounds of the 95 % interval of a figure's resamples."""
    known = figures[~np.isnan(figures)]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
    return float(low), float(high)


def _compute_mean(values: BoolArray | Float64Array) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _compare_with_luck(
    log: EventLog, lists: Cards, p_match: Float64Array, seen: CardViews
) -> tuple[Float64Array, BoolArray]:
    """Return the p_match of the cards looked at in lists, and whether the two would like each other, (k,) each."""
    world, rows = log.world, seen.surface == LIST
    viewer, candidate = seen.cards.viewer[rows], seen.cards.candidate[rows]
    said = pd.Series(p_match, lists.viewer * world.people + lists.candidate)
    both = world.draw_likes(viewer, candidate) & world.draw_likes(candidate, viewer)
    return np.asarray(said.reindex(viewer * world.people + candidate), np.float64), both
