"""How long an experiment has to run: its power, simulated on the last weeks."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from models.db.errors import InputError
from models.experiments.design.assignment import assign_arms
from models.experiments.design.experiment import Experiment, Unit
from models.experiments.statistics.analysis import find_alpha
from models.experiments.statistics.metrics import build_panel, get_metric
from models.experiments.statistics.panel import Panel
from models.experiments.statistics.power import DrawPanel, Power, draw_switchback, draw_units, simulate_power
from pipelines.experiments.experiment_results import name_units
from pipelines.experiments.readings import add_counts, read_everybody, read_nights

PAST = timedelta(days=28)
LEAST_NIGHTS = 2


@dataclass(frozen=True)
class Plan:
    """The power of an experiment over its planned nights, and the nights and units that it was simulated on."""

    experiment: Experiment
    power: Power
    past_nights: int
    units: int


def plan_experiment(connection: Connection, experiment: Experiment) -> Plan:
    """Simulate the power of an experiment for its primary metric and smallest effect.

    Raises:
        InputError: There are too few past nights to simulate it on.
    """
    today = datetime.now(UTC).date()
    nights = read_nights(connection, today - PAST, today)
    if len(nights) < LEAST_NIGHTS:
        raise InputError(f"{len(nights)} nights of the last {PAST.days} days have ended; a plan needs {LEAST_NIGHTS}")
    people = name_units(read_everybody(connection, nights), experiment.unit, nights)
    rows = add_counts(connection, experiment, nights, people).assign(arm=0)
    past = build_panel(rows, get_metric(experiment.primary), len(nights), pd.Series(dtype=np.float64))
    planned = (experiment.ends_on - experiment.starts_on).days + 1
    draw = _choose_draw(experiment, past, np.sort(rows["unit_key"].unique()).astype(object), planned)
    alpha = find_alpha(experiment, experiment.primary)
    power = simulate_power(draw, planned, experiment.smallest_effect, alpha)
    return Plan(experiment, power, len(nights), len(past.arm))


def describe_plan(plan: Plan) -> str:
    """Describe a plan in one sentence."""
    experiment, known, planned = plan.experiment, plan.power.known[-1], len(plan.power.known)
    effect = f"an effect of {experiment.smallest_effect:.1%} on {experiment.primary}"
    if plan.power.nights is not None:
        return f"{effect} is known after {plan.power.nights} of {planned} nights in 80 % of cases."
    return (
        f"{effect} cannot be known by the end date: after {planned} nights it is in {known:.0%} of cases. "
        "Take more nights, a larger share, smaller units, or a larger smallest effect."
    )


def _choose_draw(experiment: Experiment, past: Panel, keys: np.ndarray, planned: int) -> DrawPanel:
    """Choose how repetitions are drawn; each has a name of its own, and so another assignment."""
    dates = [(experiment.starts_on + timedelta(days=night)).isoformat() for night in range(planned)]
    units = np.array(dates, object) if experiment.unit is Unit.night else keys

    def draw(number: int) -> Panel:
        rng, salted = np.random.default_rng(number), replace(experiment, name=f"{experiment.name} {number}")
        arm = assign_arms(salted, units)
        if experiment.unit is Unit.night:
            return draw_switchback(past, arm, experiment.smallest_effect, rng)
        return draw_units(past, arm, experiment.smallest_effect, planned, rng)

    return draw
