"""The outcome head in the real job: refused with the reason, or trained, registered and used by the lists."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from models.ml.conversations.head.outcome_head import OutcomeHead
from models.ml.conversations.head.past_rates import RatePrior
from models.ml.ranker.linear import LinearModel
from pipelines.assets.conversations.head.head_inputs import read_open_conversations, read_opt_outs
from pipelines.definitions import build_registry
from pipelines.store.registry.head_registry import find_head, parse_head, serialise_head
from tests.models_ml.conversations.head.planted_matches import plant_matches
from tests.pipelines.conftest import Databases, Place
from tests.support.places import copied, read_frame, write_frame

CONVERSATION = """
INSERT INTO app.conversations (id, person_a, person_b, matched_at, closed_at)
VALUES (:id, :one, :other, now() - interval '30 days', {closed})
"""
FACTS = """
INSERT INTO matching.conversation_facts (conversation_id, person_a, person_b, matched_at, closed_at, opener, messages_a,
  messages_b, turns, last_sender, last_sent_at, questions_a, questions_b, plan, contact)
SELECT id, person_a, person_b, matched_at, closed_at, 0, 3, 2, 4, 0, now() - interval '{days} days', -1, -1, -1, -1
FROM app.conversations WHERE id = :id
"""


@pytest.fixture(scope="module")
def place(settled: Place, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with copied(settled, databases, tmp_path_factory.mktemp("head") / "home") as place:
        yield place


def plant(place: Place, matches: int) -> None:
    """Write the outcomes of so many conversations between the users of a place."""
    ids = pd.Index(read_frame(place, "profiles")["profile_id"])
    planted = plant_matches(matches, len(ids), now=pd.Timestamp.now("UTC").floor("s"))
    named = planted.outcomes.assign(person_a=ids[planted.person[:, 0]], person_b=ids[planted.person[:, 1]])
    write_frame(place, "conversation_outcomes", named)


def read_lists(place: Place) -> list[list[str]]:
    """All lists in order; the most compatible candidate is another after each publication."""
    return [list(each) for each in read_frame(place, "match_lists")["candidate_ids"]]


def make_lists(place: Place, **config: object) -> tuple[list[list[str]], dict[str, object]]:
    place.materialize("outcome_head", "match_lists", **config)
    return read_lists(place), place.metadata("match_lists")


def test_with_few_matches_the_head_refuses_itself(place: Place) -> None:
    before = read_lists(place)
    plant(place, 250)
    lists, metadata = make_lists(place, lasting_weight=1.0)
    assert lists == before
    assert "outcome_head" in str(metadata["outcome_head"])
    said = place.metadata("outcome_head")
    assert said["accepted"] is False
    assert "1000" in str(said["refused"])
    assert find_head(build_registry(place.settings)) is None


def test_an_accepted_head_weighs_lists_as_far_as_it_is_asked_to(place: Place) -> None:
    before = read_lists(place)
    plant(place, 3000)
    lists, metadata = make_lists(place)
    assert lists == before  # with weight 0, the default
    assert "mean_p_on" not in metadata
    assert place.metadata("outcome_head")["accepted"] is True
    weighed, metadata = make_lists(place, lasting_weight=1.0)
    assert 0 < float(str(metadata["mean_p_on"])) < 1
    assert np.mean([one != other for one, other in zip(weighed, before, strict=True)]) > 0.5
    found = find_head(build_registry(place.settings))
    assert found is not None
    plant(place, 0)
    make_lists(place)
    assert find_head(build_registry(place.settings)) is None


def test_open_conversations_are_not_closed_and_not_silent(place: Place) -> None:
    ids = pd.Index(sorted(read_frame(place, "profiles")["profile_id"]))
    for number, (closed, days) in enumerate([("NULL", 1), ("NULL", 20), ("now()", 1)]):
        values = {"id": f"00000000-0000-0000-0000-{number:012d}", "one": ids[0], "other": ids[number + 1]}
        place.tell(CONVERSATION.format(closed=closed), **values)
        place.tell(FACTS.format(days=days), id=values["id"])
    with place.engine.connect() as connection:
        assert read_open_conversations(connection, ids)[:4].tolist() == [1, 1, 0, 0]


def test_opt_outs_are_read(place: Place) -> None:
    ids = pd.Index(sorted(read_frame(place, "profiles")["profile_id"]))
    place.tell("INSERT INTO app.rate_opt_outs (person_id) VALUES (:who)", who=ids[2])
    with place.engine.connect() as connection:
        assert np.flatnonzero(read_opt_outs(connection, ids)).tolist() == [2]
        assert read_opt_outs(connection, ids[:2]).tolist() == [False, False]


def test_a_head_is_the_same_after_it_was_stored() -> None:
    head = OutcomeHead({"reached_5": RatePrior(0.3, 8.0)}, LinearModel(np.array([1.0, -0.5]), 0.25), 0.3)
    again = parse_head(serialise_head(head))
    rates, context = np.array([[0.2], [-1.0]]), np.array([[1.0], [2.0]])
    assert np.array_equal(again.predict(rates, context), head.predict(rates, context))
