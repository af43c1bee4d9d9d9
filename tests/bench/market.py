"""The market policies side by side, and what they are to reach: `python -m tests.bench.market`."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import typer

from models.ml.arrays import Int64Array
from models.ml.market.attention.examination_curve import NAMED_CURVES
from models.ml.market.outcomes.expected_matches import compute_expected_matches
from models.ml.market.outcomes.inequality import compute_gini, compute_match_coverage, compute_top_share
from models.ml.market.outcomes.list_likes import ListLikes, compute_two_sided_likes
from models.ml.market.outcomes.simulated_matches import simulate_matches
from tests.bench.figures import Figures, Row, apart, clocked, markdown, number, peak_megabytes, percent_over, promise
from tests.bench.markets import (
    CELLS,
    SEED,
    SPARSE,
    TWO_SIDED,
    Cell,
    Pairs,
    as_a_ranker_sees,
    make_lists,
    market,
    outcome,
    reached_auc,
    sparse_population,
    with_noise,
)

Sections = Mapping[str, Callable[[], list[Row]]]

PACKAGES = ("numpy", "numba", "scipy")
OURS, TU = "best response", "TU β=1"
CROWDING = 0.5
WARM_UP = 300  # users of a population for the compiler, before the clock runs
ERRORS = 2  # standard errors within which a simulated figure counts as reached
NOISES = {"as a ranker's": as_a_ranker_sees, "each pair's own": with_noise}


def published_table(
    cells: Sequence[Cell] = CELLS, runs: int = 1000, others: Sequence[int] = (622, 623, 624, 625)
) -> list[Row]:
    """A row a cell: the published columns beside our policies on the same market, by simulation and exactly, and what
    best response gains over TU with other seeds.
    """
    return [_cell(cell, runs, others) for cell in cells]


def _cell(cell: Cell, runs: int, others: Sequence[int]) -> Row:
    likes = _two_sided_likes(cell, SEED)
    exact = _exact(cell, likes)
    drawn = simulate_matches(likes[OURS], cell.examination, runs).matches
    draws = [exact, *(_exact(cell, _two_sided_likes(cell, seed)) for seed in others)]
    gains = [percent_over(each[OURS], each[TU]) for each in draws]
    return {
        "environment": cell.environment,
        "examination": cell.examination,
        "λ": cell.crowding,
        "n": cell.receivers,
        "naive published": cell.naive,
        "naive": exact["naive"],
        "reciprocal published": cell.reciprocal,
        "product": exact["product"],
        TU: exact[TU],
        "social welfare published": cell.social_welfare,
        OURS: exact[OURS],
        "simulated": drawn.mean,
        "± s.e.": drawn.standard_error,
        "first trial": cell.trial,
        "over TU %, mean of seeds": float(np.mean(gains)),
        "least": min(gains),
    }


def _two_sided_likes(cell: Cell, seed: int) -> dict[str, ListLikes]:
    like, liked_back = market(cell.environment, cell.crowding, cell.receivers, seed)
    orders = {name: policy(like, liked_back, cell.examination) for name, policy in TWO_SIDED.items()}
    return {name: compute_two_sided_likes(like, liked_back, order, cell.examination) for name, order in orders.items()}


def _exact(cell: Cell, likes: Mapping[str, ListLikes]) -> dict[str, float]:
    return {name: compute_expected_matches(sent, cell.examination) for name, sent in likes.items()}


def large_market(receivers: int = 1000, crowdings: Sequence[float] = (0.0, 0.5)) -> list[Row]:
    """A row a policy and crowding: 1,000 x 1,500 users, exact expected matches, seconds, and the gain over TU."""
    rows: list[Row] = []
    for crowding in crowdings:
        like, liked_back = market("random", crowding, receivers)
        matches, seconds = {}, {}
        for name, policy in TWO_SIDED.items():
            seconds[name], order = clocked(partial(policy, like, liked_back, "inv"))
            matches[name] = compute_expected_matches(compute_two_sided_likes(like, liked_back, order))
        for name, (elapsed, worked) in seconds.items():
            row: Row = {"λ": crowding, "policy": name, "matches": matches[name]}
            row |= {"seconds": float(elapsed), "CPU seconds": float(worked)}
            rows.append(row | {"over TU %": percent_over(matches[name], matches[TU])})
    return rows


def growing_population(
    sizes: Sequence[int] = (15_000, 30_000, 60_000),
    names: Sequence[str] = tuple(SPARSE),
    measure: Callable[[int, str], Figures] | None = None,
) -> list[Row]:
    """A row a size and policy, each in its own process by default: seconds, peak memory, distinct matches, views."""
    rows: list[Row] = []
    for people in sizes:
        figures = {name: measure(people, name) if measure else apart(one_policy, people, name) for name in names}
        product = figures["product"]["matches"]
        for name, found in figures.items():
            gain = percent_over(found["matches"], product)
            rows.append({"people": people, "policy": name, **found, "over product %": gain})
    return rows


def one_policy(people: int, name: str) -> Figures:
    """One policy in one sparse population, with inboxes examined by "inv"."""
    make_lists(name, sparse_population(WARM_UP, CROWDING), "inv")
    pairs = sparse_population(people, CROWDING)
    before = peak_megabytes()
    (seconds, worked), listed = clocked(partial(make_lists, name, pairs, "inv"))
    peak = peak_megabytes()
    sent, views = outcome(pairs, listed)
    return {
        "seconds": float(seconds),
        "CPU seconds": float(worked),
        "peak MB": peak,
        "of it before": before,
        "matches": compute_expected_matches(sent),
        "matched share": compute_match_coverage(sent, people),
        "Gini of views": compute_gini(views),
        "top 1 % share": compute_top_share(views),
    }


def noisy_population(
    people: int = 5000, aucs: Sequence[float] = (0.62, 0.65, 0.68), inboxes: Sequence[str] = ("inv", "log2", "flat")
) -> list[Row]:
    """A row for each kind of noise, AUC and inbox: what policies that see estimates bring, in percent over product."""
    true = sparse_population(people, CROWDING)
    rows: list[Row] = []
    for noise, estimate in NOISES.items():
        for seen in (estimate(true, wanted) for wanted in aucs):
            auc = reached_auc(true, seen)
            blind = {"hedged": make_lists("hedged", seen, "inv"), "trusting": make_lists(OURS, seen, "inv")}
            for inbox in inboxes:
                names = {"tuned TU": "tuned TU", "inbox known": OURS}
                lists = blind | {label: make_lists(name, seen, inbox) for label, name in names.items()}
                reference = _matches(true, make_lists("product", seen, inbox), inbox)
                row: Row = {"noise": noise, "AUC": auc, "true inbox": inbox, "product": reference}
                gains = {name: percent_over(_matches(true, each, inbox), reference) for name, each in lists.items()}
                rows.append({**row, **gains})
    return rows


def mistaken_population(
    people: int = 5000, auc: float | None = None, inboxes: Sequence[str] = tuple(NAMED_CURVES)
) -> list[Row]:
    """A row a true inbox curve: what best response brings with each assumed one, in percent over product.

    `auc` is that of the estimates that the policy sees; None: it sees the truth.
    """
    true = sparse_population(people, CROWDING)
    seen = true if auc is None else as_a_ranker_sees(true, auc)
    lists = {f"assumed {inbox}": make_lists(OURS, seen, inbox) for inbox in inboxes}
    lists["hedged"] = make_lists("hedged", seen, "inv")
    product = make_lists("product", seen, "inv")
    rows: list[Row] = []
    for inbox in inboxes:
        reference = _matches(true, product, inbox)
        gains = {name: percent_over(_matches(true, each, inbox), reference) for name, each in lists.items()}
        rows.append({"true inbox": inbox, "product": reference, **gains})
    return rows


def _matches(true: Pairs, listed: Int64Array, inbox: str) -> float:
    return compute_expected_matches(outcome(true, listed)[0], inbox)


def acceptance(sections: Mapping[str, Sequence[Row]]) -> list[Row]:
    """What the policies are to reach, and whether they do; nothing of sections that were not run."""
    judges = {"published": _published, "large": _large, "growing": _growing, "noisy": _noisy}
    return [row for section, judge in judges.items() if section in sections for row in judge(sections[section])]


def _published(rows: Sequence[Row]) -> list[Row]:
    welfare, error = "social welfare published", "± s.e."
    errors = [(number(row, "simulated") - number(row, welfare)) / number(row, error) for row in rows]
    ahead = [row for row in rows if number(row, "first trial") > number(row, welfare) + ERRORS * number(row, error)]
    above = min((percent_over(number(row, OURS), number(row, welfare)) for row in ahead), default=0.0)
    others = [max(number(row, name) for name in ("naive", "product", TU)) for row in rows]
    gains = [percent_over(number(row, OURS), other) for row, other in zip(rows, others, strict=True)]
    return [
        promise("every cell: least distance from social welfare, in standard errors", min(errors), ">=", -ERRORS),
        promise("cells where the first trial was clearly above social welfare: least gain, %", above, ">", 0),
        promise("every cell: least gain over the best of naive, product, TU β=1, %", min(gains), ">", 0),
    ]


def _large(rows: Sequence[Row]) -> list[Row]:
    gain = {number(row, "λ"): number(row, "over TU %") for row in rows if row["policy"] == OURS}
    bars = {0.0: 0.4, 0.5: 0.9}
    gains = [promise(f"large market, λ = {each}: over TU, %", gain[each], ">=", least) for each, least in bars.items()]
    return [*gains, promise("large market: seconds", max(number(row, "seconds") for row in rows), "<=", 10)]


def _growing(rows: Sequence[Row]) -> list[Row]:
    at = {(row["policy"], number(row, "people")): row for row in rows}
    smallest, largest = min(people for _, people in at), max(people for _, people in at)
    ours, small = at[OURS, largest], at[OURS, smallest]
    growth = number(ours, "CPU seconds") / largest / (number(small, "CPU seconds") / smallest)
    over_tu = percent_over(number(ours, "matches"), number(at["tuned TU", largest], "matches"))
    return [
        promise("sparse town: distinct matches over product, %", number(ours, "over product %"), ">=", 35),
        promise("sparse town: distinct matches over tuned TU, %", over_tu, ">=", 5),
        promise(f"{largest:,.0f} people: seconds", number(ours, "seconds"), "<=", 30),
        promise(f"{largest:,.0f} people: peak MB", number(ours, "peak MB"), "<=", 1500),
        promise("linear growth: CPU time a person in the largest town over the smallest", growth, "<=", 1.3),
    ]


def _noisy(rows: Sequence[Row]) -> list[Row]:
    """The worst of the AUCs."""
    promises = []
    for noise in dict.fromkeys(row["noise"] for row in rows):
        for inbox, least in {"inv": 15.0, "log2": 5.0, "flat": -5.0}.items():
            gains = [number(row, "hedged") for row in rows if row["noise"] == noise and row["true inbox"] == inbox]
            promises.append(promise(f"noise {noise}, inbox {inbox}, q = 0.5: over product, %", min(gains), ">=", least))
    return promises


LONG: Sections = {
    "growing": growing_population,
    "published": published_table,
    "large": large_market,
    "noisy": noisy_population,
    "mistaken": mistaken_population,
    "mistaken and noisy": partial(mistaken_population, auc=0.65),
}
THREE = ("product", "tuned TU", OURS)
SHORT: Sections = {
    "growing": partial(growing_population, sizes=(5_000, 20_000), names=THREE),
    "published": partial(published_table, others=()),
    "large": large_market,
    "noisy": partial(noisy_population, people=1_000, aucs=(0.65,)),
}
QUICK: Sections = {
    "growing": partial(growing_population, sizes=(500, 1000), names=THREE),
    "published": partial(published_table, [cell for cell in CELLS if cell.receivers < 200], others=()),
    "large": partial(large_market, receivers=200),
    "noisy": partial(noisy_population, people=250, aucs=(0.65,)),
    "mistaken": partial(mistaken_population, people=250, inboxes=("inv", "log2", "flat")),
}


def main() -> None:
    """Compare the market policies at length, and say which promises hold."""
    sections = {name: section() for name, section in LONG.items()}
    for name, rows in sections.items():
        typer.echo(f"{name}\n\n{markdown(rows)}\n")
    typer.echo(markdown(acceptance(sections)))


if __name__ == "__main__":
    typer.run(main)
