"""Judge the lists of policies from one night of logs: what users did with the lists of another policy."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from models.experiments.off_policy.exposure import LoggedExposure
from models.experiments.off_policy.market_returns import compute_new_matches, compute_returns
from models.experiments.off_policy.match_estimates import LoggedReturns
from models.experiments.off_policy.policy_value import PolicyValue, estimate_policy_value
from models.ml.arrays import BoolArray, Float64Array, Int32Array
from models.ml.market import AttentionModel, MarketGraph


@dataclass(frozen=True)
class LoggedNight:
    """What the n edges of a market graph came to, (n,) by edge.

    Attributes:
        placed: Index in the list as it was shown, from 0, int32, -1 if not listed.
        opened: Whether the viewer opened the list, bool.
        examined: Whether the viewer examined the candidate, bool.
        liked: Whether the viewer liked the candidate, bool.
        answered: Whether the candidate decided on the viewer, bool.
        returned: Whether that was a like, bool.
        p_like: Predicted probability that the viewer likes an examined candidate, float64.
        p_returned: Predicted probability that the candidate likes the viewer, if they decide, float64.
    """

    placed: Int32Array
    opened: BoolArray
    examined: BoolArray
    liked: BoolArray
    answered: BoolArray
    returned: BoolArray
    p_like: Float64Array
    p_returned: Float64Array


def judge_policies(
    graph: MarketGraph, attention: AttentionModel, night: LoggedNight, lists: Mapping[str, Int32Array]
) -> list[PolicyValue]:
    """Judge policies by the lists that they would have made of the same scored pairs.

    Likes and matches are those of one opening by each viewer who opened a list in the logs. A list that was drawn is
    judged as it was shown, so that logs with and without chance are read alike: given the list, each card's
    examination has the probability of its position.

    Args:
        graph: The scored pairs.
        attention: The examination model.
        night: The logs.
        lists: Index of each edge in its list by name of the policy, from 0, int32 (n,) each, -1 if not listed.
    """
    looks = np.append(np.minimum(attention.compute_list_examination(), 1), 0.0)  # index -1, not listed, is the 0
    crowd = _scale_likes(graph, night)
    logged = compute_returns(crowd, attention, night.placed)

    def judge_lists(policy: str, placed: Int32Array) -> PolicyValue:
        exposure = LoggedExposure(
            viewer=graph.viewer.astype(np.int64),
            logged=looks[night.placed] * night.opened,
            target=looks[placed] * night.opened,
            examined=night.examined,
        )
        target = compute_new_matches(crowd, attention, placed)
        returns = LoggedReturns(logged, target, night.answered, night.returned, night.p_returned)
        return estimate_policy_value(policy, exposure, night.liked, night.p_like, returns)

    return [judge_lists(policy, placed) for policy, placed in lists.items()]


def _scale_likes(graph: MarketGraph, night: LoggedNight) -> MarketGraph:
    """Return the graph with as many likes as the logs have: with too many, inboxes would seem too crowded."""
    expected = float(night.p_like[night.examined].sum())
    scale = float(night.liked[night.examined].sum()) / expected if expected else 1.0
    return replace(graph, p_like=np.minimum(graph.p_like * np.float32(scale), np.float32(1)))
