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
from numpy.typing import ArrayLike, NDArray

from models.ml.embeddings import Answers, pool
from models.ml.frames import OLDEST, YOUNGEST
from models.ml.geography import distance_km

# A trait, want or prompt that fewer than this share of people have would mark the source they came from.
ASKED_OF_MOST = 0.5
COMMON_CATEGORY = 0.04
COMMON_INTEREST = 0.01
MOST_INTERESTS = 200
# Between these quantiles most values lie. One that is farther outside than half of their distance is an outlier, and
# nothing is learned from it: neither one profile nor one in a hundred moves the numbers of the others.
LOW, HIGH, REACH = 0.05, 0.95, 0.5
# Of ages, at least so many years farther: where all are of an age, who joins may be of another.
YEARS_REACHED = 15
MIDDLES = (np.arange(9) + 0.5) / 9
# Not used to predict whom somebody will like: a name is sensitive if one of its words is here.
SENSITIVE = frozenset({"race", "ethnicity", "ethnic", "skin", "caste"})


@dataclass(frozen=True)
class Number:
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
class Fact:
    """A fact: its name, the categories common enough to count, most common first, and their shares of all answers."""

    name: str
    categories: tuple[str, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Ordinary:
    """What stands for an unknown comparison of two people: its value between two random ones."""

    age_gap: float
    """Years."""
    distance_km: float
    interests_cosine: float
    texts_cosine: tuple[float, ...]
    """For the whole profile, then for each prompt."""


@dataclass(frozen=True)
class Specification:
    """What the features of a pair are made from."""

    genders: tuple[str, ...]
    """Those of at least COMMON_CATEGORY of the people."""
    traits: tuple[Number, ...]
    wants: tuple[Number, ...]
    facts: tuple[Fact, ...]
    interests: tuple[str, ...]
    rarity: tuple[float, ...]
    """Inverse document frequency of each interest, natural log."""
    prompts: tuple[str, ...]
    ordinary: Ordinary
    ages: tuple[float, float] = (YOUNGEST, OLDEST)
    """The lowest and the highest age that counts, in years: beyond are outliers, who count as the nearest others."""

    def to_json(self) -> str:
        """The specification as JSON text; `from_json` is its inverse."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Specification":
        """Read what `to_json` wrote."""
        raw = json.loads(text)
        return cls(
            genders=tuple(raw["genders"]),
            traits=tuple(Number(**each | {"typical": tuple(each["typical"])}) for each in raw["traits"]),
            wants=tuple(Number(**each | {"typical": tuple(each["typical"])}) for each in raw["wants"]),
            facts=tuple(Fact(each["name"], tuple(each["categories"]), tuple(each["shares"])) for each in raw["facts"]),
            interests=tuple(raw["interests"]),
            rarity=tuple(raw["rarity"]),
            prompts=tuple(raw["prompts"]),
            ordinary=Ordinary(**raw["ordinary"] | {"texts_cosine": tuple(raw["ordinary"]["texts_cosine"])}),
            ages=(raw["ages"][0], raw["ages"][1]),
        )


def is_sensitive(name: str) -> bool:
    """Whether a trait, fact or want says something about race or ethnicity: `race`, `same_race`, `sameRace`, …"""
    apart = re.sub("(?<=[a-z])(?=[A-Z])", "_", name)
    return not SENSITIVE.isdisjoint(re.findall(r"[^\W_]+", apart.lower()))


def learn(profiles: pd.DataFrame, answers: Answers, *, sensitive: bool = False) -> Specification:
    """The specification of a profiles frame (see models.ml.frames) and its embedded answers.

    It depends on the set of rows, not on their order. Traits, facts and wants about race or ethnicity are left out
    unless `sensitive`.
    """
    interests = _interests(profiles["interests"])
    prompts = tuple(_common_keys(profiles["texts"]))
    return Specification(
        genders=_genders(profiles["gender"]),
        traits=_numbers(profiles["traits"], sensitive=sensitive),
        wants=_numbers(profiles["wants"], sensitive=sensitive),
        facts=_facts(profiles["facts"], sensitive=sensitive),
        interests=tuple(interests),
        rarity=tuple(interests.values()),
        prompts=prompts,
        ordinary=Ordinary(
            age_gap=_ordinary_age_gap(profiles),
            distance_km=_ordinary_distance(profiles),
            interests_cosine=_ordinary_interests(profiles["interests"], interests),
            texts_cosine=_ordinary_texts(answers, prompts),
        ),
        ages=_ages(profiles["age"]),
    )


def _genders(cells: pd.Series) -> tuple[str, ...]:
    counted = Counter(cells)
    return tuple(sorted(word for word, count in counted.items() if count >= COMMON_CATEGORY * len(cells)))


def _common_keys(cells: Iterable[Mapping[str, object]]) -> list[str]:
    cells = list(cells)
    having = Counter(name for cell in cells for name in cell)
    return sorted(name for name, count in having.items() if count >= ASKED_OF_MOST * len(cells))


def _numbers(cells: pd.Series, *, sensitive: bool) -> tuple[Number, ...]:
    numbers = []
    for name in _common_keys(cells):
        values = _without_outliers(np.sort([float(cell[name]) for cell in cells if name in cell]))
        if (sensitive or not is_sensitive(name)) and (scale := float(values.std())) > 0:
            median = float(np.median(values))
            typical = (np.quantile(values, MIDDLES) - median) / scale
            numbers.append(Number(name, median, scale, tuple(typical.tolist())))
    return tuple(numbers)


def _ages(age: pd.Series) -> tuple[float, float]:
    low, high = _fences(age.to_numpy(np.float64), YEARS_REACHED) if len(age) else (YOUNGEST, OLDEST)
    return max(low, YOUNGEST), min(high, OLDEST)


def _without_outliers(values: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = _fences(values)
    return np.asarray(values[(values >= low) & (values <= high)])


def _fences(values: NDArray[np.float64], least_reach: float = 0.0) -> tuple[float, float]:
    """Return between which values there are no outliers."""
    low, high = np.quantile(values, (LOW, HIGH), method="nearest")
    reach = max(REACH * (high - low), least_reach)
    return float(low - reach), float(high + reach)


def _facts(cells: pd.Series, *, sensitive: bool) -> tuple[Fact, ...]:
    facts, enough = [], max(2, COMMON_CATEGORY * len(cells))
    having = Counter(name for cell in cells for name in cell)
    # Few names are left of the ten thousand that one profile may have: going through everybody for each takes long.
    for name in sorted(name for name, count in having.items() if count >= enough):
        counted = Counter(cell[name] for cell in cells if name in cell)
        categories = tuple(word for word, count in _ranked(counted) if count >= enough)
        if len(counted) > 1 and categories and (sensitive or not is_sensitive(name)):
            facts.append(Fact(name, categories, tuple(counted[word] / counted.total() for word in categories)))
    return tuple(facts)


def _interests(cells: pd.Series) -> dict[str, float]:
    """The common interests and their rarity."""
    counted = Counter(word for cell in cells for word in set(cell))
    enough = max(2, COMMON_INTEREST * len(cells))
    return {
        word: float(np.log(len(cells) / count)) for word, count in _ranked(counted)[:MOST_INTERESTS] if count >= enough
    }


def _ranked(counted: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def _ordinary_age_gap(profiles: pd.DataFrame) -> float:
    """The median gap between each person and the one half a frame further on, in order of id."""
    age = profiles.sort_values("profile_id")["age"].to_numpy(np.float64)
    return float(np.median(np.abs(age - _others(age)))) if len(age) else 0.0


def _ordinary_distance(profiles: pd.DataFrame) -> float:
    """The median distance between people so paired, of those whose place is known."""
    places = profiles.sort_values("profile_id")[["latitude", "longitude"]].to_numpy(dtype=float, na_value=np.nan)
    places = places[~np.isnan(places).any(axis=1)]
    return float(np.median(distance_km(places, _others(places)))) if len(places) else 0.0


def _others(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.roll(values, len(values) // 2, axis=0)


def _ordinary_interests(cells: pd.Series, rarity: dict[str, float]) -> float:
    """The mean cosine of the rarity-weighted interests of two people who have some."""
    total = dict.fromkeys(rarity, 0.0)
    people = 0
    for cell in sorted(sorted(set(cell) & rarity.keys()) for cell in cells):
        norm = math.hypot(*(rarity[word] for word in cell))
        people += norm > 0
        for word in cell:
            total[word] += rarity[word] / norm if norm else 0.0
    return _mean_cosine(list(total.values()), people)


def _ordinary_texts(answers: Answers, prompts: tuple[str, ...]) -> tuple[float, ...]:
    """The mean cosine of two people's answers: all of them, then to each prompt."""
    _, pooled = pool(answers)
    parts: list[NDArray[np.floating]] = [
        pooled,
        *(answers.vectors[answers.keys["prompt"] == prompt] for prompt in prompts),
    ]
    return tuple(_mean_cosine(part.sum(axis=0, dtype=np.float64), len(part)) for part in parts)


def _mean_cosine(total: ArrayLike, count: int) -> float:
    """The mean cosine of two different ones of `count` unit vectors, from the sum of all; 0 for under two."""
    return float((np.sum(np.square(total)) - count) / (count * (count - 1))) if count > 1 else 0.0
