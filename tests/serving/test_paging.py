"""Pages repeat and omit no user, whatever happens between them, and stay with one publication."""

from base64 import urlsafe_b64decode
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serving.conftest import Api, Users, ids, page_path, problem

MEN = 16
EVENTS = {
    "she blocks him": "INSERT INTO app.blocks SELECT %(me)s, id FROM app.profiles WHERE id = %(him)s"
    " ON CONFLICT DO NOTHING",
    "he blocks her": "INSERT INTO app.blocks SELECT id, %(me)s FROM app.profiles WHERE id = %(him)s"
    " ON CONFLICT DO NOTHING",
    "she likes him": "INSERT INTO app.interactions (actor_id, target_id, kind)"
    " SELECT %(me)s, id, 'like' FROM app.profiles WHERE id = %(him)s",
    "he is paused": "UPDATE app.profiles SET paused = true WHERE id = %(him)s",
    "he is back": "UPDATE app.profiles SET paused = false WHERE id = %(him)s",
    "he is erased": "DELETE FROM app.profiles WHERE id = %(him)s",
    "his embedding changes": "UPDATE matching.embeddings SET embedding = (SELECT embedding FROM matching.embeddings"
    " WHERE profile_id = %(me)s) WHERE profile_id = %(him)s",
}
HARMLESS = {"he is back", "his embedding changes"}

Happening = tuple[int, str, int]
"""Before which page, what, to which man."""
happenings = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(sorted(EVENTS)), st.integers(0, MEN - 1)), max_size=12
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    listed=st.lists(st.integers(0, MEN - 1), unique=True, max_size=MEN),
    happen=happenings,
    limits=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    next_publication_before=st.integers(0, 6),
)
def test_pages_repeat_and_omit_no_user(
    api: Api, users: Users, listed: list[int], happen: list[Happening], limits: list[int], next_publication_before: int
) -> None:
    encoder = uuid4().hex
    me, men = users.neighbours(MEN, encoder)
    stranger = users.add("man")
    begun = users.publish({me: [men[number] for number in listed]}, encoder=encoder)
    pages: list[dict[str, Any]] = []
    cursor, untouched, ended = None, set(men), False
    while not ended:
        for before, event, number in happen:
            if before == len(pages):
                users.run(EVENTS[event], me=me, him=men[number])
                untouched -= set() if event in HARMLESS else {men[number]}
        if len(pages) == next_publication_before > 0:
            users.publish({me: [stranger]})
        limit = limits[len(pages) % len(limits)]
        pages.append(api.page(me, limit, cursor))
        cursor = pages[-1]["next_cursor"]
        ended = cursor is None
        assert ended or len(pages[-1]["matches"]) == limit, "only the last page is short"
    assert {page["publication"]["id"] for page in pages} == {begun}
    check(pages, [men[number] for number in listed], untouched)


def check(pages: list[dict[str, Any]], listed: list[UUID], untouched: set[UUID]) -> None:
    matches = [match for page in pages for match in page["matches"]]
    shown = ids({"matches": matches})
    assert len(set(shown)) == len(shown)
    assert untouched <= set(shown)
    assert [match["rank"] for match in matches] == list(range(1, len(shown) + 1))
    published = [person for person, match in zip(shown, matches, strict=True) if match["source"] == "published"]
    assert shown[: len(published)] == published, "similar users follow"
    assert set(published) == set(listed) & set(shown)
    assert [person for person in published if person in untouched] == [he for he in listed if he in untouched]
    for page in pages:
        assert page["topped_up"] == any(match["source"] == "similar" for match in page["matches"])


def all_pages(api: Api, me: UUID, limit: int) -> list[dict[str, Any]]:
    pages = [api.page(me, limit)]
    while pages[-1]["next_cursor"]:
        pages.append(api.page(me, limit, pages[-1]["next_cursor"]))
    return pages


def test_a_list_of_fifty_or_more_is_not_topped_up(api: Api, users: Users) -> None:
    me, men = users.neighbours(61)
    users.publish({me: men[1:51]})
    assert [ids(page) for page in all_pages(api, me, 20)] == [men[1:21], men[21:41], men[41:51]]
    assert api.page(me, 50)["next_cursor"] is None
    users.publish({me: men[1:]})
    pages = all_pages(api, me, 50)
    assert ([ids(page) for page in pages], pages[1]["topped_up"]) == ([men[1:51], men[51:]], False)


def test_a_list_is_topped_up_to_fifty_by_the_nearest(api: Api, users: Users) -> None:
    me, men = users.neighbours(60)
    users.publish({me: men[59:29:-1]})
    for man in men[59:49:-1]:
        users.block(man, me)
    pages = all_pages(api, me, 18)
    assert [page["topped_up"] for page in pages] == [False, True, True]
    assert [man for page in pages for man in ids(page)] == men[49:29:-1] + men[:30]
    sources = [match["source"] for page in pages for match in page["matches"]]
    assert sources == ["published"] * 20 + ["similar"] * 30


def test_before_the_first_publication_there_are_similar_users(api: Api, users: Users) -> None:
    me, men = users.neighbours(5)
    first = api.page(me, 2)
    assert (first["publication"], ids(first), first["topped_up"]) == (None, men[:2], True)
    users.publish({me: men[3:]})
    second = api.page(me, 5, first["next_cursor"])
    assert (second["publication"], ids(second)) == (None, men[2:])
    assert ids(api.page(me, 1)) == [men[3]]


GONE = {
    "its lists are dropped": "DROP TABLE matching.match_lists_{id}",
    "it was rolled back from": "UPDATE matching.publications SET metrics = '{{\"rolled_back_at\": 1}}' WHERE id = {id}",
    "its row is deleted": "DELETE FROM matching.publications WHERE id = {id}",
}


@pytest.mark.parametrize("why", GONE)
def test_pages_of_a_publication_that_is_gone(api: Api, users: Users, why: str) -> None:
    me, men = users.add(), users.men(3)
    begun = users.publish({me: men})
    cursor = api.page(me, 1)["next_cursor"]
    users.run("UPDATE matching.publications SET metrics = '{\"rolled_back_at\": 1}' WHERE state = 'live'")
    assert ids(api.page(me, 1, cursor)) == [men[1]], "a publication that is live again is read"
    users.run("UPDATE matching.publications SET metrics = '{}'")
    users.publish({me: men[::-1]})
    assert ids(api.page(me, 1, cursor)) == [men[1]]
    users.run(GONE[why].format(id=begun))
    problem(api.me(me, page_path(1, cursor)), HTTPStatus.GONE, "cursor-gone")
    assert ids(api.page(me, 1)) == [men[2]]


def test_a_cursor_is_for_one_viewer_and_names_no_one(api: Api, users: Users) -> None:
    me, she, men = users.add(), users.add(), users.men(3)
    users.publish({me: men, she: men[::-1]})
    cursor = api.page(me, 1)["next_cursor"]
    for viewer, wrong in ((she, cursor), (me, ""), (me, "%00"), (me, "ä"), (me, "' OR 1=1"), (me, "A" * 2000)):
        problem(api.me(viewer, page_path(1, wrong)), HTTPStatus.BAD_REQUEST, "cursor-invalid")
    raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert not [person for person in (me, *men) if person.bytes[:4] in raw]
