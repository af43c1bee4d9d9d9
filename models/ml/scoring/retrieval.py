"""Retrieval scores as dot products, so that matrix products rank all candidates of a viewer.

The retrieval score of a pair is the linear part of the ranker's log-odds of both directions together, less what is the
same for all candidates of the viewer. The trees are left out, and so are cosines of single prompts, which would double
the cost without a measured effect. Logarithms of distances and absolute differences are approximations; all else is
exact. In a simulated population of 15,000, the 300 candidates kept of 2,100 included 0.999 of the ranker's best 50.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Float64Array, FloatArray
from models.ml.features.pair_features import SHARED_INTERESTS, FeatureGroup, build_features, list_feature_groups
from models.ml.profiles.feature_spec import FeatureSpec
from models.ml.profiles.geography import compute_distance_km
from models.ml.profiles.profile_matrix import ProfileMatrix, bound_ages
from models.ml.scoring.scoring_context import ScoringContext

# The number of steps that values are cut into, so that a difference of two values is a dot product.
STEPS = 12
# The number of places from which distances are measured, so that a distance of two users is a dot product.
LANDMARKS = 48
# Eigenvalues of the landmarks' distances below this share of the largest are noise.
MIN_EIGENVALUE_SHARE = 0.01
Weights = Mapping[str, float]


@dataclass(frozen=True)
class RetrievalVectors:
    """Vectors of n users, float32: a viewer's query times a candidate's item is the retrieval score."""

    queries: Float32Array
    """By position, (n, d)."""
    items: Float32Array
    """In the order of the candidate pools, (m, d)."""


@dataclass(frozen=True)
class _ScoreTerm:
    """A term of the score: queries times items, (n, d) each, and what depends on the candidate alone, (n,)."""

    queries: FloatArray
    items: FloatArray
    item_bias: FloatArray | float = 0.0


def build_retrieval_vectors(context: ScoringContext) -> RetrievalVectors:
    """Build the vectors of all n users as viewers and, in the order of the pools, as candidates."""
    ranker, people, order = context.ranker, context.profiles, context.pools.order
    spec = ranker.specification
    weights = ranker.slope * ranker.linear.weights
    named = list_feature_groups(spec)
    weight = {name: float(each) for (name, _), each in zip(named, weights, strict=True)}
    terms = list(_build_terms(spec, people, weight))
    # In the pair of a user with the same user, the features of both sides are the user's own.
    users = np.arange(len(people))
    own = build_features(spec, context.build_pairs(users, users))
    alone = own @ np.where([_is_one_sided(*each) for each in named], weights, 0.0)
    for term in terms:
        alone += term.item_bias
    queries = [*(term.queries for term in terms), np.ones((len(people), 1))]
    items = [*(term.items[order] for term in terms), alone[order, None]]
    return RetrievalVectors(
        np.hstack(queries, dtype=np.float32, casting="same_kind"),
        np.hstack(items, dtype=np.float32, casting="same_kind"),
    )


def _is_one_sided(name: str, group: FeatureGroup) -> bool:
    return group in ("viewer", "candidate") or (group == "hidden" and not name.endswith(".met_back"))


def _build_terms(spec: FeatureSpec, people: ProfileMatrix, weight: Weights) -> Iterator[_ScoreTerm]:
    yield _build_difference_term(bound_ages(spec, people), 2 * weight["age.distance"], np.ones(len(people), bool))
    yield from _build_age_terms(spec, people, weight)
    yield _build_distance_term(spec, people.place, 2 * weight["distance.log_km"])
    yield _build_interest_term(spec, people, weight)
    texts, default = people.texts[:, 0], spec.ordinary.texts_cosine[0]
    yield _build_cosine_term(texts, np.any(texts != 0, axis=1), default, 2 * weight["texts.cosine"])
    for index, trait in enumerate(spec.traits):
        each = 2 * weight[f"trait.{trait.name}.distance"]
        yield _build_difference_term(people.traits[:, index], each, people.has_trait[:, index], trait.typical)
    norms = np.linalg.norm(people.traits, axis=1, keepdims=True)
    directions = people.traits / np.maximum(norms, 1e-6)
    yield _ScoreTerm(2 * weight["trait.cosine"] * directions, directions)
    for index, fact in enumerate(spec.facts):
        chosen = people.facts[:, [index]] == np.arange(len(fact.categories))
        default = sum(share**2 for share in fact.shares)
        known = people.facts[:, index] >= 0
        yield _build_cosine_term(chosen.astype(np.float32), known, default, 2 * weight[f"fact.{fact.name}.same"])
    yield from _build_want_terms(spec, people, weight)


def _build_difference_term(
    values: Float32Array, weight: float, known: BoolArray, typical: Sequence[float] = ()
) -> _ScoreTerm:
    """Build the term of |a - b| = a + b - 2 min(a, b), in which min(a, b) is the number of steps that both reach.

    An unknown value stands for all typical values: its difference is the mean of theirs.
    """
    parts = np.linspace(0, 1, STEPS + 1)
    steps = np.unique(np.quantile(values, parts, method="nearest")) if weight and len(values) else np.zeros(1)
    width = np.diff(steps)

    def encode_steps(numbers: FloatArray) -> FloatArray:
        return np.asarray(np.clip((numbers[:, None] - steps[:-1]) / width, 0, 1) * np.sqrt(width))

    seen, alone = encode_steps(values), weight * values
    if not known.all():
        seen[~known], alone[~known] = encode_steps(np.array(typical)).mean(axis=0), weight * np.mean(typical)
    return _ScoreTerm(-2 * weight * seen, seen, alone)


def _build_age_terms(spec: FeatureSpec, people: ProfileMatrix, weight: Weights) -> Iterator[_ScoreTerm]:
    """Build the terms of the age gap by gender of the viewer, in both directions."""
    age = bound_ages(spec, people)
    for code, gender in enumerate(spec.genders):
        mine, of_gender = weight[f"age.gap.viewer={gender}"], people.gender == code
        queries, items = np.column_stack([of_gender, age]), np.column_stack([age, of_gender])
        yield _ScoreTerm(mine * queries, items, -mine * of_gender * age)


def _build_distance_term(spec: FeatureSpec, place: Float64Array, weight: float) -> _ScoreTerm:
    """Build the term of log distances from those to landmarks (Nyström's approximation: Williams and Seeger 2000)."""
    known = np.flatnonzero(~np.isnan(place).any(axis=1))
    if weight == 0 or len(known) == 0:
        return _ScoreTerm(np.empty((len(place), 0)), np.empty((len(place), 0)))
    marks = place[known[np.linspace(0, len(known) - 1, min(LANDMARKS, len(known))).astype(np.int64)]]
    default = np.log1p(spec.ordinary.distance_km)

    def compute_log_distances(of: Float64Array) -> Float64Array:
        return np.asarray(np.log1p(compute_distance_km(of[:, None], marks)) - default)

    values, directions = np.linalg.eigh(compute_log_distances(marks))
    large = np.abs(values) > MIN_EIGENVALUE_SHARE * np.abs(values).max()
    seen = np.zeros((len(place), int(large.sum())))
    seen[known] = compute_log_distances(place[known]) @ directions[:, large] / np.sqrt(np.abs(values[large]))
    return _ScoreTerm(weight * np.sign(values[large]) * seen, seen)


def _build_interest_term(spec: FeatureSpec, people: ProfileMatrix, weight: Weights) -> _ScoreTerm:
    """Build the term of the cosine of interests, which counts more if one of the two wants shared interests."""
    known = np.any(people.interests != 0, axis=1)
    term = _build_cosine_term(people.interests, known, spec.ordinary.interests_cosine, 1.0)
    queries, items, alike = term.queries, term.items, 2 * weight["interests.cosine"]
    if SHARED_INTERESTS not in [want.name for want in spec.wants]:
        return _ScoreTerm(alike * queries, items)
    met = weight[f"want.{SHARED_INTERESTS}.met"]
    wanted = people.wants[:, [[want.name for want in spec.wants].index(SHARED_INTERESTS)]]
    return _ScoreTerm(np.hstack([(alike + met * wanted) * queries, met * queries]), np.hstack([items, wanted * items]))


def _build_cosine_term(vectors: FloatArray, known: BoolArray, default: float, weight: float) -> _ScoreTerm:
    """Build the term of dot products less the default one, which pairs have unless both vectors are known."""
    if weight == 0:
        return _ScoreTerm(np.empty((len(vectors), 0)), np.empty((len(vectors), 0)))
    queries = np.column_stack([vectors, -default * known]).astype(np.float32)
    return _ScoreTerm(weight * queries, np.column_stack([vectors, known]))


def _build_want_terms(spec: FeatureSpec, people: ProfileMatrix, weight: Weights) -> Iterator[_ScoreTerm]:
    trait_at = {trait.name: index for index, trait in enumerate(spec.traits)}
    for index, want in enumerate(spec.wants):
        if want.name in trait_at:
            met = weight[f"want.{want.name}.met"] + weight[f"want.{want.name}.met_back"]
            wanted, trait = people.wants[:, index], people.traits[:, trait_at[want.name]]
            yield _ScoreTerm(met * np.column_stack([wanted, trait]), np.column_stack([trait, wanted]))
