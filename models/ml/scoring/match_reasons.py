"""Reasons: why a candidate is shown, as codes, from the ranker's contributions for the pair.

A reason names only what the candidate's profile shows. What the candidate wants, how selective the candidate is and
who liked the candidate never become a reason, whatever they contribute.
"""

import json
from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np

from models.ml.arrays import BoolArray, Float64Array, Int16Array, Int64Array
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
# No reason or detail; and a word that sorts after all others.
NOTHING, NEVER = -1, np.iinfo(np.int16).max
# Users who share one of these answers have nothing in common.
NO_FACT = ("other",)


def _has_similar_age(_: FeatureSpec, pairs: Pairs) -> BoolArray:
    age = pairs.people.age
    return np.asarray(np.abs(age[pairs.viewer] - age[pairs.candidate]) <= SIMILAR_YEARS)


def _is_close_by(_: FeatureSpec, pairs: Pairs) -> BoolArray:
    place = pairs.people.place
    return np.asarray(compute_distance_km(place[pairs.viewer], place[pairs.candidate]) <= CLOSE_KM)


def _has_similar_texts(spec: FeatureSpec, pairs: Pairs) -> BoolArray:
    default = np.float32(spec.ordinary.texts_cosine[0])
    return np.asarray(compute_cosines(pairs.people.texts, 0, pairs.viewer, pairs.candidate, float(default)) > default)


def _has_similar_traits(_: FeatureSpec, pairs: Pairs) -> BoolArray:
    """Find pairs whose traits deviate from the median in the same directions."""
    traits = pairs.people.traits
    return np.asarray(np.einsum("ij,ij->i", traits[pairs.viewer], traits[pairs.candidate]) > 0)


def _has_wanted_traits(spec: FeatureSpec, pairs: Pairs) -> BoolArray:
    """Find pairs whose candidate is above the median in traits that the viewer wants more than the median does."""
    trait_at = {trait.name: index for index, trait in enumerate(spec.traits)}
    met = [(index, trait_at[want.name]) for index, want in enumerate(spec.wants) if want.name in trait_at]
    want, trait = np.array(met, np.int64).reshape(-1, 2).T
    cared = np.maximum(0, pairs.people.wants[:, want])[pairs.viewer]
    return np.asarray(np.einsum("ij,ij->i", cared, pairs.people.traits[:, trait][pairs.candidate]) > 0)


def _find_shared_interests(spec: FeatureSpec, pairs: Pairs) -> Int16Array:
    """Find the rarest shared interests of each pair, as indices in `_list_words`, (n, MAX_DETAILS)."""
    interests = pairs.people.interests
    shared = interests[pairs.viewer] * interests[pairs.candidate]
    rarest, rows = np.full((len(pairs), MAX_DETAILS), NOTHING, np.int16), np.arange(len(pairs))
    for index in range(min(MAX_DETAILS, len(spec.interests))):
        best = shared.argmax(axis=1)
        rarest[:, index] = np.where(shared[rows, best] > 0, best, NOTHING)
        shared[rows, best] = 0
    return rarest


def _find_shared_facts(spec: FeatureSpec, pairs: Pairs) -> Int16Array:
    """Find the rarest shared facts of each pair, as indices in `_list_words`, (n, MAX_DETAILS)."""
    facts, most = spec.facts, max((len(fact.categories) for fact in spec.facts), default=0)
    word = np.full((len(facts), most + 2), NEVER, np.int16)  # the last two columns: other answers, and no answer
    for at, (fact, code) in enumerate(_list_shown_facts(spec)):
        word[fact, code] = len(spec.interests) + at
    theirs, others = pairs.people.facts[pairs.viewer], pairs.people.facts[pairs.candidate]
    shared = np.full((len(pairs), len(facts) + MAX_DETAILS), NEVER, np.int16)
    shared[:, : len(facts)] = np.where(theirs == others, word[np.arange(len(facts)), theirs], NEVER)
    shared.sort(axis=1)
    return np.where(shared < NEVER, shared, NOTHING)[:, :MAX_DETAILS]


def _list_shown_facts(spec: FeatureSpec) -> list[tuple[int, int]]:
    """List the fact and category of each answer that users may have in common, the rarest first."""
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
    """List all details of reasons: the interests, then facts such as "smokes (no)", the rarest first."""
    facts = spec.facts
    shown = _list_shown_facts(spec)
    return [*spec.interests, *(_format_fact(facts[at].name, facts[at].categories[code]) for at, code in shown)]


# For each explained group of features its code, and a function that says whether the reason is true of each pair, or
# finds the details that it names.
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
    """Build the values by which SQL checks a reason against two profiles when the API reads it, as JSON.

    They are the median and scale of each trait and want, and the default cosine of answers.
    """
    return {
        "traits": {trait.name: [trait.median, trait.scale] for trait in spec.traits},
        "wants": {want.name: [want.median, want.scale] for want in spec.wants},
        "texts_cosine": float(spec.ordinary.texts_cosine[0]),
    }


# The reason of pairs without any other.
FALLBACK = "likely_mutual"


def explain_pairs(ranker: Ranker, pairs: Pairs, pairs_per_batch: int = PAIRS_PER_BATCH) -> list[str]:
    """Explain n pairs by one to three reasons each, those that contribute much and are rare first.

    A reason must contribute to a like, and be true of the pair. What could be said of most cards of a viewer tells none
    of them apart, so it is said only of cards with no other reason. The cards of a viewer are all pairs of theirs here.

    Returns:
        JSON for each pair, an array of {code, detail}: a stable code, and the interests or facts that both profiles
        show, if the reason names any. Texts are shared between pairs, as objects would take too much memory.
    """
    batches = _split_by_viewer(pairs.viewer, pairs_per_batch)
    selected = parallel_map(lambda rows: _select_reasons(ranker, pairs.take(rows)), batches)
    words, texts = _list_words(ranker.specification), dict[bytes, str]()
    written = [""] * len(pairs)
    for row, each in zip(chain.from_iterable(batches), chain.from_iterable(selected), strict=True):
        key = each.tobytes()
        if key not in texts:
            texts[key] = _format_reasons(each, words)
        written[row] = texts[key]
    return written


def _split_by_viewer(viewer: Int64Array, size: int) -> list[Int64Array]:
    """Split n rows into batches of `size`, or more where the rows of a viewer would be divided."""
    order = np.argsort(viewer, kind="stable")
    first = np.flatnonzero(np.diff(viewer[order], prepend=-1))  # of each viewer
    starts = first[np.diff(first // size, prepend=-1) > 0]
    return np.split(order, starts[1:]) if len(order) else []


def _select_reasons(ranker: Ranker, pairs: Pairs) -> Int16Array:
    """Select the reasons of n pairs, int16 (n, MAX_REASONS, 1 + MAX_DETAILS).

    Each is an index in EXPLAINED and then indices in `_list_words`, NOTHING where there are fewer.
    """
    groups = [group for _, group in list_feature_groups(ranker.specification)]
    membership = np.array([[group == each for each in EXPLAINED] for group in groups], np.float64)
    weights = ranker.explain(build_features(ranker.specification, pairs)) @ membership
    true, named = _find_true_reasons(ranker.specification, pairs)
    true &= weights > 0
    rarity, common = _weigh_rarity(pairs.viewer, true, named)
    true &= ~(common & (true & ~common).any(axis=1, keepdims=True))
    order = np.argsort(-weights * rarity, axis=1, kind="stable")
    usable = np.take_along_axis(true, order, axis=1)
    index = usable.cumsum(axis=1) - 1
    rows, at = np.nonzero(usable & (index < MAX_REASONS))
    selected = np.full((len(pairs), MAX_REASONS, 1 + MAX_DETAILS), NOTHING, np.int16)
    selected[rows, index[rows, at], 0] = order[rows, at]
    selected[rows, index[rows, at], 1:] = named[rows, order[rows, at]]
    return selected


def _weigh_rarity(viewer: Int64Array, true: BoolArray, named: Int16Array) -> tuple[Float64Array, BoolArray]:
    """Weigh how rare each reason is among the cards of its viewer.

    Args:
        viewer: Positions, (n,).
        true: What may be said of each pair, (n, reasons).
        named: The details, (n, reasons, MAX_DETAILS). Shared interests in jazz and in chess are two reasons.

    Returns:
        The logarithm of cards per card with the reason, and whether most of the cards have it; (n, reasons) each.
    """
    _, cards_of = np.unique(viewer, return_inverse=True)
    cards = np.bincount(cards_of)[cards_of].astype(np.float64)
    said = np.empty(true.shape)
    base = np.int64(2) ** 16
    for reason in range(true.shape[1]):
        key = np.where(true[:, reason], cards_of, -1)
        for detail in named[:, reason].T:
            _, key = np.unique(key * base + detail + 1, return_inverse=True)
        said[:, reason] = np.bincount(key)[key]
    return np.log1p(cards[:, None] / said), true & (2 * said > cards[:, None])


def _find_true_reasons(spec: FeatureSpec, pairs: Pairs) -> tuple[BoolArray, Int16Array]:
    """Find which of EXPLAINED are true of n pairs, (n, reasons), and what they name, (n, reasons, MAX_DETAILS)."""
    true = np.zeros((len(pairs), len(EXPLAINED)), np.bool_)
    named = np.full((len(pairs), len(EXPLAINED), MAX_DETAILS), NOTHING, np.int16)
    for at, (_, find_reason) in enumerate(EXPLAINED.values()):
        found = find_reason(spec, pairs)
        if found.ndim == 2:
            named[:, at], true[:, at] = found, found[:, 0] != NOTHING
        else:
            true[:, at] = found
    return true, named


def _format_reasons(selected: Int16Array, words: Sequence[str]) -> str:
    codes = [code for code, _ in EXPLAINED.values()]
    reasons = [
        {"code": codes[group], "detail": [words[word] for word in named if word != NOTHING]}
        for group, *named in selected.tolist()
        if group != NOTHING
    ]
    return json.dumps(reasons or [{"code": FALLBACK, "detail": []}], ensure_ascii=False)
