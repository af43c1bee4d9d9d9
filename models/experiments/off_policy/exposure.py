"""How much two policies show each pair: the weights of logged cards, and how far logs support another policy.

The item-position model: a viewer examines position k with a probability of k alone, and likes an examined candidate
with a probability of the pair alone. So a pair that the logs show at one position says what it would bring at another
one, and even a policy without chance supports each policy that shows the same pairs (Li et al., KDD 2018).
"""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float64Array, Int64Array


@dataclass(frozen=True)
class LoggedExposure:
    """n pairs of viewers and candidates that either policy shows.

    Attributes:
        viewer: The viewer, int64 (n,), from 0.
        logged: Probability of the examination by the policy of the logs, float64 (n,), 0 where it never shows the pair:
            of a given list, the examination probability of the position; of a card that was drawn, its propensity.
        target: Expected examinations by the policy that is judged, float64 (n,).
        examined: Whether the viewer examined the candidate in the logs, bool (n,).
    """

    viewer: Int64Array
    logged: Float64Array
    target: Float64Array
    examined: BoolArray

    @property
    def weights(self) -> Float64Array:
        """What an examination in the logs counts for the target, float64 (n,); 0 where the pair was not examined."""
        counted = self.examined & (self.logged > 0)
        return np.divide(self.target, self.logged, out=np.zeros_like(self.target), where=counted)

    @property
    def effective_size(self) -> float:
        """The number of equally weighted examinations with the same precision."""
        return compute_effective_size(self.weights)

    @property
    def unsupported(self) -> float:
        """The share of the target's expected examinations that the logs never show, in [0, 1]."""
        total = float(self.target.sum())
        return float(self.target[self.logged <= 0].sum()) / total if total else 0.0


def compute_effective_size(weights: Float64Array) -> float:
    """Compute the number of equal weights with the same precision (Kish 1965), 0 if none is above 0."""
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares else 0.0
