"""Judge policies from simulated logs, beside the truth: `python -m tests.bench.off_policy`.

Two sides of a market whose true probabilities are known. The scores that policies, models and inboxes go by are those
probabilities with errors. One policy makes the lists of the logs, with some neighbouring positions swapped; likes are
told. Each repetition draws swaps, examinations, likes, answers and returns again.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import typer
from numpy.random import Generator
from scipy.special import expit

from models.experiments.off_policy.estimates import estimate_ips
from models.experiments.off_policy.exposure import LoggedExposure
from models.experiments.off_policy.judging import LoggedNight, judge_policies
from models.experiments.off_policy.market_returns import compute_new_matches
from models.experiments.off_policy.policy_value import BEST_METHODS, LIKES, MATCHES, PolicyValue
from models.ml.arrays import Float64Array, Int32Array
from models.ml.kernels.grouping import count_earlier
from models.ml.market import AttentionModel, MarketGraph, build_market_graph
from models.ml.market.attention.attention_model import LIST_LENGTH
from models.ml.market.attention.examination_curve import DEFAULT_CURVE
from models.ml.market.attention.examination_estimate import OfferedCards, estimate_curve
from models.ml.market.comparison import make_policy_lists
from models.ml.market.graph.ranked_lists import compute_like_probabilities

POLICIES = ("best_response", "product", "naive", "random")
CURVE = "log2"
SWAP_RATE = 0.2
NOISE = 0.5
"""Standard deviation of the error of a score, in log odds. They are also too high by BIAS."""
BIAS = 0.2
INBOX_CURVE, INBOX_WEIGHT = "inv", 0.5


@dataclass(frozen=True)
class KnownMarket:
    """A market as scored, the same with true probabilities, in the same order of edges, and the lists of policies."""

    scored: MarketGraph
    true: MarketGraph
    attention: AttentionModel
    placed: dict[str, Int32Array]

    def compute_values(self, policy: str) -> dict[str, Float64Array]:
        """The true likes and distinct matches of one opening by everybody, by edge."""
        looks, placed = self.attention.compute_list_examination(), self.placed[policy]
        likes = compute_like_probabilities(self.true, placed, looks).astype(np.float64)
        return {LIKES: likes, MATCHES: likes * compute_new_matches(self.true, self.attention, placed)}


def build_market(side: int, candidates: int, seed: int) -> KnownMarket:
    """Draw a market of two sides of so many people, each with so many candidates of the other side."""
    rng = np.random.default_rng(seed)
    # Eligibility is mutual: a circulant with random labels gives all the same number of candidates.
    offset = rng.choice(side, candidates, replace=False)
    one = np.repeat(np.arange(side), candidates)
    other = side + rng.permutation(side)[(one + np.tile(offset, side)) % side]
    viewer, candidate = np.concatenate([one, other]), np.concatenate([other, one])
    appeal, pickiness = rng.normal(0, 0.7, 2 * side), rng.normal(0, 0.4, 2 * side)
    taste = rng.normal(0, 0.8, (2 * side, 4)), rng.normal(0, 0.8, (2 * side, 4))
    like = -1.6 + appeal[candidate] - pickiness[viewer] + (taste[0][viewer] * taste[1][candidate]).sum(axis=1)
    half = len(one)
    back = np.roll(like, half)
    error = BIAS + rng.normal(0, NOISE, 2 * half)
    scored = build_market_graph(viewer, candidate, expit(like + error), expit(back + np.roll(error, half)))
    true = replace(
        scored,
        p_like=expit(like[scored.pair]).astype(np.float32),
        p_liked_back=expit(back[scored.pair]).astype(np.float32),
    )
    attention = AttentionModel(CURVE, INBOX_CURVE, inbox_weight=INBOX_WEIGHT)
    placed = {policy: make_policy_lists(scored, attention, policy).positions for policy in POLICIES}
    return KnownMarket(scored, true, attention, placed)


def swap_neighbours(placed: Int32Array, viewer: Int32Array, people: int, rng: Generator) -> Int32Array:
    """Swap disjoint neighbouring positions of each list with SWAP_RATE, from a random offset of 0 or 1."""
    offset = rng.integers(0, 2, people)[viewer]
    length = np.bincount(viewer[placed >= 0], minlength=people)[viewer]
    number = np.where(placed >= offset, (placed - offset) // 2, -1)
    swapped = (rng.random((people, LIST_LENGTH)) < SWAP_RATE)[viewer, np.maximum(number, 0)] & (number >= 0)
    partner = np.where((placed - offset) % 2 == 0, placed + 1, placed - 1)
    return np.where(swapped & (partner < length), partner, placed).astype(np.int32)


def draw_logs(market: KnownMarket, policy: str, rng: Generator, share: float = 1.0) -> LoggedNight:
    """Draw one night, and the logs of that share of the viewers."""
    graph, people = market.true, len(market.true.keys)
    placed = swap_neighbours(market.placed[policy], graph.viewer, people, rng)
    looks = np.append(market.attention.compute_list_examination(), 0.0)
    examined = rng.random(len(placed)) < looks[placed]
    liked = examined & (rng.random(len(placed)) < graph.p_like)
    sent = np.flatnonzero(liked)  # each inbox in the order of its owner's scores
    answered = np.zeros(len(placed), bool)
    answered[sent] = rng.random(len(sent)) < attend_inboxes(market)[count_earlier(graph.candidate[sent])]
    returned = answered & (rng.random(len(placed)) < graph.p_liked_back)
    opened = (rng.random(people) < share)[graph.viewer]
    predicted = (each.astype(np.float64) for each in (market.scored.p_like, market.scored.p_liked_back))
    examined, liked, answered, returned = (each & opened for each in (examined, liked, answered, returned))
    return LoggedNight(placed, opened, examined, liked, answered, returned, *predicted)


def attend_inboxes(market: KnownMarket) -> Float64Array:
    """The examination probability below so many stronger likes."""
    return market.attention.compute_inbox_examination()


def estimate_attention(market: KnownMarket, night: LoggedNight) -> AttentionModel:
    """Estimate the curve of the lists as the pipeline does, from the logs alone."""
    shown = np.flatnonzero((night.placed >= 0) & night.opened)
    viewer = market.scored.viewer[shown].astype(np.int64)
    seen_at = np.where(night.examined[shown], 1.0, np.nan)
    cards = OfferedCards(viewer, viewer, night.placed[shown].astype(np.int64) + 1, seen_at, np.full(len(shown), np.nan))
    return replace(market.attention, examination=estimate_curve(cards, DEFAULT_CURVE).examination)


def judge_night(market: KnownMarket, night: LoggedNight) -> list[PolicyValue]:
    """Judge all policies by what the pipeline would know; also by IPS, for comparison."""
    attention = estimate_attention(market, night)
    looks = np.append(attention.compute_list_examination(), 0.0)
    found = judge_policies(market.scored, attention, night, market.placed)
    viewer, liked, opened = market.scored.viewer.astype(np.int64), night.liked.astype(float), night.opened
    return [
        replace(
            each,
            estimates={
                **each.estimates,
                (LIKES, "ips"): estimate_ips(
                    LoggedExposure(
                        viewer, looks[night.placed] * opened, looks[market.placed[each.policy]] * opened, night.examined
                    ),
                    liked,
                ),
            },
        )
        for each in found
    ]


def repeat_judging(market: KnownMarket, logging: str, repetitions: int, seed: int, share: float = 1.0) -> pd.DataFrame:
    """Judge all policies from each of so many nights of logs: a row an estimate, with the truth."""
    rng, rows = np.random.default_rng(seed), []
    truth = {policy: market.compute_values(policy) for policy in POLICIES}
    for repetition in range(repetitions):
        night = draw_logs(market, logging, rng, share)
        for found in judge_night(market, night):
            for (what, method), each in found.estimates.items():
                row = {"repetition": repetition, "policy": found.policy, "outcome": what, "method": method}
                row |= {"value": each.value, "standard_error": each.standard_error}
                row |= {"truth": float(truth[found.policy][what] @ night.opened)}
                row |= {"effective_size": found.effective_size[what], "unsupported": found.unsupported}
                rows.append(row | {"refused": bool(found.explain_refusal(what))})
    return pd.DataFrame(rows)


def summarise(figures: pd.DataFrame) -> pd.DataFrame:
    """Return a row a policy and estimate: errors relative to the truth over repetitions, and the coverage at 95 %."""
    off = figures["value"] / figures["truth"] - 1
    within = (figures["value"] - figures["truth"]).abs() <= 1.96 * figures["standard_error"]
    grouped = figures.assign(off=off, square=off**2, within=within).groupby(["outcome", "policy", "method"], sort=False)
    table = grouped.agg(
        truth=("truth", "mean"),
        bias=("off", "mean"),
        bias_error=("off", "sem"),
        rmse=("square", "mean"),
        coverage=("within", "mean"),
        effective_size=("effective_size", "mean"),
        unsupported=("unsupported", "mean"),
        refused=("refused", "mean"),
    )
    return table.assign(rmse=np.sqrt(table["rmse"])).reset_index()


def measure_order(figures: pd.DataFrame, outcome: str, method: str, policies: tuple[str, ...] = POLICIES) -> float:
    """Measure the share of repetitions in which an estimate orders policies as the truth does."""
    rows = figures[(figures["outcome"] == outcome) & (figures["method"] == method) & figures["policy"].isin(policies)]
    by = rows.pivot_table(index="repetition", columns="policy", values=["value", "truth"])
    orders = {name: np.argsort(-by[name].to_numpy(), axis=1) for name in ("value", "truth")}
    return float((orders["value"] == orders["truth"]).all(axis=1).mean())


def measure_sizes(market: KnownMarket, repetitions: int, seed: int) -> pd.DataFrame:
    """Measure the error of the estimates that decide by the size of the logs, over all policies."""
    parts = []
    for share in (0.02, 0.05, 0.1, 0.2, 0.5):
        table = summarise(repeat_judging(market, "best_response", repetitions, seed, share))
        decided = table[table["method"] == table["outcome"].map(BEST_METHODS)]
        parts.append(
            decided[["outcome", "policy", "effective_size", "rmse", "coverage", "refused"]].assign(share=share)
        )
    return pd.concat(parts, ignore_index=True).sort_values(["outcome", "effective_size"])


def main(side: int = 400, candidates: int = 60, repetitions: int = 200, seed: int = 1) -> None:
    """Print the errors of each estimate, how often the order is right, and the errors by size of the logs."""
    market = build_market(side, candidates, seed)
    for logging in ("best_response", "product"):
        figures = repeat_judging(market, logging, repetitions, seed)
        typer.echo(f"\nlogs of {logging}")
        typer.echo(summarise(figures).round(4).to_markdown(index=False))
        for outcome, method in figures[["outcome", "method"]].drop_duplicates().itertuples(index=False):
            found = (measure_order(figures, outcome, method, policies) for policies in (POLICIES, POLICIES[1:]))
            typer.echo(f"order of {outcome} by {method}: {next(found):.3f}; without {POLICIES[0]} {next(found):.3f}")
    typer.echo("\nby size of the logs")
    typer.echo(measure_sizes(market, repetitions // 4, seed).round(4).to_markdown(index=False))
    wide = build_market(side, min(side, 4 * candidates), seed)
    typer.echo(f"\nlogs of product, {min(side, 4 * candidates)} candidates each")
    typer.echo(summarise(repeat_judging(wide, "product", repetitions // 10, seed)).round(4).to_markdown(index=False))


if __name__ == "__main__":
    typer.run(main)
