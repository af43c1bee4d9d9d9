"""The results of an experiment so far: read from the database, and analysed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from models.db.errors import InputError
from models.db.settings import Settings
from models.experiments.design.assignment import make_unit_keys
from models.experiments.design.experiment import Experiment, Unit
from models.experiments.statistics.analysis import Effect, analyse_metric, judge_arm, measure_contrast
from models.experiments.statistics.metrics import METRICS, MIN_PEOPLE, measure_units
from models.experiments.statistics.sample_ratio import has_wrong_ratio
from models.experiments.statistics.verdict import Progress, Verdict
from pipelines.experiments.experiment_file import load_experiments
from pipelines.experiments.readings import Night, add_counts, read_everybody, read_members, read_nights

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class ArmResult:
    """What the experiment says of one arm.

    Attributes:
        arm: Its name.
        verdict: What to do.
        broken: Guardrails that got worse.
        contrast: How much more of the treatment is in the arm's matches than in the control's.
    """

    arm: str
    verdict: Verdict
    broken: list[str]
    contrast: float


@dataclass(frozen=True)
class ExperimentResults:
    """The results of an experiment so far.

    Attributes:
        experiment: The experiment.
        progress: How far it is.
        exposure: A row for each arm: units, users, opened (share of person-nights), own_lists (share of impressions
            that came from the list of the night).
        wrong_ratio: Whether the arms have other numbers of units than they should.
        effects: The effects on all metrics.
        arms: The result of each arm but the control.
    """

    experiment: Experiment
    progress: Progress
    exposure: pd.DataFrame
    wrong_ratio: bool
    effects: list[Effect]
    arms: list[ArmResult]


def find_experiment(settings: Settings, name: str) -> Experiment:
    """Find an experiment of the file by its name.

    Raises:
        InputError: The file has none of this name, or is wrong.
    """
    known = {experiment.name: experiment for experiment in load_experiments(settings)}
    if name not in known:
        raise InputError(f"there is no experiment {name!r}: the file has {', '.join(known) or 'none'}")
    return known[name]


def collect_results(connection: Connection, experiment: Experiment) -> ExperimentResults:
    """Collect the results of an experiment.

    Raises:
        InputError: No night of the experiment has ended.
    """
    nights = read_nights(connection, experiment.starts_on, experiment.ends_on)
    members = read_members(connection, experiment, nights)
    if members.empty:
        raise InputError(f"experiment {experiment.name} has no results yet: no night with its arms has ended")
    rows = add_counts(connection, experiment, nights, members)
    before = measure_week_before(connection, experiment)
    effects = [effect for name in METRICS for effect in analyse_metric(experiment, rows, len(nights), name, before)]
    planned = (experiment.ends_on - experiment.starts_on).days + 1
    progress = Progress(rows["night"].nunique() if experiment.unit is not Unit.night else len(nights), planned)
    arms = [
        ArmResult(arm.name, *judge_arm(experiment, effects, arm.name, progress), measure_contrast(rows, number))
        for number, arm in enumerate(experiment.arms[1:], start=1)
    ]
    counts = rows.groupby("arm")["unit_key"].nunique().reindex(range(len(experiment.arms)), fill_value=0)
    shares = np.array([arm.share for arm in experiment.arms])
    wrong = has_wrong_ratio(np.asarray(counts, np.int64), shares)
    return ExperimentResults(experiment, progress, measure_exposure(experiment, rows), wrong, effects, arms)


def measure_week_before(connection: Connection, experiment: Experiment) -> Mapping[str, "pd.Series[float]"]:
    """Measure each metric a week earlier, by its name and the unit key.

    Of persons and regions, that is the week before the start; of a night, the night seven days before it.
    """
    last = experiment.ends_on if experiment.unit is Unit.night else experiment.starts_on
    past = read_nights(connection, experiment.starts_on - WEEK, last - timedelta(days=1))
    if not past:
        return {}
    people = name_units(read_everybody(connection, past), experiment.unit, past, later=WEEK)
    rows = add_counts(connection, experiment, past, people)
    return {name: measure_units(rows, metric) for name, metric in METRICS.items() if not rows.empty}


def name_units(people: pd.DataFrame, unit: Unit, nights: list[Night], later: timedelta = timedelta(0)) -> pd.DataFrame:
    """Add the column `unit_key` to users in nights, as assignments have it; a night is called by the day `later`."""
    parts = []
    for night in nights:
        own = people[people["publication_id"] == night.id]
        place = own[["latitude", "longitude"]].to_numpy(np.float64)
        keys = make_unit_keys(unit, own["profile_id"].tolist(), place, (night.starts + later).date())
        parts.append(own.assign(unit_key=keys))
    return pd.concat(parts, ignore_index=True).drop(columns=["latitude", "longitude"])


def measure_exposure(experiment: Experiment, rows: pd.DataFrame) -> pd.DataFrame:
    """Measure who is in each arm, and whether they saw its lists: the columns of ExperimentResults.exposure.

    An arm of fewer than MIN_PEOPLE users has no figures.
    """
    by_arm = rows.groupby("arm")
    sums = by_arm[["people", "opened", "looks", "own_looks"]].sum()
    table = pd.DataFrame(
        {
            "units": by_arm["unit_key"].nunique(),
            "users": by_arm["profile_id"].nunique(),
            "opened": sums["opened"] / sums["people"],
            "own_lists": sums["own_looks"] / sums["looks"].where(sums["looks"] > 0),
        }
    )
    table = table[table["users"] >= MIN_PEOPLE].reindex(range(len(experiment.arms)))
    table.insert(0, "arm", [arm.name for arm in experiment.arms])
    return table.reset_index(drop=True)
