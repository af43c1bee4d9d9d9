"""Candidates withheld by the live publication are shown nowhere, whichever publication a page is of."""

from collections.abc import Sequence
from http import HTTPStatus
from uuid import UUID

from tests.serving.conftest import Api, Users, ids, problem


def publish(users: Users, me: UUID, listed: Sequence[UUID], withheld: Sequence[UUID], **pair: UUID) -> int:
    """A publication with this list of hers, these men withheld from her, and perhaps a most compatible one."""
    publication = users.publish({me: listed})
    users.run(
        "UPDATE matching.match_lists SET withheld_ids = %(them)s WHERE publication_id = %(id)s",
        id=publication,
        them=list(withheld),
    )
    for partner in pair.values():
        users.pair(publication, me, partner)
    return publication


def statuses(api: Api, me: UUID, men: Sequence[UUID]) -> list[int]:
    return [api.open(me, man).status_code for man in men]


def test_withheld_candidates_are_not_similar_either(api: Api, users: Users) -> None:
    me, men = users.neighbours(6)
    publish(users, me, men[4:], withheld=men[1:3])
    assert api.similar(me) == [men[0], *men[3:]]
    assert api.similar(me, 2) == [men[0], men[3]]
    assert api.shown(me) == [men[4], men[5], men[0], men[3]]
    assert statuses(api, me, men) == [200, 404, 404, 200, 200, 200]


def test_a_pass_on_the_viewer_changes_no_response(api: Api, users: Users) -> None:
    me, men = users.neighbours(6)
    publish(users, me, men[3:], withheld=[], partner=men[2])
    paths = ["matches", "similar", "most-compatible", *(f"matches/{man}" for man in men)]
    before = [api.me(me, path).content for path in paths]
    for man, written in zip(men, ("-infinity", "yesterday", "now", "tomorrow", "infinity", "epoch"), strict=True):
        users.run(
            "INSERT INTO app.interactions (actor_id, target_id, kind, created_at)"
            f" VALUES (%(man)s, %(me)s, 'pass', '{written}')",
            man=man,
            me=me,
        )
    assert [api.me(me, path).content for path in paths] == before


def test_pages_begun_earlier_withhold_the_same(api: Api, users: Users) -> None:
    """Otherwise their difference from the live ones would name who has passed in between."""
    me, men = users.neighbours(6)
    before_any = api.page(me, 1)["next_cursor"]
    publish(users, me, men[:4], withheld=[], partner=men[4])
    cursor = api.page(me, 1)["next_cursor"]
    publish(users, me, [men[0], men[3]], withheld=[men[1], men[4]])
    assert ids(api.page(me, 9, before_any)) == [men[2], men[3], men[5]]
    page = api.page(me, 9, cursor)
    assert ids(page) == [men[2], men[3], men[5]]
    assert api.open(me, men[2]).json() == page["matches"][0]
    assert statuses(api, me, men) == [200, 404, 200, 200, 404, 200]


def test_after_a_rollback_the_earlier_publication_withholds(api: Api, users: Users) -> None:
    me, men = users.neighbours(6)
    first = publish(users, me, men[4:], withheld=[men[0]])
    second = publish(users, me, men[4:], withheld=men[:3])
    assert api.similar(me) == men[3:]
    users.run("UPDATE matching.publications SET state = 'retired' WHERE id = %(id)s", id=second)
    users.run("UPDATE matching.publications SET state = 'live' WHERE id = %(id)s", id=first)
    assert api.similar(me) == men[1:]


def test_candidates_are_withheld_from_one_viewer(api: Api, users: Users) -> None:
    me, men = users.neighbours(6)
    other = users.add()
    users.embed(other, 1, 0)
    publication = publish(users, me, [], withheld=men)
    body = api.read(me)
    assert (body["publication"]["id"], body["matches"], body["next_cursor"]) == (publication, [], None)
    assert api.similar(me) == []
    assert api.read(me, "most-compatible")["match"] is None
    problem(api.open(me, men[0]), HTTPStatus.NOT_FOUND, "not-among-matches")
    assert api.similar(other) == men
