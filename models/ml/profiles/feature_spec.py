"""The feature specification: which traits, facts, wants, interests and prompts count, learned and kept with the model.

Nothing here knows a source's columns by name: what enough people have becomes a feature.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from models.ml.arrays import Float64Array, FloatArray
from models.ml.profiles.answer_embeddings import AnswerEmbeddings, pool_by_profile
from models.ml.profiles.frame_contracts import MAX_AGE, MIN_AGE
from models.ml.profiles.geography import compute_distance_km

# A trait, want or prompt that fewer than this share of people have would mark the source they came from.
MIN_ANSWERED_SHARE = 0.5
MIN_CATEGORY_SHARE = 0.04
MIN_INTEREST_SHARE = 0.01
MAX_INTERESTS = 200
# Between these quantiles most values lie. One that is farther outside than half of their distance is an outlier, and
# nothing is learned from it: neither one profile nor one in a hundred moves the numbers of the others.
LOW, HIGH, REACH = 0.05, 0.95, 0.5
# Of ages, at least so many years farther: where all are of an age, who joins may be of another.
YEARS_REACHED = 15
QUANTILES = (np.arange(9) + 0.5) / 9
# Not used to predict whom somebody will like: a name is sensitive if one of its words is here.
SENSITIVE_WORDS = frozenset({"race", "ethnicity", "ethnic", "skin", "caste"})


@dataclass(frozen=True)
class NumericFeature:
    """A trait or want: its name, the median that stands for a missing one, and the scale (standard deviation).

    Outliers count for none of them.
    """

    name: str
    median: float
    scale: float
    typical: tuple[float, ...]
    """Values that stand for all: the middles of nine equal parts of the people, in standard deviations from the median.
    """


@dataclass(frozen=True)
class CategoricalFeature:
    """A fact: its name, the categories common enough to count, most common first, and their shares of all answers."""

    name: str
    categories: tuple[str, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True)
class DefaultValues:
    """What stands for an unknown comparison of two people: its value between two random ones."""

    age_gap: float
    """Years."""
    distance_km: float
    interests_cosine: float
    texts_cosine: tuple[float, ...]
    """For the whole profile, then for each prompt."""


@dataclass(frozen=True)
class FeatureSpec:
    """What the features of a pair are made from."""

    genders: tuple[str, ...]
    """Those of at least COMMON_CATEGORY of the people."""
    traits: tuple[NumericFeature, ...]
    wants: tuple[NumericFeature, ...]
    facts: tuple[CategoricalFeature, ...]
    interests: tuple[str, ...]
    rarity: tuple[float, ...]
    """Inverse document frequency of each interest, natural log."""
    prompts: tuple[str, ...]
    ordinary: DefaultValues
    ages: tuple[float, float] = (MIN_AGE, MAX_AGE)
    """The lowest and the highest age that counts, in years: beyond are outliers, who count as the nearest others."""

    def serialise(self) -> str:
        """The specification as JSON text; `parse` is its inverse."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def parse(cls, text: str) -> "FeatureSpec":
        """Read what `serialise` wrote."""
        raw = json.loads(text)
        return cls(
            genders=tuple(raw["genders"]),
            traits=tuple(NumericFeature(**each | {"typical": tuple(each["typical"])}) for each in raw["traits"]),
            wants=tuple(NumericFeature(**each | {"typical": tuple(each["typical"])}) for each in raw["wants"]),
            facts=tuple(
                CategoricalFeature(each["name"], tuple(each["categories"]), tuple(each["shares"]))
                for each in raw["facts"]
            ),
            interests=tuple(raw["interests"]),
            rarity=tuple(raw["rarity"]),
            prompts=tuple(raw["prompts"]),
            ordinary=DefaultValues(**raw["ordinary"] | {"texts_cosine": tuple(raw["ordinary"]["texts_cosine"])}),
            ages=(raw["ages"][0], raw["ages"][1]),
        )


def is_sensitive(name: str) -> bool:
    """Whether a trait, fact or want says something about race or ethnicity: `race`, `same_race`, `sameRace`, …"""
    apart = re.sub("(?<=[a-z])(?=[A-Z])", "_", name)
    return not SENSITIVE_WORDS.isdisjoint(re.findall(r"[^\W_]+", apart.lower()))


def fit_feature_spec(profiles: pd.DataFrame, answers: AnswerEmbeddings, *, sensitive: bool = False) -> FeatureSpec:
    """The specification of a profiles frame (see models.ml.profiles.frame_contracts) and its embedded answers.

    It depends on the set of rows, not on their order. Traits, facts and wants about race or ethnicity are left out
    unless `sensitive`.
    """
    interests = _fit_interests(profiles["interests"])
    prompts = tuple(_find_common_keys(profiles["texts"]))
    return FeatureSpec(
        genders=_list_genders(profiles["gender"]),
        traits=_fit_numeric_features(profiles["traits"], sensitive=sensitive),
        wants=_fit_numeric_features(profiles["wants"], sensitive=sensitive),
        facts=_fit_categorical_features(profiles["facts"], sensitive=sensitive),
        interests=tuple(interests),
        rarity=tuple(interests.values()),
        prompts=prompts,
        ordinary=DefaultValues(
            age_gap=_compute_default_age_gap(profiles),
            distance_km=_compute_default_distance(profiles),
            interests_cosine=_compute_default_interest_cosine(profiles["interests"], interests),
            texts_cosine=_compute_default_text_cosines(answers, prompts),
        ),
        ages=_fit_age_bounds(profiles["age"]),
    )


def _list_genders(cells: pd.Series) -> tuple[str, ...]:
    counted = Counter(cells)
    return tuple(sorted(word for word, count in counted.items() if count >= MIN_CATEGORY_SHARE * len(cells)))


def _find_common_keys(cells: Iterable[Mapping[str, object]]) -> list[str]:
    cells = list(cells)
    having = Counter(name for cell in cells for name in cell)
    return sorted(name for name, count in having.items() if count >= MIN_ANSWERED_SHARE * len(cells))


def _fit_numeric_features(cells: pd.Series, *, sensitive: bool) -> tuple[NumericFeature, ...]:
    numbers = []
    for name in _find_common_keys(cells):
        values = _remove_outliers(np.sort([float(cell[name]) for cell in cells if name in cell]))
        if (sensitive or not is_sensitive(name)) and (scale := float(values.std())) > 0:
            median = float(np.median(values))
            typical = (np.quantile(values, QUANTILES) - median) / scale
            numbers.append(NumericFeature(name, median, scale, tuple(typical.tolist())))
    return tuple(numbers)


def _fit_age_bounds(age: pd.Series) -> tuple[float, float]:
    low, high = _compute_fences(age.to_numpy(np.float64), YEARS_REACHED) if len(age) else (MIN_AGE, MAX_AGE)
    return max(low, MIN_AGE), min(high, MAX_AGE)


def _remove_outliers(values: Float64Array) -> Float64Array:
    low, high = _compute_fences(values)
    return np.asarray(values[(values >= low) & (values <= high)])


def _compute_fences(values: Float64Array, least_reach: float = 0.0) -> tuple[float, float]:
    """Return between which values there are no outliers."""
    low, high = np.quantile(values, (LOW, HIGH), method="nearest")
    reach = max(REACH * (high - low), least_reach)
    return float(low - reach), float(high + reach)


def _fit_categorical_features(cells: pd.Series, *, sensitive: bool) -> tuple[CategoricalFeature, ...]:
    facts, enough = [], max(2, MIN_CATEGORY_SHARE * len(cells))
    having = Counter(name for cell in cells for name in cell)
    # Few names are left of the ten thousand that one profile may have: going through everybody for each takes long.
    for name in sorted(name for name, count in having.items() if count >= enough):
        counted = Counter(cell[name] for cell in cells if name in cell)
        categories = tuple(word for word, count in _rank_by_count(counted) if count >= enough)
        if len(counted) > 1 and categories and (sensitive or not is_sensitive(name)):
            facts.append(
                CategoricalFeature(name, categories, tuple(counted[word] / counted.total() for word in categories))
            )
    return tuple(facts)


def _fit_interests(cells: pd.Series) -> dict[str, float]:
    """The common interests and their rarity."""
    counted = Counter(word for cell in cells for word in set(cell))
    enough = max(2, MIN_INTEREST_SHARE * len(cells))
    return {
        word: float(np.log(len(cells) / count))
        for word, count in _rank_by_count(counted)[:MAX_INTERESTS]
        if count >= enough
    }


def _rank_by_count(counted: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def _compute_default_age_gap(profiles: pd.DataFrame) -> float:
    """The median gap between each person and the one half a frame further on, in order of id."""
    age = profiles.sort_values("profile_id")["age"].to_numpy(np.float64)
    return float(np.median(np.abs(age - _shift_by_half(age)))) if len(age) else 0.0


def _compute_default_distance(profiles: pd.DataFrame) -> float:
    """The median distance between people so paired, of those whose place is known."""
    places = profiles.sort_values("profile_id")[["latitude", "longitude"]].to_numpy(dtype=float, na_value=np.nan)
    places = places[~np.isnan(places).any(axis=1)]
    return float(np.median(compute_distance_km(places, _shift_by_half(places)))) if len(places) else 0.0


def _shift_by_half(values: Float64Array) -> Float64Array:
    return np.roll(values, len(values) // 2, axis=0)


def _compute_default_interest_cosine(cells: pd.Series, rarity: dict[str, float]) -> float:
    """The mean cosine of the rarity-weighted interests of two people who have some."""
    total = dict.fromkeys(rarity, 0.0)
    people = 0
    for cell in sorted(sorted(set(cell) & rarity.keys()) for cell in cells):
        norm = math.hypot(*(rarity[word] for word in cell))
        people += norm > 0
        for word in cell:
            total[word] += rarity[word] / norm if norm else 0.0
    return _compute_mean_cosine(list(total.values()), people)


def _compute_default_text_cosines(answers: AnswerEmbeddings, prompts: tuple[str, ...]) -> tuple[float, ...]:
    """The mean cosine of two people's answers: all of them, then to each prompt."""
    _, pooled = pool_by_profile(answers)
    parts: list[FloatArray] = [
        pooled,
        *(answers.vectors[answers.keys["prompt"] == prompt] for prompt in prompts),
    ]
    return tuple(_compute_mean_cosine(part.sum(axis=0, dtype=np.float64), len(part)) for part in parts)


def _compute_mean_cosine(total: ArrayLike, count: int) -> float:
    """The mean cosine of two different ones of `count` unit vectors, from the sum of all; 0 for under two."""
    return float((np.sum(np.square(total)) - count) / (count * (count - 1))) if count > 1 else 0.0
