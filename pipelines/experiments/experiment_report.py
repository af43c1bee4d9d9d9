"""The asset `experiment_report`: what an experiment says so far; on demand, not part of the nightly job."""

import json
from typing import Any

import dagster as dg
import pandas as pd
from pydantic import Field

from models.db.settings import get_settings
from pipelines.assets.surroundings import APP_INTERACTIONS
from pipelines.experiments.experiment_results import ExperimentResults, collect_results, find_experiment
from pipelines.experiments.result_plots import plot_sequences
from pipelines.experiments.result_text import (
    describe_doubts,
    describe_verdict,
    tabulate_exposure,
    tabulate_results,
    tabulate_sequences,
)
from pipelines.reports.plots import show_figure, show_table
from pipelines.resources import DatabaseResource

GROUP = "experiments"


class ReportConfig(dg.Config):
    """Which experiment to report."""

    experiment: str = Field(description="The name of an experiment of the file.")


@dg.asset(
    group_name=GROUP,
    owners=["team:data-science"],
    kinds={"postgres", "parquet"},
    deps=[APP_INTERACTIONS, "publication"],
)
def experiment_report(
    context: dg.AssetExecutionContext, config: ReportConfig, database: DatabaseResource
) -> dg.Output[pd.DataFrame]:
    """Report of an experiment so far, with intervals that hold at every look.

    In: the experiment of the file, `matching.experiment_assignments`, decisions, impressions, blocks, reports, facts of
    conversations. Out: a frame, a row for each metric, arm, design and night: lift, low, high as relative differences,
    with the experiment, its primary metric, the verdict on the arm, and what the arm and the control set (`market` and
    `control_market`, as JSON).
    The metadata say what to do, and plot the primary metric. No figure is of fewer than 20 users.
    """
    experiment = find_experiment(get_settings(), config.experiment)
    with database.open_engine() as engine, engine.connect() as connection:
        results = collect_results(connection, experiment)
    for sentence in describe_doubts(results):
        context.log.warning(sentence)
    sequences = tabulate_sequences(results)
    picture = show_figure(plot_sequences(experiment, sequences))
    return dg.Output(add_verdicts(sequences, results), metadata={**_build_metadata(results), "picture": picture})


def add_verdicts(sequences: pd.DataFrame, results: ExperimentResults) -> pd.DataFrame:
    """Add to each look what is decided on: see `experiment_report`. Arms of wrong sizes have no verdict."""
    experiment = results.experiment
    verdicts = {each.arm: "" if results.wrong_ratio else each.verdict.value for each in results.arms}
    markets = {arm.name: json.dumps(arm.market, sort_keys=True) for arm in experiment.arms if arm.ranker is None}
    return sequences.assign(
        experiment=experiment.name,
        primary=experiment.primary,
        verdict=sequences["arm"].map(verdicts),
        market=sequences["arm"].map(markets).fillna(""),
        control_market=markets.get(experiment.control.name, ""),
    )


def _build_metadata(results: ExperimentResults) -> dict[str, dg.MetadataValue[Any] | str | int]:
    verdicts = [describe_verdict(results, arm) for arm in results.arms]
    return {
        "experiment": results.experiment.name,
        "hypothesis": results.experiment.hypothesis,
        "verdict": " ".join([*verdicts, *describe_doubts(results)]),
        "nights": results.progress.nights,
        "metrics": show_table(tabulate_results(results)),
        "exposure": show_table(tabulate_exposure(results)),
    }
