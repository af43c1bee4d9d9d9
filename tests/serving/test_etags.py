"""A response that a client has is not sent again; whatever changes it does send it."""

from collections.abc import Callable
from uuid import UUID

import pytest

from tests.serving.conftest import Api, Users, token_for

Viewer = tuple[UUID, list[UUID]]


@pytest.fixture
def viewer(users: Users) -> Viewer:
    me, men = users.neighbours(3)
    users.pair(users.publish({me: men}), me, men[0])
    return me, men


def test_a_known_response_is_not_sent_again(api: Api, viewer: Viewer) -> None:
    me, (he, *_) = viewer
    for path in ("me/matches?limit=2", f"me/matches/{he}", "me/most-compatible", "me/similar", "publications/current"):
        first = api.get(f"/v1/{path}", token_for(me))
        again = api.get(f"/v1/{path}", token_for(me), **{"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        for response in (first, again):
            assert response.headers["etag"] == first.headers["etag"]
            assert response.headers["cache-control"] == "private, no-cache"
            assert "authorization" in response.headers["vary"].lower()


def test_etags_are_compared_weakly_and_whole(api: Api, viewer: Viewer) -> None:
    etag = api.matches(viewer[0]).headers["etag"]
    assert etag.startswith('W/"')
    known, unknown = (etag, f'W/"x", {etag}, "y"', etag.removeprefix("W/")), ('W/"x"', etag[3:-1], '"', "")
    for sent in known + unknown:
        status = api.me(viewer[0], "matches", **{"If-None-Match": sent}).status_code
        assert status == (304 if sent in known else 200), sent


def test_what_changes_the_response_changes_the_etag(api: Api, users: Users, viewer: Viewer) -> None:
    me, men = viewer
    changes: list[Callable[[], object]] = [
        lambda: users.change(men[0], display_name="Another"),
        lambda: users.publish({me: men}),
        lambda: users.block(men[0], me),
        lambda: users.erase(men[1]),
    ]
    etags = {api.matches(me).headers["etag"]}
    for number, change in enumerate(changes, start=2):
        change()
        assert {api.me(me, "matches", **{"If-None-Match": etag}).status_code for etag in etags} == {200}
        etags.add(api.matches(me).headers["etag"])
        assert len(etags) == number
