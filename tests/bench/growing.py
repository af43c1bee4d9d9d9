"""The benchmark's sparse towns of growing size: time, memory, matches, and who is seen."""

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from models.ml.market.outcomes.expected_matches import compute_expected_matches
from models.ml.market.outcomes.inequality import compute_gini, compute_match_coverage, compute_top_share
from tests.bench.figures import Row
from tests.bench.memory import peak_megabytes
from tests.bench.policies import LISTS
from tests.bench.sparse import in_lists, town

CROWDING = 0.5
WARM_UP = 300  # people of a town for the compiler, before the clock runs


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
    before, start, worked = peak_megabytes(), time.perf_counter(), time.process_time()
    listed = LISTS[name](pairs, "inv")
    seconds, worked, peak = time.perf_counter() - start, time.process_time() - worked, peak_megabytes()
    sent, views = in_lists(pairs, listed)
    return {
        "people": people,
        "policy": name,
        "seconds": seconds,
        "CPU seconds": worked,
        "peak MB": peak,
        "of it before": before,
        "matches": compute_expected_matches(sent),
        "matched share": compute_match_coverage(sent, people),
        "Gini of views": compute_gini(views),
        "top 1 % share": compute_top_share(views),
    }


def _percent(value: float, reference: float) -> float:
    return 100 * (value / reference - 1)
