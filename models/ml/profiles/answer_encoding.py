"""Answers of a profiles frame, and their vectors."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from models.ml.arrays import Float16Array
from models.ml.profiles.answer_embeddings import AnswerEmbeddings, make_no_answers
from models.ml.profiles.encoders.encoder import Encoder

Vectors = dict[str, Float16Array]
"""Vector by text hash, float16 (dimensions,)."""


def encode_profiles(profiles: pd.DataFrame, encoder: Encoder) -> AnswerEmbeddings:
    """Encode the answers of a profiles frame that the encoder can read."""
    answers = extract_answers(profiles, encoder)
    return attach_vectors(answers, encode_readable(answers, encoder), encoder)


def extract_answers(profiles: pd.DataFrame, encoder: Encoder) -> pd.DataFrame:
    """Extract the answers that are not blank, one for each row: profile_id, prompt, text_hash, text."""
    rows = [
        (person, prompt, encoder.hash_text(text), text)
        for person, texts in zip(profiles["profile_id"], profiles["texts"], strict=True)
        for prompt, text in sorted(texts.items())
        if text.strip()
    ]
    return pd.DataFrame(rows, columns=["profile_id", "prompt", "text_hash", "text"], dtype=str)


def encode_readable(answers: pd.DataFrame, encoder: Encoder) -> Vectors:
    """Encode the answers that the encoder can read, of a frame with columns text_hash and text."""
    text_of = dict(zip(answers["text_hash"], answers["text"], strict=True))
    readable = encoder.find_readable(list(text_of.values()))
    texts = {name: text for (name, text), yes in zip(text_of.items(), readable, strict=True) if yes}
    return dict(zip(texts, encoder.encode(list(texts.values())).astype(np.float16), strict=True))


def attach_vectors(answers: pd.DataFrame, vectors: Mapping[str, Float16Array], encoder: Encoder) -> AnswerEmbeddings:
    """Return the rows of an answers frame whose text has a vector, with their vectors."""
    has_vector = answers["text_hash"].isin(list(vectors)).to_numpy(bool)
    keys = answers.drop(columns="text")[has_vector].reset_index(drop=True)
    rows = [vectors[each] for each in keys["text_hash"]]
    nothing = make_no_answers(encoder.name, encoder.dimensions).vectors
    return AnswerEmbeddings(keys, np.stack(rows) if rows else nothing, encoder.name)
