"""The market experiments of Su, Bayoumi & Joachims (WWW 2022): their protocol, and the figures of their README."""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import Float64Array

SEED = 621


@dataclass(frozen=True)
class Cell:
    """One market of the table, with expected matches: three published columns, and a first trial's best response."""

    environment: str
    examination: str
    crowding: float
    receivers: int
    naive: float
    reciprocal: float
    social_welfare: float
    trial: float


# The README prints 65.1 for naive in the environment "reverse"; its own code gives 85.1.
CELLS = [
    Cell("random", "inv", 0, 100, 156.3, 199.9, 198.5, 203.1),
    Cell("random", "inv", 0.25, 100, 128.7, 166.6, 173.5, 177.1),
    Cell("random", "inv", 0.5, 100, 106.9, 131.0, 152.7, 155.0),
    Cell("random", "inv", 0.75, 100, 95.0, 105.0, 134.2, 134.9),
    Cell("random", "inv", 1, 100, 92.1, 92.1, 118.2, 120.2),
    Cell("similar", "inv", 0.5, 100, 126.2, 143.8, 167.4, 169.6),
    Cell("reverse", "inv", 0.5, 100, 85.1, 104.5, 128.4, 130.2),
    Cell("random", "exp", 0.5, 100, 25.9, 47.8, 84.4, 85.2),
    Cell("random", "log", 0.5, 100, 639.2, 669.7, 673.7, 674.5),
    Cell("random", "inv", 0.5, 20, 18.7, 21.2, 23.2, 23.5),
    Cell("random", "inv", 0.5, 50, 50.7, 61.4, 68.9, 69.9),
    Cell("random", "inv", 0.5, 200, 220.1, 274.3, 332.6, 338.0),
]


def market(environment: str, crowding: float, receivers: int, seed: int = SEED) -> tuple[Float64Array, Float64Array]:
    """P(proposer likes receiver) and P(receiver likes proposer), both (1.5 n, n), of their protocol.

    The second is of its own ("random"), like the first ("similar") or its opposite ("reverse"), the latter two with
    normal noise of 0.2; then both are mixed, in the proportion `crowding`, with popularity, which falls evenly from the
    first person to the last. The generator is numpy's legacy one.
    """
    generator = np.random.RandomState(seed)
    proposers = int(1.5 * receivers)
    like = generator.uniform(0, 1, (proposers, receivers))
    if environment == "random":
        liked_back = generator.uniform(0, 1, (receivers, proposers))
    else:
        taste = {"similar": like.T, "reverse": 1 - like.T}[environment]
        liked_back = np.clip(taste + generator.normal(0, 0.2, (receivers, proposers)), 0, 1)
    return _crowded(like, crowding), _crowded(liked_back, crowding).T


def _crowded(chance: Float64Array, crowding: float) -> Float64Array:
    popularity = 1 - np.arange(chance.shape[1]) / chance.shape[1]
    return np.asarray((1 - crowding) * chance + crowding * popularity)
