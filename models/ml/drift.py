"""How far people, and what the ranker says of them, have moved from those it was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.ml.embeddings import Answers
from models.ml.features import Pairs, build, nothing_known
from models.ml.history import Doubles
from models.ml.people import people
from models.ml.ranker import Ranker

P_LIKE = "p_like"
# Enough for two random halves of one town to differ by less than 0.01.
MOST_PEOPLE, PAIRS = 5_000, 20_000
PARTS = 10
# Siddiqi, Credit Risk Scorecards (2006): below 0.1 is no change to speak of, above 0.25 is a major one.
MAJOR = 0.25
# An empty bin would make the index infinite.
LEAST_SHARE = 1e-3


@dataclass(frozen=True)
class Reference:
    """How the numbers of a town were spread: by name the edges of bins, and the share in each and of those unknown."""

    edges: dict[str, list[float]]
    shares: dict[str, list[float]]


def described(ranker: Ranker, profiles: pd.DataFrame, answers: Answers) -> dict[str, Doubles]:
    """Numbers by name of at most 5,000 people of a profiles frame, NaN where unknown; always the same people.

    Age, gender and facts (as codes), traits, how many answers; and `p_like`, (20,000,), of random pairs of them, with
    nothing known of their likes.
    """
    some = profiles.sample(min(len(profiles), MOST_PEOPLE), random_state=0)
    theirs = answers.keys["profile_id"].isin(some["profile_id"]).to_numpy(bool)
    arrays = people(ranker.specification, some, Answers(answers.keys[theirs], answers.vectors[theirs]))
    traits = np.where(arrays.has_trait, arrays.traits, np.nan)
    facts = np.where(arrays.facts >= 0, arrays.facts, np.nan)
    random = np.random.default_rng(0)
    viewer = random.integers(0, len(some), PAIRS)
    candidate = (viewer + random.integers(1, max(len(some), 2), PAIRS)) % len(some)
    pairs = Pairs(arrays, viewer, candidate, nothing_known(PAIRS))
    return {
        "age": arrays.age.astype(np.float64),
        "gender": arrays.gender.astype(np.float64),
        "answers": some["texts"].map(len).to_numpy(np.float64),
        **{f"trait {each.name}": traits[:, at] for at, each in enumerate(ranker.specification.traits)},
        **{f"fact {each.name}": facts[:, at] for at, each in enumerate(ranker.specification.facts)},
        P_LIKE: ranker.p_like(build(ranker.specification, pairs)).astype(np.float64),
    }


def reference(numbers: Mapping[str, Doubles]) -> Reference:
    """What to compare later numbers with: bins of equal count, or one a value where there are at most ten."""
    edges = {name: _edges(values[~np.isnan(values)]) for name, values in numbers.items()}
    return Reference(edges, {name: _shares(values, edges[name]).tolist() for name, values in numbers.items()})


def drift(then: Reference, numbers: Mapping[str, Doubles]) -> "pd.Series[float]":
    """The population stability index of each number, largest first: 0 for no change at all.

    Source: Siddiqi (2006); it is Jeffreys' divergence of the shares of bins. Two random samples of n and m of one town
    differ by about (bins - 1)(1/n + 1/m) (Yurdakul and Naranjo, 2020). Only names of the reference are compared.
    """
    index = {
        name: stability_index(np.array(then.shares[name]), _shares(values, then.edges[name]))
        for name, values in numbers.items()
        if name in then.edges
    }
    return pd.Series(index, dtype=np.float64).sort_values(ascending=False, kind="stable")


def stability_index(then: Doubles, now: Doubles) -> float:
    """The sum of (now - then) ln(now / then) over the shares (bins,) of two samples, none below 0.001."""
    then, now = np.maximum(then, LEAST_SHARE), np.maximum(now, LEAST_SHARE)
    return float(((now - then) * np.log(now / then)).sum())


def _edges(values: Doubles) -> list[float]:
    """Upper edges of all bins but the last."""
    different = np.unique(values)
    if len(different) <= PARTS:
        return [float(each) for each in different[:-1]]
    return [float(each) for each in np.unique(np.quantile(values, np.arange(1, PARTS) / PARTS))]


def _shares(values: Doubles, edges: list[float]) -> NDArray[np.float64]:
    """The share in each bin, then of NaN, float64 (len(edges) + 2,)."""
    unknown = np.isnan(values)
    counts = np.bincount(np.searchsorted(edges, values[~unknown]), minlength=len(edges) + 1)
    return np.append(counts, unknown.sum()) / max(len(values), 1)
