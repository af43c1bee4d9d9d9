"""Why two people are matched: the ranker's own contributions for the pair, in a few codes that give nobody away.

A reason may name only what the candidate shows on their profile. So what the candidate wants, how choosy they are and
who liked them never become a reason, however much they count.
"""

import json
from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np

from models.ml.arrays import BoolArray, Int16Array
from models.ml.features.pair_features import FeatureGroup, Pairs, build_features, list_feature_groups
from models.ml.kernels.parallel import parallel_map
from models.ml.kernels.similarity import compute_cosines
from models.ml.profiles.feature_spec import FeatureSpec
from models.ml.profiles.geography import compute_distance_km
from models.ml.ranker.ranker_model import Ranker

MAX_REASONS = 3
MAX_DETAILS = 3
PAIRS_PER_BATCH = 16_384
CLOSE_KM = 25.0
SIMILAR_YEARS = 4
# Where there is nothing to say, and, among words in order, after all of them.
NOTHING, NEVER = -1, np.iinfo(np.int16).max
# Two people whose answer is this do not have it in common.
NO_FACT = ("other",)


def _has_similar_age(_: FeatureSpec, pairs: Pairs) -> BoolArray:
    age = pairs.people.age
    return np.asarray(np.abs(age[pairs.viewer] - age[pairs.candidate]) <= SIMILAR_YEARS)


def _is_close_by(_: FeatureSpec, pairs: Pairs) -> BoolArray:
    place = pairs.people.place
    return np.asarray(compute_distance_km(place[pairs.viewer], place[pairs.candidate]) <= CLOSE_KM)


def _has_similar_texts(spec: FeatureSpec, pairs: Pairs) -> BoolArray:
    ordinary = np.float32(spec.ordinary.texts_cosine[0])
    return np.asarray(compute_cosines(pairs.people.texts, 0, pairs.viewer, pairs.candidate, float(ordinary)) > ordinary)


def _has_similar_traits(_: FeatureSpec, pairs: Pairs) -> BoolArray:
    """Both are out of the ordinary in the same ways."""
    traits = pairs.people.traits
    return np.asarray(np.einsum("ij,ij->i", traits[pairs.viewer], traits[pairs.candidate]) > 0)


def _has_wanted_traits(spec: FeatureSpec, pairs: Pairs) -> BoolArray:
    """What the viewer cares about more than most do, the candidate has more than most do."""
    trait_at = {trait.name: index for index, trait in enumerate(spec.traits)}
    met = [(index, trait_at[want.name]) for index, want in enumerate(spec.wants) if want.name in trait_at]
    want, trait = np.array(met, np.int64).reshape(-1, 2).T
    cared = np.maximum(0, pairs.people.wants[:, want])[pairs.viewer]
    return np.asarray(np.einsum("ij,ij->i", cared, pairs.people.traits[:, trait][pairs.candidate]) > 0)


def _find_shared_interests(spec: FeatureSpec, pairs: Pairs) -> Int16Array:
    """The rarest interests they share, as positions in `_list_words`."""
    interests = pairs.people.interests
    shared = interests[pairs.viewer] * interests[pairs.candidate]
    rarest, rows = np.full((len(pairs), MAX_DETAILS), NOTHING, np.int16), np.arange(len(pairs))
    for place in range(min(MAX_DETAILS, len(spec.interests))):
        best = shared.argmax(axis=1)
        rarest[:, place] = np.where(shared[rows, best] > 0, best, NOTHING)
        shared[rows, best] = 0
    return rarest


def _find_shared_facts(spec: FeatureSpec, pairs: Pairs) -> Int16Array:
    """The rarest facts they share, as positions in `_list_words`."""
    facts, most = spec.facts, max((len(fact.categories) for fact in spec.facts), default=0)
    word = np.full((len(facts), most + 2), NEVER, np.int16)  # the last two columns are for rare answers and for none
    for at, (fact, code) in enumerate(_list_shown_facts(spec)):
        word[fact, code] = len(spec.interests) + at
    theirs, others = pairs.people.facts[pairs.viewer], pairs.people.facts[pairs.candidate]
    shared = np.full((len(pairs), len(facts) + MAX_DETAILS), NEVER, np.int16)
    shared[:, : len(facts)] = np.where(theirs == others, word[np.arange(len(facts)), theirs], NEVER)
    shared.sort(axis=1)
    return np.where(shared < NEVER, shared, NOTHING)[:, :MAX_DETAILS]


def _list_shown_facts(spec: FeatureSpec) -> list[tuple[int, int]]:
    """Fact and category of every answer that two people may have in common, the rarest first."""
    answers = [
        (share, _format_fact(fact.name, category), index, code)
        for index, fact in enumerate(spec.facts)
        for code, (category, share) in enumerate(zip(fact.categories, fact.shares, strict=True))
        if category not in NO_FACT
    ]
    return [(index, code) for _, _, index, code in sorted(answers)]


def _format_fact(name: str, category: str) -> str:
    return f"{name.replace('_', ' ')} ({category})"


def _list_words(spec: FeatureSpec) -> list[str]:
    """All that a reason may name: the interests, then the facts, the rarest first: "smokes (no)"."""
    facts = spec.facts
    shown = _list_shown_facts(spec)
    return [*spec.interests, *(_format_fact(facts[at].name, facts[at].categories[code]) for at, code in shown)]


# A group of features, the code it is explained with, and what must be true of the two people for the reason to be
# said: a truth, or words to name.
EXPLAINED: dict[FeatureGroup, tuple[str, Callable[[FeatureSpec, Pairs], BoolArray | Int16Array]]] = {
    "interests": ("shared_interests", _find_shared_interests),
    "texts": ("similar_answers", _has_similar_texts),
    "distance": ("close_by", _is_close_by),
    "age": ("similar_age", _has_similar_age),
    "facts": ("in_common", _find_shared_facts),
    "traits": ("similar_nature", _has_similar_traits),
    "wants": ("what_you_look_for", _has_wanted_traits),
}


def build_comparison_values(spec: FeatureSpec) -> dict[str, object]:
    """Return what SQL compares two profiles by when the API reads a reason, as JSON.

    The median and scale of each trait and want, and the cosine of two ordinary people's answers.
    """
    return {
        "traits": {trait.name: [trait.median, trait.scale] for trait in spec.traits},
        "wants": {want.name: [want.median, want.scale] for want in spec.wants},
        "texts_cosine": float(spec.ordinary.texts_cosine[0]),
    }


# Said where nothing else can be.
FALLBACK = "likely_mutual"


def explain_pairs(ranker: Ranker, pairs: Pairs) -> list[str]:
    """For each of n pairs one to three reasons, the weightiest first; only what speaks for a like, and is true.

    Each entry is JSON, an array of {code, detail}: a stable code, and the words that both profiles show (shared
    interests or facts; else none). Text, as it is stored: millions of them as objects would take gigabytes.
    """
    blocks = [slice(start, start + PAIRS_PER_BATCH) for start in range(0, len(pairs), PAIRS_PER_BATCH)]
    said = parallel_map(lambda rows: _select_reasons(ranker, pairs.take(rows)), blocks)
    words, texts = _list_words(ranker.specification), dict[bytes, str]()
    written = []
    for each in chain.from_iterable(said):
        key = each.tobytes()
        if key not in texts:
            texts[key] = _format_reasons(each, words)
        written.append(texts[key])
    return written


def _select_reasons(ranker: Ranker, pairs: Pairs) -> Int16Array:
    """What is said of n pairs, int16 (n, MOST_REASONS, 1 + MOST_DETAILS): a place in EXPLAINED, then in
    `_list_words`.
    """
    groups = [group for _, group in list_feature_groups(ranker.specification)]
    membership = np.array([[group == each for each in EXPLAINED] for group in groups], np.float64)
    weights = ranker.explain(build_features(ranker.specification, pairs)) @ membership
    true, named = _find_true_reasons(ranker.specification, pairs)
    order = np.argsort(-weights, axis=1, kind="stable")
    worth = np.take_along_axis((weights > 0) & true, order, axis=1)
    place = worth.cumsum(axis=1) - 1
    rows, at = np.nonzero(worth & (place < MAX_REASONS))
    said = np.full((len(pairs), MAX_REASONS, 1 + MAX_DETAILS), NOTHING, np.int16)
    said[rows, place[rows, at], 0] = order[rows, at]
    said[rows, place[rows, at], 1:] = named[rows, order[rows, at]]
    return said


def _find_true_reasons(spec: FeatureSpec, pairs: Pairs) -> tuple[BoolArray, Int16Array]:
    """Which reasons of EXPLAINED are true of n pairs, (n, reasons), and the words each names, (n, reasons, details)."""
    true = np.zeros((len(pairs), len(EXPLAINED)), np.bool_)
    named = np.full((len(pairs), len(EXPLAINED), MAX_DETAILS), NOTHING, np.int16)
    for at, (_, of) in enumerate(EXPLAINED.values()):
        found = of(spec, pairs)
        if found.ndim == 2:
            named[:, at], true[:, at] = found, found[:, 0] != NOTHING
        else:
            true[:, at] = found
    return true, named


def _format_reasons(said: Int16Array, words: Sequence[str]) -> str:
    codes = [code for code, _ in EXPLAINED.values()]
    told = [
        {"code": codes[group], "detail": [words[word] for word in named if word != NOTHING]}
        for group, *named in said.tolist()
        if group != NOTHING
    ]
    return json.dumps(told or [{"code": FALLBACK, "detail": []}], ensure_ascii=False)
