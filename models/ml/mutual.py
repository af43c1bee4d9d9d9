"""What of a pair is the same from both sides, to the bit: how far apart two people are, and how much alike."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.ml.geography import distance_km
from models.ml.people import Floats, People, bound_ages
from models.ml.similarity import cosines
from models.ml.specification import Number, Specification

Ints = NDArray[np.int64]
Values = NDArray[np.floating]
Mutual = Mapping[str, Values]
"""Features by name, (n,) each."""


def mutual(specification: Specification, people: People, viewer: Ints, candidate: Ints) -> Mutual:
    """The features of n pairs of positions that do not ask who looks; a missing answer is the most ordinary one."""
    age, ordinary = bound_ages(specification, people), specification.ordinary
    km = distance_km(people.place[viewer], people.place[candidate])
    return {
        "age.distance": np.abs(age[candidate] - age[viewer]),
        "distance.log_km": np.log1p(np.where(np.isnan(km), ordinary.distance_km, km)),
        **_tastes(specification, people, viewer, candidate),
        **_traits(specification, people, viewer, candidate),
        **_facts(specification, people, viewer, candidate),
    }


def taste_names(specification: Specification) -> list[str]:
    """The names of the cosines: of interests, of the texts as a whole, and of each prompt's."""
    return ["interests.cosine", "texts.cosine", *(f"texts.{prompt}.cosine" for prompt in specification.prompts)]


def _tastes(specification: Specification, people: People, viewer: Ints, candidate: Ints) -> Mutual:
    interests, *texts = taste_names(specification)
    ordinary = specification.ordinary
    return {
        interests: cosines(people.interests[:, None], 0, viewer, candidate, ordinary.interests_cosine),
        **{
            name: cosines(people.texts, which, viewer, candidate, ordinary.texts_cosine[which])
            for which, name in enumerate(texts)
        },
    }


def _traits(specification: Specification, people: People, viewer: Ints, candidate: Ints) -> Mutual:
    one, other = people.traits[viewer], people.traits[candidate]
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return {
        **{
            f"trait.{trait.name}.distance": _distance(
                trait, people.traits[:, index], people.has_trait[:, index], viewer, candidate
            )
            for index, trait in enumerate(specification.traits)
        },
        "trait.cosine": np.einsum("ij,ij->i", one, other) / np.maximum(norms, 1e-6),
    }


def _distance(trait: Number, value: Floats, has: NDArray[np.bool_], viewer: Ints, candidate: Ints) -> Floats:
    """How far two people are apart; where one did not say, how far the other is from people in general."""
    distance = np.abs(value[candidate] - value[viewer])
    typical = np.array(trait.typical, np.float32)
    for knowing, other in ((viewer, candidate), (candidate, viewer)):
        rows = np.flatnonzero(has[knowing] & ~has[other])
        distance[rows] = np.abs(value[knowing[rows], None] - typical).mean(axis=1)
    distance[~(has[viewer] | has[candidate])] = np.abs(typical[:, None] - typical).mean()
    return np.asarray(distance, np.float32)


def _facts(specification: Specification, people: People, viewer: Ints, candidate: Ints) -> Mutual:
    found = {}
    for index, fact in enumerate(specification.facts):
        code = np.ascontiguousarray(people.facts[:, index])
        one, other = code[viewer], code[candidate]
        same = (one == other) & (one < len(fact.categories))
        ordinary = np.float32(sum(share**2 for share in fact.shares))
        found[f"fact.{fact.name}.same"] = np.where((one | other) < 0, ordinary, same)
    return found
