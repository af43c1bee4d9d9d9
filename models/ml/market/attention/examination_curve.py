"""Examination curves: the probability that a user examines position k of a list or an inbox."""

from collections.abc import Callable, Sequence

import numpy as np

from models.db.errors import InputError
from models.ml.arrays import Float64Array, FloatArray

Curve = str | Sequence[float] | FloatArray

DEFAULT_CURVE: Curve = "inv"
"""What is assumed of lists until impressions or decisions show more."""


NAMED_CURVES: dict[str, Callable[[Float64Array], Float64Array]] = {
    "inv": lambda k: 1 / k,
    "exp": lambda k: np.exp(1 - k),
    "log": lambda k: 1 / np.log(k + 1),
    "log2": lambda k: 1 / np.log2(k + 1),
    "flat": np.ones_like,
}


def evaluate_curve(examination: Curve, length: int) -> Float64Array:
    """Evaluate an examination curve at positions 1 ... length, float64 (length,).

    The named curves give position k:

    - "inv": 1 / k, "exp": e^-(k - 1), "log": 1 / ln(k + 1), as in Su, Bayoumi & Joachims (WWW 2022)
    - "log2": 1 / log2(k + 1), the discount of DCG
    - "flat": 1

    The first value of "log" is 1.44. As in their experiments, a probability times it counts as at most 1; the caller
    must clip it.

    Args:
        examination: A name, or measured values in [0, 1], which need not fall. The last value holds for all later
            positions; end with 0 if those are never examined.
        length: The number of positions.

    Raises:
        InputError: The name is unknown, or the values are not probabilities.
    """
    if isinstance(examination, str):
        if examination not in NAMED_CURVES:
            raise InputError(
                f"unknown examination curve {examination!r}: use {', '.join(NAMED_CURVES)}, or a list of probabilities"
            )
        return NAMED_CURVES[examination](np.arange(1, length + 1, dtype=float))
    values = np.asarray(examination, float)
    if values.ndim != 1 or not len(values) or not ((values >= 0) & (values <= 1)).all():
        raise InputError(f"an examination curve must be a list of probabilities in [0, 1], not {examination!r}")
    return np.asarray(values[np.minimum(np.arange(length), len(values) - 1)])
