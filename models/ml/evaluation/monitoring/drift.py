"""Drift of profiles and scores since the training of the ranker, as population stability indices."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array
from models.ml.features.pair_features import Pairs, build_features, make_empty_history
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.profiles.profile_matrix import build_profile_matrix
from models.ml.ranker.ranker_model import Ranker

P_LIKE = "p_like"
# Enough for the indices of two random halves of one population to be below 0.01.
MAX_PROFILES, RANDOM_PAIRS = 5_000, 20_000
BINS = 10
# Siddiqi, Credit Risk Scorecards (2006): below 0.1 is a negligible change, above 0.25 a major one.
PSI_ALERT = 0.25
# An empty bin would make the index infinite.
MIN_SHARE = 1e-3


@dataclass(frozen=True)
class DriftReference:
    """Distribution of each drift feature: the edges of its bins, and the share in each bin and of missing values."""

    edges: dict[str, list[float]]
    shares: dict[str, list[float]]


def compute_drift_features(
    ranker: Ranker, profiles: pd.DataFrame, answers: AnswerEmbeddings
) -> dict[str, Float64Array]:
    """Compute the drift features of at most 5,000 users, always the same, with NaN for missing values.

    The features are age, gender and facts (as codes), traits, and the number of answers. `p_like`, float64 (20,000,),
    is of random pairs of these users, without history.

    Args:
        ranker: The ranker.
        profiles: A profiles frame.
        answers: The embedded answers.

    Returns:
        Values by name of the feature.
    """
    some = profiles.sample(min(len(profiles), MAX_PROFILES), random_state=0)
    theirs = answers.keys["profile_id"].isin(some["profile_id"]).to_numpy(bool)
    arrays = build_profile_matrix(
        ranker.specification, some, replace(answers, keys=answers.keys[theirs], vectors=answers.vectors[theirs])
    )
    traits = np.where(arrays.has_trait, arrays.traits, np.nan)
    facts = np.where(arrays.facts >= 0, arrays.facts, np.nan)
    random = np.random.default_rng(0)
    viewer = random.integers(0, len(some), RANDOM_PAIRS)
    candidate = (viewer + random.integers(1, max(len(some), 2), RANDOM_PAIRS)) % len(some)
    pairs = Pairs(arrays, viewer, candidate, make_empty_history(RANDOM_PAIRS))
    return {
        "age": arrays.age.astype(np.float64),
        "gender": arrays.gender.astype(np.float64),
        "answers": some["texts"].map(len).to_numpy(np.float64),
        **{f"trait {each.name}": traits[:, at] for at, each in enumerate(ranker.specification.traits)},
        **{f"fact {each.name}": facts[:, at] for at, each in enumerate(ranker.specification.facts)},
        P_LIKE: ranker.predict_p_like(build_features(ranker.specification, pairs)).astype(np.float64),
    }


def build_reference(numbers: Mapping[str, Float64Array]) -> DriftReference:
    """Build the reference for later comparisons: bins of equal count, or one per value for at most ten values."""
    edges = {name: _compute_bin_edges(values[~np.isnan(values)]) for name, values in numbers.items()}
    return DriftReference(
        edges, {name: _compute_bin_shares(values, edges[name]).tolist() for name, values in numbers.items()}
    )


def compute_drift(reference: DriftReference, numbers: Mapping[str, Float64Array]) -> "pd.Series[float]":
    """Compute the population stability index of each feature, largest first; 0 is no change.

    Source: Siddiqi (2006); it is Jeffreys' divergence of the shares of bins. Two random samples of n and m from one
    population differ by about (bins - 1)(1/n + 1/m) (Yurdakul and Naranjo, 2020). Only features of the reference are
    compared.
    """
    index = {
        name: compute_stability_index(
            np.array(reference.shares[name]), _compute_bin_shares(values, reference.edges[name])
        )
        for name, values in numbers.items()
        if name in reference.edges
    }
    return pd.Series(index, dtype=np.float64).sort_values(ascending=False, kind="stable")


def compute_stability_index(reference: Float64Array, current: Float64Array) -> float:
    """Compute the sum of (current - reference) ln(current / reference) over the shares (bins,), none below 0.001."""
    reference, current = np.maximum(reference, MIN_SHARE), np.maximum(current, MIN_SHARE)
    return float(((current - reference) * np.log(current / reference)).sum())


def _compute_bin_edges(values: Float64Array) -> list[float]:
    """Compute the upper edges of all bins but the last."""
    different = np.unique(values)
    if len(different) <= BINS:
        return [float(each) for each in different[:-1]]
    return [float(each) for each in np.unique(np.quantile(values, np.arange(1, BINS) / BINS))]


def _compute_bin_shares(values: Float64Array, edges: list[float]) -> Float64Array:
    """Compute the share in each bin, then of NaN, float64 (len(edges) + 2,)."""
    unknown = np.isnan(values)
    counts = np.bincount(np.searchsorted(edges, values[~unknown]), minlength=len(edges) + 1)
    return np.append(counts, unknown.sum()) / max(len(values), 1)
