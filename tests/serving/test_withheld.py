"""Who is withheld from a viewer by the live publication is shown nowhere, whichever publication a page is of."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from models.db.engines import convert_to_libpq_url
from models.db.schema.reader_role import ROLE
from tests.serving.conftest import Api, Town, token_for
from tests.serving.problems.test_problem_details import problem
from tests.serving.test_one_match import most_compatible, one
from tests.serving.test_paging import get_page, people
from tests.serving.test_similar import similar


def settle(town: Town, men: int = 6) -> tuple[UUID, list[UUID]]:
    """A woman and men, nearest first."""
    me, others = town.person(), town.people("man", men)
    for number, person in enumerate([me, *others]):
        town.embed(person, 10, number)
    return me, others


def withhold(town: Town, publication: int, me: UUID, them: Sequence[UUID]) -> None:
    town.run(
        "UPDATE matching.match_lists SET withheld_ids = %(them)s WHERE publication_id = %(id)s AND viewer_id = %(me)s",
        id=publication,
        me=me,
        them=list(them),
    )


def test_neighbours_leave_out_whom_the_list_leaves_out(api: Api, town: Town) -> None:
    me, men = settle(town)
    withhold(town, town.publish({me: men[4:]}), me, men[1:3])
    assert similar(api, me) == [men[0], *men[3:]]
    assert similar(api, me, 2) == [men[0], men[3]]
    assert api.shown(me) == [men[4], men[5], men[0], men[3]]
    assert [one(api, me, man).status_code for man in men] == [200, 404, 404, 200, 200, 200]


@pytest.mark.parametrize("written", ["-infinity", "yesterday", "now", "tomorrow", "infinity"])
def test_a_pass_on_me_changes_no_answer_of_mine(api: Api, town: Town, written: str) -> None:
    me, men = settle(town)
    town.pair(town.publish({me: men[3:]}), me, men[2])
    paths = ["matches", "similar", "most-compatible", *(f"matches/{man}" for man in men)]

    def answers() -> list[Any]:
        return [api.get(f"/v1/me/{path}", token_for(me)).headers["etag"] for path in paths]

    before = answers()
    town.run(
        "INSERT INTO app.interactions (actor_id, target_id, kind, created_at)"
        " SELECT unnest(%(men)s), %(me)s, 'pass', %(written)s::timestamptz",
        men=men,
        me=me,
        written=written,
    )
    assert answers() == before


def test_pages_of_an_earlier_publication_know_of_the_same_passes(api: Api, town: Town) -> None:
    """Else their difference from those of the live one would name who has passed in between."""
    me, men = settle(town)
    town.pair(town.publish({me: men[:4]}), me, men[4])
    cursor = get_page(api, me, 1)["next_cursor"]
    withhold(town, town.publish({me: [men[0], men[3]]}), me, [men[1], men[4]])
    assert people(get_page(api, me, 9, cursor)) == [men[2], men[3], men[5]]
    assert [one(api, me, man).status_code for man in men] == [200, 404, 200, 200, 404, 200]


def test_a_card_stands_where_the_page_of_an_earlier_publication_has_it(api: Api, town: Town) -> None:
    me, men = settle(town)
    town.publish({me: men[:4]})
    cursor = get_page(api, me, 1)["next_cursor"]
    withhold(town, town.publish({me: [men[0]]}), me, [men[1]])
    cards = get_page(api, me, 1, cursor)["matches"]
    assert [card["candidate"]["id"] for card in cards] == [str(men[2])]
    assert one(api, me, men[2]).json() == cards[0]


def test_pages_begun_before_there_was_a_publication_do_too(api: Api, town: Town) -> None:
    me, men = settle(town)
    cursor = get_page(api, me, 1)["next_cursor"]
    withhold(town, town.publish({me: []}), me, men[1:3])
    assert people(get_page(api, me, 9, cursor)) == men[3:]


def test_after_a_rollback_the_earlier_publication_withholds_its_own(api: Api, town: Town) -> None:
    me, men = settle(town)
    first = town.publish({me: men[4:]})
    withhold(town, first, me, [men[0]])
    second = town.publish({me: men[4:]})
    withhold(town, second, me, men[:3])
    assert similar(api, me) == men[3:]
    town.run("UPDATE matching.publications SET state = 'retired' WHERE id = %(id)s", id=second)
    town.run("UPDATE matching.publications SET state = 'live' WHERE id = %(id)s", id=first)
    assert similar(api, me) == men[1:]


def test_nobody_is_withheld_from_others_or_from_whoever_joined_since(api: Api, town: Town) -> None:
    me, men = settle(town)
    she, newcomer = town.person(), town.person()
    for person in (she, newcomer):
        town.embed(person, 10, 0)
    withhold(town, town.publish({me: [], she: []}), me, men)
    assert similar(api, me) == []
    assert (similar(api, she), similar(api, newcomer)) == (men, men)


def test_a_viewer_of_whom_everybody_is_withheld_has_nothing(api: Api, town: Town) -> None:
    me, men = settle(town)
    publication = town.publish({me: []})
    withhold(town, publication, me, men)
    body = api.matches(me).json()
    assert (body["publication"]["id"], body["matches"], body["next_cursor"]) == (publication, [], None)
    assert most_compatible(api, me)["match"] is None
    problem(one(api, me, men[0]), HTTPStatus.NOT_FOUND, "not-among-matches")


def test_the_role_of_the_api_cannot_read_the_column(api_database: str) -> None:
    with psycopg.connect(convert_to_libpq_url(api_database), autocommit=True) as connection:
        connection.execute(f"SET ROLE {ROLE}".encode())
        with pytest.raises(InsufficientPrivilege):
            connection.execute("SELECT withheld_ids FROM matching.match_lists")
