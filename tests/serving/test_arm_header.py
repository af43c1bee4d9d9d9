"""The header with the viewer's arms: only where it is on, of the page's own publication, and never in the body."""

from uuid import UUID

from tests.serving.conftest import Api, Users, page_path

HEADER = "Matching-Arms"


def assign(users: Users, publication: int, viewer: UUID, arm: str) -> None:
    users.run(
        "INSERT INTO matching.experiment_assignments VALUES ('order', %(publication)s, %(viewer)s, %(arm)s, 'here')",
        publication=publication,
        viewer=viewer,
        arm=arm,
    )


def test_arms_are_named_where_the_operator_says_so(api: Api, telling: Api, users: Users) -> None:
    me, men = users.viewer(men=3)
    publication = users.publish({me: men})
    plain = telling.me(me, "matches")
    assert HEADER not in plain.headers
    assign(users, publication, me, "purple")
    named = telling.me(me, "matches")
    assert named.headers[HEADER] == "order=purple"
    assert (named.content, named.headers["etag"]) == (plain.content, plain.headers["etag"])
    assert named.headers["cache-control"] == plain.headers["cache-control"] == "private, no-cache"
    unchanged = telling.me(me, "matches", **{"If-None-Match": named.headers["etag"]})
    assert (unchanged.status_code, unchanged.headers[HEADER]) == (304, "order=purple")
    assert HEADER not in api.me(me, "matches").headers
    assert HEADER not in telling.me(men[0], "matches").headers, "of others nothing"


def test_later_pages_name_the_arm_of_their_publication(telling: Api, users: Users) -> None:
    me, men = users.viewer(men=3)
    first = users.publish({me: men})
    assign(users, first, me, "old")
    begun = telling.me(me, page_path(1, None))
    assert begun.headers[HEADER] == "order=old"
    assign(users, users.publish({me: men}), me, "new")
    following = telling.me(me, page_path(1, begun.json()["next_cursor"]))
    assert following.headers[HEADER] == "order=old"
    assert telling.me(me, page_path(1, None)).headers[HEADER] == "order=new"


def test_browsers_may_read_the_header(strict_api: Api) -> None:
    response = strict_api.client.get("/livez", headers={"Origin": "https://app.example"})
    assert HEADER in response.headers["access-control-expose-headers"]
