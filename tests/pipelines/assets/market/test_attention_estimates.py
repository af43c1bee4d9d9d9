"""Known examination curves are recovered from real lists, likes and passes; what says nothing is left out."""

import numpy as np
import pytest
from sqlalchemy import Connection, text

from models.ml.market.attention.examination_curve import evaluate_curve
from pipelines.assets.market.attention_estimates import INBOXES, LISTS, AttentionEstimate, estimate_attention

PROFILES = """
INSERT INTO app.profiles (id, display_name, birth_date, gender, seeks)
SELECT id, 'Somebody', '1990-01-01', 'woman', '{woman}' FROM unnest(CAST(:ids AS uuid[])) AS id
"""
PUBLICATION = """
INSERT INTO matching.publications (id, state, ranker_version, encoder) OVERRIDING SYSTEM VALUE
VALUES ({0}, 'retired', '1', 'letters');
CREATE TABLE matching.match_lists_{0} PARTITION OF matching.match_lists FOR VALUES IN ({0})
"""
LIST = """
INSERT INTO matching.match_lists (publication_id, viewer_id, candidate_ids, p_like, p_liked_back, p_match, reasons)
VALUES (:publication, :viewer, CAST(:candidates AS uuid[]), :backs, :backs, :backs, '[]')
"""
ACT = """
INSERT INTO app.interactions (actor_id, target_id, kind, publication_id, created_at)
VALUES (:actor, :target, :kind, :publication, now() - make_interval(hours => :hours_ago))
"""


def user_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


class Logs:
    """Lists, likes and passes of numbered users, written all at once."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.acts: list[dict[str, object]] = []
        self.lists: list[dict[str, object]] = []
        for publication in (1, 2):
            connection.exec_driver_sql(PUBLICATION.format(publication))

    def add_users(self, count: int) -> None:
        self.connection.execute(text(PROFILES), {"ids": [user_id(number) for number in range(count)]})

    def show(self, viewer: int, candidates: list[int], backs: list[float] | None = None, publication: int = 1) -> None:
        """`backs`: how probably each candidate likes the viewer."""
        shown = {"viewer": user_id(viewer), "candidates": [user_id(candidate) for candidate in candidates]}
        self.lists.append(shown | {"publication": publication, "backs": backs or [0.5] * len(candidates)})

    def act(self, actor: int, kind: str, target: int, publication: int | None = 1, hours_ago: float = 240) -> None:
        users = {"actor": user_id(actor), "target": user_id(target), "kind": kind}
        self.acts.append(users | {"publication": publication, "hours_ago": hours_ago})

    def receive(self, backs: dict[int, float]) -> None:
        """User 0 is shown to these users and liked by them."""
        for sender, back in backs.items():
            self.show(sender, [9, 0], backs=[0.99, back])
            self.act(sender, "like", 0)

    def write(self) -> Connection:
        for statement, rows in ((LIST, self.lists), (ACT, self.acts)):
            if rows:
                self.connection.execute(text(statement), rows)
            rows.clear()
        return self.connection

    def read(self, query: str, most: int = 1000) -> list[tuple[int, int, bool]]:
        """The rows of an estimate: position, user, acted; in order of user and position."""
        found = self.write().execute(text(query), {"lists": most, "rows": most}).all()
        rows = ((position, int(user[-12:], 16), acted) for position, user, acted in found)
        return sorted(rows, key=lambda row: row[1::-1])


@pytest.fixture
def logs(connection: Connection) -> Logs:
    """Two publications without lists, and ten users."""
    logs = Logs(connection)
    logs.add_users(10)
    return logs


def test_a_list_counts_for_decisions_about_its_own_publication(logs: Logs) -> None:
    logs.show(0, [3, 4, 5])
    logs.act(0, "like", 4)
    logs.act(0, "pass", 5, publication=2)  # shown by another
    logs.act(0, "pass", 3, publication=None)  # shown by none
    logs.show(1, [5, 6])
    logs.act(1, "pass", 6)
    logs.act(1, "like", 6)  # a changed decision
    logs.act(1, "like", 8)  # not on the list
    logs.show(1, [7], publication=2)  # never opened
    logs.show(2, [3, 4])  # the same
    logs.act(2, "like", 3, publication=99)
    assert logs.read(LISTS) == [(1, 0, False), (2, 0, True), (3, 0, False), (1, 1, False), (2, 1, True)]


def test_of_very_many_lists_the_same_sample_is_drawn(connection: Connection) -> None:
    logs = Logs(connection)
    logs.add_users(200)
    for viewer in range(100):
        logs.show(viewer, [viewer + 100])
        logs.act(viewer, "like", viewer + 100)
    some = logs.read(LISTS, most=30)
    assert some == logs.read(LISTS, most=30)
    assert len(some) == 30
    assert some[-1][1] > 80  # not the first 30
    assert set(some) < set(logs.read(LISTS))


def test_an_inbox_is_in_the_order_of_its_owners_preference(logs: Logs) -> None:
    logs.receive({1: 0.2, 2: 0.9, 3: 0.5})
    logs.act(0, "pass", 2, publication=None, hours_ago=200)
    logs.act(0, "like", 3, publication=None, hours_ago=2)
    assert logs.read(INBOXES) == [(1, 0, True), (2, 0, True), (3, 0, False)]


def test_an_inbox_holds_likes_from_lists_a_day_old(logs: Logs) -> None:
    logs.receive({1: 0.2, 2: 0.9})
    logs.show(3, [0])
    logs.act(3, "pass", 0)  # no like
    logs.show(4, [0])
    logs.act(4, "like", 0, hours_ago=23)  # too young
    logs.act(5, "like", 0, publication=None)  # not by a list
    logs.act(6, "like", 0)  # the same: user 6 has none
    logs.show(7, [8])
    logs.act(7, "like", 0)  # the list did not show 0
    logs.show(8, [0], publication=2)
    logs.act(8, "like", 0, publication=1)  # the wrong publication
    logs.act(1, "like", 0)  # once more
    assert logs.read(INBOXES) == [(1, 0, False), (2, 0, False)]
    logs.show(3, [0], publication=2)
    logs.act(3, "like", 0, publication=2)  # an inbox of its own
    assert logs.read(INBOXES) == [(1, 0, False), (1, 0, False), (2, 0, False)]


def test_a_sender_seen_elsewhere_takes_a_position_only(logs: Logs) -> None:
    logs.receive({1: 0.8, 2: 0.7, 3: 0.6, 4: 0.5})
    logs.show(0, [1])
    logs.show(0, [2], publication=2)
    logs.act(0, "like", 3, publication=None, hours_ago=500)  # decided before the like came
    logs.act(0, "like", 1, hours_ago=100)
    assert logs.read(INBOXES) == [(4, 0, False)]
    assert logs.read(INBOXES, most=0) == []


def draw_inboxes(connection: Connection, examination: str, receivers: int, senders: int) -> Connection:
    """Senders like all receivers, who like or pass what they examine."""
    logs, rng = Logs(connection), np.random.default_rng(6)
    logs.add_users(receivers + senders)
    backs = rng.random((senders, receivers))
    index = np.argsort(np.argsort(-backs, axis=0), axis=0)
    examined = rng.random(backs.shape) < evaluate_curve(examination, senders)[index]
    for sender in range(senders):
        logs.show(receivers + sender, list(range(receivers)), backs[sender].tolist())
        for receiver in range(receivers):
            logs.act(receivers + sender, "like", receiver)
            if examined[sender, receiver]:
                logs.act(receiver, "like" if sender % 2 else "pass", receivers + sender, None, hours_ago=50)
    return logs.write()


def test_the_curve_of_the_lists_is_recovered(connection: Connection) -> None:
    viewers, length, rng = 400, 12, np.random.default_rng(5)
    logs, true = Logs(connection), evaluate_curve("log2", length)
    logs.add_users(viewers + length)
    for viewer in range(viewers):
        candidates = viewers + rng.permutation(length)
        logs.show(viewer, candidates.tolist())
        for candidate in candidates[rng.random(length) < true]:
            logs.act(viewer, "like" if candidate % 2 else "pass", int(candidate))
    found = estimate_attention(logs.write())
    assert isinstance(found.lists, np.ndarray)
    error = np.maximum(np.sqrt(true * (1 - true) / viewers), 1 / viewers)
    assert (np.abs(found.lists - true) / error).max() < 4.5
    assert found.inbox_weight == 0.5  # no like is in an inbox


@pytest.mark.parametrize(("examination", "least", "most"), [("inv", 0.85, 1), ("flat", 0, 0.15), ("log2", 0.35, 0.85)])
def test_the_weight_of_inboxes_is_recovered(
    connection: Connection, examination: str, least: float, most: float
) -> None:
    draw_inboxes(connection, examination, receivers=150, senders=12)
    assert least <= estimate_attention(connection).inbox_weight <= most


def test_the_default_holds_until_there_are_enough_rows(connection: Connection) -> None:
    draw_inboxes(connection, "flat", receivers=30, senders=12)
    assert estimate_attention(connection) == AttentionEstimate("inv", 0.5)
    assert estimate_attention(connection, min_rows=361) == AttentionEstimate("inv", 0.5)
    enough = estimate_attention(connection, min_rows=360)
    assert enough.inbox_weight < 0.3
    assert isinstance(enough.lists, np.ndarray)
