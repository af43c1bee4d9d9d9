"""Features of pairs, from the profiles and the history of both users.

A missing value is replaced by the default value and never by a value of its own: a question that was not asked must
not become a signal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, FloatArray, Int16Array, Int64Array
from models.ml.features.decision_history import DecisionCounts, Decisions, PairHistory
from models.ml.features.symmetric_features import (
    SymmetricFeatures,
    compute_symmetric_features,
    list_shared_preference_names,
)
from models.ml.kernels.jit import jit
from models.ml.profiles.feature_spec import FeatureSpec
from models.ml.profiles.profile_matrix import ProfileMatrix, bound_ages, make_empty_matrix

# What a feature is explained as. Features of one user alone, and of what a profile does not show, explain nothing.
FeatureGroup = Literal[
    "age", "distance", "interests", "texts", "traits", "facts", "wants", "viewer", "candidate", "hidden"
]

# Pseudo-decisions that shrink mean residuals to zero: of decisions given, and of decisions received.
GIVEN_PRIOR_STRENGTH, RECEIVED_PRIOR_STRENGTH = 4.0, 3.0
# The number of features of the history, which come last.
HISTORY_FEATURES = 8
# A want of this name is met by shared interests instead of a trait.
SHARED_INTERESTS = "shared_interests"
INTEREST_COSINE = "interests.cosine"


@dataclass(frozen=True)
class Pairs:
    """n pairs of positions in `people`, with the history of both users."""

    people: ProfileMatrix
    viewer: Int64Array
    candidate: Int64Array
    history: PairHistory

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.viewer)

    def take(self, rows: slice | Int64Array) -> "Pairs":
        """Return the pairs of these rows, in this order."""
        sides = (each.take(rows) for each in vars(self.history).values())
        return Pairs(self.people, self.viewer[rows], self.candidate[rows], PairHistory(*sides))

    def reverse(self) -> "Pairs":
        """Return the pairs with viewers and candidates exchanged."""
        known = self.history
        back = PairHistory(known.candidate_given, known.candidate_received, known.viewer_given, known.viewer_received)
        return Pairs(self.people, self.candidate, self.viewer, back)


def make_empty_history(count: int) -> PairHistory:
    """Make the history of `count` pairs without decisions."""
    none = np.zeros(count, np.int64)
    counts = DecisionCounts(none, none, np.zeros(count), np.zeros(count))
    return PairHistory(counts, counts, counts, counts)


def build_cold_pairs(people: ProfileMatrix, decisions: Decisions) -> Pairs:
    """Build the pairs of actors and targets of decisions, without history."""
    return Pairs(people, decisions.actor, decisions.target, make_empty_history(len(decisions)))


@dataclass(frozen=True)
class FeatureColumn:
    """One feature of n pairs: its name, the group that it is explained as, and its values (n,)."""

    name: str
    group: FeatureGroup
    values: FloatArray


def build_features(spec: FeatureSpec, pairs: Pairs) -> Float32Array:
    """Build the features of n pairs, float32 (n, features): of the profiles, then HISTORY_FEATURES of the history."""
    return _stack_columns(_build_columns(spec, pairs, _compute_symmetric(spec, pairs)), len(pairs))


def build_features_both_ways(spec: FeatureSpec, pairs: Pairs) -> tuple[Float32Array, Float32Array]:
    """Build the features of the pairs and of the reversed pairs, equal to the bit to two calls of `build_features`.

    Symmetric features are computed once for both.
    """
    known, back = _compute_symmetric(spec, pairs), pairs.reverse()
    return _stack_columns(_build_columns(spec, pairs, known), len(pairs)), _stack_columns(
        _build_columns(spec, back, known), len(back)
    )


def build_profile_features(spec: FeatureSpec, pairs: Pairs) -> Float32Array:
    """Build only the features of the two profiles, float32 (n, features - HISTORY_FEATURES)."""
    return _stack_columns(list(_build_profile_columns(spec, pairs, _compute_symmetric(spec, pairs))), len(pairs))


def build_history_features(history: PairHistory) -> Float32Array:
    """Build only the features of the history, float32 (n, HISTORY_FEATURES)."""
    return _stack_columns(list(_build_history_columns(history)), len(history.viewer_given.decisions))


def _stack_columns(columns: list[FeatureColumn], rows: int) -> Float32Array:
    """Stack columns in column-major order: each is written, weighted and read as a whole."""
    features = np.empty((rows, len(columns)), np.float32, order="F")
    for index, column in enumerate(columns):
        features[:, index] = column.values
    return features


def has_no_history(features: Float32Array) -> BoolArray:
    """Find the rows of `build_features` in which neither user gave or received a decision, bool (n,)."""
    counts = features[:, -HISTORY_FEATURES + 1 :: 2]
    return np.asarray((counts == 0).all(axis=1))


def list_feature_groups(spec: FeatureSpec) -> list[tuple[str, FeatureGroup]]:
    """List the name and group of each column of `build_features`, in order."""
    none = np.empty(0, np.int64)
    pairs = Pairs(make_empty_matrix(spec), none, none, make_empty_history(0))
    return [(each.name, each.group) for each in _build_columns(spec, pairs, _compute_symmetric(spec, pairs))]


def _compute_symmetric(spec: FeatureSpec, pairs: Pairs) -> SymmetricFeatures:
    return compute_symmetric_features(spec, pairs.people, pairs.viewer, pairs.candidate)


def _build_columns(spec: FeatureSpec, pairs: Pairs, known: SymmetricFeatures) -> list[FeatureColumn]:
    return [*_build_profile_columns(spec, pairs, known), *_build_history_columns(pairs.history)]


def _build_profile_columns(spec: FeatureSpec, pairs: Pairs, known: SymmetricFeatures) -> Iterator[FeatureColumn]:
    yield from _build_circumstance_columns(spec, pairs, known)
    yield from _build_gender_columns(spec, pairs)
    for name in list_shared_preference_names(spec):
        yield FeatureColumn(name, "interests" if name == INTEREST_COSINE else "texts", known[name])
    yield from _build_trait_columns(spec, pairs, known)
    yield from _build_fact_columns(spec, pairs, known)
    yield from _build_want_columns(spec, pairs, interests=known[INTEREST_COSINE])


def _build_circumstance_columns(spec: FeatureSpec, pairs: Pairs, known: SymmetricFeatures) -> Iterator[FeatureColumn]:
    age = bound_ages(spec, pairs.people)
    viewer, candidate = age[pairs.viewer], age[pairs.candidate]
    yield FeatureColumn("age.viewer", "viewer", viewer)
    yield FeatureColumn("age.candidate", "candidate", candidate)
    yield FeatureColumn("age.gap", "age", candidate - viewer)
    yield FeatureColumn("age.distance", "age", known["age.distance"])
    yield FeatureColumn("distance.log_km", "distance", known["distance.log_km"])


def _build_gender_columns(spec: FeatureSpec, pairs: Pairs) -> Iterator[FeatureColumn]:
    """Yield the genders of both sides, and the age gap by gender of the viewer."""
    viewer, candidate = pairs.people.gender[pairs.viewer], pairs.people.gender[pairs.candidate]
    age = bound_ages(spec, pairs.people)
    gap = age[pairs.candidate] - age[pairs.viewer]
    for code, gender in enumerate(spec.genders):
        yield FeatureColumn(f"gender.viewer={gender}", "viewer", (viewer == code).astype(np.float32))
        yield FeatureColumn(f"gender.candidate={gender}", "candidate", (candidate == code).astype(np.float32))
        yield FeatureColumn(f"age.gap.viewer={gender}", "age", np.where(viewer == code, gap, 0))


def _build_trait_columns(spec: FeatureSpec, pairs: Pairs, known: SymmetricFeatures) -> Iterator[FeatureColumn]:
    for index, trait in enumerate(spec.traits):
        values = np.ascontiguousarray(pairs.people.traits[:, index])
        yield FeatureColumn(f"trait.{trait.name}.viewer", "viewer", values[pairs.viewer])
        yield FeatureColumn(f"trait.{trait.name}.candidate", "candidate", values[pairs.candidate])
        yield FeatureColumn(f"trait.{trait.name}.distance", "traits", known[f"trait.{trait.name}.distance"])
    yield FeatureColumn("trait.cosine", "traits", known["trait.cosine"])


def _build_fact_columns(spec: FeatureSpec, pairs: Pairs, known: SymmetricFeatures) -> Iterator[FeatureColumn]:
    for index, fact in enumerate(spec.facts):
        yield FeatureColumn(f"fact.{fact.name}.same", "facts", known[f"fact.{fact.name}.same"])
        codes, shares = np.ascontiguousarray(pairs.people.facts[:, index]), np.array(fact.shares, np.float32)
        viewer, candidate = _encode_facts(codes[pairs.viewer], shares), _encode_facts(codes[pairs.candidate], shares)
        for code, word in enumerate(fact.categories):
            yield FeatureColumn(f"fact.{fact.name}.viewer={word}", "viewer", viewer[code])
            yield FeatureColumn(f"fact.{fact.name}.candidate={word}", "candidate", candidate[code])


@jit
def _encode_facts(codes: Int16Array, shares: Float32Array) -> Float32Array:
    """Encode facts one-hot, float32 (categories, n); a missing fact, code -1, has the share of each category."""
    encoded = np.empty((len(shares), len(codes)), np.float32)
    for category in range(len(shares)):
        for row in range(len(codes)):
            encoded[category, row] = shares[category] if codes[row] < 0 else np.float32(codes[row] == category)
    return encoded


def _build_want_columns(spec: FeatureSpec, pairs: Pairs, interests: FloatArray) -> Iterator[FeatureColumn]:
    wants, traits = pairs.people.wants, pairs.people.traits
    trait_at = {trait.name: index for index, trait in enumerate(spec.traits)}
    for index, want in enumerate(spec.wants):
        viewer, candidate = wants[pairs.viewer, index], wants[pairs.candidate, index]
        yield FeatureColumn(f"want.{want.name}.viewer", "viewer", viewer)
        yield FeatureColumn(f"want.{want.name}.candidate", "hidden", candidate)
        if want.name in trait_at:
            trait = traits[:, trait_at[want.name]]
            yield FeatureColumn(f"want.{want.name}.met", "wants", viewer * trait[pairs.candidate])
            yield FeatureColumn(f"want.{want.name}.met_back", "hidden", candidate * trait[pairs.viewer])
        elif want.name == SHARED_INTERESTS:
            yield FeatureColumn(
                f"want.{want.name}.met",
                "interests",
                viewer * (interests - spec.ordinary.interests_cosine),
            )


def _build_history_columns(history: PairHistory) -> Iterator[FeatureColumn]:
    """Yield mean residuals, shrunk to zero, and log counts of both sides."""
    sides = (
        ("viewer.given", history.viewer_given, GIVEN_PRIOR_STRENGTH),
        ("viewer.received", history.viewer_received, RECEIVED_PRIOR_STRENGTH),
        ("candidate.given", history.candidate_given, GIVEN_PRIOR_STRENGTH),
        ("candidate.received", history.candidate_received, RECEIVED_PRIOR_STRENGTH),
    )
    for name, counts, shrink in sides:
        yield FeatureColumn(f"history.{name}.surprise", "hidden", counts.residual / (counts.weight + shrink))
        yield FeatureColumn(f"history.{name}.log_count", "hidden", np.log1p(counts.weight))
