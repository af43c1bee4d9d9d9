"""Runs on rows that no constraint kept out, as an app's own views might have them, and on hardly any users."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from models.db.engines import convert_to_libpq_url
from models.db.errors import NotEnoughProfiles, PublicationRefused
from pipelines.commands.run_pipeline import run_job
from pipelines.definitions import NIGHTLY_JOB, list_assets_without_training
from pipelines.loaders.simulation import simulated_loader
from pipelines.workspace import Workspace
from tests.pipelines.conftest import Databases, Place

# The app's tables without our constraints, as views have none, in a time zone where long ago offsets have seconds.
LAWLESS = (
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'Europe/Zurich'); END $$",
    "ALTER TABLE app.profiles DROP CONSTRAINT pk_profiles CASCADE",
    "ALTER TABLE app.profiles DROP CONSTRAINT uq_profiles_source_key",
    *(f"ALTER TABLE app.profiles ALTER {name} DROP NOT NULL" for name in ("birth_date", "gender", "seeks")),
    "ALTER TABLE app.interactions DROP CONSTRAINT pk_interactions",
    "ALTER TABLE app.interactions DROP CONSTRAINT ck_interactions_kind",
    "ALTER TABLE app.interactions DROP CONSTRAINT ck_interactions_not_oneself",
    "ALTER TABLE app.interactions ALTER actor_id DROP NOT NULL",
    "ALTER TABLE app.interactions ALTER created_at DROP NOT NULL",
)
# What a column of a profile holds, and the reason of its refusal.
BAD_PROFILES = {
    "birth_date = '9999-12-31'": "age must be 18 to 110",
    "birth_date = 'infinity'": "age must be 18 to 110",
    "birth_date = '0044-03-15 BC'": "age must be 18 to 110",
    "gender = NULL": "gender is missing",
    "seeks = NULL": "seeks must be a list of genders",
    "seeks = '{{man,woman},{man,man}}'": "seeks must be a list of genders",
    """traits = '{"height": 1e100000}'""": "traits must be finite numbers",
    """wants = '{"fun": 1e5000}'""": "wants must be importances from 0 to 1",
    """facts = CAST(repeat('{"a":', 3000) || '1' || repeat('}', 3000) AS jsonb)""": "facts must be words",
    """texts = '{"About me": {"a": 1}}'""": "texts must be strings",
    "texts = jsonb_build_object('', repeat('long ', 200000))": "an answer is longer than 10,000 characters",
    "interests = '{{chess},{go}}'": "interests must be a list of words",
    "latitude = 'NaN', longitude = 500": "longitude must be -180 to 180",
    "max_distance_km = 'infinity'": "max_distance_km must be 0 to 40,100",
}
BAD_PROFILE = """
INSERT INTO app.profiles (id, source_key, display_name, birth_date, gender, seeks, texts)
VALUES (gen_random_uuid(), 'bad:{number}', 'Somebody', '1990-01-01', 'woman', '{{man}}', '{{}}')
"""
FIRST, SECOND = (f"(SELECT id FROM app.profiles ORDER BY source_key DESC, id LIMIT 1 OFFSET {n})" for n in (0, 1))
BAD_INTERACTIONS = {
    f"{FIRST}, {SECOND}, E'like\\n\"', now(), NULL": "kind must be like or pass",
    f"NULL, {FIRST}, 'like', now(), NULL": "actor_id is not among the accepted profiles",
    f"{FIRST}, {FIRST}, 'like', now(), NULL": "actor and target are the same person",
    f"{FIRST}, {SECOND}, 'like', '-infinity', NULL": "created_at is missing",
    f"{FIRST}, {SECOND}, 'like', '4713-01-01 BC', NULL": "created_at is missing",
    f"{FIRST}, {SECOND}, 'like', now(), 'infinity'": "propensity must be 0 to 1",
}
STRANGE_INTERACTIONS = [
    f"{FIRST}, {SECOND}, 'pass', {time}, 'NaN'" for time in ("'0001-01-03'", "'1800-01-02'", "'9999-12-29'")
]
TWICE = (
    f"INSERT INTO app.profiles SELECT * FROM app.profiles WHERE id = {FIRST}",
    """
INSERT INTO app.interactions (id, actor_id, target_id, kind) SELECT id, actor_id, target_id, kind FROM app.interactions
WHERE kind IN ('like', 'pass') AND position IS NOT NULL ORDER BY id LIMIT 1
""",
)


def execute(place: Place, *statements: str) -> None:
    """Execute statements as they are, colons included."""
    with psycopg.connect(convert_to_libpq_url(place.database_url), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture(scope="module")
def lawless(databases: Databases, empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A population of 60 with every bad row among it, after a run."""
    with databases() as url:
        place = Place(shutil.copytree(empty_home, tmp_path_factory.mktemp("lawless") / "home"), url)
        simulated_loader.load_simulated(place.engine, 60, 4, place.home)
        execute(place, *LAWLESS)
        for number, change in enumerate(BAD_PROFILES):
            update = f"UPDATE app.profiles SET {change} WHERE source_key = 'bad:{number}'"
            execute(place, BAD_PROFILE.format(number=number), update)
        into = "INSERT INTO app.interactions (actor_id, target_id, kind, created_at, propensity)"
        execute(place, *(f"{into} VALUES ({values})" for values in [*BAD_INTERACTIONS, *STRANGE_INTERACTIONS]), *TWICE)
        place.run()
        yield place


def test_bad_rows_are_refused_with_their_reason_and_others_used(lawless: Place) -> None:
    left = Workspace(lawless.settings)
    reasons = Counter(left.read_frame("rejected_profiles")["reason"])
    assert reasons == Counter([*BAD_PROFILES.values(), "profile_id occurs twice"])
    reasons = Counter(left.read_frame("rejected_interactions")["reason"])
    assert reasons == Counter([*BAD_INTERACTIONS.values(), "interaction_id occurs twice"])
    assert len(left.profiles) == 60
    assert set(left.profiles["source_key"].str.partition(":")[0]) == {"simulated"}
    assert {1, 1800, 9999} <= set(left.interactions["created_at"].dt.year)
    ((viewers,),) = lawless.ask("SELECT viewer_count FROM matching.publications WHERE state = 'live'")
    assert viewers > 40


def test_without_a_usable_profile_the_reasons_are_given_and_kept(place: Place) -> None:
    for values, number in (("current_date - 4000, 'woman'", 5), ("'1990-01-01', ' '", 3)):
        place.tell(
            "INSERT INTO app.profiles (display_name, birth_date, gender, seeks)"
            f" SELECT 'Ann', {values}, '{{woman}}' FROM generate_series(1, {number})"
        )
    reasons = {"age must be 18 to 110": 5, "gender is missing": 3}
    with pytest.raises(NotEnoughProfiles, match="0 usable of 8 profiles") as refused:
        place.run()
    assert all(f"{reason} ({count})" in str(refused.value) for reason, count in reasons.items())
    assert Counter(Workspace(place.settings).read_frame("rejected_profiles")["reason"]) == reasons


def test_the_prior_publishes_unless_there_is_no_pair(place: Place) -> None:
    """Four women who are all alike and have decided nothing, first seeking men, then women."""
    place.tell(
        "INSERT INTO app.profiles (display_name, birth_date, gender, seeks, texts, interests)"
        " SELECT 'Ann', '1990-01-01', 'woman', '{man}', jsonb_build_object('About me', 'I sail'), '{sailing}'"
        " FROM generate_series(1, 4)"
    )
    with pytest.raises(PublicationRefused, match="no pair"):
        place.run()
    assert place.ask("SELECT state FROM matching.publications") == [("failed",)]
    assert place.metadata("ranker")["promoted"] is True
    place.tell("UPDATE app.profiles SET seeks = '{woman}'")
    run_job(place.settings, NIGHTLY_JOB, list_assets_without_training())
    assert place.ask("SELECT viewer_count, pair_count FROM matching.publications WHERE state = 'live'") == [(4, 12)]
    ((least, most),) = place.ask("SELECT min(p_match), max(p_match) FROM matching.matches")
    assert least == most
