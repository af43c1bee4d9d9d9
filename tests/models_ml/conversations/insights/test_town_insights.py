"""All cells of simulated conversations: against the truth, never of few people, and none without conversations."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ml.conversations.insights.cells import CELL_TYPES, MIN_PEOPLE, tabulate_by_cell, tabulate_by_month
from models.ml.conversations.insights.conclusions import NOTHING, describe_insights
from models.ml.conversations.insights.depth import SHOWN_COLUMNS
from models.ml.conversations.insights.town_insights import collect_insights
from tests.models_ml.conversations.insights.simulated_frames import make_frames, simulate

Frames = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.Timestamp]


@pytest.fixture(scope="module")
def frames() -> Frames:
    """600 people; p_match says who goes on, one reason is given to all, and one publication to few."""
    facts, outcomes, now = make_frames(simulate(600, 2000, 1))
    luck = np.random.default_rng(1).uniform(size=len(facts))
    shown = pd.DataFrame(
        {
            "conversation_id": facts["conversation_id"],
            "p_match": np.where(luck < 0.9, outcomes["reached_5"].fillna(0) + luck, np.nan),
            "ranker_version": np.where(luck < 0.5, "3", "4"),
            "reasons": [["near", "near", "shared"] if each < 0.5 else ["near"] for each in luck],
        }
    )
    return facts.assign(publication_id=np.where(np.arange(len(facts)) < 5, 9.0, 8.0)), outcomes, shown, now


@pytest.fixture(scope="module")
def cells(frames: Frames) -> pd.DataFrame:
    return collect_insights(*frames)


def at(cells: pd.DataFrame, measure: str, cell: str = "all") -> pd.Series:
    (row,) = [
        row for _, row in cells[cells["month"].isna() & (cells["measure"] == measure)].iterrows() if row["cell"] == cell
    ]
    return row


def test_the_funnel_counts_matches_of_two_weeks_and_more(frames: Frames, cells: pd.DataFrame) -> None:
    facts, _, _, now = frames
    old = facts[facts["matched_at"] <= now - pd.Timedelta(days=14)]
    limit = 14 * 24
    assert at(cells, "opened")["value"] == pytest.approx((old["opened_after_h"] <= limit).mean())
    assert at(cells, "reached_5")["value"] <= at(cells, "answered")["value"] <= at(cells, "opened")["value"]
    assert at(cells, "opened")["people"] == pd.concat([old["person_a"], old["person_b"]]).nunique()
    months = cells[(cells["measure"] == "opened") & cells["month"].notna()]
    assert months["month"].dt.day.eq(1).all()
    assert len(months) == old["matched_at"].dt.month.nunique()


def test_a_conversation_goes_on_as_often_as_it_did(frames: Frames, cells: pd.DataFrame) -> None:
    facts, _, _, now = frames
    old = facts[facts["matched_at"] <= now - pd.Timedelta(days=14)]
    sent, closed = old["messages_a"] + old["messages_b"], old["closed_at"].notna()
    over = closed | (old["last_sent_at"] < now - pd.Timedelta(days=7))
    expected = (sent > 3).sum() / ((sent > 3) | ((sent == 3) & over)).sum()
    assert at(cells, "goes_on", "message 3")["value"] == pytest.approx(expected)


def test_depth_by_what_was_shown(cells: pd.DataFrame) -> None:
    """A pair counts once for a reason that is given twice, and few people make no cell."""
    names = set(cells["cell"])
    assert {"ranker 3", "ranker 4", "publication 8", "reason near", "reason shared", "decile 01"} <= names
    assert "publication 9" not in names
    assert at(cells, "reached_5", "decile 10")["low"] > at(cells, "reached_5", "decile 01")["high"]
    assert at(cells, "reached_5", "reason near")["value"] == pytest.approx(at(cells, "reached_5")["value"])
    soon, week = at(cells, "answered_24h", "reason near"), at(cells, "unanswered_7d")
    assert 0.1 < soon["value"] < 1 - week["value"] + 0.05


def test_every_sentence_has_figures_and_an_assumption(cells: pd.DataFrame) -> None:
    said = describe_insights(cells)
    assert len(said) == 9
    assert all("%" in sentence and "This" in sentence.replace("These", "This") for sentence in said)
    assert "nan" not in " ".join(said)
    assert describe_insights(cells.head(0)) == [NOTHING]


def test_without_conversations_there_are_no_cells(frames: Frames) -> None:
    facts, outcomes, shown, now = frames
    shown = shown.head(0)
    found = collect_insights(facts.head(0), outcomes.head(0), shown, now)
    assert found.dtypes.astype(str).to_dict() == dict(CELL_TYPES)
    assert len(found) == 0
    assert list(shown) == list(SHOWN_COLUMNS)


rows = st.lists(
    st.tuples(st.integers(0, 30), st.integers(31, 60), st.integers(1, 4), st.sampled_from([0.0, 1.0, np.nan])),
    max_size=120,
)


@settings(max_examples=60)
@given(rows)
def test_no_cell_has_fewer_people_and_none_is_left_by_subtraction(
    drawn: list[tuple[int, int, int, float]],
) -> None:
    columns = ["person_a", "person_b", "month", "value"]
    pairs = pd.DataFrame(drawn, columns=columns).astype({"person_a": str, "person_b": str, "value": "float64"})
    pairs["matched_at"] = pd.to_datetime([f"2026-{month:02}-15" for month in pairs["month"]], utc=True)
    values = pairs["value"].to_numpy()
    by_month = tabulate_by_month("it", pairs, values)
    by_cell = tabulate_by_cell("it", pairs, values, pairs["month"].astype("str"))
    known = pairs[pairs["value"].notna()]
    people = {month: len({*rows["person_a"], *rows["person_b"]}) for month, rows in known.groupby("month")}
    large = [month for month, count in people.items() if count >= MIN_PEOPLE]
    assert {cell.cell: cell.people for cell in by_cell} == {str(month): people[month] for month in large}
    assert [cell.month.month for cell in by_month if cell.month is not None] == large
    for cell in by_month:
        where = known["month"].isin(large) if cell.month is None else known["month"] == cell.month.month
        assert cell.value == pytest.approx(known.loc[where, "value"].mean())
        assert 0 <= cell.low <= cell.value <= cell.high <= 1
