"""What of `app.views` counts, why the rest does not, and when its viewers were there."""

import dagster as dg
import pytest
from sqlalchemy import Connection, text

from models.ml.profiles.frame_contracts import SURFACE_REASON, SURFACES
from pipelines.assets.impressions.accepted_views import MAX_VIEWS_A_DAY, TOO_MANY, select_checked_views
from pipelines.assets.impressions.active_days import DAYS
from pipelines.assets.impressions.impressions import CheckedImpressions, read_impressions
from pipelines.checks.rejection_rate import check_rejection_rate
from pipelines.workspace import Workspace
from tests.models_db.conftest import person_id, settle
from tests.pipelines.assets.impressions.rows import TODAY, remove_constraints, show
from tests.pipelines.conftest import Place

PUBLICATIONS = 9


@pytest.fixture
def town(connection: Connection) -> Connection:
    """40 people, nine publications, and tables without constraints."""
    settle(connection, range(1, 41))
    for _ in range(PUBLICATIONS):
        connection.execute(text("INSERT INTO matching.publications (ranker_version, encoder) VALUES ('1', 'letters')"))
    newest = connection.scalar(text("SELECT max(id) FROM matching.publications"))
    connection.execute(text(f"UPDATE matching.publications SET id = id + {PUBLICATIONS} - {newest}"))
    remove_constraints(connection)
    return connection


BAD = [
    ({"viewer_id": person_id(99)}, "viewer_id is not among the profiles"),
    ({"viewer_id": None}, "viewer_id is not among the profiles"),
    ({"candidate_id": person_id(99)}, "candidate_id is not among the profiles"),
    ({"candidate_id": None}, "candidate_id is not among the profiles"),
    ({"candidate_id": person_id(1)}, "viewer and candidate are the same person"),
    ({"shown_at": None}, "shown_at is missing"),
    ({"shown_at": "now() + interval '61 seconds'"}, "shown_at is in the future"),
    ({"shown_at": "'infinity'"}, "shown_at is in the future"),
    ({"publication_id": 0}, "publication_id is of no publication"),
    ({"publication_id": -1}, "publication_id is of no publication"),
    ({"publication_id": PUBLICATIONS + 1}, "publication_id is of no publication"),
    ({"publication_id": 2**63 - 1}, "publication_id is of no publication"),
    ({"position": 0}, "position must be 1 or more"),
    ({"position": -(2**31)}, "position must be 1 or more"),
    ({"surface": None}, SURFACE_REASON),
    ({"surface": ""}, SURFACE_REASON),
    ({"surface": "List"}, SURFACE_REASON),
    ({"surface": "list\n'; DROP TABLE app.views; --"}, SURFACE_REASON),
]


@pytest.mark.parametrize(("cells", "reason"), BAD)
def test_a_bad_view_is_refused_and_its_neighbours_are_not(
    town: Connection, cells: dict[str, object], reason: str
) -> None:
    show(town, 5, 2)
    show(town, 1, 4, **cells)
    show(town, 3, 2)
    found = read_impressions(town)
    assert (found.accepted, found.refused) == (2, {reason: 1})
    assert masks(found) == {3: 1, 5: 1}


@pytest.mark.parametrize(
    "cells",
    [
        *({"surface": surface, "publication_id": None, "position": None} for surface in SURFACES),
        {"publication_id": 1, "position": 2**31 - 1},
        {"publication_id": PUBLICATIONS, "shown_at": "now() + interval '59 seconds'"},
    ],
)
def test_a_view_without_a_place_or_just_ahead_counts(town: Connection, cells: dict[str, object]) -> None:
    show(town, 1, 2, **cells)
    assert read_impressions(town).accepted == 1


def test_before_anything_is_published_no_publication_is_known(connection: Connection) -> None:
    settle(connection, (1, 2))
    connection.execute(text("DELETE FROM matching.publications"))
    for publication in (1, None):
        show(connection, 1, 2, publication_id=publication)
    assert read_impressions(connection).refused == {"publication_id is of no publication": 1}


BOT = """
INSERT INTO app.views (viewer_id, candidate_id, publication_id, position, surface, shown_at)
SELECT '{bot}', lpad(to_hex(candidate), 32, '0')::uuid, publication, publication, surface,
       {today} + interval '1 second' * candidate
FROM generate_series(2, 40) AS candidate, generate_series(1, {publications}) AS publication,
     unnest(CAST(:surfaces AS text[])) AS surface, generate_series(1, 3) AS again
"""


def test_of_a_bot_the_earliest_thousand_count_and_nobody_else_is_touched(town: Connection) -> None:
    show(town, 3, 40)
    query = BOT.format(bot=person_id(1), today=TODAY, publications=PUBLICATIONS)
    town.execute(text(query), {"surfaces": list(SURFACES)})
    a_candidate = PUBLICATIONS * len(SURFACES)
    found = read_impressions(town)
    assert found.refused == {TOO_MANY: 3 * (39 * a_candidate - MAX_VIEWS_A_DAY)}
    assert found.accepted == 1 + 3 * MAX_VIEWS_A_DAY
    assert masks(found) == {1: 1, 3: 1}


def test_repeats_count_once_and_days_are_those_of_utc(town: Connection) -> None:
    town.execute(text("SET LOCAL timezone = 'Pacific/Auckland'"))
    for seconds, surface in ((1, "list"), (2, "list"), (3, "similar"), (86_399, "list")):
        show(town, 1, 2, surface=surface, shown_at=f"{TODAY} - interval '86400 seconds' + interval '{seconds} seconds'")
    show(town, 3, 2, shown_at=f"{TODAY} - interval '1 second' * ({DAYS} * 86400)")
    show(town, 5, 2, shown_at=f"{TODAY} - interval '1 second' * ({DAYS} * 86400 + 1)")
    found = read_impressions(town)
    assert found.accepted == 5  # of the day before the first nothing is read
    assert masks(found) == {1: 2, 3: 1 << DAYS}


def test_a_profile_that_is_there_twice_doubles_nothing(town: Connection) -> None:
    show(town, 1, 2)
    town.execute(text("ALTER TABLE app.profiles DROP CONSTRAINT uq_profiles_source_key"))
    town.execute(text("INSERT INTO app.profiles SELECT * FROM app.profiles"))
    found = read_impressions(town)
    assert (found.accepted, masks(found), found.users["profile_id"].is_unique) == (1, {1: 1}, True)


def test_an_app_without_a_log_has_no_impressions(connection: Connection) -> None:
    found = read_impressions(connection)
    assert (found.accepted, found.refused) == (0, {})
    assert list(found.users) == ["profile_id", "observed", "mask"]


def test_older_views_than_are_kept_cannot_be_asked_for() -> None:
    for days in (0, 61):
        with pytest.raises(ValueError, match=rf"1 to 60 days, not {days}"):
            select_checked_views(days)


def test_the_asset_counts_and_names_nobody(place: Place) -> None:
    """Most views are refused, which warns and blocks nothing; somebody refused is not in the frame."""
    with place.engine.begin() as connection:
        settle(connection, range(1, 5))
        connection.execute(text(f"UPDATE app.profiles SET birth_date = now() WHERE id = '{person_id(4)}'"))
        for candidate in (2, 2, 4):
            show(connection, 1, candidate)
        for position in range(-3, 1):
            show(connection, 3, 2, position=position)
    place.materialize("profiles", "rejected_profiles", "impressions")
    frame = Workspace(place.settings).read_frame("impressions")
    assert frame.to_dict("list") == {
        "profile_id": [person_id(number) for number in (1, 2, 3)],
        "observed": [0, 0, 0],
        "mask": [1, 0, 0],
    }
    assert [str(frame[name].dtype) for name in ("observed", "mask")] == ["int64", "int64"]
    told = place.metadata("impressions")
    assert told.pop("seconds") < 60  # type: ignore[operator]
    assert (told["dagster/row_count"], told["active_today"], told["views_read"]) == (3, 1, 7)
    assert told["rejected_share"] == pytest.approx(4 / 7, abs=1e-3)
    assert told["reasons"] == {"position must be 1 or more": 4}
    assert person_id(0)[:-1] not in str(told)
    check = check_rejection_rate("impressions", 3, 4, blocks=False)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "published" not in str(check.description)


def masks(found: CheckedImpressions) -> dict[int, int]:
    """The active days of those who have any, by number."""
    numbers = {person_id(number): number for number in range(100)}
    days = found.users.set_index("profile_id")["mask"]
    return {numbers[str(person)]: mask for person, mask in sorted(days[days != 0].to_dict().items())}
