"""On which UTC days people were there, by hand-made rows."""

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection, text

from models.ml.market.attention.activity import ActiveDays
from pipelines.assets.extract import read_interactions
from pipelines.assets.impressions.active_days import DAYS, get_active_days
from pipelines.assets.impressions.impressions import read_impressions
from tests.models_db.conftest import person_id, settle
from tests.pipelines.assets.impressions.rows import TODAY, decide, show


def ago(days: int, seconds: int = 0) -> str:
    """So many UTC days before the beginning of today, and so many seconds after."""
    return f"{TODAY} - interval '1 hour' * {24 * days} + interval '{seconds} seconds'"


def join(connection: Connection, number: int, created_at: str) -> None:
    settle(connection, [number])
    connection.execute(text(f"UPDATE app.profiles SET created_at = {created_at} WHERE id = '{person_id(number)}'"))


def read_days(connection: Connection, *numbers: int) -> ActiveDays:
    return get_active_days(read_impressions(connection).users, pd.Index([person_id(number) for number in numbers]))


def records(connection: Connection, *numbers: int) -> list[tuple[int, int, int]]:
    """(days, active, last) of each."""
    record = read_days(connection, *numbers).build_record()
    arrays = (record.days, record.active, record.last)
    assert all(each.dtype == np.int64 for each in arrays)
    return list(zip(*(each.tolist() for each in arrays), strict=True))


def were_active_today(connection: Connection, *numbers: int) -> list[bool]:
    return [bool(mask & 1) for mask in read_days(connection, *numbers).mask]


@pytest.fixture
def town(connection: Connection) -> Connection:
    """Person 1 has long been there, and 2 is there to be seen."""
    join(connection, 1, "'-infinity'")
    join(connection, 2, ago(100))
    return connection


@pytest.mark.parametrize(
    ("created_at", "days"),
    [
        (ago(200), DAYS),
        (ago(DAYS), DAYS),
        (ago(DAYS - 1, 86_399), DAYS - 1),
        (ago(1), 1),
        (ago(0), 0),
        ("'infinity'", 0),
    ],
)
def test_days_are_observed_from_the_first_one(town: Connection, created_at: str, days: int) -> None:
    join(town, 3, created_at)
    assert records(town, 3, 9, 1) == [(days, 0, 0), (0, 0, 0), (DAYS, 0, 0)]


def test_a_day_is_active_once_whatever_was_done(town: Connection) -> None:
    town.execute(text("SET LOCAL timezone = 'America/St_Johns'"))
    for days, seconds in ((DAYS, 0), (DAYS, 86_399), (3, 0), (0, 0)):
        show(town, 1, 2, shown_at=ago(days, seconds))
    show(town, 1, 2, shown_at=ago(DAYS + 1, 86_399))
    decide(town, 1, 2, "pass", ago(3, 1))
    decide(town, 1, 2, "like", ago(5))
    assert records(town, 1, 2) == [(DAYS, 3, DAYS - 2), (DAYS, 0, 0)]
    town.execute(text(f"UPDATE app.profiles SET last_active_at = {ago(1, 86_399)} WHERE id = '{person_id(1)}'"))
    assert records(town, 1) == [(DAYS, 4, DAYS)]


def test_what_is_refused_or_of_today_makes_no_day_active(town: Connection) -> None:
    show(town, 1, 2, shown_at=ago(2), surface="lists")
    show(town, 1, 1, shown_at=ago(2))
    show(town, 1, 2, shown_at=ago(2), publication_id=-1)
    show(town, 1, 2, shown_at="now()")
    town.execute(text("UPDATE app.profiles SET last_active_at = 'infinity'"))
    assert records(town, 1, 2) == [(DAYS, 0, 0), (DAYS, 0, 0)]
    assert were_active_today(town, 2, 9, 1) == [False, False, True]


def test_activity_before_the_profile_starts_the_days(town: Connection) -> None:
    """As of people who were imported today with what they did before."""
    join(town, 3, "now()")
    decide(town, 3, 2, "like", ago(6))
    decide(town, 3, 1, "pass", ago(2))
    assert records(town, 3) == [(6, 2, 5)]


NO_LOG = """
CREATE VIEW app.views AS
SELECT NULL::uuid AS viewer_id, NULL::uuid AS candidate_id, NULL::bigint AS publication_id, NULL::int AS position,
       NULL::text AS surface, NULL::timestamptz AS shown_at
WHERE false
"""
OWN_VIEWS = (
    "CREATE SCHEMA dating",
    "CREATE TABLE dating.people AS TABLE app.profiles",
    "CREATE TABLE dating.swipes AS TABLE app.interactions",
    "ALTER TABLE dating.people DROP COLUMN last_active_at",
    "ALTER TABLE dating.swipes DROP COLUMN surface",
    "DROP TABLE app.views, app.interactions, app.blocks, app.profiles CASCADE",
    "CREATE VIEW app.profiles AS TABLE dating.people",
    "CREATE VIEW app.interactions AS TABLE dating.swipes",
    NO_LOG,
)


def test_views_of_the_app_need_not_have_the_columns_that_are_new(town: Connection) -> None:
    decide(town, 1, 2, "like", ago(2))
    for statement in OWN_VIEWS:
        town.execute(text(statement))
    assert records(town, 1, 2) == [(DAYS, 1, DAYS - 1), (DAYS, 0, 0)]
    assert were_active_today(town, 1) == [False]
    assert read_interactions(town)["surface"].isna().tolist() == [True]
    assert read_impressions(town).accepted == 0


@pytest.mark.parametrize(("surface", "read"), [("similar", "similar"), ("", "unknown"), ("a\n\"b',", "unknown")])
def test_a_surface_is_read_as_it_is_or_as_one_to_refuse(town: Connection, surface: str, read: str) -> None:
    decide(town, 1, 2, "like", ago(2))
    town.execute(text("UPDATE app.interactions SET surface = :surface"), {"surface": surface})
    assert read_interactions(town)["surface"].tolist() == [read]
