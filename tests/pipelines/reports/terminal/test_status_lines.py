"""What `matching status` says of what it finds."""

from datetime import UTC, datetime, timedelta

import pytest
from dagster import DagsterRunStatus as Status

from models.db.publications import StoredPublication
from pipelines.reports.terminal.durations import format_age, format_duration
from pipelines.reports.terminal.status_lines import DatabaseState, LastRun, describe_due, describe_last_run

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
YOUNG, OLD = "it is young", "it is old"


def ago(**units: float) -> datetime:
    return NOW - timedelta(**units)


def live(since: datetime) -> StoredPublication:
    return StoredPublication(1, "live", "1", "letters", 10, 100, {}, since, since, kept=True)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0:00"), (-1, "0:00"), (59.6, "1:00"), (125, "2:05"), (3599.4, "59:59"), (3725, "1:02:05")],
)
def test_a_duration(seconds: float, said: str) -> None:
    assert format_duration(seconds) == said


@pytest.mark.parametrize(
    ("age", "said"),
    [(-5, "just now"), (59, "just now"), (60, "1 minute ago"), (7199, "1 hour ago"), (3 * 86_400, "3 days ago")],
)
def test_an_age(age: int, said: str) -> None:
    assert format_age(timedelta(seconds=age)) == said


@pytest.mark.parametrize(
    ("run", "is_busy", "said"),
    [
        (None, False, "none yet; `matching run` starts one"),
        (None, True, "none yet; `matching run` starts one; another run or an erasure is in progress"),
        (LastRun(Status.SUCCESS, ago(hours=3), ago(hours=2)), None, "succeeded 2 hours ago, after 1:00:00"),
        (
            LastRun(Status.FAILURE, ago(minutes=3), ago(minutes=2)),
            True,
            "failed 2 minutes ago, after 1:00; `make ui` shows why; another run or an erasure is in progress",
        ),
        (
            LastRun(Status.STARTED, ago(seconds=90), None, "step 2 of 15, ranker", 130),
            True,
            "in progress for 1:30, step 2 of 15, ranker; the last one took 2:10",
        ),
        (LastRun(Status.STARTED, ago(seconds=90), None), True, "in progress for 1:30"),
        (
            LastRun(Status.STARTED, ago(days=1), None, "step 2 of 15, ranker"),
            False,
            "was interrupted; it started 1 day ago, and the next run goes on with the completed steps",
        ),
        (
            LastRun(Status.STARTED, ago(days=1), None),
            None,
            "started 1 day ago; whether it is still in progress is unknown without the database",
        ),
        (LastRun(Status.NOT_STARTED, None, None), True, "is not started"),
    ],
)
def test_the_last_run(run: LastRun | None, is_busy: bool | None, said: str) -> None:
    assert describe_last_run(run, is_busy, NOW) == said


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (DatabaseState("stopped"), "unknown without the database"),
        (DatabaseState("", 0, training=OLD), "people: `matching load` loads them"),
        (DatabaseState("", 9, training=OLD), "a first publication; training: it is old"),
        (DatabaseState("", 9, live(ago(hours=23)), training=OLD), "training: it is old"),
        (DatabaseState("", 9, live(ago(hours=23)), no_training=YOUNG), "nothing; it is young"),
        (
            DatabaseState("", 9, live(ago(hours=25)), no_training=YOUNG),
            "a publication: the live one is older than 24 hours",
        ),
    ],
)
def test_what_is_due(state: DatabaseState, said: str) -> None:
    assert describe_due(state, NOW, DAY) == said
