"""The value of a policy from logs: likes and matches with their errors, or the reason why the logs do not tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from models.experiments.off_policy.estimates import ValueEstimate, estimate_dm, estimate_dr, estimate_snips
from models.experiments.off_policy.exposure import LoggedExposure, compute_effective_size
from models.experiments.off_policy.match_estimates import LoggedReturns, estimate_dips, estimate_dpr, weigh_answers
from models.ml.arrays import BoolArray, Float64Array

LIKES, MATCHES = "likes", "matches"
BEST_METHODS = {LIKES: "dr", MATCHES: "dpr"}
"""The method that decides, by what is counted."""
MIN_EFFECTIVE_SIZE = {LIKES: 2500.0, MATCHES: 400.0}
"""Examined cards for likes, answered likes for matches. On both floors, see docs/decisions/judging-from-logs.md."""
MAX_UNSUPPORTED = 0.2
COUNTED = {LIKES: "examined cards", MATCHES: "answered likes"}


@dataclass(frozen=True)
class PolicyValue:
    """What logs tell of a policy.

    Attributes:
        policy: Its name.
        estimates: Estimates by what is counted (LIKES, MATCHES) and by method.
        effective_size: Observations of the logs by what is counted, as so many of equal weight.
        unsupported: Share of the policy's examinations that the logs never show, in [0, 1].
    """

    policy: str
    estimates: Mapping[tuple[str, str], ValueEstimate]
    effective_size: Mapping[str, float]
    unsupported: float

    def explain_refusal(self, outcome: str) -> str:
        """Explain why the logs do not tell so much as a number of LIKES or MATCHES; empty if they do."""
        if self.unsupported > MAX_UNSUPPORTED:
            share, most = f"{self.unsupported:.0%}", f"{MAX_UNSUPPORTED:.0%}"
            return f"{share} of what it would show was never shown (at most {most} may be)"
        size, least = self.effective_size[outcome], MIN_EFFECTIVE_SIZE[outcome]
        if size < least:
            return f"the logs count like {size:,.0f} {COUNTED[outcome]} (at least {least:,.0f} are needed)"
        return ""


def estimate_policy_value(
    policy: str, exposure: LoggedExposure, liked: BoolArray, p_like: Float64Array, returns: LoggedReturns
) -> PolicyValue:
    """Estimate the likes and the matches of one opening of the app by each viewer of the logs.

    Args:
        policy: The name of the policy.
        exposure: n pairs that the logs or the policy show.
        liked: Whether the viewer liked the examined candidate, bool (n,).
        p_like: Predicted probability of a like on an examined card, float64 (n,).
        returns: What became of the likes.
    """
    likes = liked.astype(float)
    estimates = {
        (LIKES, "dm"): estimate_dm(exposure, p_like),
        (LIKES, "snips"): estimate_snips(exposure, likes),
        (LIKES, "dr"): estimate_dr(exposure, likes, p_like),
        (MATCHES, "dm"): estimate_dm(exposure, p_like * returns.target),
        (MATCHES, "dips"): estimate_dips(exposure, liked, returns.target),
        (MATCHES, "dpr"): estimate_dpr(exposure, liked, p_like, returns),
    }
    sizes = {
        LIKES: exposure.effective_size,
        MATCHES: compute_effective_size(weigh_answers(exposure, liked, returns)),
    }
    return PolicyValue(policy, estimates, sizes, exposure.unsupported)


def tabulate_values(values: Sequence[PolicyValue]) -> pd.DataFrame:
    """Return a row for each policy and estimate; differences are to the first policy, from the same logs.

    The columns are policy, outcome, method, value, standard_error, difference and difference_error (all four NaN where
    the logs do not tell, and errors of "dm", which has none), effective_size, unsupported and refusal (empty where the
    logs tell).
    """
    first = values[0]
    return pd.DataFrame(
        [_make_row(each, first, outcome, method) for each in values for outcome, method in each.estimates]
    )


def _make_row(each: PolicyValue, first: PolicyValue, outcome: str, method: str) -> dict[str, object]:
    ours, theirs = each.estimates[outcome, method], first.estimates[outcome, method]
    difference = ValueEstimate(ours.value - theirs.value, ours.influence - theirs.influence)
    refusal, compared = each.explain_refusal(outcome), not first.explain_refusal(outcome)
    nan = float("nan")
    return {
        "policy": each.policy,
        "outcome": outcome,
        "method": method,
        "value": nan if refusal else ours.value,
        "standard_error": nan if refusal else ours.standard_error,
        "difference": difference.value if compared and not refusal else nan,
        "difference_error": difference.standard_error if compared and not refusal else nan,
        "effective_size": each.effective_size[outcome],
        "unsupported": each.unsupported,
        "refusal": refusal,
    }
