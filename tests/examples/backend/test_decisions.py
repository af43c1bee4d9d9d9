"""Likes, passes, their undo and impressions: what is written, and what the API shows at the next request."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

from examples.backend.statements import LOCK_PAIR
from tests.examples.conftest import Backend
from tests.serving.conftest import Api, Users
from tests.support.waiting import until

DECISIONS = "SELECT actor_id, target_id, kind, publication_id, position, surface, propensity FROM app.interactions"


def test_a_decision_is_written_with_its_card_and_undone(
    backend: Backend, api: Api, users: Users, pair: tuple[UUID, UUID]
) -> None:
    (me, man), decision = pair, uuid4()
    for _ in range(2):  # as a page that did not get the response does
        assert backend.decide(me, "pass", man, decision, publication_id=7, position=3, surface="list") is None
    assert users.connection.execute(DECISIONS).fetchall() == [(me, man, "pass", 7, 3, "list", None)]
    assert api.shown(me) == []
    backend.do(man, "DELETE", f"decisions/{decision}")  # somebody else's stays
    assert api.shown(me) == []
    for _ in range(2):
        backend.do(me, "DELETE", f"decisions/{decision}")
    assert api.shown(me) == [man]


def test_a_mutual_like_opens_one_conversation_that_no_undo_takes_back(
    backend: Backend, api: Api, users: Users, pair: tuple[UUID, UUID]
) -> None:
    (me, man), decision = pair, uuid4()
    assert backend.decide(man, "like", me, uuid4()) is None
    conversation = backend.decide(me, "like", man, decision, publication_id=7)
    assert conversation is not None
    assert backend.decide(me, "like", man, decision) == conversation
    for who in pair:
        (found,) = api.read(who, "conversations")["conversations"]
        assert (found["id"], found["stage"]) == (conversation, "new")
    assert backend.ask(me, "DELETE", f"decisions/{decision}").status_code == 409
    assert users.connection.execute("SELECT publication_id FROM app.conversations").fetchall() == [(7,)]


def test_a_like_of_one_who_passed_last_or_blocked_is_no_match(
    backend: Backend, users: Users, pair: tuple[UUID, UUID]
) -> None:
    me, man = pair
    for kind in ("like", "pass"):
        users.act(man, kind, me)
    assert backend.decide(me, "like", man, uuid4()) is None
    users.act(man, "like", me)
    users.block(man, me)
    assert backend.decide(me, "like", man, uuid4()) is None


def test_two_likes_at_the_same_moment_are_one_match(backend: Backend, users: Users, pair: tuple[UUID, UUID]) -> None:
    me, man = pair
    lock = LOCK_PAIR.replace(":viewer", f"'{me}'::uuid").replace(":candidate", f"'{man}'::uuid")
    waiting = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with ThreadPoolExecutor() as threads:
        with users.connection.transaction():
            users.connection.execute(lock.encode())
            asked = [threads.submit(backend.decide, *ask, uuid4()) for ask in ((me, "like", man), (man, "like", me))]
            until(lambda: users.connection.execute(waiting).rowcount == 2)
        found = [each.result() for each in asked]
    assert found.count(None) == 1, "only who comes second makes the match"
    assert users.connection.execute("SELECT FROM app.conversations").rowcount == 1


def test_what_cannot_be_decided_on_is_refused(backend: Backend, pair: tuple[UUID, UUID]) -> None:
    me, man = pair
    card = {"publication_id": None, "position": None, "surface": "list", "kind": "like"}
    for candidate, more, status in ((uuid4(), {}, 404), (me, {}, 404), (man, {"kind": "block"}, 422)):
        body = card | {"candidate_id": str(candidate)} | more
        assert backend.ask(me, "PUT", f"decisions/{uuid4()}", body).status_code == status


def test_impressions_are_those_of_who_is_signed_in(backend: Backend, users: Users, pair: tuple[UUID, UUID]) -> None:
    me, man = pair
    card = {"candidate_id": str(man), "publication_id": 7, "position": 1, "surface": "list", "seconds_ago": 60}
    gone = card | {"candidate_id": str(uuid4())}
    backend.do(me, "POST", "views", [card | {"viewer_id": str(man)}, gone])
    written = "SELECT viewer_id, candidate_id, publication_id, position, surface FROM app.views"
    assert users.connection.execute(written).fetchall() == [(me, man, 7, 1, "list")]
    ago = "SELECT FROM app.views WHERE now() - shown_at BETWEEN interval '60 seconds' AND interval '5 minutes'"
    assert users.connection.execute(ago).rowcount == 1
    for wrong in ([card | {"surface": "elsewhere"}], [card] * 101):
        assert backend.ask(me, "POST", "views", wrong).status_code == 422
