"""Encoders of the library sentence-transformers (Reimers & Gurevych 2019)."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

from models.db.errors import InputError
from models.ml.arrays import BoolArray, Float32Array
from models.ml.profiles.encoders.encoder import Encoder, normalise_rows
from models.ml.profiles.readability import is_worth_a_vector

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Texts that are encoded together, at most, and the share of the free memory that they may take.
MAX_BATCH, MEMORY_SHARE = 64, 0.25
# A model that names no limit is given windows of this many tokens.
USUAL_TOKENS = 512
# What an HNSW index of pgvector can hold of half-precision numbers.
MAX_DIMENSIONS = 4_000


@dataclass(frozen=True)
class SentenceEncoder(Encoder):
    """A sentence-transformers model."""

    model: "SentenceTransformer" = field(repr=False)
    prefix: str | None = None
    """What the model wants before each text; None: what its own configuration says."""

    @property
    def window_tokens(self) -> int:
        """Tokens of a text that the model reads at once. Longer texts are split into windows of this size."""
        limit = self.model.max_seq_length or USUAL_TOKENS
        tokenizer = self.model.tokenizer
        prefix = self.model.prompts.get(self.model.default_prompt_name or "") if self.prefix is None else self.prefix
        before = len(tokenizer(prefix or "", add_special_tokens=False)["input_ids"])
        return int(limit - tokenizer.num_special_tokens_to_add() - before)

    def find_readable(self, texts: Sequence[str]) -> BoolArray:
        """Return which texts the model can read, by the pieces that its tokenizer knows; see `Encoder`."""
        readable = np.empty(len(texts), np.bool_)
        special = set(self.model.tokenizer.all_special_ids)
        for index, text in enumerate(texts):
            pieces = self.model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
            spans = zip(pieces["input_ids"], pieces["offset_mapping"], strict=True)
            readable[index] = is_worth_a_vector(text, [span for piece, span in spans if piece not in special])
        return readable

    def split_into_windows(self, text: str) -> list[str]:
        """Split a text into windows that the model reads whole; only very long answers have more than one.

        Windows end between words, since a word tokenised from its middle could have more tokens. Where no word ends, as
        in scripts without spaces, they end between tokens.
        """
        read = self.model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        words, offsets, most = read.word_ids(), read["offset_mapping"], self.window_tokens
        if len(words) <= most:
            return [text]
        starts = [0]
        while (end := starts[-1] + most) < len(words):
            cut = end
            while cut > starts[-1] and words[cut] == words[cut - 1]:
                cut -= 1
            starts.append(cut if cut > starts[-1] else end)
        return [text[offsets[start][0] : offsets[end - 1][1]] for start, end in pairwise([*starts, len(words)])]

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Encode texts as unit vectors; see `Encoder`."""
        pieces = [self.split_into_windows(text) for text in texts]
        flat = [piece for each in pieces for piece in each]
        if not flat:
            return np.empty((0, self.dimensions), np.float32)
        size = choose_batch_size(_measure_free_memory(self.model.device.type), _estimate_bytes(self.model))
        vectors = self.model.encode(flat, prompt=self.prefix, batch_size=size, show_progress_bar=False)
        owner = np.repeat(np.arange(len(texts)), [len(each) for each in pieces])
        sums = np.zeros((len(texts), self.dimensions), np.float32)
        np.add.at(sums, owner, vectors)
        return normalise_rows(sums)


def load_sentence_encoder(name: str, folder: Path, device: str, precision: str, prefix: str | None) -> SentenceEncoder:
    """Load a model from a folder; nothing is downloaded.

    Args:
        name: Name of the encoder.
        folder: Folder of the model.
        device: cpu, cuda, mps, or auto: the best that there is.
        precision: float32, bfloat16, or auto: bfloat16 on a CUDA device with units for it.
        prefix: What the model wants before each text; None: what its own configuration says.

    Raises:
        InputError: The folder holds no model that can be used.
    """
    # Imported here, because the import is slow and only a process that encodes needs it.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415
    from transformers.utils.logging import disable_progress_bar  # noqa: PLC0415

    disable_progress_bar()  # type: ignore[no-untyped-call] # of loading the weights
    try:
        model = SentenceTransformer(str(folder), device=None if device == "auto" else device, local_files_only=True)
    except (OSError, ValueError, RuntimeError, AssertionError) as error:
        raise InputError(f"the encoder in {folder} cannot be loaded on device {device}: {error}") from error
    if not getattr(model.tokenizer, "is_fast", False):
        raise InputError(f"the encoder in {folder} has no fast tokenizer (tokenizer.json): choose one that has")
    dimensions = int(model.get_embedding_dimension() or 0)
    if not 0 < dimensions <= MAX_DIMENSIONS:
        raise InputError(f"the encoder in {folder} has {dimensions} dimensions: choose one of at most {MAX_DIMENSIONS}")
    if precision == "bfloat16" or (precision == "auto" and _gains_by_bfloat16(model.device.type)):
        model = model.bfloat16()
    return SentenceEncoder(name, dimensions, model, prefix)


def choose_batch_size(free_bytes: int, text_bytes: int) -> int:
    """Choose how many texts are encoded at once, 1 to 64, from the free memory and what the longest text takes."""
    return int(np.clip(MEMORY_SHARE * free_bytes // max(text_bytes, 1), 1, MAX_BATCH))


def _estimate_bytes(model: "SentenceTransformer") -> int:
    """Estimate the working memory of one text of full length: attention of all heads, and about 12 hidden layers."""
    tokens, width = model.max_seq_length or USUAL_TOKENS, model.get_embedding_dimension() or 0
    heads = getattr(getattr(model[0], "config", None), "num_attention_heads", 16)
    return int(4 * tokens * (tokens * heads + 12 * width))


def _measure_free_memory(device: str) -> int:
    """Return the free memory in bytes of the GPU that encodes, else of the machine."""
    if device == "cuda":
        import torch  # noqa: PLC0415 - loaded with the model

        return int(torch.cuda.mem_get_info()[0])
    return int(psutil.virtual_memory().available)


def _gains_by_bfloat16(device: str) -> bool:
    import torch  # noqa: PLC0415 - loaded with the model

    return device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
