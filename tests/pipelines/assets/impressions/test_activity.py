"""Who is absent in a run: in nobody's list, with a list of their own, and back once seen."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pandas as pd
import pytest

from models.ml.market.attention.activity_check import ActivityReport
from pipelines.assets.impressions.activity import MIN_USERS, align_activity, check_calibration
from tests.pipelines.conftest import Databases, Place
from tests.support.places import copied, read_frame

SEEN = "UPDATE app.profiles SET created_at = now() - interval '90 days', last_active_at = now() - interval '{} days'"
STEPS = ("impressions", "activity", "scored_candidates", "match_lists", "loop_figures")


@pytest.fixture
def town(settled: Place, databases: Databases, tmp_path: Path) -> Iterator[Place]:
    """A copy of the settled town; everybody was there yesterday."""
    with copied(settled, databases, tmp_path / "home") as place:
        place.tell(SEEN.format(1))
        yield place


def find_listed(place: Place) -> set[str]:
    lists = read_frame(place, "match_lists")
    return {*chain.from_iterable(lists["candidate_ids"]), *lists["most_compatible_id"].dropna()}


def test_the_absent_are_in_no_list_until_they_are_seen(town: Place) -> None:
    town.materialize(*STEPS)
    lists = read_frame(town, "match_lists")
    who = str(pd.Series([*chain.from_iterable(lists["candidate_ids"])]).mode()[0])
    town.tell(f"{SEEN.format(31)} WHERE id = '{who}'")
    town.materialize(*STEPS)
    assert who not in find_listed(town)
    lists = read_frame(town, "match_lists")
    assert lists.loc[lists["viewer_id"] == who, "candidate_ids"].map(len).tolist() > [0]
    activity = read_frame(town, "activity").set_index("profile_id")
    assert activity.index[activity["absent"]].tolist() == [who]
    assert activity["p_active"].idxmin() == who
    town.tell(f"UPDATE app.profiles SET last_active_at = now() WHERE id = '{who}'")
    town.materialize(*STEPS)
    assert who in find_listed(town)
    figures = town.metadata("loop_figures")
    assert figures["refusals_listed"] == 0
    assert 0 < float(str(figures["with_match"])) < 1
    assert figures["short_lists"] == pytest.approx(
        1 - (read_frame(town, "match_lists")["candidate_ids"].map(len) >= 12).sum() / len(activity), abs=1e-4
    )


def test_users_without_a_row_count_as_active() -> None:
    frame = pd.DataFrame({"profile_id": ["a", "b"], "p_active": [0.2, 0.1]})
    assert align_activity(frame, pd.Index(["b", "new", "a"])).tolist() == [0.1, 1, 0.2]


@pytest.mark.parametrize(
    ("users", "error", "passed"), [(MIN_USERS, 0.031, False), (MIN_USERS, 0.03, True), (MIN_USERS - 1, 0.2, True)]
)
def test_activity_that_is_said_wrong_warns(users: int, error: float, passed: bool) -> None:
    result = check_calibration(ActivityReport(users, 0.5, 0.5, error, 0.8, 0.7, 0.01))
    assert result.passed == passed
    assert check_calibration(None).passed
