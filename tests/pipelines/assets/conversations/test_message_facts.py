"""The facts of messages: known answers, and an oracle in plain Python."""

from datetime import timedelta
from itertools import pairwise
from statistics import median

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from models.ml.conversations.frames import FACT_TYPES, join_facts
from models.ml.conversations.word_counts import COLUMNS
from pipelines.assets.conversations.accepted_conversations import read_conversations
from tests.models_db.conftest import settle
from tests.pipelines.assets.conversations.rows import begin, send
from tests.pipelines.assets.conversations.test_contract import read_facts

NO_WORDS = pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)


def test_known_facts(connection: Connection) -> None:
    settle(connection, range(1, 5))
    begin(connection, 1)
    begin(connection, 2, 3, 4)
    for number, (hours, sender) in enumerate(((2, 2), (3, 2), (7, 1), (8, 2), (20, 1), (20.5, 1))):
        send(connection, 1, sender, hours, number)
    conversations = read_conversations(connection).accepted
    facts = join_facts(conversations, read_facts(connection).frame, NO_WORDS)
    assert dict(facts.dtypes.astype(str)) == dict(FACT_TYPES)
    talk, silence = facts.to_dict("records")
    expected = {"opener": 1, "opened_after_h": 2, "answered_after_h": 5, "messages_a": 3, "messages_b": 3, "turns": 4}
    expected |= {"median_reply_a_h": 8, "median_reply_b_h": 1, "longest_gap_h": 12, "last_sender": 0, "plan": -1}
    assert {name: talk[name] for name in expected} == expected
    assert talk["last_sent_at"] - talk["matched_at"] == timedelta(hours=20.5)
    assert pd.isna(talk["reached_5_after_h"])
    nobody = {"opener": -1, "messages_a": 0, "messages_b": 0, "turns": 0, "last_sender": -1, "questions_a": -1}
    assert {name: silence[name] for name in nobody} == nobody
    assert silence["last_sent_at"] is pd.NaT
    assert np.isnan([silence[name] for name, kind in FACT_TYPES.items() if kind == "float64"]).all()


MESSAGES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 1)), max_size=60)


@given(st.lists(MESSAGES, min_size=1, max_size=3))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_facts_are_those_of_an_oracle(connection: Connection, talks: list[list[tuple[int, int]]]) -> None:
    with connection.begin_nested() as savepoint:
        settle(connection, range(1, 7))
        for number, messages in enumerate(talks):
            people = 2 * number + 1, 2 * number + 2
            begin(connection, number, *people)
            for place, (quarters, side) in enumerate(messages):
                send(connection, number, people[side], quarters / 4, 100 * number + place)
        rows = read_facts(connection).frame.to_dict("records")
        found = [{name: None if pd.isna(value) else value for name, value in row.items()} for row in rows]
        ids = {row.pop("conversation_id"): row.pop("last_sent_at") for row in found}
        assert len(ids) == sum(map(bool, talks))
        for row, messages in zip(found, filter(None, talks), strict=True):
            assert row == pytest.approx(tell_facts(messages))
        savepoint.rollback()


def tell_facts(messages: list[tuple[int, int]]) -> dict[str, float | None]:
    """The facts of messages (quarters of an hour after the match, side), of which the ids are in the order given."""
    said = [(quarters / 4, side) for quarters, side in sorted(messages, key=lambda each: each[0])]
    turns = [each for before, each in zip([None, *said], said, strict=False) if before is None or before[1] != each[1]]
    pairs = list(pairwise(said))
    first, opener = said[0]
    answers = [hours for hours, side in said if side != opener]
    replies = {side: [b[0] - a[0] for a, b in pairs if b[1] == side != a[1]] for side in (0, 1)}
    sides = [[hours for hours, side in said if side == each] for each in (0, 1)]

    def reach(count: int) -> float | None:
        return max(side[count - 1] for side in sides) if min(map(len, sides)) >= count else None

    return {
        "opener": opener,
        "opened_after_h": first,
        "answered_after_h": answers[0] - first if answers else None,
        "messages_a": len(sides[0]),
        "messages_b": len(sides[1]),
        "turns": len(turns),
        "median_reply_a_h": median(replies[0]) if replies[0] else None,
        "median_reply_b_h": median(replies[1]) if replies[1] else None,
        "longest_gap_h": max((b[0] - a[0] for a, b in pairs), default=None),
        "last_sender": said[-1][1],
        "reached_5_after_h": reach(5),
        "reached_20_after_h": reach(20),
    }


def test_of_a_bot_the_first_ten_thousand_count(connection: Connection) -> None:
    settle(connection, range(1, 3))
    begin(connection, 1)
    connection.execute(
        text(
            "INSERT INTO app.messages (conversation_id, sender_id, sent_at) SELECT id, person_a, matched_at + g * "
            "interval '0.1 seconds' FROM app.conversations, generate_series(1, 30000) AS g"
        )
    )
    found = read_facts(connection)
    assert (found.accepted, found.refused) == (10_000, {"more than 10,000 messages of the conversation": 20_000})
    (row,) = found.frame.to_dict("records")
    assert (row["messages_a"], row["turns"], row["opener"]) == (10_000, 1, 0)
