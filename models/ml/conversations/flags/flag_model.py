"""The classifier of messages: logistic regression on hashed tf-idf, sentence embeddings and a list of words.

Words and parts of words are counted in hash buckets (Weinberger et al. 2009), so the model holds no vocabulary.
"""

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.special import expit
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from models.db.errors import IncompatibleModelError
from models.ml.arrays import BoolArray, Float32Array, Float64Array
from models.ml.profiles.encoders.opening import MINILM, open_encoder

FORMAT_VERSION = 1
# The encoder and its revision. Increase the number when its vectors change.
ENCODER = f"{MINILM.setting} 2"
BUCKETS = 2**16
WORDS = Path(__file__).parent / "abusive_words.toml"
# Inverse of the ridge penalty, and how much embeddings and listed words weigh beside the tf-idf of length 1.
STRENGTH, EMBEDDING_SCALE, LIST_SCALE = 4.0, 1.0, 1.0
# The encoder reads this much of a body.
MAX_ENCODED = 400
_WORD = re.compile(r"[^\W\d_]+(?:'\w+)?")
_COUNTERS = (
    HashingVectorizer(n_features=BUCKETS, alternate_sign=False, norm=None, ngram_range=(1, 2)),
    HashingVectorizer(n_features=BUCKETS, alternate_sign=False, norm=None, analyzer="char_wb", ngram_range=(2, 5)),
)


@dataclass(frozen=True)
class FlagModel:
    """Probability that a message should be seen by a reviewer, and the one above which it is flagged."""

    idf: Float32Array
    weights: Float64Array
    intercept: float
    threshold: float

    def predict(self, bodies: Sequence[str]) -> Float64Array:
        """Predict the probabilities, float64 (len(bodies),). Bodies are of bounded length."""
        return self.predict_encoded(bodies, encode_beginnings(bodies))

    def predict_encoded(self, bodies: Sequence[str], vectors: Float32Array) -> Float64Array:
        """Predict as `predict` does, from bodies and their vectors, float32 (len(bodies), 384)."""
        if not len(bodies):
            return np.empty(0)
        return np.asarray(expit(_build_features(bodies, vectors, self.idf) @ self.weights + self.intercept))


def encode_beginnings(bodies: Sequence[str]) -> Float32Array:
    """Encode what the classifier reads of each body, float32 (len(bodies), 384)."""
    return open_encoder(MINILM).encode([body[:MAX_ENCODED] for body in bodies])


def fit_flag_model(bodies: Sequence[str], vectors: Float32Array, flagged: BoolArray, threshold: float) -> FlagModel:
    """Fit the classifier.

    Args:
        bodies: Messages of bounded length.
        vectors: Their vectors, float32 (len(bodies), 384).
        flagged: Labels, bool (len(bodies),), of both kinds.
        threshold: Probability above which a message is flagged.
    """
    idf = _fit_idf(bodies)
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", solver="liblinear", random_state=0)
    model.fit(_build_features(bodies, vectors, idf), flagged)
    return FlagModel(idf, model.coef_[0].astype(np.float64), float(model.intercept_[0]), threshold)


def save_flag_model(model: FlagModel, folder: Path, name: str) -> None:
    """Write a model to `<name>.npz` of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    about = json.dumps({"format": FORMAT_VERSION, "encoder": ENCODER, "threshold": model.threshold})
    unfinished = folder / f"{name}.unfinished.npz"
    np.savez_compressed(unfinished, about=about, idf=model.idf, weights=model.weights, intercept=model.intercept)
    unfinished.replace(folder / f"{name}.npz")


def load_flag_model(folder: Path, name: str) -> FlagModel | None:
    """Return the model of the folder; None if there is none.

    Raises:
        IncompatibleModelError: Another version of this program wrote it, or another encoder was used, or it is broken.
    """
    path = folder / f"{name}.npz"
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            about = json.loads(str(stored["about"]))
            if (about["format"], about["encoder"]) == (FORMAT_VERSION, ENCODER):
                return FlagModel(
                    stored["idf"], stored["weights"], float(stored["intercept"]), float(about["threshold"])
                )
    except Exception as error:  # what a broken file raises is numpy's and zipfile's own
        raise IncompatibleModelError(f"{path} cannot be read: run `matching train-flags` again") from error
    raise IncompatibleModelError(f"{path} is of another version or encoder: run `matching train-flags` again")


def _fit_idf(bodies: Sequence[str]) -> Float32Array:
    documents = np.asarray((_count(bodies) > 0).sum(axis=0)).ravel()
    return np.asarray(np.log((1 + len(bodies)) / (1 + documents)) + 1, np.float32)


def _count(bodies: Sequence[str]) -> sparse.csr_matrix:
    counts = sparse.csr_matrix(sparse.hstack([counter.transform(bodies) for counter in _COUNTERS]))
    counts.data = 1 + np.log(counts.data)
    return counts


def _build_features(bodies: Sequence[str], vectors: Float32Array, idf: Float32Array) -> sparse.csr_matrix:
    weighted = normalize(_count(bodies) @ sparse.diags(idf))
    parts = [weighted, sparse.csr_matrix(vectors * EMBEDDING_SCALE), sparse.csr_matrix(_count_listed(bodies))]
    return sparse.csr_matrix(sparse.hstack(parts))


def _count_listed(bodies: Sequence[str]) -> Float64Array:
    lists = _load_lists()
    spoken = [set(_WORD.findall(body.casefold())) for body in bodies]
    return LIST_SCALE * np.array([[len(words & each) > 0 for each in lists] for words in spoken], np.float64)


@cache
def _load_lists() -> list[frozenset[str]]:
    lists = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    return [frozenset(words) for words in lists.values()]
