"""The asset `loop_figures`: how the loop goes, night by night, with a check that warns."""

from collections.abc import Iterator, Mapping

import dagster as dg
import numpy as np
import pandas as pd

from models.ml.evaluation.monitoring.loop import SHORT_LIST, measure_loop
from models.ml.features.training_pairs import extract_decisions
from models.ml.scoring.list_frames import LISTED_COLUMNS, explode_lists
from pipelines.checks.check_results import WARN, make_check_result
from pipelines.reports.plots import round_figures
from pipelines.resources import ShardStore
from pipelines.store.frame_store import read_frame_columns

MAX_SHORT_LISTS = 0.25
DAY = pd.Timedelta(days=1)


@dg.asset(
    group_name="matches",
    owners=["team:matching"],
    kinds={"numpy", "parquet"},
    deps=["match_lists"],
    check_specs=[
        dg.AssetCheckSpec(
            "loop_goes_on",
            asset="loop_figures",
            description="Few lists are short, nobody who passed on a viewer is in their list, and newcomers match. "
            "It warns.",
        )
    ],
)
def loop_figures(
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    store: ShardStore,
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
    activity: pd.DataFrame,
) -> Iterator[dg.Output[pd.DataFrame] | dg.AssetCheckResult]:
    """Measure how the loop goes: likes that become matches, and lists that have somebody to show.

    In: `match_lists`, `interactions`, `profiles`, `activity`. Out: a frame with one row: matches, matches_last_day,
    with_match, likes_waiting, short_lists, refusals_listed and, if there are newcomers, newcomers_matched. The metadata
    plot them over the nights.
    """
    ids = pd.Index(profiles["profile_id"])
    lists = read_frame_columns(store.get_frame_path("match_lists"), LISTED_COLUMNS)
    viewer, candidate = explode_lists(lists, profiles["profile_id"])
    observed = activity.set_index("profile_id")["observed_days"].reindex(ids).fillna(0).to_numpy(np.int64)
    since = int((profiles["extracted_at"].max() - DAY).timestamp() * 1_000_000) if len(ids) else 0
    figures = measure_loop(extract_decisions(interactions, ids), viewer, candidate, observed, since)
    yield dg.Output(pd.DataFrame([figures]), metadata=round_figures(figures))
    yield _check_loop(figures)


def _check_loop(figures: Mapping[str, float]) -> dg.AssetCheckResult:
    """Warn of what the figures show, the first reason first."""
    few = figures.get("newcomers_matched", figures["with_match"]) < figures["with_match"] / 2
    faults = {
        f"{figures['refusals_listed']:,} listed candidates passed on their viewer": figures["refusals_listed"] > 0,
        f"{figures['short_lists']:.0%} of the users have fewer than {SHORT_LIST} candidates (at most "
        f"{MAX_SHORT_LISTS:.0%} is usual)": figures["short_lists"] > MAX_SHORT_LISTS,
        "newcomers have a match less than half as often as all users": few,
    }
    wrong = [said for said, holds in faults.items() if holds]
    said = "; ".join(wrong) if wrong else "lists are long enough, nobody is shown who refused, and newcomers match"
    return make_check_result(
        check_name="loop_goes_on", asset_key="loop_figures", passed=not wrong, severity=WARN, said=said, figures={}
    )
