"""An answer that a client has is not sent again, and whatever changes it sends it again."""

from collections.abc import Callable
from uuid import UUID

import pytest

from tests.serving.conftest import Api, Town, token_for

PATHS = ["/v1/me/matches?limit=2", "/v1/me/most-compatible", "/v1/me/similar", "/v1/publications/current"]


def settle(town: Town) -> tuple[UUID, list[UUID]]:
    me, men = town.person(), town.people("man", 3)
    for person in (me, *men):
        town.embed(person, 1, 0)
    town.pair(town.publish({me: men}), me, men[0])
    return me, men


@pytest.mark.parametrize("path", [*PATHS, "/v1/me/matches/{he}"])
def test_what_is_known_is_not_sent_again(api: Api, town: Town, path: str) -> None:
    me, men = settle(town)
    path = path.format(he=men[0])
    first = api.get(path, token_for(me))
    again = api.get(path, token_for(me), **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for header in ("etag", "cache-control"):
        assert again.headers[header] == first.headers[header]
    for answer in (first, again):
        assert "authorization" in answer.headers["vary"].lower()
    assert first.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("{etag}", 304),
        ('W/"x", {etag}, "y"', 304),
        ("{strong}", 304),
        ('W/"x"', 200),
        ("{bare}", 200),
        ('"', 200),
        ("", 200),
    ],
)
def test_etags_are_compared_weakly_and_whole(api: Api, town: Town, header: str, status: int) -> None:
    me, _ = settle(town)
    etag = api.matches(me).headers["etag"]
    assert etag.startswith('W/"')
    sent = header.format(etag=etag, strong=etag.removeprefix("W/"), bare=etag[3:-1])
    assert api.get("/v1/me/matches", token_for(me), **{"If-None-Match": sent}).status_code == status


CHANGES: dict[str, Callable[[Town, UUID, list[UUID]], object]] = {
    "a block": lambda town, me, men: town.block(men[0], me),
    "a like": lambda town, me, men: town.act(me, "like", men[1]),
    "a new name": lambda town, _, men: town.change(men[0], display_name="Another"),
    "a publication of the same lists": lambda town, me, men: town.publish({me: men}),
    "an erasure beyond the page": lambda town, _, men: town.erase(men[2]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_the_answer_changes_the_etag(api: Api, town: Town, change: str) -> None:
    me, men = settle(town)
    before = api.matches(me)
    CHANGES[change](town, me, men)
    after = api.get("/v1/me/matches", token_for(me), **{"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.text != before.text


def test_another_viewers_etag_is_another(api: Api, town: Town) -> None:
    me, men = settle(town)
    she = town.person()
    town.publish({me: men, she: men[::-1]})
    etag = api.matches(me).headers["etag"]
    assert api.get("/v1/me/matches", token_for(she), **{"If-None-Match": etag}).status_code == 200


def test_problems_have_no_etag_and_are_not_kept(api: Api, town: Town) -> None:
    answer = api.get("/v1/publications/current", token_for(town.person()))
    assert answer.status_code == 404
    assert "etag" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
