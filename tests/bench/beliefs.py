"""The benchmark's sparse towns seen wrongly: estimates as noisy as a ranker's, and mistaken ideas of the inbox."""

from collections.abc import Sequence

from models.ml.arrays import Int64Array
from models.ml.market.attention.examination_curve import NAMED_CURVES
from models.ml.market.outcomes.expected_matches import compute_expected_matches
from tests.bench.estimates import as_a_ranker_sees, reached_auc, with_noise
from tests.bench.figures import Row
from tests.bench.policies import LISTS
from tests.bench.sparse import Pairs, in_lists, town

CROWDING = 0.5
NOISES = {"as a ranker's": as_a_ranker_sees, "each pair's own": with_noise}


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


def mistaken_town(
    people: int = 5000, auc: float | None = None, inboxes: Sequence[str] = tuple(NAMED_CURVES)
) -> list[Row]:
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
        reference = compute_expected_matches(by_product, inbox)
        gains = {name: _percent(compute_expected_matches(likes, inbox), reference) for name, likes in sent.items()}
        rows.append({"true inbox": inbox, "product": reference, **gains})
    return rows


def _matches(true: Pairs, listed: Int64Array, inbox: str) -> float:
    return compute_expected_matches(in_lists(true, listed)[0], inbox)


def _percent(value: float, reference: float) -> float:
    return 100 * (value / reference - 1)
