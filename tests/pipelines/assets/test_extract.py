"""What is read from the app tables, cell by cell, and what stays behind."""

import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection, text

from pipelines.assets.extract import (
    count_future_rows,
    read_blocks,
    read_interactions,
    read_most_compatible,
    read_passes_of_others,
    read_profiles,
)

ANN, BEN = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
PEOPLE = """
INSERT INTO app.profiles (id, source_key, display_name, birth_date, gender, seeks, age_min, latitude, longitude,
    max_distance_km, texts, interests, traits, facts, wants, paused, updated_at)
VALUES (:ann, 'x\\:1', 'Ann Secret', current_date - interval '30 years', 'woman', '{man,woman}', 25, 47.5, 8.5, 10,
        '{"Work"\\: "Baker"}', '{chess}', '{"height"\\: 1.7}', '{"smokes"\\: "no"}', '{"fun"\\: 0.5}', true, now()),
       (:ben, null, 'Ben Secret', 'infinity', 'man', '{}', null, null, null, null, '{}', '{}', '{}', '{}', '{}', false,
        now())
"""
LIKES = """
INSERT INTO app.interactions (actor_id, target_id, kind, created_at, position, propensity)
VALUES (:ann, :ben, 'pass', '2024-05-02T10:00+02', 3, 0.25), (:ben, :ann, 'like', '2024-05-01T10:00+02', null, null)
"""

PUBLICATIONS = """
INSERT INTO matching.publications (id, state, ranker_version, encoder) OVERRIDING SYSTEM VALUE
VALUES (1, 'retired', '1', 'letters'), (2, 'live', '1', 'letters')
"""
PARTNERS = """
INSERT INTO matching.match_lists (publication_id, viewer_id, candidate_ids, p_like, p_liked_back, p_match, reasons,
    most_compatible_id, most_compatible_p_match, most_compatible_reasons)
VALUES (1, :ben, '{}', '{}', '{}', '{}', '[]', :ann, 0.5, '[]'),
       (2, :ann, '{}', '{}', '{}', '{}', '[]', :ben, 0.5, '[]'),
       (2, :ben, '{}', '{}', '{}', '{}', '[]', null, null, null)
"""


@pytest.fixture
def town(connection: Connection) -> Connection:
    connection.execute(text(PEOPLE), {"ann": ANN, "ben": BEN})
    connection.execute(text(LIKES), {"ann": ANN, "ben": BEN})
    connection.execute(text("INSERT INTO app.blocks VALUES (:ben, :ann)"), {"ann": ANN, "ben": BEN})
    return connection


def test_profiles_come_with_age_and_without_name_or_birth_date(town: Connection) -> None:
    frame = read_profiles(town)
    ann, ben = frame.to_dict("records")
    assert abs(ann.pop("extracted_at") - datetime.now(UTC)) < timedelta(minutes=1)
    assert ann == {
        "profile_id": ANN, "source_key": "x:1", "gender": "woman", "seeks": ["man", "woman"], "age": 30,
        "age_min": 25.0, "age_max": pytest.approx(np.nan, nan_ok=True), "latitude": 47.5, "longitude": 8.5,
        "max_distance_km": 10.0, "texts": {"Work": "Baker"}, "interests": ["chess"], "traits": {"height": 1.7},
        "facts": {"smokes": "no"}, "wants": {"fun": 0.5}, "paused": True,
    }  # fmt: skip
    assert (ben["profile_id"], ben["age"], ben["seeks"], ben["texts"]) == (BEN, -1, [], {})
    assert "Secret" not in frame.to_string()


@pytest.mark.parametrize(
    ("latitude", "longitude", "seen"),
    [
        (47.50499, -8.49501, [47.5, -8.5]),
        (47.505001, 8.494999, [47.51, 8.49]),
        (90.0, -180.0, [90.0, -180.0]),
        (90.001, -180.001, [90.001, -180.001]),  # for the contract to refuse
        (np.inf, 1e308, [np.inf, 1e308]),
    ],
)
def test_places_are_known_to_a_hundredth_of_a_degree(
    town: Connection, latitude: float, longitude: float, seen: list[float]
) -> None:
    moved = "UPDATE app.profiles SET latitude = :latitude, longitude = :longitude WHERE id = :ann"
    town.execute(text(moved), {"latitude": latitude, "longitude": longitude, "ann": ANN})
    assert read_profiles(town, [ANN])[["latitude", "longitude"]].to_numpy().tolist() == [seen]


def test_some_profiles_only(town: Connection) -> None:
    assert read_profiles(town, [BEN])["profile_id"].tolist() == [BEN]
    assert read_profiles(town, [])["profile_id"].tolist() == []


def test_so_many_may_be_asked_for_that_a_parameter_each_would_be_too_many(town: Connection) -> None:
    strangers = [str(uuid.UUID(int=number)) for number in range(10, 70_010)]
    assert read_profiles(town, [*strangers, BEN])["profile_id"].tolist() == [BEN]


def test_interactions_come_in_order_of_time_in_utc(town: Connection) -> None:
    frame = read_interactions(town)
    assert frame[["actor_id", "target_id", "kind"]].to_numpy().tolist() == [[BEN, ANN, "like"], [ANN, BEN, "pass"]]
    assert frame["created_at"].tolist() == [pd.Timestamp("2024-05-01T08:00Z"), pd.Timestamp("2024-05-02T08:00Z")]
    assert frame["propensity"].tolist() == [pytest.approx(np.nan, nan_ok=True), 0.25]


HOSTILE = ["'{\"a\"\\: 1e100000}'", "CAST(repeat('[', 3000) || repeat(']', 3000) AS jsonb)", "'null'", "'7'"]


@pytest.mark.parametrize("column", ["texts", "traits", "facts", "wants"])
@pytest.mark.parametrize("value", HOSTILE)
def test_a_cell_that_python_has_no_value_for_stops_no_others(town: Connection, column: str, value: str) -> None:
    town.execute(text(f"UPDATE app.profiles SET {column} = {value} WHERE id = :ann"), {"ann": ANN})
    ann, ben = read_profiles(town)[column]
    assert not isinstance(ann, dict)
    assert ben == {}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Zurich", "Asia/Kathmandu", "America/St_Johns"])
def test_moments_of_any_time_are_read_in_any_time_zone(town: Connection, zone: str) -> None:
    moments = ["0001-01-03T00\\:00Z", "1800-01-01T00\\:00Z", "2024-05-01T10\\:00+02", "9999-12-29T00\\:00Z", "infinity"]
    town.execute(text("DELETE FROM app.interactions"))
    for moment in moments:
        statement = "INSERT INTO app.interactions (actor_id, target_id, kind, created_at) VALUES (:a, :b, 'like', "
        town.execute(text(f"{statement} '{moment}')"), {"a": ANN, "b": BEN})
    town.execute(text(f"SET LOCAL timezone = '{zone}'"))
    read = read_interactions(town)["created_at"]
    assert read.dt.year.tolist()[:4] == [1, 1800, 2024, 9999]
    assert read[2] == pd.Timestamp("2024-05-01T08:00Z")
    assert pd.isna(read[4])


def test_a_kind_of_several_lines_is_one_row(town: Connection) -> None:
    town.execute(text("ALTER TABLE app.interactions DROP CONSTRAINT ck_interactions_kind"))
    town.execute(text("UPDATE app.interactions SET kind = E'like\n\"super\",' WHERE actor_id = :ann"), {"ann": ANN})
    assert read_interactions(town)["kind"].isna().tolist() == [False, True]


def test_stamps_from_the_future_are_counted(town: Connection) -> None:
    assert count_future_rows(town) == (0, 0)
    town.execute(text("UPDATE app.profiles SET updated_at = 'infinity' WHERE id = :ann"), {"ann": ANN})
    town.execute(text("UPDATE app.interactions SET created_at = now() + interval '1 day'"))
    assert count_future_rows(town) == (1, 2)


def test_blocks_say_who_blocked_whom(town: Connection) -> None:
    assert read_blocks(town).to_dict("records") == [{"blocker_id": BEN, "blocked_id": ANN}]


def test_of_nobody_there_are_frames_with_all_columns(connection: Connection) -> None:
    people, likes = read_profiles(connection), read_interactions(connection)
    assert (len(people), len(likes), len(read_blocks(connection))) == (0, 0, 0)
    assert {"profile_id", "age", "texts", "paused", "extracted_at"} <= set(people.columns)
    assert {"actor_id", "target_id", "kind", "created_at", "propensity"} <= set(likes.columns)


def test_partners_of_the_day_are_those_of_the_live_publication(town: Connection) -> None:
    town.execute(text(PUBLICATIONS))
    for number in (1, 2):
        lists = f"CREATE TABLE matching.match_lists_{number} PARTITION OF matching.match_lists FOR VALUES IN ({number})"
        town.execute(text(lists))
    town.execute(text(PARTNERS), {"ann": ANN, "ben": BEN})
    assert read_most_compatible(town, pd.Index([BEN, "somebody new", ANN])).tolist() == [-1, -1, 0]
    assert read_most_compatible(town, pd.Index([ANN])).tolist() == [-1]  # who is gone is nobody's partner
    assert read_most_compatible(town, pd.Index([BEN])).tolist() == [-1]


def test_before_anything_is_published_nobody_has_a_partner(connection: Connection) -> None:
    assert read_most_compatible(connection, pd.Index([ANN, BEN])).tolist() == [-1, -1]


def test_passes_of_people_whom_the_run_does_not_know(town: Connection) -> None:
    """Ann passed on Ben: it is read unless both of them are in the run's frame."""
    passed = [{"viewer_id": BEN, "passer_id": ANN}]
    assert read_passes_of_others(town, pd.Index([ANN, BEN])).empty
    for known in ([ANN], [BEN], []):
        assert read_passes_of_others(town, pd.Index(known)).to_dict("records") == passed
    for moment, expected in (("-infinity", passed), ("infinity", [])):
        like = (
            "INSERT INTO app.interactions (actor_id, target_id, kind, created_at) VALUES (:ann, :ben, 'like', :moment)"
        )
        town.execute(text(like), {"ann": ANN, "ben": BEN, "moment": moment})
        assert read_passes_of_others(town, pd.Index([ANN])).to_dict("records") == expected
