"""Conversations of a simulated population: in a real database, and against their stored truth."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, text

from models.db.errors import InputError
from pipelines.loaders.simulation.conversation_truth import read_conversation_truth
from pipelines.loaders.simulation.simulated_exposure import simulate_decisions
from pipelines.loaders.simulation.simulated_inbox import (
    DecisionArrays,
    find_mutual_likes,
    find_waiting,
    join_decisions,
    join_impressions,
    simulate_inbox,
)
from pipelines.loaders.simulation.simulated_loader import load_simulated
from pipelines.loaders.simulation.simulated_messages import load_phrases
from pipelines.loaders.simulation.simulated_population import build_population

PEOPLE, SEED = 400, 2


def ask(engine: Engine, query: str) -> pd.DataFrame:
    with engine.connect() as connection:
        return pd.read_sql(text(query), connection)


def decide(*rows: tuple[int, int, int, bool]) -> DecisionArrays:
    viewer, candidate, moment, liked = (np.array(column) for column in zip(*rows, strict=True))
    return DecisionArrays(viewer, candidate, moment, liked)


DECIDED = decide((0, 1, 5, True), (1, 0, 9, True), (2, 0, 3, True), (3, 0, 8, True), (0, 4, 1, True), (4, 0, 2, False))


def test_mutual_likes_and_waiting_likes_by_hand() -> None:
    mutual, waiting = find_mutual_likes(DECIDED, 5), find_waiting(DECIDED, 5)
    assert [each.tolist() for each in (mutual.viewer, mutual.candidate, mutual.decided_at)] == [[0], [1], [9]]
    assert list(zip(waiting.viewer.tolist(), waiting.candidate.tolist(), strict=True)) == [(0, 3), (0, 2)]


def test_people_decide_once_on_likes_that_wait_and_more_days_repeat_fewer() -> None:
    population = build_population(SEED, PEOPLE)
    decided = join_impressions(simulate_decisions(population))
    short, long = (simulate_inbox(population, decided, days) for days in (10, 20))
    for name, values in vars(short).items():
        np.testing.assert_array_equal(values, vars(long)[name][: len(values)])
    every = join_decisions([decided, long])
    pair = every.viewer * PEOPLE + every.candidate
    assert len(np.unique(pair)) == len(pair)
    waiting = find_waiting(decided, PEOPLE)
    assert np.isin(long.viewer * PEOPLE + long.candidate, waiting.viewer * PEOPLE + waiting.candidate).all()
    assert len(find_mutual_likes(every, PEOPLE).viewer) > 2 * len(find_mutual_likes(decided, PEOPLE).viewer)


@pytest.mark.parametrize("days", [-1, 100_000])
def test_days_that_cannot_be_are_named(engine: Engine, tmp_path: Path, days: int) -> None:
    with pytest.raises(InputError, match=f"^{days} days"):
        load_simulated(engine, 5, 1, tmp_path, days)


def test_loading_again_changes_nothing_and_more_days_add(engine: Engine, tmp_path: Path) -> None:
    short, long, again = (load_simulated(engine, PEOPLE, SEED, tmp_path, days) for days in (5, 60, 60))
    assert not any(added or changed for added, changed, _ in again.conversations.values())
    assert again.refused.total() == long.refused.total() == short.refused.total() == 0
    assert long.interactions_changed == long.conversations["messages"][1] == 0
    assert {table: sum(counts) for table, counts in long.conversations.items()} == {
        table: counts[2] for table, counts in again.conversations.items()
    }
    check_truth(engine, tmp_path)
    check_rules(engine)
    check_texts(engine, tmp_path)


def check_truth(engine: Engine, home: Path) -> None:
    """The rows are those of the truth."""
    truth = read_conversation_truth(home, SEED, PEOPLE)
    conversations = ask(engine, "SELECT id::text, person_a::text, person_b::text FROM app.conversations").set_index(
        "id"
    )
    assert set(conversations.index) == set(truth.conversations["conversation_id"])
    known = truth.conversations.set_index("conversation_id")
    people = known[["first_id", "second_id"]].apply(sorted, axis=1, result_type="expand").loc[conversations.index]
    np.testing.assert_array_equal(people.to_numpy(), conversations[["person_a", "person_b"]].to_numpy())
    assert set(ask(engine, "SELECT id::text FROM app.messages")["id"]) == set(truth.messages["message_id"])
    paused = ask(engine, "SELECT id::text FROM app.profiles WHERE paused")["id"]
    assert set(paused) == set(truth.people.loc[truth.people["left_at"].notna(), "profile_id"])
    met = ask(engine, "SELECT DISTINCT conversation_id::text AS id FROM app.outcomes WHERE kind = 'met'")["id"]
    assert len(met) > 10
    assert set(met) <= set(known.index[known["met_at"].notna()])


def check_rules(engine: Engine) -> None:
    """Nothing contradicts a mutual like, the match, or the end."""
    broken = {
        "matched at another moment than the second of two likes": """SELECT 1 FROM app.conversations
            JOIN app.interactions AS there ON there.actor_id = person_a AND there.target_id = person_b
            JOIN app.interactions AS back ON back.actor_id = person_b AND back.target_id = person_a
            WHERE (there.kind, back.kind) <> ('like', 'like')
               OR abs(extract(epoch FROM matched_at - greatest(there.created_at, back.created_at))) > 0.001""",
        "matched without two decisions": """SELECT 1 FROM app.conversations WHERE 2 <> (SELECT count(*)
            FROM app.interactions WHERE (actor_id, target_id) IN ((person_a, person_b), (person_b, person_a)))""",
        "outside its conversation": """SELECT 1 FROM app.messages JOIN app.conversations AS c ON c.id = conversation_id
            WHERE sender_id NOT IN (person_a, person_b) OR sent_at < matched_at OR sent_at > closed_at""",
        "text without consent": """SELECT 1 FROM app.message_texts JOIN app.messages AS m ON m.id = message_id
            JOIN app.conversations AS c ON c.id = conversation_id
            WHERE NOT content_allowed OR length(body) <> length""",
        "no block": """SELECT 1 FROM app.conversations WHERE closed_as = 'blocked' AND NOT EXISTS
            (SELECT FROM app.blocks WHERE blocker_id = closed_by AND blocked_id IN (person_a, person_b))""",
        "report of another": """SELECT 1 FROM app.reports JOIN app.messages AS m ON m.id = message_id
            WHERE sender_id <> reported_id""",
    }
    for what, query in broken.items():
        assert ask(engine, query).empty, what


def check_texts(engine: Engine, home: Path) -> None:
    """A third of the conversations may be read, and their texts say what the truth says."""
    share = ask(engine, "SELECT avg(content_allowed::int)::float AS share FROM app.conversations")["share"][0]
    assert 0.2 < share < 0.5
    bodies = ask(engine, "SELECT message_id::text, body FROM app.message_texts").merge(
        read_conversation_truth(home, SEED, PEOPLE).messages, on="message_id", validate="1:1"
    )
    assert len(bodies) > 1_000
    number = bodies["body"].str.contains(r"07700 900\d{3}|@\w+_\d+")
    assert number[bodies["says"] == "contacts"].all()
    assert not number[bodies["says"].isin(["talk", "asks", "plans"])].any()
    asks = bodies["body"].str.contains("?", regex=False)
    assert asks[bodies["says"] == "asks"].all()
    assert not asks[bodies["says"] == "talk"].any()


def test_phrases_have_only_slots_that_are_filled() -> None:
    slots = {slot for phrases in load_phrases().values() for each in phrases for slot in re.findall(r"{(\w+)}", each)}
    assert slots <= {"thing", "place", "day", "hour", "handle", "phone"}
