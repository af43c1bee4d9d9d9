"""Imputation: missing values filled with those of similar users, so that trees learn nothing from a missing value.

A missing value becomes the default value, which trees can tell from all others. They would learn who does not answer,
and with it the source of a profile. Trees are therefore trained on imputed profiles and evaluated with default values.
Source: random hot deck imputation within adjustment cells, here genders (Andridge and Little, 2010).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.profiles.feature_spec import FeatureSpec


def impute_missing(
    spec: FeatureSpec, profiles: pd.DataFrame, answers: AnswerEmbeddings, seed: int
) -> tuple[pd.DataFrame, AnswerEmbeddings]:
    """Impute everything in the feature spec that at least one user has.

    A user without a trait, want, fact, place, interests or answer gets that of a random user of the same gender. If no
    user of that gender has it, the donor may be any user. A user's missing values come from one donor where that donor
    has them all.

    Args:
        spec: The feature spec.
        profiles: A profiles frame.
        answers: The embedded answers.
        seed: Seed of the random choice of donors.

    Returns:
        The imputed profiles and answers.
    """
    deck = _HotDeck(profiles["gender"], np.random.default_rng(seed).random(len(profiles)))
    made = profiles.copy(deep=False)
    for kind in ("traits", "facts", "wants"):
        names = [each.name for each in getattr(spec, kind)]
        made[kind] = pd.Series(deck.fill_mappings(profiles[kind], names), index=profiles.index, dtype=object)
    interests = profiles["interests"].tolist()
    made["interests"] = [
        interests[row] for row in deck.find_donors(np.array([len(cell) > 0 for cell in interests], bool))
    ]
    place = profiles[["latitude", "longitude"]].to_numpy(np.float64, na_value=np.nan)
    made[["latitude", "longitude"]] = place[deck.find_donors(~np.isnan(place).any(axis=1))]
    return made, _impute_answers(deck, spec.prompts, profiles["profile_id"], answers)


class _HotDeck:
    """Donors by the gender of n users and a random number of each, in [0, 1)."""

    def __init__(self, gender: pd.Series, lot: Float64Array) -> None:
        self.gender = pd.factorize(gender)[0]
        self.lot = lot

    def find_donors(self, has: BoolArray) -> Int64Array:
        """Find the donor of each user: themselves if they have a value, or if no user has one."""
        owner = np.arange(len(has))
        for gender in np.unique(self.gender[~has]):
            givers = np.flatnonzero(has & (self.gender == gender))
            givers = givers if len(givers) else np.flatnonzero(has)
            lacking = np.flatnonzero(~has & (self.gender == gender))
            if len(givers):
                owner[lacking] = givers[(self.lot[lacking] * len(givers)).astype(np.int64)]
        return owner

    def fill_mappings(self, cells: pd.Series, names: Sequence[str]) -> list[dict[str, object]]:
        """Fill the names that cells lack, where at least one user has them."""
        made: list[dict[str, object]] = [dict(cell) for cell in cells]
        for name in names:
            owner = self.find_donors(np.array([name in cell for cell in cells], bool))
            for row in np.flatnonzero(owner != np.arange(len(made))):
                made[row][name] = made[owner[row]][name]
        return made


def _impute_answers(
    deck: _HotDeck, prompts: Sequence[str], ids: pd.Series, answers: AnswerEmbeddings
) -> AnswerEmbeddings:
    """Return the answers, with those of donors added for each prompt."""
    keys, vectors = [answers.keys], [answers.vectors]
    for prompt in prompts:
        rows = np.flatnonzero(answers.keys["prompt"] == prompt)
        of_person = np.full(len(ids), -1)
        at = pd.Index(ids).get_indexer(pd.Index(answers.keys["profile_id"].iloc[rows]))
        of_person[at[at >= 0]] = rows[at >= 0]
        owner = deck.find_donors(of_person >= 0)
        lacking = np.flatnonzero((of_person < 0) & (of_person[owner] >= 0))
        given = of_person[owner[lacking]]
        keys.append(answers.keys.iloc[given].assign(profile_id=ids.to_numpy()[lacking]))
        vectors.append(answers.vectors[given])
    return replace(answers, keys=pd.concat(keys, ignore_index=True), vectors=np.concatenate(vectors))
