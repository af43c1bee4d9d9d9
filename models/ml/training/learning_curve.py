"""The learning curve: how much held-out log loss a training on more decisions would save.

The loss falls roughly like a + slope / sqrt(decisions). models.ml.training.small_training measures the slope.
"""

from dataclasses import dataclass
from math import inf, sqrt

from models.ml.arrays import Float64Array, Int64Array
from models.ml.validation.clustered_errors import estimate_mean_error

# Slopes of simulated populations of 1,500 to 29,000 decisions are 0.5 to 1.7. A measured slope is shrunk to this one.
USUAL_SLOPE, USUAL_ERROR = 1.3, 1.0


@dataclass(frozen=True)
class LearningCurve:
    """The curve of a ranker trained on so many decisions; the slope is in nats times the root of decisions."""

    decisions: int
    slope: float = USUAL_SLOPE
    slope_error: float = USUAL_ERROR

    def estimate_gain(self, growth: float) -> tuple[float, float]:
        """Estimate the log loss (nats) saved by a training on `growth` times the decisions, and its standard error."""
        reach = (1 - max(growth, 1.0) ** -0.5) / sqrt(max(self.decisions, 1))
        return self.slope * reach, self.slope_error * reach

    def find_growth(self, gain: float) -> float:
        """Find the growth of the decisions that saves so much log loss (nats); infinite if none does."""
        left = 1 - gain * sqrt(max(self.decisions, 1)) / self.slope if self.slope > 0 else 0.0
        return left**-2 if left > 0 else inf


def fit_learning_curve(
    decisions: int, excess: Float64Array, viewer: Int64Array, candidate: Int64Array, reach: float
) -> LearningCurve:
    """Fit the slope, shrunk to the usual one by the inverse variances.

    Args:
        decisions: Decisions of the larger training.
        excess: Log loss of the smaller training less that of the larger one, of each held-out sample, float64 (q,).
        viewer: Position of the viewer of each sample, int64 (q,).
        candidate: Position of the candidate of each sample, int64 (q,).
        reach: The difference of the two trainings in 1 / sqrt(decisions).
    """
    measured, error = float(excess.mean()) / reach, estimate_mean_error(excess, viewer, candidate) / reach
    trust = USUAL_ERROR**2 / (USUAL_ERROR**2 + error**2)
    return LearningCurve(decisions, trust * measured + (1 - trust) * USUAL_SLOPE, sqrt(trust) * error)
