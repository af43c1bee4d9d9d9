"""Known curves are found again in a real database's lists, likes and passes; what tells nothing is left out."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from sqlalchemy import Connection, text

from models.ml.market.attention.examination_curve import evaluate_curve
from pipelines.assets.market import attention_estimates
from pipelines.assets.market.attention_estimates import INBOXES, LISTS, AttentionEstimate, estimate_attention

PEOPLE = """
INSERT INTO app.profiles (id, display_name, birth_date, gender, seeks)
SELECT id, 'Somebody', '1990-01-01', 'woman', '{woman}' FROM unnest(CAST(:ids AS uuid[])) AS id
"""
PUBLICATION = """
INSERT INTO matching.publications (id, state, ranker_version, encoder) OVERRIDING SYSTEM VALUE
VALUES (:id, 'retired', '1', 'letters')
"""
LIST = """
INSERT INTO matching.match_lists (publication_id, viewer_id, candidate_ids, p_like, p_liked_back, p_match, reasons)
VALUES (:publication, :viewer, CAST(:candidates AS uuid[]), :chances, :backs, :chances, '[]')
"""
ACT = """
INSERT INTO app.interactions (actor_id, target_id, kind, publication_id, created_at)
VALUES (:actor, :target, :kind, :publication, now() - make_interval(hours => :hours_ago))
"""


def person(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


@dataclass
class Town:
    """Lists, likes and passes, kept here until they are written all at once."""

    connection: Connection
    acts: list[dict[str, object]] = field(default_factory=list)
    lists: list[dict[str, object]] = field(default_factory=list)

    def publish(self, number: int) -> None:
        self.connection.execute(text(PUBLICATION), {"id": number})
        self.connection.execute(
            text(
                f"CREATE TABLE matching.match_lists_{number} PARTITION OF matching.match_lists FOR VALUES IN ({number})"
            )
        )

    def settle(self, people: int) -> None:
        self.connection.execute(text(PEOPLE), {"ids": [person(number) for number in range(people)]})

    def show(self, viewer: int, candidates: list[int], backs: list[float] | None = None, publication: int = 1) -> None:
        """`backs`: how probably each candidate likes the viewer."""
        row: dict[str, object] = {"publication": publication, "viewer": person(viewer)}
        row["candidates"] = [person(candidate) for candidate in candidates]
        row["chances"] = [0.5] * len(candidates)
        self.lists.append(row | {"backs": backs or row["chances"]})

    def act(self, actor: int, kind: str, target: int, publication: int | None = 1, hours_ago: float = 240) -> None:
        who = {"actor": person(actor), "target": person(target), "kind": kind}
        self.acts.append(who | {"publication": publication, "hours_ago": hours_ago})

    def write(self) -> None:
        for statement, rows in ((LIST, self.lists), (ACT, self.acts)):
            if rows:
                self.connection.execute(text(statement), rows)
            rows.clear()

    def rows(self, query: str, most: int = 1000) -> list[tuple[int, int, bool]]:
        """What a measurement goes by: place, person, acted; in order of person and place."""
        self.write()
        found = self.connection.execute(text(query), {"lists": most, "rows": most}).all()
        return sorted(((place, int(who[-12:], 16), acted) for place, who, acted in found), key=lambda row: row[1::-1])


@pytest.fixture
def town(connection: Connection) -> Town:
    """Publication 1 and nobody."""
    town = Town(connection)
    town.publish(1)
    return town


def test_a_list_counts_place_by_place_for_likes_and_passes_of_its_own_publication(town: Town) -> None:
    town.settle(9)
    town.publish(2)
    town.show(0, [3, 4, 5])
    town.act(0, "like", 4)
    town.act(0, "pass", 5, publication=2)  # shown by another
    town.act(0, "pass", 3, publication=None)  # shown by none
    town.show(1, [5, 6])
    town.act(1, "pass", 6)
    town.act(1, "like", 6)  # thought better of it
    town.act(1, "like", 8)  # not on the list
    town.show(1, [7], publication=2)  # never opened
    town.show(2, [3, 4])  # the same
    town.act(2, "like", 3, publication=99)
    assert town.rows(LISTS) == [(1, 0, False), (2, 0, True), (3, 0, False), (1, 1, False), (2, 1, True)]


def test_of_very_many_lists_some_are_drawn_always_the_same(town: Town) -> None:
    town.settle(200)
    for viewer in range(100):
        town.show(viewer, [viewer + 100])
        town.act(viewer, "like", viewer + 100)
    some = town.rows(LISTS, most=30)
    assert some == town.rows(LISTS, most=30)
    drawn = [who for _, who, _ in some]
    assert len(drawn) == 30
    assert max(drawn) > 80  # not the first
    assert set(some) < set(town.rows(LISTS))


def receive(town: Town, *senders: int, backs: tuple[float, ...]) -> None:
    """Person 0 is shown to some, and liked by them."""
    for sender, back in zip(senders, backs, strict=True):
        town.show(sender, [9, 0], backs=[0.99, back])
        town.act(sender, "like", 0)


def test_an_inbox_is_in_the_order_of_the_receiver_s_preference(town: Town) -> None:
    town.settle(10)
    receive(town, 1, 2, 3, backs=(0.2, 0.9, 0.5))
    town.act(0, "pass", 2, publication=None, hours_ago=200)
    town.act(0, "like", 3, publication=None, hours_ago=2)
    assert town.rows(INBOXES) == [(1, 0, True), (2, 0, True), (3, 0, False)]


def test_an_inbox_is_made_of_likes_from_lists_a_day_old(town: Town) -> None:
    town.settle(10)
    town.publish(2)
    receive(town, 1, 2, backs=(0.2, 0.9))
    town.show(3, [0])
    town.act(3, "pass", 0)  # no like
    town.show(4, [0])
    town.act(4, "like", 0, hours_ago=23)  # too young
    town.act(5, "like", 0, publication=None)  # not by a list
    town.act(6, "like", 0)  # the same: person 6 has none
    town.show(7, [8])
    town.act(7, "like", 0)  # the list did not show 0
    town.show(8, [0], publication=2)
    town.act(8, "like", 0, publication=1)  # the wrong publication
    town.act(1, "like", 0)  # once more
    assert town.rows(INBOXES) == [(1, 0, False), (2, 0, False)]


def test_each_publication_has_its_own_inboxes(town: Town) -> None:
    town.settle(10)
    town.publish(2)
    receive(town, 1, 2, backs=(0.2, 0.9))
    town.show(3, [0], backs=[0.5], publication=2)
    town.act(3, "like", 0, publication=2)
    assert town.rows(INBOXES) == [(1, 0, False), (1, 0, False), (2, 0, False)]


def test_who_was_seen_elsewhere_takes_a_place_in_the_inbox_and_tells_nothing(town: Town) -> None:
    town.settle(10)
    town.publish(2)
    receive(town, 1, 2, 3, 4, backs=(0.8, 0.7, 0.6, 0.5))
    town.show(0, [1])
    town.show(0, [2], publication=2)
    town.act(0, "like", 3, publication=None, hours_ago=500)  # decided before the like came
    town.act(0, "like", 1, hours_ago=100)
    assert town.rows(INBOXES) == [(4, 0, False)]
    assert town.rows(INBOXES, most=0) == []


def draw_lists(town: Town, examination: str, viewers: int, length: int) -> None:
    """People past the viewers are candidates; half of what is looked at is passed."""
    rng = np.random.default_rng(5)
    town.settle(viewers + length)
    for viewer in range(viewers):
        candidates = (viewers + rng.permutation(length)).tolist()
        town.show(viewer, candidates)
        for candidate in np.array(candidates)[rng.random(length) < evaluate_curve(examination, length)]:
            town.act(viewer, "like" if rng.random() < 0.5 else "pass", int(candidate))


def draw_inboxes(town: Town, examination: str, receivers: int, senders: int) -> None:
    """Everybody past the receivers likes them all; what receivers look at they answer by a like or a pass."""
    rng = np.random.default_rng(6)
    town.settle(receivers + senders)
    backs = rng.random((senders, receivers))
    place = np.argsort(np.argsort(-backs, axis=0), axis=0)
    looked_at = rng.random(backs.shape) < evaluate_curve(examination, senders)[place]
    everybody = list(range(receivers))
    for sender in range(senders):
        town.show(receivers + sender, everybody, backs[sender].tolist())
        for receiver in everybody:
            town.act(receivers + sender, "like", receiver)
            if looked_at[sender, receiver]:
                kind = "like" if rng.random() < 0.5 else "pass"
                town.act(receiver, kind, receivers + sender, publication=None, hours_ago=50)


def test_the_curve_of_the_lists_is_found(town: Town) -> None:
    draw_lists(town, "log2", viewers=400, length=12)
    town.write()
    found = estimate_attention(town.connection)
    true = evaluate_curve("log2", 12)
    assert isinstance(found.lists, np.ndarray)
    error = np.maximum(np.sqrt(true * (1 - true) / 400), 1 / 400)
    assert (np.abs(found.lists - true) / error).max() < 3.5
    assert (
        found.inbox_weight == 0.5
    )  # nobody's like is in an inbox that tells anything: nothing says how they are looked at


@pytest.mark.parametrize(("examination", "least", "most"), [("inv", 0.9, 1), ("flat", 0, 0.1), ("log2", 0.4, 0.8)])
def test_a_crowded_inbox_is_told_from_one_that_is_all_looked_at(
    town: Town, examination: str, least: float, most: float
) -> None:
    draw_inboxes(town, examination, receivers=150, senders=12)
    town.write()
    assert least <= estimate_attention(town.connection).inbox_weight <= most


def test_what_is_usual_holds_until_there_is_enough(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    assert estimate_attention(town.connection) == AttentionEstimate("inv", 0.5)
    draw_inboxes(town, "flat", receivers=30, senders=12)
    town.write()
    assert estimate_attention(town.connection) == AttentionEstimate("inv", 0.5)  # 360 rows each
    monkeypatch.setattr(attention_estimates, "MIN_ROWS", 360)
    enough = estimate_attention(town.connection)
    assert enough.inbox_weight < 0.2
    assert isinstance(enough.lists, np.ndarray)
