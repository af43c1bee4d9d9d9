"""Attention from real rows: what counts as a look at a list or an inbox, what is left out, and what is stored."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, text
from upath import UPath

from models.ml.market.attention.examination_curve import evaluate_curve
from models.ml.market.attention.examination_estimate import find_available
from pipelines.assets.market.attention_estimates import (
    AttentionEstimate,
    build_attention_metadata,
    estimate_attention,
    read_attention_metrics,
    store_attention,
)
from pipelines.assets.market.offered_cards import LoggedCards, read_inbox_cards, read_list_cards
from tests.models_db.conftest import person_id, settle

HOURS_LIVE = {1: 48, 2: 24}
PUBLICATION = """
INSERT INTO matching.publications (id, state, ranker_version, encoder, created_at, activated_at)
OVERRIDING SYSTEM VALUE VALUES ({0}, '{1}', '1', 'letters', now() - interval '{2} hours', now() - interval '{2} hours');
CREATE TABLE matching.match_lists_{0} PARTITION OF matching.match_lists FOR VALUES IN ({0})
"""
STORE = """
UPDATE matching.publications SET metrics = metrics || '{{"inbox_weight": {}, "inbox_weight_error": {}}}' WHERE id = {}
"""
ROLL_BACK = """UPDATE matching.publications SET metrics = metrics || '{"rolled_back_at": "now"}' WHERE id = 1"""
LIST = """
INSERT INTO matching.match_lists
    (publication_id, viewer_id, candidate_ids, p_like, p_liked_back, p_match, reasons, likes_ids)
VALUES (:publication, :viewer, CAST(:candidates AS uuid[]), '{}', '{}', '{}', '[]', CAST(:likes AS uuid[]))
"""
DECIDE = """
INSERT INTO app.interactions (actor_id, target_id, kind, publication_id, surface, created_at)
VALUES (:viewer, :candidate, :kind, :publication, :surface, now() - make_interval(hours => :hours_ago))
"""
SHOW = """
INSERT INTO app.views (viewer_id, candidate_id, publication_id, surface, shown_at)
VALUES (:viewer, :candidate, :publication, :surface, now() - make_interval(hours => :hours_ago))
"""
EXAMINED, THERE, GONE = "examined", "there", "gone"


class Logs:
    """Lists and inboxes of numbered users, what they saw of them, and what they decided."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        for publication, hours in HOURS_LIVE.items():
            connection.exec_driver_sql(
                PUBLICATION.format(publication, "live" if publication == 2 else "retired", hours)
            )

    def offer(self, viewer: int, candidates: list[int], likes: tuple[int, ...] = (), publication: int = 2) -> None:
        ids = {
            name: [person_id(each) for each in people]
            for name, people in (("candidates", candidates), ("likes", likes))
        }
        self.connection.execute(text(LIST), {"viewer": person_id(viewer), "publication": publication, **ids})

    def decide(
        self,
        viewer: int,
        candidate: int,
        surface: str | None = "list",
        publication: int | None = 2,
        hours_ago: float = 10,
        kind: str = "pass",
    ) -> None:
        row = {"viewer": person_id(viewer), "candidate": person_id(candidate), "surface": surface, "kind": kind}
        self.connection.execute(text(DECIDE), row | {"publication": publication, "hours_ago": hours_ago})

    def show(
        self, viewer: int, candidate: int, surface: str = "list", publication: int | None = 2, hours_ago: float = 10
    ) -> None:
        row = {"viewer": person_id(viewer), "candidate": person_id(candidate), "surface": surface}
        self.connection.execute(text(SHOW), row | {"publication": publication, "hours_ago": hours_ago})


@pytest.fixture
def logs(connection: Connection) -> Logs:
    """Publications 1, retired, and 2, live for a day, without lists; and forty users."""
    settle(connection, range(40))
    return Logs(connection)


def describe(logged: LoggedCards) -> list[list[str]]:
    """What is known of the cards of each list or inbox, in order."""
    cards = logged.cards
    states = np.select([cards.examined, find_available(cards)], [EXAMINED, THERE], GONE)
    order = np.lexsort((cards.position, cards.listing))
    found: dict[int, list[str]] = {}
    for row in order.tolist():
        found.setdefault(int(cards.listing[row]), []).append(str(states[row]))
    return sorted(found.values())


def test_a_card_of_a_list_is_examined_where_it_was_seen_or_decided_on_there(logs: Logs) -> None:
    logs.offer(0, [3, 4, 5, 6, 7, 8])
    logs.show(0, 3)
    logs.show(0, 3, hours_ago=1)
    logs.decide(0, 4, surface=None, kind="like")  # by its publication
    logs.show(0, 5, publication=1)  # on another list
    logs.show(0, 6, surface="most_compatible")
    logs.decide(0, 7, surface="likes", hours_ago=2)  # elsewhere, and later than the list was opened
    logs.decide(0, 8, surface=None, publication=None, hours_ago=11)  # elsewhere, and earlier
    logs.show(0, 9)  # not on the list
    logs.offer(1, [5, 6])
    logs.show(2, 5)  # has no list
    assert describe(read_list_cards(logs.connection)) == [[EXAMINED, EXAMINED, THERE, THERE, THERE, GONE]]
    logs.offer(0, [5, 9], publication=1)
    logs.offer(1, [5, 6], publication=1)
    logs.decide(1, 6, publication=1)
    assert describe(read_list_cards(logs.connection))[1:] == [[EXAMINED, THERE], [THERE, EXAMINED]]


def test_views_that_break_the_contract_show_nothing(logs: Logs) -> None:
    logs.offer(0, [3, 4, 5, 6])
    logs.show(0, 3)
    logs.show(0, 4, hours_ago=-1)  # in the future
    logs.show(0, 5, publication=99)
    logs.show(0, 6)
    logs.connection.execute(text(f"UPDATE app.views SET position = 0 WHERE candidate_id = '{person_id(6)}'"))
    assert describe(read_list_cards(logs.connection)) == [[EXAMINED, THERE, THERE, THERE]]


def test_a_card_of_an_inbox_is_examined_since_it_is_live(logs: Logs) -> None:
    """Its views and decisions carry no publication."""
    logs.offer(0, [7, 8], likes=(3, 4, 5, 6, 7, 8, 11, 12))
    logs.offer(0, [7], likes=(9, 10), publication=1)
    logs.show(0, 3, "likes", publication=None, hours_ago=30)  # the publication before
    logs.show(0, 4, "likes", publication=None)
    logs.decide(0, 5, surface=None, publication=None, kind="like")
    logs.show(0, 6)
    logs.decide(0, 7, hours_ago=11)  # met on the list before the inbox was opened
    logs.decide(0, 8, surface=None, hours_ago=3)  # and after
    logs.decide(0, 11, surface=None)  # not on the list of that publication
    logs.decide(0, 12, surface="likes")
    logs.show(0, 9, "likes", publication=None)
    logs.offer(1, [3], likes=(3, 4))  # never opened
    assert describe(read_inbox_cards(logs.connection)) == [
        [THERE, EXAMINED, EXAMINED, THERE, GONE, THERE, EXAMINED, EXAMINED]
    ]


def test_the_first_place_is_not_missed_for_an_answer_in_the_inbox(logs: Logs) -> None:
    """Viewers answer the person at the top of their list in the inbox, before or after they opened the list."""
    for viewer in range(30):
        logs.offer(viewer, [30 + (viewer + step) % 10 for step in range(8)], likes=(30 + viewer % 10,))
        if viewer % 3:
            logs.decide(viewer, 30 + viewer % 10, surface=None, publication=None, hours_ago=12)
        for step in range(viewer % 3 > 0, 1 + viewer % 8):
            logs.decide(viewer, 30 + (viewer + step) % 10, surface=None, hours_ago=8)
    lists = estimate_attention(logs.connection).lists
    assert np.asarray(lists)[0] == pytest.approx(1, abs=0.02)


def draw_inboxes(logs: Logs, curve: str, source: str) -> None:
    """Thirty receivers examine some of eight likes each."""
    rng, looks = np.random.default_rng(1), evaluate_curve(curve, 8)
    for viewer in range(30):
        logs.offer(viewer, [], likes=tuple(range(30, 38)))
        for sender in range(30, 38):
            if rng.random() < looks[sender - 30]:
                if source == "views":
                    logs.show(viewer, sender, "likes", publication=None)
                else:
                    logs.decide(viewer, sender, "likes", publication=None)


@pytest.mark.parametrize("source", ["views", "actions"])
@pytest.mark.parametrize(("curve", "direction"), [("inv", 1), ("flat", -1)])
def test_the_weight_moves_from_the_last_publications(logs: Logs, curve: str, direction: int, source: str) -> None:
    draw_inboxes(logs, curve, source)
    first = estimate_attention(logs.connection)
    assert 0.03 < direction * (first.inbox_weight - 0.5) <= 0.1
    assert first.inbox_source == source
    assert 100 < first.inbox_cards <= 240
    logs.connection.execute(text(STORE.format(0.55, 0.2, 1)))
    second = estimate_attention(logs.connection)
    assert second.inbox_weight - 0.05 == pytest.approx(first.inbox_weight, abs=0.03)
    assert abs(second.inbox_weight - 0.55) <= 0.1
    logs.connection.execute(text(ROLL_BACK))
    assert estimate_attention(logs.connection).inbox_weight == first.inbox_weight


def test_without_looks_all_stays_as_it_is(logs: Logs) -> None:
    """Where likes are secret, a publication has no inbox, whatever is logged."""
    for viewer in range(10):
        logs.offer(viewer, [], publication=2)
        logs.show(viewer, 20, "likes", publication=None)
        logs.decide(viewer, 21, "likes", publication=None)
    found = estimate_attention(logs.connection)
    assert found == AttentionEstimate()
    logs.connection.execute(text(STORE.format(0.8, 0.02, 2)))
    kept = estimate_attention(logs.connection)
    assert kept.inbox_weight == 0.8
    assert kept.inbox_weight_error == pytest.approx(np.hypot(0.02, 0.03))


def test_the_apps_own_interactions_may_lack_the_surface(logs: Logs) -> None:
    logs.offer(0, [3, 4])
    logs.decide(0, 4, surface=None)
    logs.connection.execute(text("ALTER TABLE app.interactions DROP COLUMN surface CASCADE"))
    assert describe(read_list_cards(logs.connection)) == [[THERE, EXAMINED]]


def test_the_stored_weight_is_that_of_the_lists(tmp_path: Path) -> None:
    path, estimate = UPath(tmp_path / "attention.parquet"), AttentionEstimate(np.ones(3), 0.7, 0.1, "views", 12)
    assert read_attention_metrics(path) == {}
    store_attention(estimate, path)
    assert read_attention_metrics(path) == {"inbox_weight": 0.7, "inbox_weight_error": 0.1}
    assert set(build_attention_metadata(estimate)) == {
        "inbox_weight", "inbox_weight_error", "list_source", "list_cards", "inbox_source", "inbox_cards",
    }  # fmt: skip
