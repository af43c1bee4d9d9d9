"""Features that are the same from both sides of a pair, to the bit: differences, distances and similarities."""

from collections.abc import Mapping

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, FloatArray, Int64Array
from models.ml.kernels.similarity import compute_cosines
from models.ml.profiles.feature_spec import FeatureSpec, NumericFeature
from models.ml.profiles.geography import compute_distance_km
from models.ml.profiles.profile_matrix import ProfileMatrix, bound_ages

SymmetricFeatures = Mapping[str, FloatArray]
"""Features by name, (n,) each."""


def compute_symmetric_features(
    spec: FeatureSpec, people: ProfileMatrix, viewer: Int64Array, candidate: Int64Array
) -> SymmetricFeatures:
    """Compute the symmetric features of n pairs of positions. Default values stand in for missing ones."""
    age, defaults = bound_ages(spec, people), spec.ordinary
    km = compute_distance_km(people.place[viewer], people.place[candidate])
    return {
        "age.distance": np.abs(age[candidate] - age[viewer]),
        "distance.log_km": np.log1p(np.where(np.isnan(km), defaults.distance_km, km)),
        **_compute_shared_preferences(spec, people, viewer, candidate),
        **_compute_trait_gaps(spec, people, viewer, candidate),
        **_compute_shared_facts(spec, people, viewer, candidate),
    }


def list_shared_preference_names(spec: FeatureSpec) -> list[str]:
    """List the names of the cosines: of interests, of all texts together, and of each prompt."""
    return ["interests.cosine", "texts.cosine", *(f"texts.{prompt}.cosine" for prompt in spec.prompts)]


def _compute_shared_preferences(
    spec: FeatureSpec, people: ProfileMatrix, viewer: Int64Array, candidate: Int64Array
) -> SymmetricFeatures:
    interests, *texts = list_shared_preference_names(spec)
    defaults = spec.ordinary
    return {
        interests: compute_cosines(people.interests[:, None], 0, viewer, candidate, defaults.interests_cosine),
        **{
            name: compute_cosines(people.texts, which, viewer, candidate, defaults.texts_cosine[which])
            for which, name in enumerate(texts)
        },
    }


def _compute_trait_gaps(
    spec: FeatureSpec, people: ProfileMatrix, viewer: Int64Array, candidate: Int64Array
) -> SymmetricFeatures:
    one, other = people.traits[viewer], people.traits[candidate]
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return {
        **{
            f"trait.{trait.name}.distance": _compute_gap(
                trait, people.traits[:, index], people.has_trait[:, index], viewer, candidate
            )
            for index, trait in enumerate(spec.traits)
        },
        "trait.cosine": np.einsum("ij,ij->i", one, other) / np.maximum(norms, 1e-6),
    }


def _compute_gap(
    trait: NumericFeature, value: Float32Array, has: BoolArray, viewer: Int64Array, candidate: Int64Array
) -> Float32Array:
    """Compute the gaps of a trait. If one value is missing, it is the mean gap to the typical values."""
    distance = np.abs(value[candidate] - value[viewer])
    typical = np.array(trait.typical, np.float32)
    for knowing, other in ((viewer, candidate), (candidate, viewer)):
        rows = np.flatnonzero(has[knowing] & ~has[other])
        distance[rows] = np.abs(value[knowing[rows], None] - typical).mean(axis=1)
    distance[~(has[viewer] | has[candidate])] = np.abs(typical[:, None] - typical).mean()
    return np.asarray(distance, np.float32)


def _compute_shared_facts(
    spec: FeatureSpec, people: ProfileMatrix, viewer: Int64Array, candidate: Int64Array
) -> SymmetricFeatures:
    found = {}
    for index, fact in enumerate(spec.facts):
        code = np.ascontiguousarray(people.facts[:, index])
        one, other = code[viewer], code[candidate]
        same = (one == other) & (one < len(fact.categories))
        default = np.float32(sum(share**2 for share in fact.shares))
        found[f"fact.{fact.name}.same"] = np.where((one | other) < 0, default, same)
    return found
