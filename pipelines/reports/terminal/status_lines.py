"""The lines of `matching status`: what was found, in words."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from models.db.publications import StoredPublication
from pipelines.reports.terminal.durations import format_age, format_duration

UNKNOWN = "unknown without the database"
STOPPED = {
    dg.DagsterRunStatus.FAILURE: "failed {}; `make ui` shows why",
    dg.DagsterRunStatus.CANCELED: "was cancelled {}",
    dg.DagsterRunStatus.SUCCESS: "succeeded {}",
}


@dataclass(frozen=True)
class DatabaseState:
    """What the database holds. The figures are None where it cannot be read."""

    description: str
    people: int | None = None
    live: StoredPublication | None = None
    is_busy: bool | None = None
    """Whether a run or an erasure holds the run lock."""
    training: str | None = None
    """Why training is due; None if it is not."""
    no_training: str | None = None
    """Why training is not due; None if it is."""


@dataclass(frozen=True)
class LastRun:
    """The newest run that Dagster has recorded."""

    status: dg.DagsterRunStatus
    started: datetime | None
    ended: datetime | None
    step: str | None = None
    """The step that was started last, with its number."""
    usual_seconds: float | None = None
    """Duration of the last successful run."""


def describe_publication(state: DatabaseState, now: datetime) -> str:
    """Describe the live publication and its age."""
    if state.people is None:
        return UNKNOWN
    live = state.live
    if live is None:
        return "none yet; `matching run` makes one"
    since = _get_start(live)
    return (
        f"{live.id}, live since {since.astimezone(UTC):%Y-%m-%d %H:%M} UTC ({format_age(now - since)}): "
        f"{live.viewer_count:,} lists, {live.pair_count:,} pairs, ranker version {live.ranker_version}"
    )


def describe_last_run(run: LastRun | None, is_busy: bool | None, now: datetime) -> str:
    """Describe the last run of the pipeline.

    Args:
        run: The run; None if there is none.
        is_busy: Whether the run lock is held; None if that is not known. A run without an end that does not hold it was
            interrupted.
        now: The time, with time zone.
    """
    if run is None:
        return "none yet; `matching run` starts one" + _describe_lock(is_busy)
    if run.started is None:
        return f"is {run.status.value.lower().replace('_', ' ')}"
    if run.ended is not None and run.status in STOPPED:
        took = format_duration((run.ended - run.started).total_seconds())
        return STOPPED[run.status].format(f"{format_age(now - run.ended)}, after {took}") + _describe_lock(is_busy)
    started = format_age(now - run.started)
    if is_busy is None:
        return f"started {started}; whether it is still in progress is {UNKNOWN}"
    if not is_busy:
        return f"was interrupted; it started {started}, and the next run goes on with the completed steps"
    usual = "" if run.usual_seconds is None else f"; the last one took {format_duration(run.usual_seconds)}"
    elapsed = format_duration((now - run.started).total_seconds())
    return f"in progress for {elapsed}{f', {run.step}' if run.step else ''}{usual}"


def _describe_lock(is_busy: bool | None) -> str:
    return "; another run or an erasure is in progress" if is_busy else ""


def describe_due(state: DatabaseState, now: datetime, usual_age: timedelta) -> str:
    """Describe what the next run has to do: a publication, training, or nothing.

    Args:
        state: What the database holds.
        now: The time, with time zone.
        usual_age: The age above which a live publication is to be replaced.
    """
    if state.people is None:
        return UNKNOWN
    if state.people == 0:
        return "people: `matching load` loads them"
    due = [] if state.training is None else [f"training: {state.training}"]
    if state.live is None:
        due.insert(0, "a first publication")
    elif now - _get_start(state.live) > usual_age:
        due.insert(0, f"a publication: the live one is older than {usual_age / timedelta(hours=1):.0f} hours")
    return "; ".join(due) if due else f"nothing; {state.no_training}"


def _get_start(live: StoredPublication) -> datetime:
    return live.activated_at or live.created_at
