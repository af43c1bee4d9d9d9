"""Towns as an app's own views might have them, with rows that no constraint kept out, and towns with next to nobody."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from upath import UPath

from models.db.errors import NotEnoughProfiles, PublicationRefused
from pipelines.loaders.simulation import simulated_loader
from pipelines.store.frame_store import convert_from_table, read_table
from pipelines.workspace import Workspace
from tests.pipelines.conftest import Databases, Place

# The app's tables without any rule of ours, as views have none. What is ours keeps its rules.
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
# Each is what one column of somebody holds, and the reason that must be given for refusing them.
BAD_PROFILES = {
    "birth_date = '9999-12-31'": "age must be 18 to 110",
    "birth_date = 'infinity'": "age must be 18 to 110",
    "birth_date = '-infinity'": "age must be 18 to 110",
    "birth_date = '0044-03-15 BC'": "age must be 18 to 110",
    "birth_date = '1850-01-01'": "age must be 18 to 110",
    "birth_date = NULL": "age must be 18 to 110",
    "gender = NULL": "gender is missing",
    "gender = '  '": "gender is missing",
    "seeks = NULL": "seeks must be a list of genders",
    "seeks = '{NULL}'": "seeks must be a list of genders",
    """traits = '{"height": "NaN"}'""": "traits must be finite numbers",
    """traits = '{"height": 1e400}'""": "traits must be finite numbers",
    """traits = '{"height": 1e100000}'""": "traits must be finite numbers",
    """traits = '{"height": -1e5000}'""": "traits must be finite numbers",
    """wants = '{"fun": 1e5000}'""": "wants must be importances from 0 to 1",
    """texts = CAST(repeat('[', 3000) || repeat(']', 3000) AS jsonb)""": "texts must be strings",
    """facts = CAST(repeat('{"a":', 3000) || '1' || repeat('}', 3000) AS jsonb)""": "facts must be words",
    "texts = 'null'": "texts must be strings",
    "seeks = '{{man,woman},{man,man}}'": "seeks must be a list of genders",
    "interests = '{{chess},{go}}'": "interests must be a list of words",
    "interests = '{NULL}'": "interests must be a list of words",
    "latitude = 1e308": "latitude must be -90 to 90",
    "max_distance_km = 'infinity'": "max_distance_km must be 0 to 40,100",
    """traits = '{"height": null}'""": "traits must be finite numbers",
    "traits = '[1, 2]'": "traits must be finite numbers",
    """wants = '{"fun": 7}'""": "wants must be importances from 0 to 1",
    "facts = '\"none\"'": "facts must be words",
    """texts = '["hello"]'""": "texts must be strings",
    """texts = '{"About me": {"a": 1}}'""": "texts must be strings",
    """texts = jsonb_build_object('About me', repeat('long ', 200000))""": (
        "an answer is longer than 10,000 characters"
    ),
    "latitude = 'NaN', longitude = 500": "longitude must be -180 to 180",
    "latitude = 'infinity'": "latitude must be -90 to 90",
    "age_min = -5": "age_min must be 0 to 150",
    "max_distance_km = -1": "max_distance_km must be 0 to 40,100",
}
SOMEBODY = "(SELECT id FROM app.profiles WHERE source_key LIKE 'simulated:%' ORDER BY id LIMIT 1)"
ANOTHER = "(SELECT id FROM app.profiles WHERE source_key LIKE 'simulated:%' ORDER BY id LIMIT 1 OFFSET 5)"
NOBODY = "'00000000-0000-0000-0000-00000000dead'"
BAD_INTERACTIONS = {
    f"{SOMEBODY}, {ANOTHER}, 'superlike', now(), NULL": "kind must be like or pass",
    f"{SOMEBODY}, {ANOTHER}, '', now(), NULL": "kind must be like or pass",
    f"{SOMEBODY}, {NOBODY}, 'like', now(), NULL": "target_id is not among the accepted profiles",
    f"{NOBODY}, {SOMEBODY}, 'like', now(), NULL": "actor_id is not among the accepted profiles",
    f"NULL, {SOMEBODY}, 'like', now(), NULL": "actor_id is not among the accepted profiles",
    f"{SOMEBODY}, {SOMEBODY}, 'like', now(), NULL": "actor and target are the same person",
    f"{SOMEBODY}, {ANOTHER}, 'like', 'infinity', NULL": "created_at is missing",
    f"{SOMEBODY}, {ANOTHER}, E'like\\n\"', now(), NULL": "kind must be like or pass",
    f"{SOMEBODY}, {ANOTHER}, repeat('like,', 500000), now(), NULL": "kind must be like or pass",
    f"{SOMEBODY}, {ANOTHER}, 'like', '-infinity', NULL": "created_at is missing",
    f"{SOMEBODY}, {ANOTHER}, 'like', '4713-01-01 BC', NULL": "created_at is missing",
    f"{SOMEBODY}, {ANOTHER}, 'like', '294276-12-31', NULL": "created_at is missing",
    f"{SOMEBODY}, {ANOTHER}, 'like', NULL, NULL": "created_at is missing",
    f"{SOMEBODY}, {ANOTHER}, 'like', now(), 'infinity'": "propensity must be 0 to 1",
    f"{SOMEBODY}, {ANOTHER}, 'like', now(), 1.5": "propensity must be 0 to 1",
}
# What is strange, and breaks no rule. In this time zone moments of long ago have seconds in their offset.
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
COPY_OF_SOMEBODY = """
INSERT INTO app.profiles (id, source_key, display_name, birth_date, gender, seeks, texts)
SELECT id, 'bad:{number}', 'Somebody', '1990-01-01', 'woman', '{{man}}', '{{}}' FROM
(SELECT gen_random_uuid() AS id) AS fresh
"""


@pytest.fixture(scope="module")
def lawless(databases: Databases, empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A town of 60 into which every bad row got, run to the end."""
    with databases() as url:
        place = Place(shutil.copytree(empty_home, tmp_path_factory.mktemp("lawless") / "home"), url)
        simulated_loader.load_simulated(place.engine, 60, 4, place.home)
        place.tell(*LAWLESS)
        for number, change in enumerate(BAD_PROFILES):
            literal = change.replace(":", "\\:")
            place.tell(
                COPY_OF_SOMEBODY.format(number=number),
                f"UPDATE app.profiles SET {literal} WHERE source_key = 'bad\\:{number}'",
            )
        place.tell(f"INSERT INTO app.profiles SELECT * FROM app.profiles WHERE id = {SOMEBODY}".replace(":", "\\:"))
        for values in BAD_INTERACTIONS:
            place.tell(
                "INSERT INTO app.interactions (actor_id, target_id, kind, created_at, propensity) VALUES "
                f"({values})".replace(":", "\\:")
            )
        place.tell(
            "INSERT INTO app.interactions (id, actor_id, target_id, kind)"
            " SELECT id, actor_id, target_id, kind FROM app.interactions"
            " WHERE kind IN ('like', 'pass') AND position IS NOT NULL ORDER BY id LIMIT 1"
        )
        place.tell(*(each.replace(":", "\\:") for each in STRANGE))
        place.run()
        yield place


def frame(place: Place, asset: str) -> pd.DataFrame:
    return convert_from_table(read_table(UPath(place.home / "store" / f"{asset}.parquet")))


def test_every_bad_profile_is_put_aside_with_its_reason(lawless: Place) -> None:
    rejected = frame(lawless, "rejected_profiles")
    key_of = {str(key): source for key, source in lawless.ask("SELECT id, source_key FROM app.profiles")}
    reasons = dict(zip(rejected["profile_id"].map(key_of), rejected["reason"], strict=True))
    expected = {f"bad:{number}": reason for number, reason in enumerate(BAD_PROFILES.values())}
    assert {key: reason for key, reason in reasons.items() if key in expected} == expected
    (twice,) = set(reasons) - set(expected)
    assert reasons[twice] == "profile_id occurs twice"


def test_every_bad_interaction_is_put_aside_with_its_reason(lawless: Place) -> None:
    rejected = frame(lawless, "rejected_interactions")
    assert Counter(rejected["reason"]) == Counter([*BAD_INTERACTIONS.values(), "interaction_id occurs twice"])


def test_all_the_others_are_matched(lawless: Place) -> None:
    assert set(frame(lawless, "profiles")["source_key"].str.partition(":")[0]) == {"simulated"}
    assert len(frame(lawless, "profiles")) == 60
    strangers = (
        "SELECT count(*) FROM matching.matches JOIN app.profiles ON id IN (viewer_id, candidate_id)"
        " WHERE state = 'live' AND source_key LIKE 'bad:%'"
    )
    assert lawless.ask(strangers) == [(0,)]
    ((viewers,),) = lawless.ask("SELECT viewer_count FROM matching.publications WHERE state = 'live'")
    assert viewers > 40


def test_what_is_strange_is_used_and_of_the_future_is_counted(lawless: Place) -> None:
    years = set(frame(lawless, "interactions")["created_at"].dt.year)
    assert {1, 1800, 9999} <= years
    assert lawless.metadata("profiles")["from_the_future"] == 2
    assert lawless.metadata("interactions")["from_the_future"] == 2 + 2  # those that are refused, too


@pytest.mark.parametrize("people", [0, 1])
def test_a_town_of_nobody_or_one_ends_with_what_to_do(place: Place, people: int) -> None:
    simulated_loader.load_simulated(place.engine, people, 1, place.home)
    with pytest.raises(
        NotEnoughProfiles, match=rf"^{people} usable of {people} profiles in app\.profiles, and matching takes two"
    ):
        place.run()


def test_a_town_of_which_nobody_is_usable_says_why_and_keeps_who_they_are(place: Place) -> None:
    young, nameless = ("current_date - 4000, 'woman'", 5), ("'1990-01-01', ' '", 3)
    for values, number in (young, nameless):
        place.tell(
            "INSERT INTO app.profiles (display_name, birth_date, gender, seeks)"
            f" SELECT 'Ann', {values}, '{{woman}}' FROM generate_series(1, {number})"
        )
    usable = r"^0 usable of 8 profiles in app\.profiles, and matching takes two"
    with pytest.raises(
        NotEnoughProfiles, match=rf"{usable}: .* refused: age must be 18 to 110 \(5\), gender is missing \(3\)$"
    ):
        place.run()
    assert Counter(Workspace(place.settings).read_frame("rejected_profiles")["reason"]) == Counter(
        {"age must be 18 to 110": 5, "gender is missing": 3}
    )


def people_of_one_kind(place: Place, seeks: str) -> None:
    place.tell(
        "INSERT INTO app.profiles (display_name, birth_date, gender, seeks, texts, interests)"
        f" SELECT 'Ann', '1990-01-01', 'woman', '{{{seeks}}}', jsonb_build_object('About me', 'I sail'), '{{sailing}}'"
        " FROM generate_series(1, 4)"
    )


def test_where_nobody_is_eligible_for_anybody_nothing_is_published(place: Place) -> None:
    people_of_one_kind(place, "man")
    with pytest.raises(PublicationRefused, match="it holds no pair"):
        place.run()
    assert place.ask("SELECT state FROM matching.publications") == [("failed",)]


def test_before_anybody_liked_anybody_the_prior_publishes(place: Place) -> None:
    people_of_one_kind(place, "woman")
    place.run()
    assert place.ask("SELECT viewer_count, pair_count FROM matching.publications WHERE state = 'live'") == [(4, 12)]
    assert place.metadata("ranker")["promoted"] is True
    ((least, most),) = place.ask("SELECT min(p_match), max(p_match) FROM matching.matches")
    assert least == most  # they are all alike
