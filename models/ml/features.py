"""The features of a pair, from both people's arrays and what is known of their likes.

A missing value takes the most ordinary one, never a value of its own: what was not asked must not become a signal.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.ml.geography import distance_km
from models.ml.history import History, Tally
from models.ml.people import Floats, People, nobody
from models.ml.similarity import cosines
from models.ml.specification import Number, Specification

Ints = NDArray[np.int64]
# What a feature is explained as. Those of one person alone, and what a person does not show, explain nothing.
Group = Literal["age", "distance", "interests", "texts", "traits", "facts", "wants", "viewer", "candidate", "hidden"]

# Pseudo-decisions that a mean is shrunk with: 4 for what a viewer gives, 3 for what a candidate receives.
SHRINK_GIVEN, SHRINK_RECEIVED = 4.0, 3.0
# How many features are of the history, the last ones.
HISTORY = 8
# A want of this name is met by having interests in common rather than by a trait.
SHARED_INTERESTS = "shared_interests"


@dataclass(frozen=True)
class Pairs:
    """n pairs of positions in `people`, and what is known of their likes."""

    people: People
    viewer: Ints
    candidate: Ints
    history: History

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.viewer)

    def part(self, rows: slice | Ints) -> "Pairs":
        """Some of the pairs."""
        tallies = (
            Tally(each.decisions[rows], each.likes[rows], each.surprise[rows]) for each in vars(self.history).values()
        )
        return Pairs(self.people, self.viewer[rows], self.candidate[rows], History(*tallies))

    def reversed(self) -> "Pairs":
        """The same pairs seen from the other side."""
        known = self.history
        back = History(known.candidate_given, known.candidate_received, known.viewer_given, known.viewer_received)
        return Pairs(self.people, self.candidate, self.viewer, back)


def nothing_known(count: int) -> History:
    """The history of `count` pairs of people who never decided anything."""
    none = np.zeros(count, np.int64)
    tally = Tally(none, none, np.zeros(count))
    return History(tally, tally, tally, tally)


@dataclass(frozen=True)
class Column:
    """One feature of n pairs: its name, the group it is explained with, and its values (n,)."""

    name: str
    group: Group
    values: NDArray[np.floating]


def build(specification: Specification, pairs: Pairs) -> Floats:
    """The features of n pairs, float32 (n, features): those of the two profiles, then the HISTORY of their likes."""
    return _matrix(_all(specification, pairs, _tastes(specification, pairs)), len(pairs))


def build_both_ways(specification: Specification, pairs: Pairs) -> tuple[Floats, Floats]:
    """What `build` gives for the pairs and for the same ones reversed, to the bit; cosines are taken once."""
    tastes, back = _tastes(specification, pairs), pairs.reversed()
    return _matrix(_all(specification, pairs, tastes), len(pairs)), _matrix(
        _all(specification, back, tastes), len(back)
    )


def of_profiles(specification: Specification, pairs: Pairs) -> Floats:
    """Only the features of the two profiles, float32 (n, features - HISTORY)."""
    return _matrix(list(_of_profiles(specification, pairs, _tastes(specification, pairs))), len(pairs))


def of_history(history: History) -> Floats:
    """Only the features of what was known of the likes of n pairs, float32 (n, HISTORY)."""
    return _matrix(list(_of_history(history)), len(history.viewer_given.decisions))


def _matrix(columns: list[Column], rows: int) -> Floats:
    features = np.empty((rows, len(columns)), np.float32)
    for index, column in enumerate(columns):
        features[:, index] = column.values
    return features


def nothing_is_known(features: Floats) -> NDArray[np.bool_]:
    """Of which rows of `build` neither person ever decided anything or was decided about, bool (n,)."""
    counts = features[:, -HISTORY + 1 :: 2]
    return np.asarray((counts == 0).all(axis=1))


def names_and_groups(specification: Specification) -> list[tuple[str, Group]]:
    """Name and group of each column of `build`, in order."""
    none = np.empty(0, np.int64)
    pairs = Pairs(nobody(specification), none, none, nothing_known(0))
    return [(each.name, each.group) for each in _all(specification, pairs, _tastes(specification, pairs))]


def _all(specification: Specification, pairs: Pairs, tastes: Sequence[Column]) -> list[Column]:
    return [*_of_profiles(specification, pairs, tastes), *_of_history(pairs.history)]


def _of_profiles(specification: Specification, pairs: Pairs, tastes: Sequence[Column]) -> Iterator[Column]:
    yield from _circumstances(specification, pairs)
    yield from _genders(specification, pairs)
    yield from tastes
    yield from _traits(specification, pairs)
    yield from _facts(specification, pairs)
    yield from _wants(specification, pairs, interests=tastes[0].values)


def _circumstances(specification: Specification, pairs: Pairs) -> Iterator[Column]:
    viewer, candidate = pairs.people.age[pairs.viewer], pairs.people.age[pairs.candidate]
    yield Column("age.viewer", "viewer", viewer)
    yield Column("age.candidate", "candidate", candidate)
    yield Column("age.gap", "age", candidate - viewer)
    yield Column("age.distance", "age", np.abs(candidate - viewer))
    km = distance_km(pairs.people.place[pairs.viewer], pairs.people.place[pairs.candidate])
    yield Column(
        "distance.log_km", "distance", np.log1p(np.where(np.isnan(km), specification.ordinary.distance_km, km))
    )


def _genders(specification: Specification, pairs: Pairs) -> Iterator[Column]:
    """Who likes more and who is liked more, and whether an older or a younger candidate is liked better, by gender."""
    viewer, candidate = pairs.people.gender[pairs.viewer], pairs.people.gender[pairs.candidate]
    gap = pairs.people.age[pairs.candidate] - pairs.people.age[pairs.viewer]
    for code, gender in enumerate(specification.genders):
        yield Column(f"gender.viewer={gender}", "viewer", (viewer == code).astype(np.float32))
        yield Column(f"gender.candidate={gender}", "candidate", (candidate == code).astype(np.float32))
        yield Column(f"age.gap.viewer={gender}", "age", np.where(viewer == code, gap, 0))


def _tastes(specification: Specification, pairs: Pairs) -> list[Column]:
    """Cosines of interests, of the texts as a whole and by prompt: the same from both sides, to the bit."""
    arrays, ordinary = pairs.people, specification.ordinary

    def alike(vectors: NDArray[np.floating], which: int, otherwise: float) -> Floats:
        return cosines(vectors, which, pairs.viewer, pairs.candidate, otherwise)

    names = ("texts.cosine", *(f"texts.{prompt}.cosine" for prompt in specification.prompts))
    return [
        Column("interests.cosine", "interests", alike(arrays.interests[:, None], 0, ordinary.interests_cosine)),
        *(
            Column(name, "texts", alike(arrays.texts, index, ordinary.texts_cosine[index]))
            for index, name in enumerate(names)
        ),
    ]


def _traits(specification: Specification, pairs: Pairs) -> Iterator[Column]:
    viewer, candidate = pairs.people.traits[pairs.viewer], pairs.people.traits[pairs.candidate]
    for index, trait in enumerate(specification.traits):
        yield Column(f"trait.{trait.name}.viewer", "viewer", viewer[:, index])
        yield Column(f"trait.{trait.name}.candidate", "candidate", candidate[:, index])
        yield Column(f"trait.{trait.name}.distance", "traits", _trait_distance(trait, pairs, index))
    norms = np.linalg.norm(viewer, axis=1) * np.linalg.norm(candidate, axis=1)
    yield Column("trait.cosine", "traits", _dot(viewer, candidate) / np.maximum(norms, 1e-6))


def _trait_distance(trait: Number, pairs: Pairs, index: int) -> Floats:
    """How far two people are apart; where one did not say, how far the other is from people in general."""
    value, has = pairs.people.traits[:, index], pairs.people.has_trait[:, index]
    distance = np.abs(value[pairs.candidate] - value[pairs.viewer])
    typical = np.array(trait.typical, np.float32)
    for knowing, other in ((pairs.viewer, pairs.candidate), (pairs.candidate, pairs.viewer)):
        rows = np.flatnonzero(has[knowing] & ~has[other])
        distance[rows] = np.abs(value[knowing[rows], None] - typical).mean(axis=1)
    distance[~(has[pairs.viewer] | has[pairs.candidate])] = np.abs(typical[:, None] - typical).mean()
    return np.asarray(distance, np.float32)


def _facts(specification: Specification, pairs: Pairs) -> Iterator[Column]:
    viewer, candidate = pairs.people.facts[pairs.viewer], pairs.people.facts[pairs.candidate]
    for index, fact in enumerate(specification.facts):
        theirs, others = viewer[:, index], candidate[:, index]
        same = (theirs == others) & (theirs < len(fact.categories))
        ordinary = sum(share**2 for share in fact.shares)
        yield Column(f"fact.{fact.name}.same", "facts", np.where((theirs < 0) | (others < 0), ordinary, same))
        for code, (word, share) in enumerate(zip(fact.categories, fact.shares, strict=True)):
            yield Column(f"fact.{fact.name}.viewer={word}", "viewer", np.where(theirs < 0, share, theirs == code))
            yield Column(f"fact.{fact.name}.candidate={word}", "candidate", np.where(others < 0, share, others == code))


def _wants(specification: Specification, pairs: Pairs, interests: NDArray[np.floating]) -> Iterator[Column]:
    wants, traits = pairs.people.wants, pairs.people.traits
    trait_at = {trait.name: index for index, trait in enumerate(specification.traits)}
    for index, want in enumerate(specification.wants):
        viewer, candidate = wants[pairs.viewer, index], wants[pairs.candidate, index]
        yield Column(f"want.{want.name}.viewer", "viewer", viewer)
        yield Column(f"want.{want.name}.candidate", "hidden", candidate)
        if want.name in trait_at:
            trait = traits[:, trait_at[want.name]]
            yield Column(f"want.{want.name}.met", "wants", viewer * trait[pairs.candidate])
            yield Column(f"want.{want.name}.met_back", "hidden", candidate * trait[pairs.viewer])
        elif want.name == SHARED_INTERESTS:
            yield Column(
                f"want.{want.name}.met",
                "interests",
                viewer * (interests - specification.ordinary.interests_cosine),
            )


def _of_history(known: History) -> Iterator[Column]:
    """Mean surprises, shrunk to none: what somebody's likes say beyond what their profile and the others' told."""
    sides = (
        ("viewer.given", known.viewer_given, SHRINK_GIVEN),
        ("viewer.received", known.viewer_received, SHRINK_RECEIVED),
        ("candidate.given", known.candidate_given, SHRINK_GIVEN),
        ("candidate.received", known.candidate_received, SHRINK_RECEIVED),
    )
    for name, tally, shrink in sides:
        yield Column(f"history.{name}.surprise", "hidden", tally.surprise / (tally.decisions + shrink))
        yield Column(f"history.{name}.log_count", "hidden", np.log1p(tally.decisions))


def _dot(left: NDArray[np.floating], right: NDArray[np.floating]) -> Floats:
    """The dot product of each row of one with the same row of the other, in float32."""
    products: Floats = np.einsum("ij,ij->i", left.astype(np.float32), right.astype(np.float32))
    return products
