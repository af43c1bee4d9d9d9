"""App tables with rows that no constraint kept out, as an app's own views might have, and with hardly any users."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from models.db.engines import convert_to_libpq_url
from models.db.errors import NotEnoughProfiles, PublicationRefused
from pipelines.loaders.simulation import simulated_loader
from pipelines.workspace import Workspace
from tests.pipelines.conftest import Databases, Place

# The app's tables without our constraints, as views have none.
LAWLESS = (
    "ALTER TABLE app.profiles DROP CONSTRAINT pk_profiles CASCADE",
    "ALTER TABLE app.profiles DROP CONSTRAINT uq_profiles_source_key",
    *(
        f"ALTER TABLE app.profiles ALTER {name} DROP NOT NULL"
        for name in ("birth_date", "gender", "seeks", "texts", "interests", "traits", "facts", "wants", "paused")
    ),
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
    "seeks = NULL": "seeks must be a list of genders",
    """traits = '{"height": "NaN"}'""": "traits must be finite numbers",
    """traits = '{"height": 1e100000}'""": "traits must be finite numbers",
    """wants = '{"fun": 1e5000}'""": "wants must be importances from 0 to 1",
    """texts = CAST(repeat('[', 3000) || repeat(']', 3000) AS jsonb)""": "texts must be strings",
    """facts = CAST(repeat('{"a":', 3000) || '1' || repeat('}', 3000) AS jsonb)""": "facts must be words",
    "seeks = '{{man,woman},{man,man}}'": "seeks must be a list of genders",
    "interests = '{{chess},{go}}'": "interests must be a list of words",
    "max_distance_km = 'infinity'": "max_distance_km must be 0 to 40,100",
    """traits = '{"height": null}'""": "traits must be finite numbers",
    """texts = '{"About me": {"a": 1}}'""": "texts must be strings",
    "texts = jsonb_build_object('', repeat('long ', 200000))": "an answer is longer than 10,000 characters",
    "latitude = 'NaN', longitude = 500": "longitude must be -180 to 180",
}
SOMEBODY = "(SELECT id FROM app.profiles WHERE source_key LIKE 'simulated:%' ORDER BY id LIMIT 1)"
ANOTHER = "(SELECT id FROM app.profiles WHERE source_key LIKE 'simulated:%' ORDER BY id LIMIT 1 OFFSET 5)"
NOBODY = "'00000000-0000-0000-0000-00000000dead'"
BAD_INTERACTIONS = {
    f"{SOMEBODY}, {ANOTHER}, 'superlike', now(), NULL": "kind must be like or pass",
    f"{NOBODY}, {SOMEBODY}, 'like', now(), NULL": "actor_id is not among the accepted profiles",
    f"NULL, {SOMEBODY}, 'like', now(), NULL": "actor_id is not among the accepted profiles",
    f"{SOMEBODY}, {SOMEBODY}, 'like', now(), NULL": "actor and target are the same person",
    f"{SOMEBODY}, {ANOTHER}, E'like\\n\"', now(), NULL": "kind must be like or pass",
    f"{SOMEBODY}, {ANOTHER}, 'like', '4713-01-01 BC', NULL": "created_at is missing",
    f"{SOMEBODY}, {ANOTHER}, 'like', NULL, NULL": "created_at is missing",
    f"{SOMEBODY}, {ANOTHER}, 'like', now(), 'infinity'": "propensity must be 0 to 1",
}
# Strange, but within the rules. In this time zone times of long ago have seconds in their offset.
STRANGE = (
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'Europe/Zurich'); END $$",
    *(
        f"UPDATE app.profiles SET created_at = {stamp}, updated_at = {stamp}"
        f" WHERE id = (SELECT id FROM app.profiles WHERE source_key LIKE 'simulated:%' ORDER BY id LIMIT 1"
        f" OFFSET {number})"
        for number, stamp in enumerate(("'infinity'", "'-infinity'", "now() + interval '1 day'", "'1800-01-01'"), 10)
    ),
    *(
        "INSERT INTO app.interactions (actor_id, target_id, kind, created_at, publication_id, position, propensity)"
        f" SELECT {SOMEBODY}, person.id, 'pass', {stamp}, 9223372036854775807, 1000000000, 'NaN'"
        f" FROM app.profiles AS person WHERE source_key LIKE 'simulated:%' AND person.id <> {SOMEBODY}"
        f" ORDER BY person.id LIMIT 1 OFFSET {number}"
        for number, stamp in enumerate(("'0001-01-03'", "'9999-12-29'", "now() + interval '1 day'", "'1800-01-01'"))
    ),
)
BAD_PROFILE = """
INSERT INTO app.profiles (id, source_key, display_name, birth_date, gender, seeks, texts)
VALUES (gen_random_uuid(), 'bad:{number}', 'Somebody', '1990-01-01', 'woman', '{{man}}', '{{}}')
"""
# A profile and an interaction that are there twice.
DUPLICATES = (
    f"INSERT INTO app.profiles SELECT * FROM app.profiles WHERE id = {SOMEBODY}",
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
        execute(place, *(f"{into} VALUES ({values})" for values in BAD_INTERACTIONS), *DUPLICATES, *STRANGE)
        place.run()
        yield place


def test_every_bad_row_is_refused_with_its_reason(lawless: Place) -> None:
    rejected = Workspace(lawless.settings).read_frame("rejected_profiles")
    key_of = {str(key): source for key, source in lawless.ask("SELECT id, source_key FROM app.profiles")}
    reasons = dict(zip(rejected["profile_id"].map(key_of), rejected["reason"], strict=True))
    expected = {f"bad:{number}": reason for number, reason in enumerate(BAD_PROFILES.values())}
    assert {key: reason for key, reason in reasons.items() if key in expected} == expected
    (twice,) = set(reasons) - set(expected)
    assert reasons[twice] == "profile_id occurs twice"
    interactions = Workspace(lawless.settings).read_frame("rejected_interactions")
    assert Counter(interactions["reason"]) == Counter([*BAD_INTERACTIONS.values(), "interaction_id occurs twice"])


def test_all_others_are_matched(lawless: Place) -> None:
    accepted = Workspace(lawless.settings).profiles["source_key"]
    assert len(accepted) == 60
    assert set(accepted.str.partition(":")[0]) == {"simulated"}
    ((viewers,),) = lawless.ask("SELECT viewer_count FROM matching.publications WHERE state = 'live'")
    assert viewers > 40


def test_strange_rows_are_used_and_those_of_the_future_counted(lawless: Place) -> None:
    assert {1, 1800, 9999} <= set(Workspace(lawless.settings).read_frame("interactions")["created_at"].dt.year)
    assert lawless.metadata("profiles")["from_the_future"] == 2
    assert lawless.metadata("interactions")["from_the_future"] == 2 + 2  # those that are refused, too


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


@pytest.fixture
def alike(place: Place) -> Place:
    """Four women who are all alike and have decided nothing."""
    place.tell(
        "INSERT INTO app.profiles (display_name, birth_date, gender, seeks, texts, interests)"
        " SELECT 'Ann', '1990-01-01', 'woman', '{woman}', jsonb_build_object('About me', 'I sail'), '{sailing}'"
        " FROM generate_series(1, 4)"
    )
    return place


def test_before_any_decision_the_prior_publishes(alike: Place) -> None:
    alike.run()
    assert alike.ask("SELECT viewer_count, pair_count FROM matching.publications WHERE state = 'live'") == [(4, 12)]
    assert alike.metadata("ranker")["promoted"] is True
    ((least, most),) = alike.ask("SELECT min(p_match), max(p_match) FROM matching.matches")
    assert least == most


def test_without_an_eligible_pair_nothing_is_published(alike: Place) -> None:
    alike.tell("UPDATE app.profiles SET seeks = '{man}'")
    with pytest.raises(PublicationRefused, match="no pair"):
        alike.run()
    assert alike.ask("SELECT state FROM matching.publications") == [("failed",)]
