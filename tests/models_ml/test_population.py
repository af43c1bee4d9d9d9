"""A town as arrays by position, by hand."""

import numpy as np
import pandas as pd

from models.ml.eligibility import eligible
from models.ml.embeddings import NO_ANSWERS
from models.ml.population import population
from tests.models_ml.conftest import answers, direction, interactions, profiles, specification

TOWN = profiles(
    {"gender": "woman", "seeks": ["man"], "age": 31},
    {"gender": "man", "seeks": ["woman"], "age": 32},
    {"gender": "man", "seeks": ["woman"], "age": 33},
)
BLOCKS = pd.DataFrame([("c", "a"), ("b", "erased"), ("erased", "c")], columns=["blocker_id", "blocked_id"])
NO_BLOCKS = BLOCKS.head(0)
ACTS = interactions(("a", "b", "pass", 1), ("b", "a", "like", 2), ("a", "b", "like", 3))


def test_a_town_of_three() -> None:
    said = answers(("b", "about", direction(1)), ("rejected", "about", direction(1)))
    town = population(specification(), TOWN, ACTS, BLOCKS, said)
    assert town.people.ids.tolist() == ["a", "b", "c"]
    assert town.people.age.tolist() == [31, 32, 33]
    assert town.people.texts[:, 0, 0].tolist() == [0, 1, 0]
    assert eligible(town.rules, np.array([0])).tolist() == [[False, True, True]]
    # a's last word on b counts, b's on a: one decision each.
    assert (town.ledger.given.decisions.tolist(), town.ledger.given.likes.tolist()) == ([1, 1, 0], [1, 1, 0])
    assert (town.ledger.received.decisions.tolist(), town.ledger.received.likes.tolist()) == ([1, 1, 0], [1, 1, 0])


def test_a_pair_is_closed_to_whoever_decided_and_both_ways_by_a_block() -> None:
    closed = population(specification(), TOWN, ACTS.head(1), BLOCKS, NO_ANSWERS).closed
    assert set(zip(*(side.tolist() for side in closed), strict=True)) == {(0, 1), (2, 0), (0, 2)}


def test_positions_are_the_rows_of_the_frame() -> None:
    upside_down = population(specification(), TOWN[::-1].reset_index(drop=True), ACTS.head(1), BLOCKS, NO_ANSWERS)
    assert upside_down.people.ids.tolist() == ["c", "b", "a"]
    closed = upside_down.closed
    assert set(zip(*(side.tolist() for side in closed), strict=True)) == {(2, 1), (0, 2), (2, 0)}
    assert upside_down.ledger.given.decisions.tolist() == [0, 0, 1]


def test_a_town_where_nothing_happened() -> None:
    town = population(specification(), TOWN, ACTS.head(0), NO_BLOCKS, NO_ANSWERS)
    assert [len(side) for side in town.closed] == [0, 0]
    assert town.closed[0].dtype == np.int64
    assert not town.ledger.received.decisions.any()
