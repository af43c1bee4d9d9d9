"""Score given pairs with the champion and the current app tables."""

from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from models.db.errors import InputError
from models.ml.profiles.answer_encoding import encode_profiles
from models.ml.profiles.encoders.opening import MINILM, EncoderChoice, open_encoder
from models.ml.profiles.frame_contracts import check_interactions, check_profiles
from models.ml.profiles.no_answers import remove_no_answers
from models.ml.ranker.ranker_model import Ranker
from models.ml.scoring.candidates import score_both_ways
from models.ml.scoring.scoring_context import build_scoring_context
from pipelines.assets.extract import read_blocks, read_interactions, read_profiles

COLUMNS = ["viewer", "candidate"]
SCORES = ["p_like", "p_liked_back", "p_match"]


def read_pairs(path: Path) -> pd.DataFrame:
    """Read the columns viewer and candidate of a CSV file, as text.

    Raises:
        InputError: The file is not CSV or lacks a column.
    """
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{path} cannot be read as CSV: {error}") from error
    if missing := [name for name in COLUMNS if name not in frame]:
        raise InputError(
            f"{path} has no column {' and no column '.join(missing)}; its columns must be viewer, candidate"
        )
    return frame[COLUMNS]


def score_pairs(
    connection: Connection, ranker: Ranker, pairs: pd.DataFrame, choice: EncoderChoice = MINILM
) -> pd.DataFrame:
    """Return the pairs with the columns p_like, p_liked_back and p_match added, in the same order.

    Args:
        connection: The database.
        ranker: The champion.
        pairs: The columns viewer and candidate, profile ids or source keys.
        choice: The encoder that the ranker was trained with.

    Raises:
        InputError: A profile is unknown or breaks the contract.
    """
    everybody, _ = remove_no_answers(read_profiles(connection))
    profiles, rejected = check_profiles(everybody)
    interactions, _ = check_interactions(read_interactions(connection), frozenset(profiles["profile_id"]))
    key_of = everybody.set_index("profile_id")["source_key"]
    viewer, candidate = (_find_positions(pairs[name], key_of, profiles["profile_id"], rejected) for name in COLUMNS)
    asked = profiles.iloc[np.unique(np.concatenate([viewer, candidate]))]
    answers = encode_profiles(asked, open_encoder(choice))
    town = build_scoring_context(ranker, profiles, interactions, read_blocks(connection), answers)
    scored = score_both_ways(town, viewer, candidate)
    return pairs.assign(**{name: getattr(scored, name) for name in SCORES})


def _find_positions(people: pd.Series, key_of: pd.Series, ids: pd.Series, rejected: pd.DataFrame) -> np.ndarray:
    """Return the index in `ids` of each of the people, given by id or source key.

    Args:
        people: Profile ids or source keys.
        key_of: Source key by profile id, including rejected profiles.
        ids: The ids of the usable profiles.
        rejected: The rejected profiles with their reasons.

    Raises:
        InputError: Some of the people are not in `ids`.
    """
    id_of = {key: person for person, key in key_of.items()}
    named = pd.Index([id_of.get(each, each) for each in people], dtype=object)
    positions = pd.Index(ids).get_indexer(named)
    if (positions < 0).any():
        reasons = dict(zip(rejected["profile_id"], rejected["reason"], strict=True))
        why = reasons.get(named[positions < 0][0], "no profile has this id or source key")
        unknown = people[positions < 0].unique()
        raise InputError(f"{len(unknown)} of the people cannot be scored, the first {unknown[0]!r}: {why}")
    return np.asarray(positions, np.int64)
