"""The features of a pair, from both people's arrays and what is known of their likes.

A missing value takes the most ordinary one, never a value of its own: what was not asked must not become a signal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.ml.compiled import compiled
from models.ml.history import History, Tally
from models.ml.mutual import Mutual, mutual, taste_names
from models.ml.people import Floats, People, bound_ages, nobody
from models.ml.specification import Specification

Ints = NDArray[np.int64]
# What a feature is explained as. Those of one person alone, and what a person does not show, explain nothing.
Group = Literal["age", "distance", "interests", "texts", "traits", "facts", "wants", "viewer", "candidate", "hidden"]

# Pseudo-decisions that a mean is shrunk with: 4 for what a viewer gives, 3 for what a candidate receives.
SHRINK_GIVEN, SHRINK_RECEIVED = 4.0, 3.0
# How many features are of the history, the last ones.
HISTORY = 8
# A want of this name is met by having interests in common rather than by a trait.
SHARED_INTERESTS = "shared_interests"
INTERESTS = "interests.cosine"


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
        tallies = (each.part(rows) for each in vars(self.history).values())
        return Pairs(self.people, self.viewer[rows], self.candidate[rows], History(*tallies))

    def reversed(self) -> "Pairs":
        """The same pairs seen from the other side."""
        known = self.history
        back = History(known.candidate_given, known.candidate_received, known.viewer_given, known.viewer_received)
        return Pairs(self.people, self.candidate, self.viewer, back)


def nothing_known(count: int) -> History:
    """The history of `count` pairs of people who never decided anything."""
    none = np.zeros(count, np.int64)
    tally = Tally(none, none, np.zeros(count), np.zeros(count))
    return History(tally, tally, tally, tally)


@dataclass(frozen=True)
class Column:
    """One feature of n pairs: its name, the group it is explained with, and its values (n,)."""

    name: str
    group: Group
    values: NDArray[np.floating]


def build(specification: Specification, pairs: Pairs) -> Floats:
    """The features of n pairs, float32 (n, features): those of the two profiles, then the HISTORY of their likes."""
    return _matrix(_all(specification, pairs, _mutual(specification, pairs)), len(pairs))


def build_both_ways(specification: Specification, pairs: Pairs) -> tuple[Floats, Floats]:
    """What `build` gives for the pairs and for the same ones reversed, to the bit; what is mutual is taken once."""
    known, back = _mutual(specification, pairs), pairs.reversed()
    return _matrix(_all(specification, pairs, known), len(pairs)), _matrix(_all(specification, back, known), len(back))


def of_profiles(specification: Specification, pairs: Pairs) -> Floats:
    """Only the features of the two profiles, float32 (n, features - HISTORY)."""
    return _matrix(list(_of_profiles(specification, pairs, _mutual(specification, pairs))), len(pairs))


def of_history(history: History) -> Floats:
    """Only the features of what was known of the likes of n pairs, float32 (n, HISTORY)."""
    return _matrix(list(_of_history(history)), len(history.viewer_given.decisions))


def _matrix(columns: list[Column], rows: int) -> Floats:
    """The columns beside each other, each in one piece, as it is made, weighed and asked about."""
    features = np.empty((rows, len(columns)), np.float32, order="F")
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
    return [(each.name, each.group) for each in _all(specification, pairs, _mutual(specification, pairs))]


def _mutual(specification: Specification, pairs: Pairs) -> Mutual:
    return mutual(specification, pairs.people, pairs.viewer, pairs.candidate)


def _all(specification: Specification, pairs: Pairs, known: Mutual) -> list[Column]:
    return [*_of_profiles(specification, pairs, known), *_of_history(pairs.history)]


def _of_profiles(specification: Specification, pairs: Pairs, known: Mutual) -> Iterator[Column]:
    yield from _circumstances(specification, pairs, known)
    yield from _genders(specification, pairs)
    for name in taste_names(specification):
        yield Column(name, "interests" if name == INTERESTS else "texts", known[name])
    yield from _traits(specification, pairs, known)
    yield from _facts(specification, pairs, known)
    yield from _wants(specification, pairs, interests=known[INTERESTS])


def _circumstances(specification: Specification, pairs: Pairs, known: Mutual) -> Iterator[Column]:
    age = bound_ages(specification, pairs.people)
    viewer, candidate = age[pairs.viewer], age[pairs.candidate]
    yield Column("age.viewer", "viewer", viewer)
    yield Column("age.candidate", "candidate", candidate)
    yield Column("age.gap", "age", candidate - viewer)
    yield Column("age.distance", "age", known["age.distance"])
    yield Column("distance.log_km", "distance", known["distance.log_km"])


def _genders(specification: Specification, pairs: Pairs) -> Iterator[Column]:
    """Who likes more and who is liked more, and whether an older or a younger candidate is liked better, by gender."""
    viewer, candidate = pairs.people.gender[pairs.viewer], pairs.people.gender[pairs.candidate]
    age = bound_ages(specification, pairs.people)
    gap = age[pairs.candidate] - age[pairs.viewer]
    for code, gender in enumerate(specification.genders):
        yield Column(f"gender.viewer={gender}", "viewer", (viewer == code).astype(np.float32))
        yield Column(f"gender.candidate={gender}", "candidate", (candidate == code).astype(np.float32))
        yield Column(f"age.gap.viewer={gender}", "age", np.where(viewer == code, gap, 0))


def _traits(specification: Specification, pairs: Pairs, known: Mutual) -> Iterator[Column]:
    for index, trait in enumerate(specification.traits):
        values = np.ascontiguousarray(pairs.people.traits[:, index])
        yield Column(f"trait.{trait.name}.viewer", "viewer", values[pairs.viewer])
        yield Column(f"trait.{trait.name}.candidate", "candidate", values[pairs.candidate])
        yield Column(f"trait.{trait.name}.distance", "traits", known[f"trait.{trait.name}.distance"])
    yield Column("trait.cosine", "traits", known["trait.cosine"])


def _facts(specification: Specification, pairs: Pairs, known: Mutual) -> Iterator[Column]:
    for index, fact in enumerate(specification.facts):
        yield Column(f"fact.{fact.name}.same", "facts", known[f"fact.{fact.name}.same"])
        codes, shares = np.ascontiguousarray(pairs.people.facts[:, index]), np.array(fact.shares, np.float32)
        viewer, candidate = _answers(codes[pairs.viewer], shares), _answers(codes[pairs.candidate], shares)
        for code, word in enumerate(fact.categories):
            yield Column(f"fact.{fact.name}.viewer={word}", "viewer", viewer[code])
            yield Column(f"fact.{fact.name}.candidate={word}", "candidate", candidate[code])


@compiled
def _answers(codes: NDArray[np.int16], shares: Floats) -> Floats:
    """Whether each of n people gave each answer, float32 (answers, n); its share where they gave none, code -1."""
    given = np.empty((len(shares), len(codes)), np.float32)
    for answer in range(len(shares)):
        for row in range(len(codes)):
            given[answer, row] = shares[answer] if codes[row] < 0 else np.float32(codes[row] == answer)
    return given


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
        yield Column(f"history.{name}.surprise", "hidden", tally.surprise / (tally.weight + shrink))
        yield Column(f"history.{name}.log_count", "hidden", np.log1p(tally.weight))
