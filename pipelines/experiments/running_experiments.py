"""The resource `experiments`: those of the file, checked when a run starts and not only when lists are made."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from models.db.errors import InputError
from models.db.settings import Settings
from models.experiments.design.experiment import Experiment
from pipelines.experiments.experiment_file import load_experiments
from pipelines.store.registry.model_registry import ModelRegistry

LISTS = "match_lists"
BOUNDS = {"most_views": None, "least_views": 0}
"""Bounds on exposure re-sort all lists by one policy, so that no arm would have its own."""


def build_experiments_resource(settings: Settings, registry: ModelRegistry) -> dg.ResourceDefinition:
    """Build the resource whose value is a tuple of all experiments of the file.

    A run that makes lists requires it. It raises InputError before the first step if the file is wrong, if an arm names
    a ranker that is not there, or if an experiment runs and the run bounds exposure.
    """

    @dg.resource
    def experiments(context: dg.InitResourceContext) -> tuple[Experiment, ...]:
        found = load_experiments(settings)
        launched: Mapping[str, Any] = context.run.run_config if context.run else {}
        today = datetime.now(UTC).date()
        for experiment in found:
            if experiment.has_night(today):
                _check_bounds(experiment, launched.get("ops", {}).get(LISTS, {}).get("config", {}))
                _check_rankers(experiment, registry)
        return found

    return experiments


def _check_bounds(experiment: Experiment, config: Mapping[str, Any]) -> None:
    set_here = [name for name, unset in BOUNDS.items() if config.get(name, unset) != unset]
    if set_here:
        raise InputError(
            f"{LISTS}: {set_here[0]} is {config[set_here[0]]!r} while the experiment {experiment.name} runs, and a "
            "bound on exposure leaves no arm its own policy: leave it out, or end the experiment"
        )


def _check_rankers(experiment: Experiment, registry: ModelRegistry) -> None:
    for arm in experiment.arms:
        if arm.ranker is not None and registry.find_ranker_version(arm.ranker) is None:
            raise InputError(
                f"experiment {experiment.name}: arm {arm.name}: ranker is {arm.ranker!r}: MLflow has neither an alias "
                "nor a version of this name"
            )
