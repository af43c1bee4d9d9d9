"""The features of a pair, from both people's arrays and what is known of their likes.

A missing value takes the most ordinary one, never a value of its own: what was not asked must not become a signal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.ml.geography import distance_km
from models.ml.history import History, Tally
from models.ml.people import Floats, People, nobody
from models.ml.specification import Specification

Ints = NDArray[np.int64]
# What a feature is explained as. Those of one person alone, and what a person does not show, explain nothing.
Group = Literal["age", "distance", "interests", "texts", "traits", "facts", "wants", "viewer", "candidate", "hidden"]

# Pseudo-decisions that a rate is shrunk with: 4 for how often a viewer likes, 3 for how often a candidate is liked.
SHRINK_GIVEN, SHRINK_RECEIVED = 4.0, 3.0


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

    def part(self, rows: slice) -> "Pairs":
        """Some of the pairs."""
        tallies = (Tally(each.decisions[rows], each.likes[rows]) for each in vars(self.history).values())
        return Pairs(self.people, self.viewer[rows], self.candidate[rows], History(*tallies))

    def reversed(self) -> "Pairs":
        """The same pairs seen from the other side."""
        known = self.history
        back = History(known.candidate_given, known.candidate_received, known.viewer_given, known.viewer_received)
        return Pairs(self.people, self.candidate, self.viewer, back)


@dataclass(frozen=True)
class Column:
    """One feature of n pairs: its name, the group it is explained with, and its values (n,)."""

    name: str
    group: Group
    values: NDArray[np.floating]


def build(specification: Specification, base_rate: float, pairs: Pairs) -> Floats:
    """The features of n pairs, float32 (n, features); `base_rate` is the share of likes that rates are shrunk to."""
    columns = list(_columns(specification, base_rate, pairs))
    features = np.empty((len(pairs), len(columns)), np.float32)
    for index, column in enumerate(columns):
        features[:, index] = column.values
    return features


def names_and_groups(specification: Specification) -> list[tuple[str, Group]]:
    """Name and group of each column of `build`, in order."""
    none = np.empty(0, np.int64)
    nothing = Tally(none, none)
    pairs = Pairs(nobody(specification), none, none, History(nothing, nothing, nothing, nothing))
    return [(column.name, column.group) for column in _columns(specification, 0.5, pairs)]


def _columns(specification: Specification, base_rate: float, pairs: Pairs) -> Iterator[Column]:
    yield from _circumstances(specification, pairs)
    yield from _tastes(specification, pairs)
    yield from _traits(specification, pairs)
    yield from _facts(specification, pairs)
    yield from _wants(specification, pairs)
    yield from _history(base_rate, pairs.history)


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


def _tastes(specification: Specification, pairs: Pairs) -> Iterator[Column]:
    ordinary = specification.ordinary
    yield Column("interests.cosine", "interests", _cosine(pairs.people.interests, pairs, ordinary.interests_cosine))
    names = ("texts.cosine", *(f"texts.{prompt}.cosine" for prompt in specification.prompts))
    for index, name in enumerate(names):
        yield Column(name, "texts", _cosine(pairs.people.texts[:, index], pairs, ordinary.texts_cosine[index]))


def _traits(specification: Specification, pairs: Pairs) -> Iterator[Column]:
    viewer, candidate = pairs.people.traits[pairs.viewer], pairs.people.traits[pairs.candidate]
    for index, trait in enumerate(specification.traits):
        yield Column(f"trait.{trait.name}.viewer", "viewer", viewer[:, index])
        yield Column(f"trait.{trait.name}.candidate", "candidate", candidate[:, index])
        yield Column(f"trait.{trait.name}.distance", "traits", np.abs(candidate[:, index] - viewer[:, index]))
    norms = np.linalg.norm(viewer, axis=1) * np.linalg.norm(candidate, axis=1)
    yield Column("trait.cosine", "traits", _dot(viewer, candidate) / np.maximum(norms, 1e-6))


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


def _wants(specification: Specification, pairs: Pairs) -> Iterator[Column]:
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


def _history(base_rate: float, known: History) -> Iterator[Column]:
    sides = (
        ("viewer.given", known.viewer_given, SHRINK_GIVEN),
        ("viewer.received", known.viewer_received, SHRINK_RECEIVED),
        ("candidate.given", known.candidate_given, SHRINK_GIVEN),
        ("candidate.received", known.candidate_received, SHRINK_RECEIVED),
    )
    for name, tally, shrink in sides:
        rate = (tally.likes + shrink * base_rate) / (tally.decisions + shrink)
        yield Column(f"history.{name}.log_odds", "hidden", np.log(rate / (1 - rate)))
        yield Column(f"history.{name}.log_count", "hidden", np.log1p(tally.decisions))


def _cosine(vectors: NDArray[np.floating], pairs: Pairs, ordinary: float) -> Floats:
    """The cosine of two unit vectors of each pair; a zero vector means nothing is known, so the ordinary cosine."""
    viewer, candidate = vectors[pairs.viewer], vectors[pairs.candidate]
    unknown = ~(viewer.any(axis=1) & candidate.any(axis=1))
    return np.where(unknown, np.float32(ordinary), _dot(viewer, candidate))


def _dot(left: NDArray[np.floating], right: NDArray[np.floating]) -> Floats:
    """The dot product of each row of one with the same row of the other, in float32."""
    products: Floats = np.einsum("ij,ij->i", left.astype(np.float32), right.astype(np.float32))
    return products
