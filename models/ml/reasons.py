"""Why two people are matched: the ranker's own contributions for the pair, in a few codes that give nobody away.

A reason may name only what the candidate shows on their profile. So what the candidate wants, how choosy they are and
who liked them never become a reason, however much they count.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from models.ml.features import Group, Pairs, build, names_and_groups
from models.ml.geography import distance_km
from models.ml.history import Doubles
from models.ml.people import People
from models.ml.ranker import Ranker
from models.ml.specification import Specification

MOST_REASONS = 3
MOST_DETAILS = 3
PAIRS_AT_ONCE = 16_384
CLOSE_KM = 25.0
SIMILAR_YEARS = 4
# Two people whose answer is this do not have it in common.
NO_FACT = ("other",)


class Reason(TypedDict):
    """One reason: a stable code, and the words that both profiles show (shared interests or facts; else none)."""

    code: str
    detail: list[str]


@dataclass(frozen=True)
class _Two:
    """Two people by position, seen by one specification."""

    specification: Specification
    people: People
    viewer: int
    candidate: int


def _age(two: _Two) -> list[str] | None:
    gap = abs(two.people.age[two.viewer] - two.people.age[two.candidate])
    return [] if gap <= SIMILAR_YEARS else None


def _distance(two: _Two) -> list[str] | None:
    km = distance_km(two.people.place[two.viewer], two.people.place[two.candidate])
    return [] if km <= CLOSE_KM else None


def _interests(two: _Two) -> list[str] | None:
    shared = two.people.interests[two.viewer] * two.people.interests[two.candidate]
    rarest = np.argsort(-shared, kind="stable")[:MOST_DETAILS]
    return [two.specification.interests[index] for index in rarest if shared[index] > 0] or None


def _texts(two: _Two) -> list[str] | None:
    left, right = two.people.texts[[two.viewer, two.candidate], 0].astype(np.float32)
    known = left.any() and right.any()
    return [] if known and left @ right > two.specification.ordinary.texts_cosine[0] else None


def _facts(two: _Two) -> list[str] | None:
    """The facts they share, the rarest first: "smokes (no)"."""
    left, right = two.people.facts[two.viewer], two.people.facts[two.candidate]
    shared = [
        (fact.shares[code], f"{fact.name.replace('_', ' ')} ({fact.categories[code]})")
        for fact, code, other in zip(two.specification.facts, left, right, strict=True)
        if code == other and 0 <= code < len(fact.categories) and fact.categories[code] not in NO_FACT
    ]
    return [words for _, words in sorted(shared)[:MOST_DETAILS]] or None


def _traits(two: _Two) -> list[str] | None:
    """Both are out of the ordinary in the same ways."""
    return [] if two.people.traits[two.viewer] @ two.people.traits[two.candidate] > 0 else None


def _wants(two: _Two) -> list[str] | None:
    """What the viewer cares about more than most do, the candidate has more than most do."""
    trait_at = {trait.name: index for index, trait in enumerate(two.specification.traits)}
    met = [
        max(0.0, two.people.wants[two.viewer, index]) * two.people.traits[two.candidate, trait_at[want.name]]
        for index, want in enumerate(two.specification.wants)
        if want.name in trait_at
    ]
    return [] if sum(met) > 0 else None


# A group of features, the code it is explained with, and what must be true of the two people for the reason to be said
# (the words to name, or None for not true).
EXPLAINED: dict[Group, tuple[str, Callable[[_Two], list[str] | None]]] = {
    "interests": ("shared_interests", _interests),
    "texts": ("similar_answers", _texts),
    "distance": ("close_by", _distance),
    "age": ("similar_age", _age),
    "facts": ("in_common", _facts),
    "traits": ("similar_nature", _traits),
    "wants": ("what_you_look_for", _wants),
}
# Said where nothing else can be.
FALLBACK = Reason(code="likely_mutual", detail=[])


def reasons(ranker: Ranker, pairs: Pairs) -> list[list[Reason]]:
    """For each of n pairs one to three reasons, the weightiest first; only what speaks for a like, and is true."""
    groups = [group for _, group in names_and_groups(ranker.specification)]
    membership = np.array([[group == each for each in EXPLAINED] for group in groups], np.float64)
    explained: list[list[Reason]] = []
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        block = pairs.part(slice(start, start + PAIRS_AT_ONCE))
        contributions = ranker.contributions(build(ranker.specification, block))
        explained += _explain(ranker.specification, block, contributions @ membership)
    return explained


def _explain(specification: Specification, pairs: Pairs, weights: Doubles) -> list[list[Reason]]:
    """Reasons of each pair from the weights of its groups, float64 (n, groups)."""
    order = np.argsort(-weights, axis=1, kind="stable")
    people = zip(pairs.viewer, pairs.candidate, strict=True)
    return [
        _of_pair(_Two(specification, pairs.people, viewer, candidate), weights[row], order[row])
        for row, (viewer, candidate) in enumerate(people)
    ]


def _of_pair(two: _Two, weights: Doubles, order: np.ndarray) -> list[Reason]:
    found: list[Reason] = []
    for group in order[weights[order] > 0]:
        code, words = list(EXPLAINED.values())[group]
        if len(found) < MOST_REASONS and (detail := words(two)) is not None:
            found.append(Reason(code=code, detail=detail))
    return found or [FALLBACK]
