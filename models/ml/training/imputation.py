"""What people did not answer, filled with what others did: so that nothing can be learned from a missing answer.

A missing answer stands at the most ordinary value, which trees can tell from all others: they would learn who does not
answer, and with it the source a profile came from. They are grown on filled profiles instead, and asked about the
ordinary value. Source: random hot deck imputation within adjustment cells, here genders (Andridge and Little, 2010).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.profiles.feature_spec import FeatureSpec


def impute_missing(
    spec: FeatureSpec, profiles: pd.DataFrame, answers: AnswerEmbeddings, seed: int
) -> tuple[pd.DataFrame, AnswerEmbeddings]:
    """The profiles and answers with everything that the specification knows and somebody answered.

    A person without a trait, want, fact, place, interests or answer gets that of a random person of the same gender; of
    anybody where nobody of that gender has it. All that a person lacks is of one giver where that giver has it all.
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
    """Who gives to whom: by the gender of n people and a lot of each, in [0, 1)."""

    def __init__(self, gender: pd.Series, lot: Float64Array) -> None:
        self.gender = pd.factorize(gender)[0]
        self.lot = lot

    def find_donors(self, has: BoolArray) -> Int64Array:
        """The person whose answer each gets, their own where they have one; nobody's, so their own, if none has."""
        owner = np.arange(len(has))
        for gender in np.unique(self.gender[~has]):
            givers = np.flatnonzero(has & (self.gender == gender))
            givers = givers if len(givers) else np.flatnonzero(has)
            lacking = np.flatnonzero(~has & (self.gender == gender))
            if len(givers):
                owner[lacking] = givers[(self.lot[lacking] * len(givers)).astype(np.int64)]
        return owner

    def fill_mappings(self, cells: pd.Series, names: Sequence[str]) -> list[dict[str, object]]:
        """The cells with the names that they lack, where anybody has them."""
        made: list[dict[str, object]] = [dict(cell) for cell in cells]
        for name in names:
            owner = self.find_donors(np.array([name in cell for cell in cells], bool))
            for row in np.flatnonzero(owner != np.arange(len(made))):
                made[row][name] = made[owner[row]][name]
        return made


def _impute_answers(
    deck: _HotDeck, prompts: Sequence[str], ids: pd.Series, answers: AnswerEmbeddings
) -> AnswerEmbeddings:
    """The answers, and to each prompt those that people got from others."""
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
    return AnswerEmbeddings(pd.concat(keys, ignore_index=True), np.concatenate(vectors))
