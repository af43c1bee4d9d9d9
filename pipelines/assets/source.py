"""Profiles and interactions of the app, checked against the frame contract; refused rows are kept with the reason."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import pandas as pd

from models.db.errors import NotEnoughProfiles
from models.ml.profiles.frame_contracts import check_interactions, check_profiles
from models.ml.profiles.no_answers import remove_no_answers
from pipelines.assets.extract import count_future_rows, read_interactions, read_profiles
from pipelines.assets.surroundings import APP_INTERACTIONS, APP_PROFILES
from pipelines.checks.rejection_rate import check_rejection_rate
from pipelines.reports.plots import round_figures
from pipelines.resources import DatabaseResource

GROUP, OWNERS, KINDS = "source", ["team:matching"], {"postgres", "parquet"}
REASONS_SHOWN = 3
REJECTION_CHECKS = {
    asset: dg.AssetCheckSpec(
        "rejection_rate",
        asset=asset,
        blocking=True,
        description="Few rows break the frame contract: above 5 % a warning; above 50 % nothing is published.",
    )
    for asset in ("profiles", "interactions")
}


def _make_output_spec(description: str) -> dg.AssetOut:
    return dg.AssetOut(description=description, owners=OWNERS, kinds=KINDS)


@dg.multi_asset(
    group_name=GROUP,
    deps=[APP_PROFILES],
    outs={
        "profiles": _make_output_spec(
            "Profiles that can be matched.\n\n"
            "In: `app.profiles`. Out: a frame with one row for each profile that keeps the frame contract, in order "
            "of profile_id: gender, age, genders sought, ages sought, place, texts, interests, traits, facts, wants, "
            "paused."
        ),
        "rejected_profiles": _make_output_spec(
            "Profiles that are refused, with the reasons.\n\n"
            "In: `app.profiles`. Out: a frame with one row for each profile that breaks the frame contract: "
            "profile_id, reason."
        ),
    },
    check_specs=[REJECTION_CHECKS["profiles"]],
)
def profiles(
    context: dg.AssetExecutionContext,
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: DatabaseResource,
) -> Iterator[dg.Output[pd.DataFrame] | dg.AssetCheckResult]:
    """Extract the profiles of the app and check each against the frame contract."""
    start = time.monotonic()
    with database.open_engine() as engine, engine.connect() as connection:
        frame, no_answers = remove_no_answers(read_profiles(connection))
        future, _ = count_future_rows(connection)
    _warn(context, future, "profiles")
    accepted, rejected = check_profiles(frame)
    # First, so that the reasons are stored even if too few profiles are left to go on.
    yield _make_output("rejected_profiles", rejected)
    if len(accepted) < 2:
        raise NotEnoughProfiles(
            f"{len(accepted)} usable of {len(frame)} profiles in app.profiles, and matching takes two: "
            f"load some with `matching load`{_summarise_reasons(rejected)}"
        )
    counts = {"no_answers": no_answers.total(), "from_the_future": future}
    figures = {"rejected_share": len(rejected) / max(len(frame), 1), **counts}
    yield _make_output("profiles", accepted, {**figures, "seconds": round(time.monotonic() - start, 2)})
    yield check_rejection_rate("profiles", len(accepted), len(rejected))


@dg.multi_asset(
    group_name=GROUP,
    deps=[APP_INTERACTIONS],
    ins={"profiles": dg.AssetIn()},
    outs={
        "interactions": _make_output_spec(
            "Likes and passes.\n\n"
            "In: `app.interactions`, `profiles`. Out: a frame with one row for each like or pass that keeps the frame "
            "contract, in order of time: interaction_id, actor_id, target_id, kind, created_at, publication_id, "
            "position, propensity."
        ),
        "rejected_interactions": _make_output_spec(
            "Likes and passes that are refused, with the reasons.\n\n"
            "In: `app.interactions`, `profiles`. Out: a frame with one row for each like or pass that breaks the frame "
            "contract: interaction_id, reason."
        ),
    },
    check_specs=[REJECTION_CHECKS["interactions"]],
)
def interactions(
    context: dg.AssetExecutionContext,
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: DatabaseResource,
    profiles: pd.DataFrame,
) -> Iterator[dg.Output[pd.DataFrame] | dg.AssetCheckResult]:
    """Extract the likes and passes of the app, check each, and refuse those of refused profiles."""
    start = time.monotonic()
    with database.open_engine() as engine, engine.connect() as connection:
        frame, (_, future) = read_interactions(connection), count_future_rows(connection)
    _warn(context, future, "likes and passes")
    accepted, rejected = check_interactions(frame, frozenset(profiles["profile_id"]))
    figures = {"rejected_share": len(rejected) / max(len(frame), 1), "from_the_future": future}
    yield _make_output("interactions", accepted, {**figures, "seconds": round(time.monotonic() - start, 2)})
    yield _make_output("rejected_interactions", rejected)
    yield check_rejection_rate("interactions", len(accepted), len(rejected))


def _warn(context: dg.AssetExecutionContext, future: int, what: str) -> None:
    if future:
        context.log.warning(
            f"{future:,} {what} have a timestamp later than the database's now(): take the app's timestamps from it"
        )


def _summarise_reasons(rejected: pd.DataFrame) -> str:
    """Summarise the most frequent reasons of refused profiles, as the end of an error message."""
    if rejected.empty:
        return ""
    most = Counter(rejected["reason"]).most_common(REASONS_SHOWN)
    return f", or correct those that were refused: {', '.join(f'{reason} ({count:,})' for reason, count in most)}"


def _make_output(name: str, frame: pd.DataFrame, figures: Mapping[str, float] | None = None) -> dg.Output[pd.DataFrame]:
    metadata: dict[str, Any] = {"dagster/row_count": len(frame), **round_figures(figures or {})}
    if "reason" in frame:
        metadata["reasons"] = dg.MetadataValue.json(dict(Counter(frame["reason"])))
    return dg.Output(frame, name, metadata=metadata)
