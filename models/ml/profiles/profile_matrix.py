"""Profiles as arrays, by a feature spec: row i of each array is profile i of the frame."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.db.errors import IncompatibleModelError
from models.ml.arrays import BoolArray, Float16Array, Float32Array, Float64Array, Int16Array
from models.ml.profiles.answer_embeddings import NO_ANSWERS, AnswerEmbeddings, pool_by_profile
from models.ml.profiles.encoders.encoder import normalise_rows
from models.ml.profiles.feature_spec import FeatureSpec, NumericFeature
from models.ml.profiles.id_lookup import find_positions

# In standard deviations. A value beyond the first counts as missing. Others are clipped to the second, so that neither
# training nor a probability depends on one extreme value.
FARTHEST, MAX_DEVIATIONS = 10.0, 3.0


@dataclass(frozen=True)
class ProfileMatrix:
    """n users as arrays."""

    ids: NDArray[np.str_]
    gender: Int16Array
    """Index in the spec's genders, -1 for others, (n,)."""
    age: Float32Array
    """Completed years, (n,)."""
    place: Float64Array
    """Latitude and longitude in degrees, (n, 2); NaN if unknown."""
    traits: Float32Array
    """(n, traits), in standard deviations from the median, clipped to ±3; 0, the median, if missing."""
    has_trait: BoolArray
    """(n, traits), false if missing or out of all proportion."""
    wants: Float32Array
    """(n, wants), scaled and clipped like the traits."""
    facts: Int16Array
    """(n, facts), index of the category; one past the last for rare categories, -1 if missing."""
    interests: Float32Array
    """(n, interests), rarity-weighted and of unit length; zero for users without interests."""
    texts: Float16Array
    """(n, 1 + prompts, dimensions), unit vectors: the whole profile, then each prompt; zero if unanswered."""

    def __len__(self) -> int:
        """Return the number of users."""
        return len(self.ids)


def make_empty_matrix(spec: FeatureSpec) -> ProfileMatrix:
    """Make a matrix of no users, in the shapes of a feature spec."""
    return ProfileMatrix(
        ids=np.empty(0, np.str_),
        gender=np.empty(0, np.int16),
        age=np.empty(0, np.float32),
        place=np.empty((0, 2)),
        traits=np.empty((0, len(spec.traits)), np.float32),
        has_trait=np.empty((0, len(spec.traits)), np.bool_),
        wants=np.empty((0, len(spec.wants)), np.float32),
        facts=np.empty((0, len(spec.facts)), np.int16),
        interests=np.empty((0, len(spec.interests)), np.float32),
        texts=np.empty((0, 1 + len(spec.prompts), NO_ANSWERS.dimensions), np.float16),
    )


def build_profile_matrix(spec: FeatureSpec, profiles: pd.DataFrame, answers: AnswerEmbeddings) -> ProfileMatrix:
    """Build the matrix of a profiles frame; `answers` may contain other users and lack some of the frame.

    Raises:
        IncompatibleModelError: The spec was fitted on vectors of another encoder than that of the answers.
    """
    if spec.encoder != answers.encoder:
        raise IncompatibleModelError(
            f"the ranker was trained on vectors of the encoder {spec.encoder}, and these are of {answers.encoder}"
        )
    places = profiles[["latitude", "longitude"]].to_numpy(dtype=np.float64, na_value=np.nan)
    traits, wants = (_compute_deviations(getattr(spec, kind), profiles[kind]) for kind in ("traits", "wants"))
    return ProfileMatrix(
        ids=profiles["profile_id"].to_numpy(dtype=str),
        gender=pd.Index(spec.genders).get_indexer(pd.Index(profiles["gender"])).astype(np.int16),
        age=profiles["age"].to_numpy(dtype=np.float32),
        place=places,
        traits=_bound_deviations(traits),
        has_trait=~np.isnan(traits),
        wants=_bound_deviations(wants),
        facts=_encode_facts(spec, profiles["facts"]),
        interests=_encode_interests(spec, profiles["interests"]),
        texts=_pool_texts(spec, profiles["profile_id"], answers),
    )


def bound_ages(spec: FeatureSpec, people: ProfileMatrix) -> Float32Array:
    """Return each user's age clipped to the spec's bounds, float32 (n,); outliers count as the nearest others."""
    return np.clip(people.age, *spec.ages).astype(np.float32)


def _compute_deviations(numbers: tuple[NumericFeature, ...], cells: pd.Series) -> Float64Array:
    """Compute deviations from the median in standard deviations, (n, features); NaN if missing or too far off."""
    columns = [[(cell.get(number.name, np.nan) - number.median) / number.scale for cell in cells] for number in numbers]
    deviations = np.array(columns, np.float64).reshape(len(numbers), len(cells)).T
    return np.where(np.abs(deviations) <= FARTHEST, deviations, np.nan)


def _bound_deviations(deviations: Float64Array) -> Float32Array:
    return np.clip(np.nan_to_num(deviations), -MAX_DEVIATIONS, MAX_DEVIATIONS).astype(np.float32)


def _encode_facts(spec: FeatureSpec, cells: pd.Series) -> Int16Array:
    coded = np.full((len(cells), len(spec.facts)), -1, np.int16)
    for column, fact in enumerate(spec.facts):
        code = {word: index for index, word in enumerate(fact.categories)}
        coded[:, column] = [code.get(cell[fact.name], len(code)) if fact.name in cell else -1 for cell in cells]
    return coded


def _encode_interests(spec: FeatureSpec, cells: pd.Series) -> Float32Array:
    column = {word: index for index, word in enumerate(spec.interests)}
    weights = np.zeros((len(cells), len(column)), np.float32)
    for row, cell in enumerate(cells):
        known = [column[word] for word in cell if word in column]
        weights[row, known] = np.take(spec.rarity, known)
    return normalise_rows(weights)


def _pool_texts(spec: FeatureSpec, ids: pd.Series, answers: AnswerEmbeddings) -> Float16Array:
    texts = np.zeros((len(ids), 1 + len(spec.prompts), answers.dimensions), np.float16)
    pooled_ids, pooled = pool_by_profile(answers)
    at = find_positions(pooled_ids, ids)
    texts[at[at >= 0], 0] = pooled[at >= 0]
    prompt = find_positions(answers.keys["prompt"], spec.prompts)
    at = find_positions(answers.keys["profile_id"], ids)
    known = (at >= 0) & (prompt >= 0)
    texts[at[known], 1 + prompt[known]] = answers.vectors[known]
    return texts
