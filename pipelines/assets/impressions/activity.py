"""The asset `activity`: how probably each user opens the app within a week, and who is absent."""

import time
from collections.abc import Iterator
from dataclasses import asdict

import dagster as dg
import numpy as np
import pandas as pd
from pydantic import Field

from models.ml.arrays import Float64Array
from models.ml.market.attention.activity import HORIZON_DAYS, estimate_activity
from models.ml.market.attention.activity_check import ActivityReport, check_last_week
from pipelines.assets.impressions.active_days import DAYS, get_active_days
from pipelines.checks.check_results import WARN, make_check_result
from pipelines.reports.plots import round_figures

MAX_CALIBRATION_ERROR = 0.03
MIN_USERS = 1000
"""With fewer users, chance alone makes a larger calibration error."""


class ActivityConfig(dg.Config):
    """When a user counts as absent."""

    absent_after_days: int = Field(
        30, ge=1, le=DAYS, description=f"Days without activity after which a user is in no new list, 1 to {DAYS}."
    )


@dg.asset(
    group_name="source",
    owners=["team:matching"],
    kinds={"scipy", "parquet"},
    check_specs=[
        dg.AssetCheckSpec(
            "calibrated",
            asset="activity",
            description="What was said a week ago of the week since: the calibration error is at most 0.03. It warns.",
        )
    ],
)
def activity(
    config: ActivityConfig,
    config_check: dg.ResourceParam[None],  # noqa: ARG001 - checks the configuration when the run starts
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    profiles: pd.DataFrame,
    impressions: pd.DataFrame,
) -> Iterator[dg.Output[pd.DataFrame] | dg.AssetCheckResult]:
    """Estimate how probably each user opens the app within the next 7 days, and find the absent users.

    In: `profiles`, `impressions`. Out: a frame with one row for each profile: profile_id, p_active, absent and
    observed_days, at most 59. Absent users are in no new list. They are back in the next one once they are seen.
    """
    start, ids = time.monotonic(), profiles["profile_id"]
    days = get_active_days(impressions, pd.Index(ids))
    found, report = estimate_activity(days, config.absent_after_days), check_last_week(days)
    figures = {
        "mean_p_active": found.p_active.mean() if len(ids) else 0.0,
        "absent_share": found.absent.mean() if len(ids) else 0.0,
        "active_last_week": days.find_active(HORIZON_DAYS).mean() if len(ids) else 0.0,
        "seconds": time.monotonic() - start,
    }
    frame = pd.DataFrame(
        {
            "profile_id": ids.to_numpy(object),
            "p_active": found.p_active,
            "absent": found.absent,
            "observed_days": days.observed,
        }
    )
    yield dg.Output(frame, metadata={"dagster/row_count": len(frame), **round_figures(figures)})
    yield check_calibration(report)


def align_activity(frame: pd.DataFrame, ids: pd.Index) -> Float64Array:
    """Return p_active of n users by position, float64 (n,); 1 for those whom the frame lacks."""
    return frame.set_index("profile_id")["p_active"].reindex(ids).fillna(1.0).to_numpy(np.float64)


def check_calibration(report: ActivityReport | None) -> dg.AssetCheckResult:
    """Check what was said a week ago; with few users it passes."""
    if report is None:
        said, passed, figures = "no user was observed a week ago", True, {}
    else:
        passed = report.users < MIN_USERS or report.calibration_error <= MAX_CALIBRATION_ERROR
        figures = round_figures(asdict(report))
        said = (
            f"calibration error {report.calibration_error:.3f} over {report.users:,} users (at most "
            f"{MAX_CALIBRATION_ERROR} from {MIN_USERS:,} users on): said {report.said:.1%}, seen {report.seen:.1%}; "
            f"AUC {report.auc:.3f}, of recency alone {report.auc_recency:.3f} (±{report.gain_error:.3f})"
        )
    return make_check_result(
        check_name="calibrated", asset_key="activity", passed=passed, severity=WARN, said=said, figures=figures
    )
