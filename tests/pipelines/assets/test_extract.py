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
PROFILES = """
INSERT INTO app.profiles (id, source_key, display_name, birth_date, gender, seeks, age_min, latitude, longitude,
    max_distance_km, texts, interests, traits, facts, wants, paused, updated_at)
VALUES (:ann, 'x\\:1', 'Ann Secret', current_date - interval '30 years', 'woman', '{man,woman}', 25, 47.50499, -8.49501,
        10, '{"Work"\\: "Baker"}', '{chess}', '{"height"\\: 1.7}', '{"smokes"\\: "no"}', '{"fun"\\: 0.5}', true, now()),
       (:ben, null, 'Ben Secret', 'infinity', 'man', '{}', null, 90.001, 'infinity', null, '{}', '{}', '{}', '{}', '{}',
        false, now())
"""
LIKES = """
INSERT INTO app.interactions (actor_id, target_id, kind, created_at, position, propensity)
VALUES (:ann, :ben, 'pass', '2024-05-02T10:00+02', 3, 0.25), (:ben, :ann, 'like', '2024-05-01T10:00+02', null, null)
"""
PUBLICATIONS = """
INSERT INTO matching.publications (id, state, ranker_version, encoder) OVERRIDING SYSTEM VALUE
VALUES (1, 'retired', '1', 'letters'), (2, 'live', '1', 'letters')
"""
MOST_COMPATIBLE = """
INSERT INTO matching.match_lists (publication_id, viewer_id, candidate_ids, p_like, p_liked_back, p_match, reasons,
    most_compatible_id, most_compatible_p_match, most_compatible_reasons)
VALUES (1, :ben, '{}', '{}', '{}', '{}', '[]', :ann, 0.5, '[]'),
       (2, :ann, '{}', '{}', '{}', '{}', '[]', :ben, 0.5, '[]'),
       (2, :ben, '{}', '{}', '{}', '{}', '[]', null, null, null)
"""
LIKE_AT = "INSERT INTO app.interactions (actor_id, target_id, kind, created_at) VALUES (:ann, :ben, 'like', '{}')"


@pytest.fixture
def app(connection: Connection) -> Connection:
    """A database with Ann and Ben: she passed on him, he likes her and blocks her."""
    run(connection, PROFILES, LIKES, "INSERT INTO app.blocks VALUES (:ben, :ann)")
    return connection


def run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        users = {name: user for name, user in (("ann", ANN), ("ben", BEN)) if f":{name}" in statement}
        connection.execute(text(statement), users)


def test_profiles_come_with_age_and_without_name_or_birth_date(app: Connection) -> None:
    frame = read_profiles(app)
    ann, ben = frame.to_dict("records")
    assert abs(ann.pop("extracted_at") - datetime.now(UTC)) < timedelta(minutes=1)
    assert ann == {
        "profile_id": ANN, "source_key": "x:1", "gender": "woman", "seeks": ["man", "woman"], "age": 30,
        "age_min": 25.0, "age_max": pytest.approx(np.nan, nan_ok=True), "latitude": 47.5, "longitude": -8.5,
        "max_distance_km": 10.0, "texts": {"Work": "Baker"}, "interests": ["chess"], "traits": {"height": 1.7},
        "facts": {"smokes": "no"}, "wants": {"fun": 0.5}, "paused": True,
    }  # fmt: skip
    assert (ben["profile_id"], ben["age"], ben["seeks"], ben["texts"]) == (BEN, -1, [], {})
    assert (ben["latitude"], ben["longitude"]) == (90.001, np.inf)  # for the contract to refuse
    assert "Secret" not in frame.to_string()
    assert read_blocks(app).to_dict("records") == [{"blocker_id": BEN, "blocked_id": ANN}]


def test_some_profiles_only_out_of_very_many_asked_for(app: Connection) -> None:
    strangers = [str(uuid.UUID(int=number)) for number in range(10, 70_010)]  # as parameters these would be too many
    assert read_profiles(app, [*strangers, BEN])["profile_id"].tolist() == [BEN]
    assert read_profiles(app, [])["profile_id"].tolist() == []


@pytest.mark.parametrize(
    "value", ["'{\"a\"\\: 1e100000}'", "CAST(repeat('[', 3000) || repeat(']', 3000) AS jsonb)", "'null'", "'7'"]
)
def test_json_that_python_has_no_value_for_is_missing(app: Connection, value: str) -> None:
    columns = ["texts", "traits", "facts", "wants"]
    changes = ", ".join(f"{column} = {value}" for column in columns)
    run(app, f"UPDATE app.profiles SET {changes} WHERE id = :ann")
    ann, ben = read_profiles(app)[columns].to_numpy().tolist()
    assert not any(isinstance(cell, dict) for cell in ann)
    assert ben == [{}] * 4


@pytest.mark.parametrize("zone", ["UTC", "Europe/Zurich", "America/St_Johns"])
def test_interactions_come_in_order_of_time_in_utc(app: Connection, zone: str) -> None:
    run(app, f"SET LOCAL timezone = '{zone}'")
    frame = read_interactions(app)
    assert frame[["actor_id", "target_id", "kind"]].to_numpy().tolist() == [[BEN, ANN, "like"], [ANN, BEN, "pass"]]
    assert frame["created_at"].tolist() == [pd.Timestamp("2024-05-01T08:00Z"), pd.Timestamp("2024-05-02T08:00Z")]
    assert frame["propensity"].tolist() == [pytest.approx(np.nan, nan_ok=True), 0.25]
    for moment in ("0001-01-03T00\\:00Z", "1800-01-01T00\\:00Z", "9999-12-29T00\\:00Z", "infinity"):
        run(app, LIKE_AT.format(moment))
    assert read_interactions(app)["created_at"].dt.year.tolist()[:5] == [1, 1800, 2024, 2024, 9999]
    assert pd.isna(read_interactions(app)["created_at"][5])


def test_a_kind_of_several_lines_is_one_row(app: Connection) -> None:
    run(app, "ALTER TABLE app.interactions DROP CONSTRAINT ck_interactions_kind")
    run(app, "UPDATE app.interactions SET kind = E'like\n\"super\",' WHERE actor_id = :ann")
    assert read_interactions(app)["kind"].isna().tolist() == [False, True]


def test_timestamps_of_the_future_are_counted(app: Connection) -> None:
    assert count_future_rows(app) == (0, 0)
    run(app, "UPDATE app.profiles SET updated_at = 'infinity' WHERE id = :ann")
    run(app, "UPDATE app.interactions SET created_at = now() + interval '1 day'")
    assert count_future_rows(app) == (1, 2)


def test_without_users_there_are_frames_with_all_columns(connection: Connection) -> None:
    profiles, interactions = read_profiles(connection), read_interactions(connection)
    assert (len(profiles), len(interactions), len(read_blocks(connection))) == (0, 0, 0)
    assert {"profile_id", "age", "texts", "paused", "extracted_at"} <= set(profiles.columns)
    assert {"actor_id", "target_id", "kind", "created_at", "propensity"} <= set(interactions.columns)


def test_the_most_compatible_are_of_the_live_publication(app: Connection) -> None:
    assert read_most_compatible(app, pd.Index([ANN, BEN])).tolist() == [-1, -1]
    run(app, PUBLICATIONS)
    for number in (1, 2):
        lists = f"CREATE TABLE matching.match_lists_{number} PARTITION OF matching.match_lists FOR VALUES IN ({number})"
        run(app, lists)
    run(app, MOST_COMPATIBLE)
    assert read_most_compatible(app, pd.Index([BEN, "a new user", ANN])).tolist() == [-1, -1, 0]
    for user in (ANN, BEN):  # the other is not in this run
        assert read_most_compatible(app, pd.Index([user])).tolist() == [-1]


def test_passes_of_others_are_those_outside_the_run(app: Connection) -> None:
    passed = [{"viewer_id": BEN, "passer_id": ANN}]
    assert read_passes_of_others(app, pd.Index([ANN, BEN])).empty
    for known in ([ANN], [BEN], []):
        assert read_passes_of_others(app, pd.Index(known)).to_dict("records") == passed
    for moment, expected in (("-infinity", passed), ("infinity", [])):
        run(app, LIKE_AT.format(moment))
        assert read_passes_of_others(app, pd.Index([ANN])).to_dict("records") == expected
