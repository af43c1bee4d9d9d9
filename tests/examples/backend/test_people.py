"""Sign-in, pause and blocks: who may act as whom, and what the API shows at the next request."""

from uuid import UUID, uuid4

import pytest

from examples.backend.app import create_app
from models.db.settings import Settings
from tests.examples.conftest import Backend
from tests.serving.conftest import SECRET, Api, Users


def test_only_simulated_people_are_there_to_sign_in_as(backend: Backend, api: Api, users: Users) -> None:
    ada = users.add(display_name="Ada", source_key="simulated:1-2:10")
    eve = users.add(display_name="Eve", source_key="simulated:1-2:2", paused=True)
    real = users.add(source_key="my-app:1")
    people = backend.client.get("/backend/people").json()
    assert [(each["id"], each["name"], each["paused"]) for each in people] == [
        (str(eve), "Eve", True),
        (str(ada), "Ada", False),
    ]
    token = backend.client.post("/backend/sign-in", json={"person_id": str(ada)}).json()["token"]
    assert api.get("/v1/me/matches", token).status_code == 200
    for nobody in (real, uuid4()):
        refused = backend.client.post("/backend/sign-in", json={"person_id": str(nobody)})
        assert (refused.status_code, "token" in refused.text) == (404, False)
    assert backend.do(ada, "GET", "me").json()["name"] == "Ada"
    assert backend.client.get("/backend/me").status_code == 401


@pytest.mark.parametrize("more", [{"environment": "production"}, {"jwks_url": "https://app.example/keys"}], ids=str)
def test_it_starts_in_development_only(more: dict[str, str]) -> None:
    secret = {} if "jwks_url" in more else {"jwt_secret": SECRET}
    with pytest.raises(SystemExit, match="does not start"):
        create_app(Settings.model_validate(secret | more))


def test_a_pause_counts_at_the_next_request(backend: Backend, api: Api, pair: tuple[UUID, UUID]) -> None:
    me, man = pair
    for paused, seen in ((True, []), (False, [man])):
        backend.do(me, "PUT", "me/paused", {"paused": paused})
        assert api.shown(me) == seen


def test_a_block_separates_both_and_ends_the_conversation(
    backend: Backend, api: Api, users: Users, pair: tuple[UUID, UUID]
) -> None:
    me, man = pair
    users.act(man, "like", me)
    conversation = backend.decide(me, "like", man, uuid4())
    assert [each["id"] for each in api.read(man, "conversations")["conversations"]] == [conversation]
    for _ in range(2):
        backend.do(man, "PUT", f"blocks/{me}")
    for who in pair:
        assert api.read(who, "conversations")["conversations"] == []
        assert backend.ask(who, "GET", f"conversations/{conversation}/messages").status_code == 404
    closed = "SELECT closed_by, closed_as FROM app.conversations"
    assert users.connection.execute(closed).fetchall() == [(man, "blocked")]
    assert backend.ask(me, "PUT", f"blocks/{uuid4()}").status_code == 404
