"""What an encoder is: a name, its hashes, which texts it can read, and their vectors."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float32Array

# Part of the hashes that stored vectors are found by. Increase the number when `encode` or `find_readable` of an
# encoder, or `pool_by_profile` of models/ml/profiles/answer_embeddings.py, changes its result for the same text. All
# answers are then encoded again.
REVISION = 2
DEFAULT_ENCODER = "all-MiniLM-L6-v2"
"""The encoder whose weights are always installed."""


@dataclass(frozen=True)
class Encoder(ABC):
    """A model that encodes texts as unit vectors."""

    name: str
    """Identifies the weights. Vectors of two names are never compared."""
    dimensions: int

    @property
    def version(self) -> str:
        """What a vector depends on beside the text: the name, and the revision of this program's part."""
        return f"{self.name} {REVISION}"

    def hash_text(self, text: str) -> str:
        """Hash what an answer's vector depends on: the encoder and the text."""
        return hashlib.sha256(f"{self.version}\0{text}".encode()).hexdigest()[:32]

    def hash_content(self, texts: Mapping[str, str]) -> str:
        """Hash what a profile's vector depends on: the encoder, and the prompts with their answers in any order."""
        content = json.dumps([self.version, sorted(texts.items())], ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()[:32]

    def is_readable(self, text: str) -> bool:
        """Return whether the encoder can read a text well enough to compare it."""
        return bool(self.find_readable([text])[0])

    @abstractmethod
    def find_readable(self, texts: Sequence[str]) -> BoolArray:
        """Return which texts the encoder can read well enough to compare them, bool (len(texts),).

        The rule is that of `models.ml.profiles.readability`. The vectors of all others carry no information: answers of
        emoji only, or in a script that the encoder does not know, all have nearly the same vector.
        """

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Encode texts as unit vectors, float32 (len(texts), dimensions).

        Texts that are too long for the model are split into windows, and the vectors are averaged.
        """


def normalise_rows(vectors: Float32Array) -> Float32Array:
    """Divide each row by its length, float32; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
