"""Half a town answers in Thai, which the encoder cannot read: a whole night and the real API."""

import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from pipelines.assets.incremental_embeddings import INCREMENTAL_JOB
from pipelines.definitions import build_definitions
from pipelines.loaders.simulation import simulated_loader
from tests.pipelines.conftest import Databases, Place
from tests.serving.conftest import serving, token_for

# Unrelated sentences, an answer of emoji only and one that says nothing.
UNREADABLE = [
    "ฉันชอบเดินป่าบนภูเขาทุกสุดสัปดาห์กับสุนัขของฉัน",
    "การเมืองไม่ใช่เรื่องที่ฉันอยากคุยในเดทแรก",
    "แม่ของฉันทำอาหารอร่อยมาก โดยเฉพาะแกงเขียวหวาน",
    "😀🏔️🐕",
    "...",
]
PEOPLE = 60
ANSWER = "UPDATE app.profiles SET texts = CAST(:texts AS jsonb), updated_at = now() WHERE source_key = :key"
IDS = "SELECT id::text FROM app.profiles WHERE split_part(source_key, ':', 3)::int < %(half)s ORDER BY 1"
SAID = """
SELECT viewer_id::text, candidate_id::text FROM matching.matches, jsonb_array_elements(reasons) AS reason
WHERE reason ->> 'code' = 'similar_answers'
"""
EMBEDDED = "SELECT profile_id::text FROM matching.embeddings"


@pytest.fixture(scope="module")
def town(databases: Databases, empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Sixty simulated people, of whom the first thirty give answers that cannot be read."""
    with databases() as url:
        place = Place(shutil.copytree(empty_home, tmp_path_factory.mktemp("thai") / "home"), url)
        simulated_loader.load_simulated(place.engine, PEOPLE, 1, place.home)
        for number in range(PEOPLE // 2):
            texts = {"about_me": UNREADABLE[number % len(UNREADABLE)], "looking_for": "🎉"}
            place.tell(ANSWER, texts=json.dumps(texts), key=f"simulated:1-{PEOPLE}:{number}")
        place.run()
        yield place


@pytest.fixture(scope="module")
def unread(town: Place) -> set[str]:
    return {person for (person,) in town.ask(IDS, half=PEOPLE // 2)}


def test_who_cannot_be_read_has_no_vector_and_no_reason(town: Place, unread: set[str]) -> None:
    embedded = {person for (person,) in town.ask(EMBEDDED)}
    assert embedded
    assert not embedded & unread
    said = town.ask(SAID)
    assert said, "those who can be read do answer in the same spirit"
    assert not {person for pair in said for person in pair} & unread


def test_who_cannot_be_read_is_nobodys_neighbour_and_has_none(
    town: Place, unread: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    readable = {person for (person,) in town.ask(EMBEDDED)}
    with serving(town.database_url, tmp_path_factory.mktemp("api") / "log") as api:
        for person in sorted(unread)[:10]:
            assert api.get("/v1/me/similar", token_for(uuid.UUID(person))).json()["matches"] == []
        shown: set[str] = set()
        for person in sorted(readable):
            similar = api.get("/v1/me/similar", token_for(uuid.UUID(person))).json()["matches"]
            shown |= {match["candidate"]["id"] for match in similar}
    assert shown, "those who can be read have neighbours"
    assert not shown & unread


def test_an_edit_that_cannot_be_read_removes_the_vector_and_is_done_with(town: Place) -> None:
    (person, key), *_ = town.ask(
        "SELECT id::text, source_key FROM app.profiles JOIN matching.embeddings ON profile_id = id ORDER BY 1"
    )
    town.tell(ANSWER, texts=json.dumps({"about_me": UNREADABLE[0]}), key=key)
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions(town.settings).resolve_job_def(INCREMENTAL_JOB)
        assert job.execute_in_process(instance=instance).success
        assert person not in {each for (each,) in town.ask(EMBEDDED)}
        assert job.execute_in_process(instance=instance).success
    town.materialize("profiles", "rejected_profiles", "profile_embeddings")
    assert town.metadata("profile_embeddings")["answers_encoded"] == 0
    assert person not in {each for (each,) in town.ask(EMBEDDED)}
