"""Fairness of lists: the chance of a match by group, Nash welfare, and envy, for each policy."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from models.ml.arrays import BoolArray, Float64Array, Int32Array, Int64Array
from models.ml.eligibility.supply_and_demand import assign_age_band
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.comparison import compute_people_matched, find_anybody
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.match_model import compute_match_probabilities
from models.ml.market.graph.ranked_lists import compute_like_probabilities

MIN_GROUP = 20
"""Groups of fewer users have no row."""
MAX_SAMPLED = 500
LEAST_MATCHES = 0.01
Z = 1.96  # 95 %
TENURES = {"first week": 7, "first month": 30, "longer": np.inf}
"""Upper bounds of the days since a user joined, by name."""


def build_groups(profiles: pd.DataFrame, tenure: pd.Series) -> pd.DataFrame:
    """Build the groups that fairness is measured by: gender with who is sought, age band, tenure.

    Args:
        profiles: A profiles frame.
        tenure: Days since each user joined, in the order of `profiles`.

    Returns:
        A row for each user, in the order of `profiles`, with a column for each way to divide them.
    """
    sought = profiles["seeks"].map(lambda genders: ", ".join(sorted(genders)))
    return pd.DataFrame(
        {
            "gender and sought": profiles["gender"] + " seeks " + sought,
            "age": assign_age_band(profiles["age"]).astype(str),
            "tenure": pd.cut(tenure.to_numpy(), [-np.inf, *TENURES.values()], labels=[*TENURES]).astype(str),
        }
    )


def measure_fairness(
    graph: MarketGraph, attention: AttentionModel, lists: Mapping[str, Int32Array], groups: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure what the lists of several policies give to whom.

    Args:
        graph: The market graph.
        attention: The examination model.
        lists: Index of each edge in its list, from 0, int32 (n,), -1 if not listed, by policy.
        groups: What `build_groups` returns; users who envy each other share the first column.

    Returns:
        First a row for each policy: policy, people_matched (expected share with a match), nash_welfare and envy, over
        the users who have a candidate or are one. Then `summarise_groups` of each policy, with the column policy.
    """
    anybody = find_anybody(graph)
    sides = np.where(anybody, pd.factorize(groups.iloc[:, 0])[0], -1).astype(np.int64)
    looks, overall, by_group = attention.compute_list_examination(), [], []
    for policy, placed in lists.items():
        chance, matches = compute_user_matches(graph, attention, placed)
        figures = (float(chance[anybody].mean()), compute_nash_welfare(matches[anybody]))
        overall.append((policy, *figures, measure_envy(graph, placed, looks, sides)))
        by_group.append(summarise_groups(chance[anybody], groups[anybody]).assign(policy=policy))
    columns = ["policy", "people_matched", "nash_welfare", "envy"]
    return pd.DataFrame(overall, columns=columns), pd.concat(by_group, ignore_index=True)


def compute_user_matches(
    graph: MarketGraph, attention: AttentionModel, placed: Int32Array
) -> tuple[Float64Array, Float64Array]:
    """Compute each user's probability of at least one match and expected matches of lists, float64 (people,) each.

    Where likes are told, a pair that is in both lists may match by either; such a match counts once.
    """
    liked = compute_like_probabilities(graph, placed, attention.compute_list_examination())
    matched = compute_match_probabilities(graph, attention, liked)
    once = matched.astype(np.float64)
    if attention.later_answers is None:
        both = graph.reverse_edge >= 0
        once[both] -= once[both] * once[graph.reverse_edge[both]] / 2
    ends = np.concatenate([graph.viewer, graph.candidate])
    return compute_people_matched(graph, matched), np.asarray(
        np.bincount(ends, np.tile(once, 2), len(graph.keys)), np.float64
    )


def summarise_groups(chance: Float64Array, groups: pd.DataFrame) -> pd.DataFrame:
    """Summarise the chance of a match by group.

    Args:
        chance: Probability that each user has at least one match, float64 (people,).
        groups: A column for each way to divide the users, (people,) rows in the same order.

    Returns:
        A row for each group of at least MIN_GROUP users: by (the column), group, people, mean, low, high. The 95 %
        interval is that of a mean over users of the same kind; it does not cover an error of the probabilities.
    """
    parts: list[pd.DataFrame] = [_summarise(chance, by, groups[by].to_numpy()) for by in map(str, groups.columns)]
    return pd.concat(parts, ignore_index=True)


def _summarise(chance: Float64Array, by: str, group: NDArray[np.object_]) -> pd.DataFrame:
    found = pd.DataFrame({"group": group, "chance": chance}).groupby("group", sort=True)["chance"]
    rows = found.agg(["size", "mean", "std"]).reset_index()
    rows = rows[rows["size"] >= MIN_GROUP]
    reach = Z * rows["std"] / np.sqrt(rows["size"])
    return pd.DataFrame(
        {
            "by": by,
            "group": rows["group"].astype(str),
            "people": rows["size"],
            "mean": rows["mean"],
            "low": (rows["mean"] - reach).clip(lower=0),
            "high": (rows["mean"] + reach).clip(upper=1),
        }
    )


def compute_nash_welfare(matches: Float64Array) -> float:
    """Compute the geometric mean of the expected matches of each user, with LEAST_MATCHES for those who have fewer.

    It is the Nash social welfare (Nash 1950) per user: a gain counts by its proportion, so that it counts most for
    those who have little. Caragiannis et al. (EC 2016) show why maximising it is fair.

    Args:
        matches: Expected matches of each user, float64 (people,).
    """
    return float(np.exp(np.log(np.maximum(matches, LEAST_MATCHES)).mean())) if len(matches) else 0.0


def measure_envy(
    graph: MarketGraph, placed: Int32Array, looks: Float64Array, sides: Int64Array, seed: int = 0
) -> float:
    """Measure how often a user would rather be shown as another of the same side is.

    A user values to be shown to somebody by how probably they like that one. User i envies i' if i would have more by
    standing where i' stands in all lists: the envy of Tomita and Yokoyama (RecSys 2024), who call what lists give to
    a user their opportunity.

    Args:
        graph: The market graph.
        placed: Index of each edge in its list, from 0, int32 (n,), -1 if not listed.
        looks: Probability that each position is examined, float64 (length,).
        sides: Number of the side of each user, int64 (people,): who compete for the same places; below 0 for none.
        seed: Seed of the sample of at most MAX_SAMPLED users whose envy is measured.

    Returns:
        The share of pairs of two users of one side in which the first envies the second, 0 to 1.
    """
    people = len(graph.keys)
    shown = placed >= 0
    edges = (graph.viewer, graph.candidate)
    preference = csr_array((graph.p_like.astype(np.float64), edges), (people, people))
    weight = np.minimum(looks, 1)[placed[shown]]
    impressions = csr_array((weight, (graph.viewer[shown], graph.candidate[shown])), (people, people))
    users = _sample_users(sides >= 0, seed)
    envious, pairs = 0, 0
    for user in users:
        value = np.asarray((preference[[user]] @ impressions).todense()).ravel()
        others = (sides == sides[user]) & (np.arange(people) != user)
        envious += int((value[others] > value[user] + 1e-9).sum())
        pairs += int(others.sum())
    return envious / pairs if pairs else 0.0


def _sample_users(eligible: BoolArray, seed: int) -> Int64Array:
    """Return the indices of at most MAX_SAMPLED users, int64 (k,)."""
    users = np.flatnonzero(eligible)
    return np.random.default_rng(seed).permutation(users)[:MAX_SAMPLED]
