"""What the insights read of publications, and the replacement of the table of analysts."""

import pandas as pd
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import IntegrityError

from models.ml.conversations.insights.cells import Cell, build_cell_frame
from pipelines.assets.conversations.insights.insight_rows import read_shown, replace_town_insights
from tests.models_db.conftest import list_for, person_id, publish_lists, settle

STORED = "SELECT month, cell, value, people FROM matching.town_insights ORDER BY cell"


def make_cell(name: str, people: int = 20, month: pd.Timestamp | None = None) -> Cell:
    return Cell(month, "opened", name, 0.5, 0.4, 0.6, people)


@pytest.fixture
def engine(database_url: str) -> Engine:
    return create_engine(database_url)


def test_reasons_are_those_of_the_lists_that_have_the_pair(engine: Engine) -> None:
    with engine.begin() as connection:
        settle(connection, range(1, 7))
    published = publish_lists(engine, [list_for(1, [4, 2]), list_for(2, [1]), list_for(3, [6])])
    pairs = [(1, 2, published.id), (1, 4, published.id), (3, 5, published.id), (3, 6, None), (3, 6, 10**6)]
    facts = pd.DataFrame(
        [(person_id(100 + number), person_id(a), person_id(b), which) for number, (a, b, which) in enumerate(pairs)],
        columns=["conversation_id", "person_a", "person_b", "publication_id"],
    ).astype({"publication_id": "float64"})
    with engine.connect() as connection:
        shown = read_shown(connection, facts).set_index("conversation_id")
        assert len(read_shown(connection, facts.head(0))) == 0
    assert list(shown.index.sort_values()) == facts["conversation_id"].head(3).tolist(), "of publications that exist"
    assert len(set(shown["ranker_version"])) == 1
    assert [shown.loc[each, "reasons"] for each in facts["conversation_id"].head(3)] == [["is"], ["is"], None]
    engine.dispose()


def test_all_rows_are_replaced_or_none(engine: Engine) -> None:
    march = pd.Timestamp("2026-03-01")
    with engine.begin() as connection:
        replace_town_insights(connection, build_cell_frame([make_cell("a"), make_cell("b", 30, march)]))
    with engine.begin() as connection:
        replace_town_insights(connection, build_cell_frame([make_cell("c", 40, march)]))
        assert [tuple(row) for row in connection.execute(text(STORED))] == [(march.date(), "c", 0.5, 40)]
    with pytest.raises(IntegrityError), engine.begin() as connection:
        replace_town_insights(connection, build_cell_frame([make_cell("d", 19)]))
    with engine.begin() as connection:
        assert len(connection.execute(text(STORED)).all()) == 1
        replace_town_insights(connection, build_cell_frame([]))
        assert len(connection.execute(text(STORED)).all()) == 0
    engine.dispose()
