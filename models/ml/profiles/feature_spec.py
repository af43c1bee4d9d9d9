"""The feature spec: which traits, facts, wants, interests and prompts become features.

It is fitted on the training population and stored with the ranker. No column of a source is named here: whatever enough
users have becomes a feature.
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
from models.ml.profiles.encoders.encoder import DEFAULT_ENCODER
from models.ml.profiles.frame_contracts import MAX_AGE, MIN_AGE
from models.ml.profiles.geography import compute_distance_km

# A trait, want or prompt that fewer users have would reveal the source of their profiles.
MIN_ANSWERED_SHARE = 0.5
MIN_CATEGORY_SHARE = 0.04
MIN_INTEREST_SHARE = 0.01
MAX_INTERESTS = 200
# A value is an outlier if it is outside these quantiles by more than REACH times their distance. Outliers are ignored,
# so that neither one profile nor 1 % of them affect the features of the others.
LOW, HIGH, REACH = 0.05, 0.95, 0.5
# Minimum reach for ages, in years. If all users have the same age, new users may have another.
YEARS_REACHED = 15
QUANTILES = (np.arange(9) + 0.5) / 9
# Not used for predictions. A name is sensitive if it contains one of these words.
SENSITIVE_WORDS = frozenset({"race", "ethnicity", "ethnic", "skin", "caste"})


@dataclass(frozen=True)
class NumericFeature:
    """A trait or want: name, median as the default value, and scale (standard deviation), all without outliers."""

    name: str
    median: float
    scale: float
    typical: tuple[float, ...]
    """Values that represent the population: the medians of nine equal parts, in standard deviations from the median."""


@dataclass(frozen=True)
class CategoricalFeature:
    """A fact: name, the common categories, most common first, and their shares of all values."""

    name: str
    categories: tuple[str, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True)
class DefaultValues:
    """Default values of comparisons: the value between two random users."""

    age_gap: float
    """Years."""
    distance_km: float
    interests_cosine: float
    texts_cosine: tuple[float, ...]
    """For the whole profile, then for each prompt."""


@dataclass(frozen=True)
class FeatureSpec:
    """What the features of a pair are built from."""

    genders: tuple[str, ...]
    """The genders of at least MIN_CATEGORY_SHARE of the users."""
    traits: tuple[NumericFeature, ...]
    wants: tuple[NumericFeature, ...]
    facts: tuple[CategoricalFeature, ...]
    interests: tuple[str, ...]
    rarity: tuple[float, ...]
    """Inverse document frequency of each interest, natural log."""
    prompts: tuple[str, ...]
    ordinary: DefaultValues
    ages: tuple[float, float] = (MIN_AGE, MAX_AGE)
    """The lowest and the highest age in years that is not an outlier; ages beyond count as the nearest of the two."""
    encoder: str = DEFAULT_ENCODER
    """Name of the encoder of the answers. Specs that were stored without one are of the default one."""

    def serialise(self) -> str:
        """Return the spec as JSON text; `parse` is the inverse."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def parse(cls, text: str) -> "FeatureSpec":
        """Parse what `serialise` wrote."""
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
            encoder=raw.get("encoder", DEFAULT_ENCODER),
        )


def is_sensitive(name: str) -> bool:
    """Return whether a name is about race or ethnicity: `race`, `same_race`, `sameRace`, ..."""
    apart = re.sub("(?<=[a-z])(?=[A-Z])", "_", name)
    return not SENSITIVE_WORDS.isdisjoint(re.findall(r"[^\W_]+", apart.lower()))


def fit_feature_spec(profiles: pd.DataFrame, answers: AnswerEmbeddings, *, sensitive: bool = False) -> FeatureSpec:
    """Fit the feature spec on a profiles frame and its embedded answers.

    The spec depends on the set of rows, not on their order.

    Args:
        profiles: A profiles frame (see models.ml.profiles.frame_contracts).
        answers: The embedded answers.
        sensitive: Include traits, facts and wants about race or ethnicity.
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
        encoder=answers.encoder,
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
    """Return the bounds outside which values are outliers."""
    low, high = np.quantile(values, (LOW, HIGH), method="nearest")
    reach = max(REACH * (high - low), least_reach)
    return float(low - reach), float(high + reach)


def _fit_categorical_features(cells: pd.Series, *, sensitive: bool) -> tuple[CategoricalFeature, ...]:
    facts, enough = [], max(2, MIN_CATEGORY_SHARE * len(cells))
    having = Counter(name for cell in cells for name in cell)
    # Names are counted first: one profile may have thousands, and few are common enough for a pass over all profiles.
    for name in sorted(name for name, count in having.items() if count >= enough):
        counted = Counter(cell[name] for cell in cells if name in cell)
        categories = tuple(word for word, count in _rank_by_count(counted) if count >= enough)
        if len(counted) > 1 and categories and (sensitive or not is_sensitive(name)):
            facts.append(
                CategoricalFeature(name, categories, tuple(counted[word] / counted.total() for word in categories))
            )
    return tuple(facts)


def _fit_interests(cells: pd.Series) -> dict[str, float]:
    """Return the common interests and their rarity."""
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
    """Compute the median age gap between each user and the one half a frame further on, in order of id."""
    age = profiles.sort_values("profile_id")["age"].to_numpy(np.float64)
    return float(np.median(np.abs(age - _shift_by_half(age)))) if len(age) else 0.0


def _compute_default_distance(profiles: pd.DataFrame) -> float:
    """Compute the median distance between users paired in the same way, of those with a known place."""
    places = profiles.sort_values("profile_id")[["latitude", "longitude"]].to_numpy(dtype=float, na_value=np.nan)
    places = places[~np.isnan(places).any(axis=1)]
    return float(np.median(compute_distance_km(places, _shift_by_half(places)))) if len(places) else 0.0


def _shift_by_half(values: Float64Array) -> Float64Array:
    return np.roll(values, len(values) // 2, axis=0)


def _compute_default_interest_cosine(cells: pd.Series, rarity: dict[str, float]) -> float:
    """Compute the mean cosine of the rarity-weighted interests of two users who have any."""
    total = dict.fromkeys(rarity, 0.0)
    people = 0
    for cell in sorted(sorted(set(cell) & rarity.keys()) for cell in cells):
        norm = math.hypot(*(rarity[word] for word in cell))
        people += norm > 0
        for word in cell:
            total[word] += rarity[word] / norm if norm else 0.0
    return _compute_mean_cosine(list(total.values()), people)


def _compute_default_text_cosines(answers: AnswerEmbeddings, prompts: tuple[str, ...]) -> tuple[float, ...]:
    """Compute the mean cosine of two users' answers: pooled by profile, then for each prompt."""
    _, pooled = pool_by_profile(answers)
    parts: list[FloatArray] = [
        pooled,
        *(answers.vectors[answers.keys["prompt"] == prompt] for prompt in prompts),
    ]
    return tuple(_compute_mean_cosine(part.sum(axis=0, dtype=np.float64), len(part)) for part in parts)


def _compute_mean_cosine(total: ArrayLike, count: int) -> float:
    """Compute the mean cosine of two of `count` unit vectors from the sum of all; 0 for fewer than two."""
    return float((np.sum(np.square(total)) - count) / (count * (count - 1))) if count > 1 else 0.0
