"""Arms and propensities are stored with a publication, follow its candidates, and go with their users."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from models.db.errors import PublicationRefused
from models.db.match_lists import MatchList
from models.db.publications import StoredPublication, publish_match_lists, roll_back
from models.db.rows.experiment_assignments import KEPT_DAYS, Assignment
from models.db.schema.reader_role import ROLE
from tests.models_db.conftest import AS_OF, SCORED_AT, TOWN, fetch, list_for, person_id, publish_lists, run, session

ARMS = """
SELECT experiment, publication_id, profile_id::text, arm, unit_key FROM matching.experiment_assignments ORDER BY 1, 2, 3
"""
CHANCES = {1: [0.5, 0.5, 0.25], 2: [1.0, 1.0]}
"""Propensities of the lists of TOWN."""


def assign(*numbers: int, experiment: str = "order", arm: str = "new") -> list[Assignment]:
    return [Assignment(person_id(number), experiment, arm, f"unit {number}") for number in numbers]


def randomised() -> Iterable[MatchList]:
    return [replace(list_for(one, others), propensities=CHANCES.get(one, ())) for one, others in TOWN.items()]


def publish(engine: Engine, assignments: Iterable[Assignment], lists: Iterable[MatchList] = ()) -> StoredPublication:
    return publish_match_lists(
        engine,
        lists or randomised(),
        ranker_version="7",
        encoder="letters",
        metrics={},
        as_of=AS_OF,
        scored_at=SCORED_AT,
        assignments=assignments,
    )


def stored_chances(engine: Engine, publication_id: int) -> dict[int, list[float]]:
    query = (
        "SELECT viewer_id, propensities FROM matching.match_lists WHERE publication_id = :id AND propensities <> '{}'"
    )
    return {row.viewer_id.int: row.propensities for row in fetch(engine, query, id=publication_id)}


def test_arms_are_stored_with_a_publication_and_stay_after_a_rollback(town: Engine) -> None:
    first = publish(town, [*assign(1, 2), *assign(2, experiment="swaps")])
    second = publish(town, assign(1, 2, arm="old"))
    roll_back(town)
    assert [tuple(row) for row in fetch(town, ARMS)] == [
        ("order", first.id, person_id(1), "new", "unit 1"),
        ("order", first.id, person_id(2), "new", "unit 2"),
        ("order", second.id, person_id(1), "old", "unit 1"),
        ("order", second.id, person_id(2), "old", "unit 2"),
        ("swaps", first.id, person_id(2), "new", "unit 2"),
    ]


def test_erasure_takes_arms_and_keeps_propensities_with_their_candidates(town: Engine) -> None:
    published = publish(town, assign(1, 2, 4))
    assert stored_chances(town, published.id) == CHANCES
    run(town, "DELETE FROM app.profiles WHERE id = :id", id=person_id(2))
    assert stored_chances(town, published.id) == {1: [0.5, 0.25]}
    assert [row.profile_id for row in fetch(town, ARMS)] == [person_id(1), person_id(4)]
    run(town, "ALTER TABLE matching.experiment_assignments DROP CONSTRAINT fk_experiment_assignments_profile_id")
    run(town, "DELETE FROM app.profiles WHERE id = :id", id=person_id(4))
    assert [row.profile_id for row in fetch(town, ARMS)] == [person_id(1)], "also where profiles are a view"


def test_those_erased_and_pairs_dropped_meanwhile_are_left_out(town: Engine) -> None:
    run(town, "INSERT INTO app.blocks VALUES (:one, :other)", one=person_id(1), other=person_id(4))
    published = publish(town, assign(1, 9))
    assert stored_chances(town, published.id) == CHANCES | {1: [0.5, 0.25]}
    assert [row.profile_id for row in fetch(town, ARMS)] == [person_id(1)], "nobody has the id 9"


@pytest.mark.parametrize("wrong", [[0.5], [0.5, 0.5, 0.0], [0.5, 0.5, 1.5], [0.5, 0.5, float("nan")]])
def test_wrong_propensities_are_refused(town: Engine, wrong: list[float]) -> None:
    with pytest.raises(PublicationRefused, match="propensit"):
        publish(town, [], [replace(list_for(1, TOWN[1]), propensities=wrong)])


def test_arms_of_failed_and_old_publications_are_deleted(town: Engine) -> None:
    old, kept = publish(town, assign(1)), publish(town, assign(1))
    age = f"UPDATE matching.publications SET created_at = now() - interval '{KEPT_DAYS + 1} days' WHERE id = :id"
    run(town, age, id=old.id)
    with pytest.raises(PublicationRefused, match="holds no pair"):
        publish(town, assign(1), [list_for(1, [])])
    publish_lists(town, TOWN)
    assert [row.publication_id for row in fetch(town, ARMS)] == [kept.id]


SEE = """
INSERT INTO app.views (viewer_id, candidate_id, publication_id, position, surface)
VALUES (:viewer, :candidate, :publication, 3, :surface)
"""


def test_impressions_know_the_arm_and_the_propensity(town: Engine) -> None:
    published = publish(town, assign(1, 3))
    for viewer, surface in ((1, "list"), (1, "similar"), (2, "list"), (3, "list")):
        ids = {"viewer": person_id(viewer), "candidate": person_id(6), "publication": published.id}
        run(town, SEE, **ids, surface=surface)
    query = """
        SELECT experiment, arm, unit_key, publication_id, surface, position, propensity
        FROM matching.experiment_impressions ORDER BY unit_key, surface
    """
    assert [tuple(row) for row in fetch(town, query)] == [
        ("order", "new", "unit 1", published.id, "list", 3, 0.25),
        ("order", "new", "unit 1", published.id, "similar", 3, None),
        ("order", "new", "unit 3", published.id, "list", 3, None),
    ]


def test_the_reader_learns_the_arms_of_one_viewer(town: Engine) -> None:
    published = publish(town, [*assign(1, 2), *assign(1, experiment="layout", arm="b")])
    with session(town.url) as reader:
        reader.execute(f"SET ROLE {ROLE}".encode())
        asked = ((1, published.id), (2, published.id), (3, published.id), (1, published.id + 1))
        arms = [
            reader.execute("SELECT matching_api.read_arms(%s, %s)", [person_id(viewer), made_in]).fetchall()
            for viewer, made_in in asked
        ]
    assert arms == [[("layout=b, order=new",)], [("order=new",)], [(None,)], [(None,)]]
