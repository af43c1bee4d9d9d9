"""Profiles as arrays, by a specification: row i of every array is the i-th profile of the frame."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.ml.embeddings import Answers, pool
from models.ml.encoder import DIMENSIONS, unit
from models.ml.positions import positions
from models.ml.specification import Number, Specification

Floats = NDArray[np.float32]

# A number farther off than this, in deviations, counts as no answer. Of the others at most so many deviations count, so
# that neither training nor a chance hangs on one person's numbers.
FARTHEST, MOST_DEVIATIONS = 10.0, 3.0


@dataclass(frozen=True)
class People:
    """n people as arrays."""

    ids: NDArray[np.str_]
    gender: NDArray[np.int16]
    """Index in the specification's genders, -1 for others, (n,)."""
    age: Floats
    """Completed years, (n,)."""
    place: NDArray[np.float64]
    """Latitude and longitude in degrees, (n, 2); NaN where unknown."""
    traits: Floats
    """(n, traits), in standard deviations from the median, at most 3; a missing one stands at the median."""
    has_trait: NDArray[np.bool_]
    """(n, traits), false where missing or out of all proportion."""
    wants: Floats
    """(n, wants), importances, likewise."""
    facts: NDArray[np.int16]
    """(n, facts), index of the category, one past the last for rare ones, -1 where missing."""
    interests: Floats
    """(n, interests), rarity-weighted and of unit length; zero for people without any."""
    texts: NDArray[np.float16]
    """(n, 1 + prompts, 384), unit vectors: the whole profile, then each prompt; zero where unanswered."""

    def __len__(self) -> int:
        """How many people."""
        return len(self.ids)


def nobody(specification: Specification) -> People:
    """The arrays of no people: the shapes that a specification gives."""
    return People(
        ids=np.empty(0, np.str_),
        gender=np.empty(0, np.int16),
        age=np.empty(0, np.float32),
        place=np.empty((0, 2)),
        traits=np.empty((0, len(specification.traits)), np.float32),
        has_trait=np.empty((0, len(specification.traits)), np.bool_),
        wants=np.empty((0, len(specification.wants)), np.float32),
        facts=np.empty((0, len(specification.facts)), np.int16),
        interests=np.empty((0, len(specification.interests)), np.float32),
        texts=np.empty((0, 1 + len(specification.prompts), DIMENSIONS), np.float16),
    )


def people(specification: Specification, profiles: pd.DataFrame, answers: Answers) -> People:
    """The arrays of a profiles frame; `answers` may hold more people than the frame, or lack some."""
    places = profiles[["latitude", "longitude"]].to_numpy(dtype=np.float64, na_value=np.nan)
    traits, wants = (_deviations(getattr(specification, kind), profiles[kind]) for kind in ("traits", "wants"))
    return People(
        ids=profiles["profile_id"].to_numpy(dtype=str),
        gender=pd.Index(specification.genders).get_indexer(pd.Index(profiles["gender"])).astype(np.int16),
        age=profiles["age"].to_numpy(dtype=np.float32),
        place=places,
        traits=_bounded(traits),
        has_trait=~np.isnan(traits),
        wants=_bounded(wants),
        facts=_categories(specification, profiles["facts"]),
        interests=_interests(specification, profiles["interests"]),
        texts=_texts(specification, profiles["profile_id"], answers),
    )


def bound_ages(specification: Specification, people: People) -> Floats:
    """Return the age that counts of each person, float32 (n,): that of the nearest who are not outliers."""
    return np.clip(people.age, *specification.ages).astype(np.float32)


def _deviations(numbers: tuple[Number, ...], cells: pd.Series) -> NDArray[np.float64]:
    """Return how far each number is from its median, (n, numbers); NaN where missing or out of all proportion."""
    columns = [[(cell.get(number.name, np.nan) - number.median) / number.scale for cell in cells] for number in numbers]
    deviations = np.array(columns, np.float64).reshape(len(numbers), len(cells)).T
    return np.where(np.abs(deviations) <= FARTHEST, deviations, np.nan)


def _bounded(deviations: NDArray[np.float64]) -> Floats:
    return np.clip(np.nan_to_num(deviations), -MOST_DEVIATIONS, MOST_DEVIATIONS).astype(np.float32)


def _categories(specification: Specification, cells: pd.Series) -> NDArray[np.int16]:
    coded = np.full((len(cells), len(specification.facts)), -1, np.int16)
    for column, fact in enumerate(specification.facts):
        code = {word: index for index, word in enumerate(fact.categories)}
        coded[:, column] = [code.get(cell[fact.name], len(code)) if fact.name in cell else -1 for cell in cells]
    return coded


def _interests(specification: Specification, cells: pd.Series) -> Floats:
    column = {word: index for index, word in enumerate(specification.interests)}
    weights = np.zeros((len(cells), len(column)), np.float32)
    for row, cell in enumerate(cells):
        known = [column[word] for word in cell if word in column]
        weights[row, known] = np.take(specification.rarity, known)
    return unit(weights)


def _texts(specification: Specification, ids: pd.Series, answers: Answers) -> NDArray[np.float16]:
    texts = np.zeros((len(ids), 1 + len(specification.prompts), DIMENSIONS), np.float16)
    pooled_ids, pooled = pool(answers)
    at = positions(pooled_ids, ids)
    texts[at[at >= 0], 0] = pooled[at >= 0]
    prompt = positions(answers.keys["prompt"], specification.prompts)
    at = positions(answers.keys["profile_id"], ids)
    known = (at >= 0) & (prompt >= 0)
    texts[at[known], 1 + prompt[known]] = answers.vectors[known]
    return texts
