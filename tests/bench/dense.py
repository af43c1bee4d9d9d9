"""The benchmark's two-sided markets: the published table, and a market ten times as large."""

import time
from collections.abc import Mapping, Sequence

import numpy as np

from models.ml.market.outcomes.expected_matches import compute_expected_matches
from models.ml.market.outcomes.list_likes import ListLikes, compute_two_sided_likes
from models.ml.market.outcomes.simulated_matches import simulate_matches
from tests.bench.figures import Row
from tests.bench.policies import TWO_SIDED
from tests.bench.published import CELLS, SEED, Cell, market

OURS = "best response"


def published_table(
    cells: Sequence[Cell] = CELLS, runs: int = 1000, others: Sequence[int] = (622, 623, 624, 625)
) -> list[Row]:
    """A row a cell: the published columns beside expected matches of the policies run on the same market, by simulation
    for the error and exactly, and what best response gains over TU with other seeds.
    """
    return [_cell(cell, runs, others) for cell in cells]


def _cell(cell: Cell, runs: int, others: Sequence[int]) -> Row:
    played = _played(cell, SEED)
    exact = _exact(cell, played)
    drawn = simulate_matches(played[OURS], cell.examination, runs).matches
    gains = [_gain(each) for each in (exact, *(_exact(cell, _played(cell, seed)) for seed in others))]
    return {
        "environment": cell.environment,
        "examination": cell.examination,
        "λ": cell.crowding,
        "n": cell.receivers,
        "naive published": cell.naive,
        "naive": exact["naive"],
        "reciprocal published": cell.reciprocal,
        "product": exact["product"],
        "TU β=1": exact["TU β=1"],
        "social welfare published": cell.social_welfare,
        OURS: exact[OURS],
        "simulated": drawn.mean,
        "± s.e.": drawn.standard_error,
        "first trial": cell.trial,
        "over TU %, mean of seeds": float(np.mean(gains)),
        "least": min(gains),
    }


def _played(cell: Cell, seed: int) -> dict[str, ListLikes]:
    """The likes that come of each policy."""
    like, liked_back = market(cell.environment, cell.crowding, cell.receivers, seed)
    orders = {name: policy(like, liked_back, cell.examination) for name, policy in TWO_SIDED.items()}
    return {name: compute_two_sided_likes(like, liked_back, order, cell.examination) for name, order in orders.items()}


def _exact(cell: Cell, played: Mapping[str, ListLikes]) -> dict[str, float]:
    return {name: compute_expected_matches(sent, cell.examination) for name, sent in played.items()}


def _gain(exact: Mapping[str, float]) -> float:
    return 100 * (exact[OURS] / exact["TU β=1"] - 1)


def large_market(receivers: int = 1000, crowdings: Sequence[float] = (0.0, 0.5)) -> list[Row]:
    """A row a policy and crowding: 1,000 x 1,500 people, exact expected matches, seconds, and the gain over TU."""
    return [row for crowding in crowdings for row in _large(receivers, crowding)]


def _large(receivers: int, crowding: float) -> list[Row]:
    like, liked_back = market("random", crowding, receivers)
    rows: list[Row] = []
    for name, policy in TWO_SIDED.items():
        start, worked = time.perf_counter(), time.process_time()
        order = policy(like, liked_back, "inv")
        seconds, worked = time.perf_counter() - start, time.process_time() - worked
        matches = compute_expected_matches(compute_two_sided_likes(like, liked_back, order))
        rows.append({"λ": crowding, "policy": name, "matches": matches, "seconds": seconds, "CPU seconds": worked})
    tu = next(float(row["matches"]) for row in rows if row["policy"] == "TU β=1")
    return [row | {"over TU %": 100 * (float(row["matches"]) / tu - 1)} for row in rows]
