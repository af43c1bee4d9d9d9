"""What an experiment says of a metric: the naive lift of persons, and the one that knows of interference."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from models.experiments.design.experiment import Experiment, Unit
from models.experiments.statistics.confidence_sequence import ALPHA, SequenceInterval
from models.experiments.statistics.contamination import LEAST_CONTRAST, compute_contrast
from models.experiments.statistics.lift_sequence import Look, follow_lift
from models.experiments.statistics.metrics import MIN_PEOPLE, Metric, build_panel, get_metric
from models.experiments.statistics.panel import Panel, join_runs
from models.experiments.statistics.verdict import Progress, Verdict, decide_verdict

GUARDRAIL_ALPHA = 0.01
"""The part of ALPHA for all guardrails together."""
NONE_BEFORE: "pd.Series[float]" = pd.Series(dtype="float64")


@dataclass(frozen=True)
class Effect:
    """What is known of one metric in one arm.

    Attributes:
        metric: A name in METRICS.
        arm: The name of the arm.
        naive: Looks at the lift as if users did not interfere with each other; empty: nothing can be said.
        aware: Looks at the lift of whole units, corrected for contamination or after washout; empty: it cannot be said.
        alpha: That of the intervals.
    """

    metric: str
    arm: str
    naive: list[Look]
    aware: list[Look]
    alpha: float

    @property
    def looks(self) -> list[Look]:
        """The looks to go by: those that know of interference, where there are any."""
        return self.aware or self.naive

    @property
    def verdict_interval(self) -> SequenceInterval | None:
        """The last interval, turned so that more is better; None: nothing can be said."""
        if not self.looks:
            return None
        last = self.looks[-1].interval
        if get_metric(self.metric).more_is_better:
            return last
        return SequenceInterval(-last.estimate, -last.high, -last.low)


def analyse_metric(
    experiment: Experiment, rows: pd.DataFrame, nights: int, name: str, before: Mapping[str, "pd.Series[float]"]
) -> list[Effect]:
    """Analyse a metric: an effect for each arm but the control.

    Args:
        experiment: The experiment.
        rows: The person-nights of its users; see `metrics.build_panel`. `profile_id` names the user.
        nights: The number of nights.
        name: A name in METRICS.
        before: The metric a week earlier, by its name and the unit key.

    Raises:
        InputError: There is no such metric.
    """
    metric, alpha, effects = get_metric(name), find_alpha(experiment, name), []
    past = before.get(name, NONE_BEFORE)
    for number, arm in enumerate(experiment.arms[1:], start=1):
        enough = _count_fewest(rows, metric, number) >= MIN_PEOPLE
        naive, aware = _follow(experiment, rows, nights, metric, past, number, alpha) if enough else ([], [])
        effects.append(Effect(name, arm.name, naive, aware, alpha))
    return effects


def find_alpha(experiment: Experiment, name: str) -> float:
    """Return the probability of a miss for a metric, so that all that a verdict rests on misses with ALPHA together.

    Arms share it. Guardrails share GUARDRAIL_ALPHA, and the primary metric has the rest.
    """
    guardrails = set(experiment.guardrails) - {experiment.primary}
    alpha = ALPHA
    if name == experiment.primary and guardrails:
        alpha = ALPHA - GUARDRAIL_ALPHA
    elif name in guardrails:
        alpha = GUARDRAIL_ALPHA / len(guardrails)
    return alpha / (len(experiment.arms) - 1)


def measure_contrast(rows: pd.DataFrame, arm: int) -> float:
    """Measure the contrast of an arm and the control from their matches; users of no arm count as control."""
    sums = rows.groupby("arm")[["mixed_matches", "matches"]].sum().reindex([0, arm], fill_value=0)
    mixed, matches = (tuple(map(float, sums[column])) for column in ("mixed_matches", "matches"))
    return compute_contrast((mixed[0], mixed[1]), (matches[0], matches[1]))


def judge_arm(experiment: Experiment, effects: list[Effect], arm: str, progress: Progress) -> tuple[Verdict, list[str]]:
    """Judge an arm by its primary metric, and list the guardrails that got worse, which stop it as well."""
    own = {effect.metric: effect for effect in effects if effect.arm == arm}
    primary = own[experiment.primary]
    intervals = {name: own[name].verdict_interval for name in experiment.guardrails}
    broken = [name for name, interval in intervals.items() if interval is not None and interval.high < 0]
    if broken:
        return Verdict.worse, broken
    return decide_verdict(primary.verdict_interval, experiment.smallest_effect, progress, primary.alpha), []


def _count_fewest(rows: pd.DataFrame, metric: Metric, number: int) -> int:
    """Count the users behind the metric in the control or in the arm, whichever has fewer."""
    counted = rows[rows[metric.denominator] > 0]
    return int(counted.groupby("arm")["profile_id"].nunique().reindex([0, number], fill_value=0).min())


def _follow(
    experiment: Experiment,
    rows: pd.DataFrame,
    nights: int,
    metric: Metric,
    past: "pd.Series[float]",
    number: int,
    alpha: float,
) -> tuple[list[Look], list[Look]]:
    """Return the naive looks and the aware ones."""

    def follow(panel: Panel, contrast: float = 1.0) -> list[Look]:
        return follow_lift(panel, experiment.smallest_effect, number, alpha, contrast)

    if metric.uneven and experiment.unit is Unit.person:
        return [], []
    by_unit = build_panel(rows, metric, nights, past)
    if experiment.unit is Unit.night:
        return follow(by_unit), follow(join_runs(by_unit))
    if experiment.unit is Unit.person:
        naive = follow(by_unit)
        return naive, [] if metric.two_sided else naive
    contrast = measure_contrast(rows, number) if metric.two_sided else 1.0
    aware = follow(by_unit, contrast) if contrast >= LEAST_CONTRAST else []
    if metric.uneven:
        return [], aware
    return follow(build_panel(rows.assign(unit_key=rows["profile_id"]), metric, nights, NONE_BEFORE)), aware
