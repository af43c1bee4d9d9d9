"""How promising a pair is before it is scored, as a dot product: so a town is gone through by matrix products.

The promise of two people is the linear part of the ranker's log-odds, of both directions together, less what is the
same for all of a viewer's candidates. The trees are left out, and what of the linear part would double the cost and
was measured to change nothing: cosines of single prompts. Logs of distances and absolute differences are nearly right,
all the rest is exact. On a simulated town of 15,000 that kept 0.999 of the ranker's own best 50 among 300 of 2,100.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ml.features import SHARED_INTERESTS, Group, Pairs, build, names_and_groups
from models.ml.geography import distance_km
from models.ml.history import Ledger
from models.ml.people import Floats, People, bound_ages
from models.ml.ranker import Ranker
from models.ml.specification import Specification

Ints = NDArray[np.int64]
# Into how many steps a number is cut, so that a difference of two is a dot product.
STEPS = 12
# From how many people's places distances are measured, so that a distance of two is a dot product.
LANDMARKS = 48
# Smaller parts of the distances between landmarks than this, of the largest, are noise.
LEAST_PART = 0.01
Weights = Mapping[str, float]


@dataclass(frozen=True)
class Promise:
    """Of n people, float32: that of a viewer and a candidate is the viewer's query times the candidate's key."""

    queries: Floats
    """By position, (n, d)."""
    keys: Floats
    """Of those in an order, (o, d)."""


@dataclass(frozen=True)
class _Term:
    """A part of the promise: queries times keys, (n, d) each, and what only the candidate decides, (n,)."""

    queries: NDArray[np.floating]
    keys: NDArray[np.floating]
    alone: NDArray[np.floating] | float = 0.0


def promise(ranker: Ranker, people: People, ledger: Ledger, order: Ints) -> Promise:
    """The promise of all n people as viewers, and as candidates of those at positions `order`, int64 (o,).

    The ledger knows of their likes.
    """
    specification = ranker.specification
    weights = ranker.slope * ranker.linear.weights
    named = names_and_groups(specification)
    weight = {name: float(each) for (name, _), each in zip(named, weights, strict=True)}
    terms = list(_terms(specification, people, weight))
    # With oneself each side's features are one's own: as a viewer, and as a candidate.
    me = np.arange(len(people))
    own = build(specification, Pairs(people, me, me, ledger.of(me, me)))
    alone = own @ np.where([_of_one_person(*each) for each in named], weights, 0.0)
    for term in terms:
        alone += term.alone
    queries = [*(term.queries for term in terms), np.ones((len(people), 1))]
    keys = [*(term.keys[order] for term in terms), alone[order, None]]
    return Promise(
        np.hstack(queries, dtype=np.float32, casting="same_kind"),
        np.hstack(keys, dtype=np.float32, casting="same_kind"),
    )


def _of_one_person(name: str, group: Group) -> bool:
    return group in ("viewer", "candidate") or (group == "hidden" and not name.endswith(".met_back"))


def _terms(specification: Specification, people: People, weight: Weights) -> Iterator[_Term]:
    yield _difference(bound_ages(specification, people), 2 * weight["age.distance"], np.ones(len(people), bool))
    yield from _ages_by_gender(specification, people, weight)
    yield _distance(specification, people.place, 2 * weight["distance.log_km"])
    yield _interests(specification, people, weight)
    texts, ordinary = people.texts[:, 0], specification.ordinary.texts_cosine[0]
    yield _alike(texts, np.any(texts != 0, axis=1), ordinary, 2 * weight["texts.cosine"])
    for index, trait in enumerate(specification.traits):
        each = 2 * weight[f"trait.{trait.name}.distance"]
        yield _difference(people.traits[:, index], each, people.has_trait[:, index], trait.typical)
    norms = np.linalg.norm(people.traits, axis=1, keepdims=True)
    directions = people.traits / np.maximum(norms, 1e-6)
    yield _Term(2 * weight["trait.cosine"] * directions, directions)
    for index, fact in enumerate(specification.facts):
        chosen = people.facts[:, [index]] == np.arange(len(fact.categories))
        ordinary = sum(share**2 for share in fact.shares)
        known = people.facts[:, index] >= 0
        yield _alike(chosen.astype(np.float32), known, ordinary, 2 * weight[f"fact.{fact.name}.same"])
    yield from _wants(specification, people, weight)


def _difference(values: Floats, weight: float, known: NDArray[np.bool_], typical: Sequence[float] = ()) -> _Term:
    """|a - b| is a + b less twice the smaller, which is how many steps both have reached.

    Who is not known stands for all the typical values: the mean of differences is that of what is reached.
    """
    parts = np.linspace(0, 1, STEPS + 1)
    steps = np.unique(np.quantile(values, parts, method="nearest")) if weight and len(values) else np.zeros(1)
    width = np.diff(steps)

    def reached(numbers: NDArray[np.floating]) -> NDArray[np.floating]:
        return np.asarray(np.clip((numbers[:, None] - steps[:-1]) / width, 0, 1) * np.sqrt(width))

    seen, alone = reached(values), weight * values
    if not known.all():
        seen[~known], alone[~known] = reached(np.array(typical)).mean(axis=0), weight * np.mean(typical)
    return _Term(-2 * weight * seen, seen, alone)


def _ages_by_gender(specification: Specification, people: People, weight: Weights) -> Iterator[_Term]:
    """How much older the candidate is, as a viewer of a gender takes it: in both directions."""
    age = bound_ages(specification, people)
    for code, gender in enumerate(specification.genders):
        mine, of_gender = weight[f"age.gap.viewer={gender}"], people.gender == code
        queries, keys = np.column_stack([of_gender, age]), np.column_stack([age, of_gender])
        yield _Term(mine * queries, keys, -mine * of_gender * age)


def _distance(specification: Specification, place: NDArray[np.float64], weight: float) -> _Term:
    """The logarithms of the distances, from those to landmarks (Nyström's approximation: Williams and Seeger 2000)."""
    known = np.flatnonzero(~np.isnan(place).any(axis=1))
    if weight == 0 or len(known) == 0:
        return _Term(np.empty((len(place), 0)), np.empty((len(place), 0)))
    marks = place[known[np.linspace(0, len(known) - 1, min(LANDMARKS, len(known))).astype(np.int64)]]
    ordinary = np.log1p(specification.ordinary.distance_km)

    def logs(of: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.log1p(distance_km(of[:, None], marks)) - ordinary)

    values, directions = np.linalg.eigh(logs(marks))
    large = np.abs(values) > LEAST_PART * np.abs(values).max()
    seen = np.zeros((len(place), int(large.sum())))
    seen[known] = logs(place[known]) @ directions[:, large] / np.sqrt(np.abs(values[large]))
    return _Term(weight * np.sign(values[large]) * seen, seen)


def _interests(specification: Specification, people: People, weight: Weights) -> _Term:
    """The cosine of interests, which counts for more if one of the two wants interests in common."""
    known = np.any(people.interests != 0, axis=1)
    term = _alike(people.interests, known, specification.ordinary.interests_cosine, 1.0)
    queries, keys, alike = term.queries, term.keys, 2 * weight["interests.cosine"]
    if SHARED_INTERESTS not in [want.name for want in specification.wants]:
        return _Term(alike * queries, keys)
    met = weight[f"want.{SHARED_INTERESTS}.met"]
    wanted = people.wants[:, [[want.name for want in specification.wants].index(SHARED_INTERESTS)]]
    return _Term(np.hstack([(alike + met * wanted) * queries, met * queries]), np.hstack([keys, wanted * keys]))


def _alike(vectors: NDArray[np.floating], known: NDArray[np.bool_], ordinary: float, weight: float) -> _Term:
    """Dot products of vectors; the ordinary one unless both are known. From all that one is subtracted."""
    if weight == 0:
        return _Term(np.empty((len(vectors), 0)), np.empty((len(vectors), 0)))
    queries = np.column_stack([vectors, -ordinary * known]).astype(np.float32)
    return _Term(weight * queries, np.column_stack([vectors, known]))


def _wants(specification: Specification, people: People, weight: Weights) -> Iterator[_Term]:
    trait_at = {trait.name: index for index, trait in enumerate(specification.traits)}
    for index, want in enumerate(specification.wants):
        if want.name in trait_at:
            met = weight[f"want.{want.name}.met"] + weight[f"want.{want.name}.met_back"]
            wanted, trait = people.wants[:, index], people.traits[:, trait_at[want.name]]
            yield _Term(met * np.column_stack([wanted, trait]), np.column_stack([trait, wanted]))
