"""Decide whether a run trains the ranker: when new decisions would change it, when it is a week old, or after drift."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isinf

from sqlalchemy import Connection, text

from models.db.errors import NoChampion
from models.ml.evaluation.monitoring.drift import PSI_ALERT
from models.ml.training.learning_curve import LearningCurve
from models.ml.validation.gate import LOSS_TOLERANCE
from pipelines.resources import ShardStore
from pipelines.store.frame_store import count_rows
from pipelines.store.registry.model_registry import TABLES, ModelRegistry

# Each run scores all users with all decisions known by then, so the weights of the ranker may be older than that.
MAX_CHAMPION_AGE = timedelta(days=7)
# The clocks of two machines may differ by this much.
A_CLOCK = timedelta(hours=1)
# Log loss (nats) that a training must be expected to save. The gate does not see a smaller difference.
MIN_GAIN = LOSS_TOLERANCE
# A loss of more rows than this share means other data.
MAX_LOST_SHARE = 0.05
# The tag of a run with the sentence that explains whether it trains.
TRAINING_TAG = "matching/training"
# All rows, as the training counts them, so that refused rows and repeated decisions are no change.
COUNTS = """
SELECT (SELECT count(*) FROM app.profiles) AS profiles, (SELECT count(*) FROM app.interactions) AS interactions
"""


@dataclass(frozen=True)
class TrainingDecision:
    """Whether the next run trains the ranker, and a sentence with the figures."""

    due: bool
    sentence: str


def decide_training(registry: ModelRegistry, connection: Connection) -> TrainingDecision:
    """Decide whether the next run must train the ranker."""
    if registry.find_champion_version() is None:
        return TrainingDecision(due=True, sentence="there is no champion to score with")
    try:
        version = registry.get_champion().version
    except NoChampion as error:
        return TrainingDecision(due=True, sentence=str(error))
    trained_at, trained_on = registry.describe_training_data(version)
    now = {name: int(count) for name, count in connection.execute(text(COUNTS)).mappings().one().items()}
    age, curve = datetime.now(UTC) - trained_at, registry.load_learning_curve(version)
    found = explain_retraining(age, trained_on, now, curve, registry.find_drift(version))
    what = found or f"is good enough: {describe_gain(curve, *_get_decisions(trained_on, now))}"
    return TrainingDecision(due=found is not None, sentence=f"the champion, version {version}, {what}")


def explain_retraining(
    age: timedelta,
    trained_on: Mapping[str, int],
    now: Mapping[str, int],
    curve: LearningCurve,
    drift: tuple[str, float] | None = None,
) -> str | None:
    """Return why a champion must be replaced; None if it is good enough.

    Args:
        age: Time since its training.
        trained_on: Rows of each app table at its training.
        now: Rows of each app table now.
        curve: Its learning curve.
        drift: What has drifted most since its training, and the stability index; None if that is not known.
    """
    if age < -A_CLOCK:
        return f"is of a time to come, by {-age}"
    if age > MAX_CHAMPION_AGE:
        return f"is {age.days} days old"
    if drift is not None and drift[1] > PSI_ALERT:
        return f"was trained before {drift[0]} drifted, by a stability index of {drift[1]:.2f} (at most {PSI_ALERT})"
    for name, count in now.items():
        if count < (1 - MAX_LOST_SHARE) * trained_on[name]:
            return f"was trained when app.{name} had {trained_on[name]:,} rows, and it has {count:,}"
    before, after = _get_decisions(trained_on, now)
    gain, _ = _estimate_gain(curve, before, after)
    return f"is to be replaced: {describe_gain(curve, before, after)}" if gain > MIN_GAIN else None


def _estimate_gain(curve: LearningCurve, before: int, after: int) -> tuple[float, float]:
    return curve.estimate_gain((after + 1) / (before + 1))  # the first decision of all doubles them


def describe_gain(curve: LearningCurve, before: int, after: int) -> str:
    """Describe how much log loss a training on today's rows would save, against the least that pays."""
    gain, error = _estimate_gain(curve, before, after)
    return (
        f"app.interactions had {before:,} rows at its training and has {after:,}, which would lower the log loss by "
        f"{gain:.4f} ± {error:.4f} (a training pays above {MIN_GAIN})"
    )


def describe_next_training(curve: LearningCurve) -> str:
    """Describe the learning curve by the decisions at which another training pays."""
    gain, error = curve.estimate_gain(2.0)
    doubled = f"twice as many decisions would lower the log loss by {gain:.4f} ± {error:.4f}"
    growth = curve.find_growth(MIN_GAIN)
    if isinf(growth):
        return f"{doubled}; no number of them would lower it by {MIN_GAIN}"
    return f"{doubled}; another training pays from {growth:,.2f} times the {curve.decisions:,} decisions on"


def count_extracted_rows(store: ShardStore) -> dict[str, int]:
    """Count the rows of each app table at the last extraction, both accepted and refused ones."""
    return {name: sum(count_rows(store.get_frame_path(each)) for each in (name, f"rejected_{name}")) for name in TABLES}


def _get_decisions(trained_on: Mapping[str, int], now: Mapping[str, int]) -> tuple[int, int]:
    return trained_on["interactions"], now["interactions"]
