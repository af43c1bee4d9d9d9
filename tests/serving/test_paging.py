"""Pages show nobody twice and pass over nobody, whatever happens between them, and stay with one publication."""

import math
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serving.conftest import Api, Town, token_for
from tests.serving.problems.test_problem_details import problem

MEN = 24


def get_page(api: Api, me: UUID, limit: int, cursor: str | None = None) -> dict[str, Any]:
    answer = api.get(path(limit, cursor), token_for(me))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def path(limit: int, cursor: str | None) -> str:
    return f"/v1/me/matches?limit={limit}" + ("" if cursor is None else f"&cursor={cursor}")


def people(page: dict[str, Any]) -> list[UUID]:
    return [UUID(match["candidate"]["id"]) for match in page["matches"]]


def settle(town: Town, men: int) -> tuple[UUID, list[UUID]]:
    """A woman and men of embeddings ever farther from hers, compared with nobody else's."""
    encoder = uuid4().hex
    me, others = town.person(), town.people("man", men)
    town.embed(me, 1, 0, encoder)
    for number, man in enumerate(others):
        town.embed(man, math.cos(number / men), math.sin(number / men), encoder)
    return me, others


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
def test_nobody_is_shown_twice_or_passed_over(
    api: Api, town: Town, listed: list[int], happen: list[Happening], limits: list[int], next_publication_before: int
) -> None:
    me, men = settle(town, MEN)
    stranger = town.person("man")
    begun = town.publish({me: [men[number] for number in listed]})
    pages: list[dict[str, Any]] = []
    cursor, untouched, ended = None, set(men), False
    while not ended:
        for before, event, number in happen:
            if before == len(pages):
                town.run(EVENTS[event], me=me, him=men[number])
                untouched -= set() if event in HARMLESS else {men[number]}
        if len(pages) == next_publication_before > 0:
            town.publish({me: [stranger]})
        limit = limits[len(pages) % len(limits)]
        pages.append(get_page(api, me, limit, cursor))
        cursor = pages[-1]["next_cursor"]
        ended = cursor is None
        assert ended or len(pages[-1]["matches"]) == limit, "only the last page is short"
    assert {page["publication"]["id"] for page in pages} == {begun}
    check(pages, [men[number] for number in listed], untouched)
    assert stranger not in {person for page in pages for person in people(page)}


def check(pages: Sequence[dict[str, Any]], listed: list[UUID], untouched: set[UUID]) -> None:
    """Of all who were shown: each once; everybody to whom nothing happened; those of the list first and in order."""
    shown = [person for page in pages for person in people(page)]
    matches = [match for page in pages for match in page["matches"]]
    assert len(set(shown)) == len(shown)
    assert untouched <= set(shown)
    assert [match["rank"] for match in matches] == list(range(1, len(shown) + 1))
    published = [person for person, match in zip(shown, matches, strict=True) if match["source"] == "published"]
    assert set(published) <= set(listed)
    assert [person for person in published if person in untouched] == [he for he in listed if he in untouched]
    assert not set(listed) & {he for he, match in zip(shown, matches, strict=True) if match["source"] == "similar"}
    for page in pages:
        assert page["topped_up"] == any(match["source"] == "similar" for match in page["matches"])


def test_pages_cut_the_whole_list(api: Api, town: Town) -> None:
    me, men = town.person(), town.people("man", 50)
    town.publish({me: men})
    shown, cursors, cursor = [], [], None
    for _ in range(3):
        page = get_page(api, me, 20, cursor)
        shown.append(people(page))
        cursor = page["next_cursor"]
        cursors.append(cursor is not None)
    assert shown == [men[:20], men[20:40], men[40:]]
    assert cursors == [True, True, False]
    assert get_page(api, me, 50)["next_cursor"] is None


def test_a_list_is_topped_up_to_fifty_by_the_nearest(api: Api, town: Town) -> None:
    me, men = settle(town, 60)
    town.publish({me: men[59:29:-1]})
    for man in men[59:49:-1]:
        town.block(man, me)
    first = get_page(api, me, 18)
    second = get_page(api, me, 18, first["next_cursor"])
    third = get_page(api, me, 18, second["next_cursor"])
    assert (first["topped_up"], second["topped_up"], third["topped_up"]) == (False, True, True)
    assert people(first) + people(second) + people(third) == men[49:29:-1] + men[:30]
    assert third["next_cursor"] is None
    sources = [match["source"] for page in (first, second, third) for match in page["matches"]]
    assert sources == ["published"] * 20 + ["similar"] * 30


def test_a_list_longer_than_fifty_is_not_topped_up_and_not_cut(api: Api, town: Town) -> None:
    me, men = settle(town, 61)
    town.publish({me: men[1:]})
    first = get_page(api, me, 50)
    second = get_page(api, me, 50, first["next_cursor"])
    assert people(first) + people(second) == men[1:]
    assert (second["topped_up"], second["next_cursor"]) == (False, None)


def test_before_the_first_publication_there_are_similar_people(api: Api, town: Town) -> None:
    me, men = settle(town, 5)
    first = get_page(api, me, 2)
    assert (first["publication"], people(first), first["topped_up"]) == (None, men[:2], True)
    town.publish({me: men[3:]})
    second = get_page(api, me, 5, first["next_cursor"])
    assert (second["publication"], people(second)) == (None, men[2:])
    assert people(get_page(api, me, 1)) == [men[3]]


GONE = {
    "its lists are dropped": "DROP TABLE matching.match_lists_{id}",
    "it was rolled back from": "UPDATE matching.publications SET metrics = '{{\"rolled_back_at\": 1}}' WHERE id = {id}",
    "all trace of it is lost": "DELETE FROM matching.publications WHERE id = {id}",
}


@pytest.mark.parametrize("why", GONE)
def test_a_publication_that_is_gone_is_told_with_what_to_do(api: Api, town: Town, why: str) -> None:
    me, men = town.person(), town.people("man", 3)
    begun = town.publish({me: men})
    cursor = get_page(api, me, 1)["next_cursor"]
    town.publish({me: men[::-1]})
    assert people(get_page(api, me, 1, cursor)) == [men[1]]
    town.run(GONE[why].format(id=begun))
    detail = problem(api.get(path(1, cursor), token_for(me)), HTTPStatus.GONE, "cursor-gone")["detail"]
    assert "start again without a cursor" in detail
    assert people(get_page(api, me, 1)) == [men[2]]


def test_a_publication_that_is_live_again_is_paged_on(api: Api, town: Town) -> None:
    me, men = town.person(), town.people("man", 3)
    begun = town.publish({me: men})
    cursor = get_page(api, me, 1)["next_cursor"]
    town.run("UPDATE matching.publications SET metrics = '{\"rolled_back_at\": 1}' WHERE id = %(id)s", id=begun)
    assert people(get_page(api, me, 2, cursor)) == men[1:]


def test_a_cursor_is_good_for_one_viewer_only(api: Api, town: Town) -> None:
    me, she, men = town.person(), town.person(), town.people("man", 3)
    town.publish({me: men, she: men[::-1]})
    cursor = get_page(api, me, 1)["next_cursor"]
    body = problem(api.get(path(1, cursor), token_for(she)), HTTPStatus.BAD_REQUEST, "cursor-invalid")
    assert "start again without a cursor" in body["detail"]


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "%00", "ä", "a b", "A" * 2000, "null", "' OR 1=1"])
def test_what_was_never_a_cursor_is_refused(api: Api, town: Town, cursor: str) -> None:
    me = town.person()
    town.publish({me: []})
    problem(api.get(path(1, cursor), token_for(me)), HTTPStatus.BAD_REQUEST)
    answer = problem(api.get(path(1, "A" * 2001), token_for(me)), HTTPStatus.UNPROCESSABLE_ENTITY)
    assert [error["parameter"] for error in answer["errors"]] == ["cursor"]


def test_a_cursor_tells_nobody(api: Api, town: Town) -> None:
    """It may stand in the log of a proxy."""
    me, men = town.person(), town.people("man", 3)
    town.publish({me: men})
    raw = unsigned(get_page(api, me, 2)["next_cursor"])
    assert not [person for person in (me, *men) if person.bytes in raw or person.bytes[:4] in raw]


def unsigned(cursor: str) -> bytes:
    return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
