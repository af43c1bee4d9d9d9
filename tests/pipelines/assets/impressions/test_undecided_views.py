"""Who was shown without a decision, by hand-made rows."""

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection, text

from models.ml.market.freshness import compute_freshness
from models.ml.scoring.candidates import ScoredPairs
from pipelines.assets.impressions.accepted_views import MAX_VIEWS_A_DAY
from pipelines.assets.impressions.undecided_views import DAYS, compute_pair_freshness, read_undecided_views
from tests.models_db.conftest import person_id, settle
from tests.pipelines.assets.impressions.rows import TODAY, decide, show

BOT = """
INSERT INTO app.views (viewer_id, candidate_id, surface, shown_at)
SELECT '{}', '{}', 'list', now() FROM generate_series(0, {})
"""


@pytest.fixture
def town(connection: Connection) -> Connection:
    """Person 1 was shown 2 on three days, the last of them two days ago, and 3 and 4 today."""
    settle(connection, range(1, 8))
    for days in (2, 2, 4, 5):
        show(connection, 1, 2, shown_at=ago(days))
    show(connection, 1, 3)
    show(connection, 1, 4)
    return connection


def ago(days: int) -> str:
    return f"{TODAY} - interval '1 hour' * {24 * days} + interval '1 hour'"


def undecided(connection: Connection) -> dict[tuple[int, int], tuple[int, int]]:
    """(days shown, days since) by viewer and candidate."""
    frame = read_undecided_views(connection)
    number = {person_id(each): each for each in range(9)}
    people = zip(frame["viewer_id"].map(number), frame["candidate_id"].map(number), strict=True)
    return dict(zip(people, zip(frame["days_shown"], frame["days_since"], strict=True), strict=True))


def test_days_are_counted_once_and_decisions_end_it(town: Connection) -> None:
    assert undecided(town) == {(1, 2): (3, 2), (1, 3): (1, 0), (1, 4): (1, 0)}
    decide(town, 1, 3, "pass", "now()")
    assert undecided(town) == {(1, 2): (3, 2), (1, 4): (1, 0)}


@pytest.mark.parametrize("cells", [{"surface": "similar"}, {"shown_at": ago(DAYS)}, {"position": 0}])
def test_what_is_refused_older_or_elsewhere_does_not_count(town: Connection, cells: dict[str, object]) -> None:
    before = undecided(town)
    show(town, 1, 5, **cells)
    assert undecided(town) == before


def test_viewers_who_decide_and_bots_are_not_read(town: Connection) -> None:
    for candidate in (1, 3, 4, 5):
        show(town, 2, candidate)
        if candidate > 3:
            decide(town, 2, candidate, "like", "now()")
    town.execute(text(BOT.format(person_id(6), person_id(7), DAYS * MAX_VIEWS_A_DAY)))
    assert {viewer for viewer, _ in undecided(town)} == {1}


def test_the_pairs_that_are_scored_get_their_factor() -> None:
    shown = pd.DataFrame({"viewer_id": ["b", "b", "x"], "candidate_id": ["a", "c", "a"]})
    shown = shown.assign(days_shown=2, days_since=1)
    chance = np.zeros(3, np.float32)
    scored = ScoredPairs(np.array([0, 1, 1]), np.array([1, 0, 3]), chance, chance, chance)
    found = compute_pair_freshness(shown, scored, pd.Index(["a", "b", "c", "d"]))
    expected = compute_freshness(np.array([2]), np.array([1]))[0]
    assert found.tolist() == pytest.approx([1, expected, 1])
    nobody = compute_pair_freshness(shown.head(0), scored, pd.Index(["a", "b", "c", "d"]))
    assert nobody.tolist() == [1, 1, 1]
