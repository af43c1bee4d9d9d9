"""Half of all users answer in Thai, which the encoder cannot read: a run and the real API."""

import json
import uuid
from collections.abc import Iterator

import dagster as dg
import pytest

from pipelines.assets.incremental_embeddings import INCREMENTAL_JOB
from pipelines.commands.run_pipeline import run_job
from pipelines.definitions import NIGHTLY_JOB, build_definitions, list_assets_without_training
from tests.pipelines.conftest import Databases, Place
from tests.serving.conftest import serving, token_for
from tests.support.installations import copied

# Unrelated sentences, an answer of emoji only and one that says nothing.
UNREADABLE = [
    "ฉันชอบเดินป่าบนภูเขาทุกสุดสัปดาห์กับสุนัขของฉัน",
    "การเมืองไม่ใช่เรื่องที่ฉันอยากคุยในเดทแรก",
    "แม่ของฉันทำอาหารอร่อยมาก โดยเฉพาะแกงเขียวหวาน",
    "😀🏔️🐕",
    "...",
]
ANSWER = "UPDATE app.profiles SET texts = CAST(:texts AS jsonb), updated_at = now() WHERE source_key = :key"
KEYS = "SELECT source_key FROM app.profiles ORDER BY 1"
SAID = """
SELECT viewer_id::text, candidate_id::text FROM matching.matches, jsonb_array_elements(reasons) AS reason
WHERE state = 'live' AND reason ->> 'code' = 'similar_answers'
"""
EMBEDDED = "SELECT profile_id::text FROM matching.embeddings"


@pytest.fixture(scope="module")
def town(settled: Place, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A copy of an installation in which every second user edits all answers, and the run after that."""
    with copied(settled, databases, tmp_path_factory.mktemp("thai")) as place:
        for number, (key,) in enumerate(place.ask(KEYS)[::2]):
            texts = {"about_me": UNREADABLE[number % len(UNREADABLE)], "looking_for": "🎉"}
            place.tell(ANSWER, texts=json.dumps(texts), key=key)
        run_job(place.settings, NIGHTLY_JOB, list_assets_without_training())
        yield place


@pytest.fixture(scope="module")
def unread(town: Place) -> set[str]:
    return {person for (person,) in town.ask("SELECT id::text FROM app.profiles WHERE texts ->> 'looking_for' = '🎉'")}


def test_unreadable_answers_give_no_vector_and_no_reason(town: Place, unread: set[str]) -> None:
    embedded = {person for (person,) in town.ask(EMBEDDED)}
    assert embedded
    assert not embedded & unread
    said = town.ask(SAID)
    assert said
    assert not {person for pair in said for person in pair} & unread


def test_who_cannot_be_read_is_similar_to_nobody(
    town: Place, unread: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    readable = {person for (person,) in town.ask(EMBEDDED)}
    with serving(town.database_url, tmp_path_factory.mktemp("api") / "log") as api:
        for person in sorted(unread)[:10]:
            assert api.get("/v1/me/similar", token_for(uuid.UUID(person))).json()["matches"] == []
        shown: set[str] = set()
        for person in sorted(readable)[:20]:
            similar = api.get("/v1/me/similar", token_for(uuid.UUID(person))).json()["matches"]
            shown |= {match["candidate"]["id"] for match in similar}
    assert shown
    assert not shown & unread


def test_an_unreadable_edit_removes_the_vector_for_good(town: Place) -> None:
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
