"""The benchmark's sparse towns: size, estimates as noisy as a real ranker's, and mistaken ideas of the inbox."""

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from models.ml.market.examination import NAMED
from models.ml.market.expected_matches import expected_matches
from models.ml.market.measures import gini, matched_share, top_share
from tests.bench.policies import LISTS
from tests.bench.sparse import Ints, Pairs, as_a_ranker_sees, in_lists, reached_auc, town, with_noise

Row = dict[str, str | float]

CROWDING = 0.5
WARM_UP = 300  # people of a town for the compiler, before the clock runs
NOISES = {"as a ranker's": as_a_ranker_sees, "each pair's own": with_noise}


def growing_town(sizes: Sequence[int] = (15_000, 30_000, 60_000), names: Sequence[str] = tuple(LISTS)) -> list[Row]:
    """A row a size and policy, each in a process of its own: seconds, peak memory, distinct matches, who is seen."""
    rows = [_apart(people, name) for people in sizes for name in names]
    by_product = {row["people"]: float(row["matches"]) for row in rows if row["policy"] == "product"}
    return [row | {"over product %": _percent(float(row["matches"]), by_product[row["people"]])} for row in rows]


def _apart(people: int, name: str) -> Row:
    """In a new process, whose memory nobody else has used."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measured, people, name).result()


def measured(people: int, name: str) -> Row:
    """One policy in one town whose lists and inboxes are looked through as "inv" has it."""
    LISTS[name](town(WARM_UP, CROWDING), "inv")
    pairs = town(people, CROWDING)
    before, start = peak_megabytes(), time.perf_counter()
    listed = LISTS[name](pairs, "inv")
    seconds, peak = time.perf_counter() - start, peak_megabytes()
    sent, views = in_lists(pairs, listed)
    return {
        "people": people,
        "policy": name,
        "seconds": seconds,
        "peak MB": peak,
        "of it before": before,
        "matches": expected_matches(sent),
        "matched share": matched_share(sent, people),
        "Gini of views": gini(views),
        "top 1 % share": top_share(views),
    }


def peak_megabytes() -> float:
    """The most memory that this process has had; NaN where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return float("nan")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def noisy_town(
    people: int = 5000, aucs: Sequence[float] = (0.62, 0.65, 0.68), inboxes: Sequence[str] = ("inv", "log2", "flat")
) -> list[Row]:
    """A row for each kind of noise, AUC and inbox: what policies that see estimates bring, in percent over product."""
    true = town(people, CROWDING)
    seen = [(noise, make(true, wanted)) for noise, make in NOISES.items() for wanted in aucs]
    return [row for noise, estimates in seen for row in _seen(true, estimates, noise, inboxes)]


def _seen(true: Pairs, seen: Pairs, noise: str, inboxes: Sequence[str]) -> list[Row]:
    blind = {"hedged": LISTS["hedged"](seen, "inv"), "trusting": LISTS["best response"](seen, "inv")}
    rows: list[Row] = []
    for inbox in inboxes:
        informed = {"tuned TU": LISTS["tuned TU"](seen, inbox), "inbox known": LISTS["best response"](seen, inbox)}
        reference = _matches(true, LISTS["product"](seen, inbox), inbox)
        gains = {name: _matches(true, listed, inbox) for name, listed in (blind | informed).items()}
        row: Row = {"noise": noise, "AUC": reached_auc(true, seen), "true inbox": inbox, "product": reference}
        rows.append(row | {name: _percent(matches, reference) for name, matches in gains.items()})
    return rows


def mistaken_town(people: int = 5000, auc: float | None = None, inboxes: Sequence[str] = tuple(NAMED)) -> list[Row]:
    """A row a true inbox curve: what best response brings with each assumed one, in percent over product.

    `auc` is how well the estimates that the policy sees order likes and passes; None: it sees the truth.
    """
    true = town(people, CROWDING)
    seen = true if auc is None else as_a_ranker_sees(true, auc)
    made = {f"assumed {inbox}": LISTS["best response"](seen, inbox) for inbox in inboxes}
    made["hedged"] = LISTS["hedged"](seen, "inv")
    sent = {name: in_lists(true, listed)[0] for name, listed in made.items()}
    by_product = in_lists(true, LISTS["product"](seen, "inv"))[0]
    rows: list[Row] = []
    for inbox in inboxes:
        reference = expected_matches(by_product, inbox)
        gains = {name: _percent(expected_matches(likes, inbox), reference) for name, likes in sent.items()}
        rows.append({"true inbox": inbox, "product": reference, **gains})
    return rows


def _matches(true: Pairs, listed: Ints, inbox: str) -> float:
    return expected_matches(in_lists(true, listed)[0], inbox)


def _percent(value: float, reference: float) -> float:
    return 100 * (value / reference - 1)
