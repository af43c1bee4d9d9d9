"""Why two people are matched: the ranker's own contributions for the pair, in a few codes that give nobody away.

A reason may name only what the candidate shows on their profile. So what the candidate wants, how choosy they are and
who liked them never become a reason, however much they count.
"""

import json
from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from models.ml.cores import on_all_cores
from models.ml.features import Group, Pairs, build, names_and_groups
from models.ml.geography import distance_km
from models.ml.history import Bools
from models.ml.ranker import Ranker
from models.ml.similarity import cosines
from models.ml.specification import Specification

Words = NDArray[np.int16]

MOST_REASONS = 3
MOST_DETAILS = 3
PAIRS_AT_ONCE = 16_384
CLOSE_KM = 25.0
SIMILAR_YEARS = 4
# Where there is nothing to say, and, among words in order, after all of them.
NOTHING, NEVER = -1, np.iinfo(np.int16).max
# Two people whose answer is this do not have it in common.
NO_FACT = ("other",)


def _age(_: Specification, pairs: Pairs) -> Bools:
    age = pairs.people.age
    return np.asarray(np.abs(age[pairs.viewer] - age[pairs.candidate]) <= SIMILAR_YEARS)


def _distance(_: Specification, pairs: Pairs) -> Bools:
    place = pairs.people.place
    return np.asarray(distance_km(place[pairs.viewer], place[pairs.candidate]) <= CLOSE_KM)


def _texts(specification: Specification, pairs: Pairs) -> Bools:
    ordinary = np.float32(specification.ordinary.texts_cosine[0])
    return np.asarray(cosines(pairs.people.texts, 0, pairs.viewer, pairs.candidate, float(ordinary)) > ordinary)


def _traits(_: Specification, pairs: Pairs) -> Bools:
    """Both are out of the ordinary in the same ways."""
    traits = pairs.people.traits
    return np.asarray(np.einsum("ij,ij->i", traits[pairs.viewer], traits[pairs.candidate]) > 0)


def _wants(specification: Specification, pairs: Pairs) -> Bools:
    """What the viewer cares about more than most do, the candidate has more than most do."""
    trait_at = {trait.name: index for index, trait in enumerate(specification.traits)}
    met = [(index, trait_at[want.name]) for index, want in enumerate(specification.wants) if want.name in trait_at]
    want, trait = np.array(met, np.int64).reshape(-1, 2).T
    cared = np.maximum(0, pairs.people.wants[:, want])[pairs.viewer]
    return np.asarray(np.einsum("ij,ij->i", cared, pairs.people.traits[:, trait][pairs.candidate]) > 0)


def _interests(specification: Specification, pairs: Pairs) -> Words:
    """The rarest interests they share, as positions in `_words`."""
    interests = pairs.people.interests
    shared = interests[pairs.viewer] * interests[pairs.candidate]
    rarest, rows = np.full((len(pairs), MOST_DETAILS), NOTHING, np.int16), np.arange(len(pairs))
    for place in range(min(MOST_DETAILS, len(specification.interests))):
        best = shared.argmax(axis=1)
        rarest[:, place] = np.where(shared[rows, best] > 0, best, NOTHING)
        shared[rows, best] = 0
    return rarest


def _facts(specification: Specification, pairs: Pairs) -> Words:
    """The rarest facts they share, as positions in `_words`."""
    facts, most = specification.facts, max((len(fact.categories) for fact in specification.facts), default=0)
    word = np.full((len(facts), most + 2), NEVER, np.int16)  # the last two columns are for rare answers and for none
    for at, (fact, code) in enumerate(_shown_facts(specification)):
        word[fact, code] = len(specification.interests) + at
    theirs, others = pairs.people.facts[pairs.viewer], pairs.people.facts[pairs.candidate]
    shared = np.full((len(pairs), len(facts) + MOST_DETAILS), NEVER, np.int16)
    shared[:, : len(facts)] = np.where(theirs == others, word[np.arange(len(facts)), theirs], NEVER)
    shared.sort(axis=1)
    return np.where(shared < NEVER, shared, NOTHING)[:, :MOST_DETAILS]


def _shown_facts(specification: Specification) -> list[tuple[int, int]]:
    """Fact and category of every answer that two people may have in common, the rarest first."""
    answers = [
        (share, _fact_words(fact.name, category), index, code)
        for index, fact in enumerate(specification.facts)
        for code, (category, share) in enumerate(zip(fact.categories, fact.shares, strict=True))
        if category not in NO_FACT
    ]
    return [(index, code) for _, _, index, code in sorted(answers)]


def _fact_words(name: str, category: str) -> str:
    return f"{name.replace('_', ' ')} ({category})"


def _words(specification: Specification) -> list[str]:
    """All that a reason may name: the interests, then the facts, the rarest first: "smokes (no)"."""
    facts = specification.facts
    shown = _shown_facts(specification)
    return [*specification.interests, *(_fact_words(facts[at].name, facts[at].categories[code]) for at, code in shown)]


# A group of features, the code it is explained with, and what must be true of the two people for the reason to be
# said: a truth, or words to name.
EXPLAINED: dict[Group, tuple[str, Callable[[Specification, Pairs], Bools | Words]]] = {
    "interests": ("shared_interests", _interests),
    "texts": ("similar_answers", _texts),
    "distance": ("close_by", _distance),
    "age": ("similar_age", _age),
    "facts": ("in_common", _facts),
    "traits": ("similar_nature", _traits),
    "wants": ("what_you_look_for", _wants),
}


def comparison_values(specification: Specification) -> dict[str, object]:
    """Return what SQL compares two profiles by when the API reads a reason, as JSON.

    The median and scale of each trait and want, and the cosine of two ordinary people's answers.
    """
    return {
        "traits": {trait.name: [trait.median, trait.scale] for trait in specification.traits},
        "wants": {want.name: [want.median, want.scale] for want in specification.wants},
        "texts_cosine": float(specification.ordinary.texts_cosine[0]),
    }


# Said where nothing else can be.
FALLBACK = "likely_mutual"


def reasons(ranker: Ranker, pairs: Pairs) -> list[str]:
    """For each of n pairs one to three reasons, the weightiest first; only what speaks for a like, and is true.

    Each entry is JSON, an array of {code, detail}: a stable code, and the words that both profiles show (shared
    interests or facts; else none). Text, as it is stored: millions of them as objects would take gigabytes.
    """
    blocks = [slice(start, start + PAIRS_AT_ONCE) for start in range(0, len(pairs), PAIRS_AT_ONCE)]
    said = on_all_cores(lambda rows: _said(ranker, pairs.part(rows)), blocks)
    words, texts = _words(ranker.specification), dict[bytes, str]()
    written = []
    for each in chain.from_iterable(said):
        key = each.tobytes()
        if key not in texts:
            texts[key] = _text(each, words)
        written.append(texts[key])
    return written


def _said(ranker: Ranker, pairs: Pairs) -> Words:
    """What is said of n pairs, int16 (n, MOST_REASONS, 1 + MOST_DETAILS): a place in EXPLAINED, then in `_words`."""
    groups = [group for _, group in names_and_groups(ranker.specification)]
    membership = np.array([[group == each for each in EXPLAINED] for group in groups], np.float64)
    weights = ranker.contributions(build(ranker.specification, pairs)) @ membership
    true, named = _true(ranker.specification, pairs)
    order = np.argsort(-weights, axis=1, kind="stable")
    worth = np.take_along_axis((weights > 0) & true, order, axis=1)
    place = worth.cumsum(axis=1) - 1
    rows, at = np.nonzero(worth & (place < MOST_REASONS))
    said = np.full((len(pairs), MOST_REASONS, 1 + MOST_DETAILS), NOTHING, np.int16)
    said[rows, place[rows, at], 0] = order[rows, at]
    said[rows, place[rows, at], 1:] = named[rows, order[rows, at]]
    return said


def _true(specification: Specification, pairs: Pairs) -> tuple[Bools, Words]:
    """Which reasons of EXPLAINED are true of n pairs, (n, reasons), and the words each names, (n, reasons, details)."""
    true = np.zeros((len(pairs), len(EXPLAINED)), np.bool_)
    named = np.full((len(pairs), len(EXPLAINED), MOST_DETAILS), NOTHING, np.int16)
    for at, (_, of) in enumerate(EXPLAINED.values()):
        found = of(specification, pairs)
        if found.ndim == 2:
            named[:, at], true[:, at] = found, found[:, 0] != NOTHING
        else:
            true[:, at] = found
    return true, named


def _text(said: Words, words: Sequence[str]) -> str:
    codes = [code for code, _ in EXPLAINED.values()]
    told = [
        {"code": codes[group], "detail": [words[word] for word in named if word != NOTHING]}
        for group, *named in said.tolist()
        if group != NOTHING
    ]
    return json.dumps(told or [{"code": FALLBACK, "detail": []}], ensure_ascii=False)
