"""The pending likes of a run in the real job: told and stored in the receivers' order, or secret and nowhere."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.pipelines.conftest import Databases, Place, TellingPlace
from tests.support.places import copied

PENDING = """
SELECT target_id::text, actor_id::text FROM (
    SELECT DISTINCT ON (actor_id, target_id) actor_id, target_id, kind FROM app.interactions
    ORDER BY actor_id, target_id, created_at DESC, id DESC
) AS decision
JOIN app.profiles AS receiver ON receiver.id = target_id JOIN app.profiles AS sender ON sender.id = actor_id
WHERE kind = 'like' AND matching.is_eligible(receiver, sender, current_date)
  AND NOT EXISTS (SELECT FROM app.interactions WHERE actor_id = receiver.id AND target_id = sender.id)
  AND NOT EXISTS (SELECT FROM app.blocks WHERE (blocker_id, blocked_id) IN
      ((receiver.id, sender.id), (sender.id, receiver.id)))
"""
STORED = """
SELECT viewer_id::text, likes_ids::text[], likes_p_like, likes_p_match, likes_reasons, candidate_ids::text[], p_match,
    reasons
FROM matching.match_lists JOIN matching.publications ON id = publication_id WHERE state = 'live'
"""
MADE_WITH = "SELECT metrics ->> 'likes', metrics -> 'inbox_weight' FROM matching.publications WHERE state = 'live'"
WEIGH = """
UPDATE matching.publications SET metrics = metrics || '{"inbox_weight": 0.7, "inbox_weight_error": 0.1}'
WHERE state = 'live'
"""


@pytest.fixture
def town(settled: Place, databases: Databases, tmp_path: Path) -> Iterator[Place]:
    """A copy of the settled town, where some people of the run before block each other."""
    with copied(settled, databases, tmp_path / "home") as place:
        ((receiver, sender), *_) = place.ask(PENDING)
        place.tell(f"INSERT INTO app.blocks VALUES ('{receiver}', '{sender}')")
        yield place


def test_all_pending_likes_are_told_or_none(town: Place) -> None:
    telling = TellingPlace(town.home, town.database_url)
    town.tell(WEIGH)  # of the publication before; nothing has been examined since
    telling.materialize("scored_candidates", "match_lists", "publication")
    assert town.ask(MADE_WITH) == [("told", 0.7)]
    stored = town.ask(STORED)
    found = {(viewer, sender) for viewer, senders, *_ in stored for sender in senders}
    assert found == set(town.ask(PENDING))
    assert len(found) > 50
    assert town.metadata("match_lists")["pending_likes"] == len(found)
    also_listed = 0
    for _, senders, p_like, p_match, reasons, candidates, listed_p_match, listed_reasons in stored:
        assert (np.diff(p_like) <= 0).all()
        assert len(senders) == len(p_match) == len(reasons)
        of_list = dict(zip(candidates, zip(listed_p_match, listed_reasons, strict=True), strict=True))
        for sender, chance, why in zip(senders, p_match, reasons, strict=True):
            also_listed += sender in of_list
            assert why  # of the likes received; a list has other cards, among which other reasons are rare
            assert of_list.get(sender, (chance, why))[0] == pytest.approx(chance, rel=1e-6)
    assert 0 < also_listed < len(found)
    town.materialize("match_lists", "publication")
    assert town.ask(MADE_WITH) == [("secret", 0.7)]
    assert {tuple(map(len, row[1:5])) for row in town.ask(STORED)} == {(0, 0, 0, 0)}
    assert "pending_likes" not in town.metadata("match_lists")
