"""How promising a pair is before it is scored, as a dot product: so a town is gone through by matrix products.

The promise of two people is the linear part of the ranker's log-odds, of both directions together, less what is the
same for all of a viewer's candidates. The trees are left out, and what of the linear part would double the cost and
was measured to change nothing: cosines of single prompts. Logs of distances and absolute differences are nearly right,
all the rest is exact. On a simulated town of 15,000 that kept 0.999 of the ranker's own best 50 among 300 of 2,100.
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

# Into how many steps a number is cut, so that a difference of two is a dot product.
STEPS = 12
# From how many people's places distances are measured, so that a distance of two is a dot product.
LANDMARKS = 48
# Smaller parts of the distances between landmarks than this, of the largest, are noise.
MIN_EIGENVALUE_SHARE = 0.01
Weights = Mapping[str, float]


@dataclass(frozen=True)
class RetrievalVectors:
    """Of n people, float32: that of a viewer and a candidate is the viewer's query times the candidate's key."""

    queries: Float32Array
    """By position, (n, d)."""
    items: Float32Array
    """Of those in an order, (o, d)."""


@dataclass(frozen=True)
class _ScoreTerm:
    """A part of the promise: queries times keys, (n, d) each, and what only the candidate decides, (n,)."""

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
    # With oneself each side's features are one's own: as a viewer, and as a candidate.
    me = np.arange(len(people))
    own = build_features(spec, context.build_pairs(me, me))
    alone = own @ np.where([_is_one_sided(*each) for each in named], weights, 0.0)
    for term in terms:
        alone += term.item_bias
    queries = [*(term.queries for term in terms), np.ones((len(people), 1))]
    keys = [*(term.items[order] for term in terms), alone[order, None]]
    return RetrievalVectors(
        np.hstack(queries, dtype=np.float32, casting="same_kind"),
        np.hstack(keys, dtype=np.float32, casting="same_kind"),
    )


def _is_one_sided(name: str, group: FeatureGroup) -> bool:
    return group in ("viewer", "candidate") or (group == "hidden" and not name.endswith(".met_back"))


def _build_terms(spec: FeatureSpec, people: ProfileMatrix, weight: Weights) -> Iterator[_ScoreTerm]:
    yield _build_difference_term(bound_ages(spec, people), 2 * weight["age.distance"], np.ones(len(people), bool))
    yield from _build_age_terms(spec, people, weight)
    yield _build_distance_term(spec, people.place, 2 * weight["distance.log_km"])
    yield _build_interest_term(spec, people, weight)
    texts, ordinary = people.texts[:, 0], spec.ordinary.texts_cosine[0]
    yield _build_cosine_term(texts, np.any(texts != 0, axis=1), ordinary, 2 * weight["texts.cosine"])
    for index, trait in enumerate(spec.traits):
        each = 2 * weight[f"trait.{trait.name}.distance"]
        yield _build_difference_term(people.traits[:, index], each, people.has_trait[:, index], trait.typical)
    norms = np.linalg.norm(people.traits, axis=1, keepdims=True)
    directions = people.traits / np.maximum(norms, 1e-6)
    yield _ScoreTerm(2 * weight["trait.cosine"] * directions, directions)
    for index, fact in enumerate(spec.facts):
        chosen = people.facts[:, [index]] == np.arange(len(fact.categories))
        ordinary = sum(share**2 for share in fact.shares)
        known = people.facts[:, index] >= 0
        yield _build_cosine_term(chosen.astype(np.float32), known, ordinary, 2 * weight[f"fact.{fact.name}.same"])
    yield from _build_want_terms(spec, people, weight)


def _build_difference_term(
    values: Float32Array, weight: float, known: BoolArray, typical: Sequence[float] = ()
) -> _ScoreTerm:
    """|a - b| is a + b less twice the smaller, which is how many steps both have reached.

    Who is not known stands for all the typical values: the mean of differences is that of what is reached.
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
    """How much older the candidate is, as a viewer of a gender takes it: in both directions."""
    age = bound_ages(spec, people)
    for code, gender in enumerate(spec.genders):
        mine, of_gender = weight[f"age.gap.viewer={gender}"], people.gender == code
        queries, keys = np.column_stack([of_gender, age]), np.column_stack([age, of_gender])
        yield _ScoreTerm(mine * queries, keys, -mine * of_gender * age)


def _build_distance_term(spec: FeatureSpec, place: Float64Array, weight: float) -> _ScoreTerm:
    """The logarithms of the distances, from those to landmarks (Nyström's approximation: Williams and Seeger 2000)."""
    known = np.flatnonzero(~np.isnan(place).any(axis=1))
    if weight == 0 or len(known) == 0:
        return _ScoreTerm(np.empty((len(place), 0)), np.empty((len(place), 0)))
    marks = place[known[np.linspace(0, len(known) - 1, min(LANDMARKS, len(known))).astype(np.int64)]]
    ordinary = np.log1p(spec.ordinary.distance_km)

    def compute_log_distances(of: Float64Array) -> Float64Array:
        return np.asarray(np.log1p(compute_distance_km(of[:, None], marks)) - ordinary)

    values, directions = np.linalg.eigh(compute_log_distances(marks))
    large = np.abs(values) > MIN_EIGENVALUE_SHARE * np.abs(values).max()
    seen = np.zeros((len(place), int(large.sum())))
    seen[known] = compute_log_distances(place[known]) @ directions[:, large] / np.sqrt(np.abs(values[large]))
    return _ScoreTerm(weight * np.sign(values[large]) * seen, seen)


def _build_interest_term(spec: FeatureSpec, people: ProfileMatrix, weight: Weights) -> _ScoreTerm:
    """The cosine of interests, which counts for more if one of the two wants interests in common."""
    known = np.any(people.interests != 0, axis=1)
    term = _build_cosine_term(people.interests, known, spec.ordinary.interests_cosine, 1.0)
    queries, keys, alike = term.queries, term.items, 2 * weight["interests.cosine"]
    if SHARED_INTERESTS not in [want.name for want in spec.wants]:
        return _ScoreTerm(alike * queries, keys)
    met = weight[f"want.{SHARED_INTERESTS}.met"]
    wanted = people.wants[:, [[want.name for want in spec.wants].index(SHARED_INTERESTS)]]
    return _ScoreTerm(np.hstack([(alike + met * wanted) * queries, met * queries]), np.hstack([keys, wanted * keys]))


def _build_cosine_term(vectors: FloatArray, known: BoolArray, ordinary: float, weight: float) -> _ScoreTerm:
    """Dot products of vectors; the ordinary one unless both are known. From all that one is subtracted."""
    if weight == 0:
        return _ScoreTerm(np.empty((len(vectors), 0)), np.empty((len(vectors), 0)))
    queries = np.column_stack([vectors, -ordinary * known]).astype(np.float32)
    return _ScoreTerm(weight * queries, np.column_stack([vectors, known]))


def _build_want_terms(spec: FeatureSpec, people: ProfileMatrix, weight: Weights) -> Iterator[_ScoreTerm]:
    trait_at = {trait.name: index for index, trait in enumerate(spec.traits)}
    for index, want in enumerate(spec.wants):
        if want.name in trait_at:
            met = weight[f"want.{want.name}.met"] + weight[f"want.{want.name}.met_back"]
            wanted, trait = people.wants[:, index], people.traits[:, trait_at[want.name]]
            yield _ScoreTerm(met * np.column_stack([wanted, trait]), np.column_stack([trait, wanted]))
