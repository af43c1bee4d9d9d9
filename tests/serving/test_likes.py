"""Likes received: where likes are told, a viewer sees the likes that wait for them, and nothing else of anybody."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from models.db.engines import convert_to_libpq_url
from models.db.schema.reader_role import ROLE
from serving.schemas import Likes
from tests.serving.conftest import ALIKE, Api, Users, problem

Reasons = Sequence[dict[str, object]]


def rank_likes(
    users: Users, publication: int, me: UUID, senders: Sequence[UUID], chance: float = 0.25, why: Reasons = ()
) -> None:
    """Make these the pending likes of a viewer with a row, in the order of the publication."""
    for sender in senders:
        users.act(sender, "like", me)
    users.run(
        "UPDATE matching.match_lists SET likes_ids = %(senders)s, likes_p_like = %(chances)s::real[],"
        " likes_p_match = %(chances)s::real[], likes_reasons = %(reasons)s"
        " WHERE publication_id = %(publication)s AND viewer_id = %(me)s",
        senders=list(senders),
        chances=[chance] * len(senders),
        reasons=Jsonb([list(why)] * len(senders)),
        publication=publication,
        me=me,
    )


def get_page(api: Api, me: UUID, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return api.read(me, path(limit, cursor))


def path(limit: int, cursor: str | None = None) -> str:
    return f"likes?limit={limit}" + ("" if cursor is None else f"&cursor={cursor}")


def senders(page: dict[str, Any]) -> list[UUID]:
    return [UUID(like["candidate"]["id"]) for like in page["likes"]]


def test_the_whole_response_is_known(telling: Api, users: Users) -> None:
    me, ranked, new = (users.add(gender, **ALIKE) for gender in ("woman", "man", "man"))
    publication = users.publish({me: []})
    rank_likes(users, publication, me, [ranked], 0.286, [{"code": "close_by", "detail": []}])
    users.act(new, "like", me)
    response = telling.me(me, "likes")
    first, second = response.json()["likes"]
    assert {**first, "candidate": first["candidate"]["id"]} == {
        "rank": 1,
        "candidate": str(ranked),
        "p_match_percent": 29,
        "reasons": [{"code": "close_by", "sentence": "You live close to each other."}],
        "source": "like",
    }
    assert {**second, "candidate": second["candidate"]["id"]} == {
        "rank": 2,
        "candidate": str(new),
        "p_match_percent": None,
        "reasons": [],
        "source": "like",
    }
    assert set(response.json()) == {"publication", "likes", "next_cursor"}
    assert response.json()["publication"]["id"] == publication
    assert first["candidate"] | {"id": ""} == second["candidate"] | {"id": ""}, "the card of matches"
    Likes.model_validate_json(response.content, strict=True)
    etag = response.headers["etag"]
    assert telling.me(me, "likes", **{"If-None-Match": etag}).status_code == 304
    users.act(new, "pass", me)
    assert telling.me(me, "likes", **{"If-None-Match": etag}).status_code == 200


def test_likes_since_the_publication_follow_newest_first(telling: Api, users: Users) -> None:
    me, men = users.add(), users.men(6)
    rank_likes(users, users.publish({me: []}), me, [men[2], men[0]])
    for man in (men[4], men[1], men[5], men[4]):  # the second like of 4 is his last decision
        users.act(man, "like", me)
    assert senders(get_page(telling, me)) == [men[2], men[0], men[4], men[5], men[1]]


def test_a_new_like_has_what_the_publication_says_of_the_pair(telling: Api, users: Users) -> None:
    """On her list: probability and reasons. On his alone: the probability, the same from both sides, and no reason."""
    me, listed, lists_me, both, neither = (users.add(gender, **ALIKE) for gender in ("woman", *["man"] * 4))
    why: list[Reasons] = [[{"code": code, "detail": []}] for code in ("close_by", "similar_age")]
    chances = [0.4, 0.2]
    users.publish({me: [listed, both], lists_me: [uuid4(), me], both: [me, uuid4()]}, chances, why)
    for man in (neither, both, lists_me, listed):
        users.act(man, "like", me)
    found = [
        (like["p_match_percent"], [each["code"] for each in like["reasons"]]) for like in get_page(telling, me)["likes"]
    ]
    assert found == [(40, ["close_by"]), (20, []), (20, ["similar_age"]), (None, [])]


GONE = {
    "he passes": ("INSERT INTO app.interactions (actor_id, target_id, kind) VALUES (%(him)s, %(me)s, 'pass')", False),
    "she likes": ("INSERT INTO app.interactions (actor_id, target_id, kind) VALUES (%(me)s, %(him)s, 'like')", False),
    "she passes": ("INSERT INTO app.interactions (actor_id, target_id, kind) VALUES (%(me)s, %(him)s, 'pass')", False),
    "she blocks": ("INSERT INTO app.blocks VALUES (%(me)s, %(him)s)", False),
    "he blocks": ("INSERT INTO app.blocks VALUES (%(him)s, %(me)s)", False),
    "he is paused": ("UPDATE app.profiles SET paused = true WHERE id = %(him)s", False),
    "he seeks others": ("UPDATE app.profiles SET seeks = '{man}' WHERE id = %(him)s", False),
    "he is too young": ("UPDATE app.profiles SET birth_date = current_date WHERE id = %(him)s", False),
    "he moved": ("UPDATE app.profiles SET latitude = 40, longitude = 5, max_distance_km = 9 WHERE id = %(him)s", False),
    "his profile is broken": ("UPDATE app.profiles SET traits = '[]' WHERE id = %(him)s", False),
    "he is erased": ("DELETE FROM app.profiles WHERE id = %(him)s", False),
    "she is paused": ("UPDATE app.profiles SET paused = true WHERE id = %(me)s", True),
}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("event", GONE)
def test_who_may_not_be_shown_is_gone_at_once(telling: Api, users: Users, event: str, known: bool) -> None:
    me, him, other = users.add(latitude=0, longitude=0), *users.men(2)
    publication = users.publish({me: []})
    rank_likes(users, publication, me, [him, other] if known else [])
    for man in (other, him):
        users.act(man, "like", me)
    assert senders(get_page(telling, me)) == [him, other]
    statement, everybody = GONE[event]
    users.run(statement, me=me, him=him)
    assert senders(get_page(telling, me)) == ([] if everybody else [other])


def test_a_viewer_sees_likes_to_them_only(telling: Api, users: Users) -> None:
    me, she, he, passer = users.add(), users.add(), *users.men(2)
    publication = users.publish({me: [], she: []})
    rank_likes(users, publication, she, [he])
    users.act(passer, "like", me)
    users.act(passer, "pass", me)
    users.act(he, "pass", me)
    assert (senders(get_page(telling, me)), senders(get_page(telling, she))) == ([], [he])
    assert get_page(telling, users.add())["likes"] == []
    problem(telling.me(uuid4(), "likes"), HTTPStatus.FORBIDDEN, "no-profile")


@pytest.mark.parametrize("written", ["-infinity", "yesterday", "infinity"])
def test_a_pass_on_me_changes_no_page_of_likes(telling: Api, users: Users, written: str) -> None:
    me, he, passer = users.add(), *users.men(2)
    rank_likes(users, users.publish({me: [passer]}), me, [he])
    before = telling.me(me, "likes").headers["etag"]
    users.run(
        "INSERT INTO app.interactions (actor_id, target_id, kind, created_at) VALUES (%(him)s, %(me)s, 'pass', %(at)s)",
        him=passer,
        me=me,
        at=written,
    )
    assert telling.me(me, "likes").headers["etag"] == before


EVENTS = {
    "he likes": "INSERT INTO app.interactions (actor_id, target_id, kind) SELECT id, %(me)s, 'like' FROM him",
    "he passes": "INSERT INTO app.interactions (actor_id, target_id, kind) SELECT id, %(me)s, 'pass' FROM him",
    "she likes": "INSERT INTO app.interactions (actor_id, target_id, kind) SELECT %(me)s, id, 'like' FROM him",
    "he is erased": "DELETE FROM app.profiles WHERE id = %(him)s",
    "he blocks her": "INSERT INTO app.blocks SELECT id, %(me)s FROM him ON CONFLICT DO NOTHING",
}
HIM = "WITH him AS (SELECT id FROM app.profiles WHERE id = %(him)s) "
MEN = 12


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ranked=st.lists(st.integers(0, MEN - 1), unique=True, max_size=MEN),
    happen=st.lists(st.tuples(st.integers(0, 4), st.sampled_from(sorted(EVENTS)), st.integers(0, MEN - 1)), max_size=8),
    limit=st.integers(1, 5),
    next_publication_before=st.integers(0, 4),
)
def test_pages_show_each_like_once(
    telling: Api,
    users: Users,
    ranked: list[int],
    happen: list[tuple[int, str, int]],
    limit: int,
    next_publication_before: int,
) -> None:
    """Whatever happens between pages; those to whom nothing happens are all shown, the ranked ones in their order."""
    me, men = users.add(), users.men(MEN)
    begun = users.publish({me: []})
    rank_likes(users, begun, me, [men[number] for number in ranked])
    for number in set(range(MEN)) - set(ranked):
        users.act(men[number], "like", me)
    pages: list[dict[str, Any]] = []
    untouched, cursor, ended = set(men), None, False
    while not ended:
        for before, event, number in happen:
            if before == len(pages):
                users.run(HIM + EVENTS[event], me=me, him=men[number])
                untouched.discard(men[number])
        if len(pages) == next_publication_before > 0:
            users.publish({me: men})
        pages.append(get_page(telling, me, limit, cursor))
        cursor = pages[-1]["next_cursor"]
        ended = cursor is None
    shown = [sender for page in pages for sender in senders(page)]
    assert len(set(shown)) == len(shown)
    assert untouched <= set(shown)
    assert [like["rank"] for page in pages for like in page["likes"]] == list(range(1, len(shown) + 1))
    order = [men[number] for number in ranked if men[number] in untouched]
    assert [sender for sender in shown if sender in set(order)] == order
    assert {page["publication"]["id"] for page in pages} == {begun}


def test_all_pages_together_have_four_hundred_likes(telling: Api, users: Users) -> None:
    me = users.add()
    users.run(
        "INSERT INTO app.profiles (display_name, birth_date, gender, seeks)"
        " SELECT 'Somebody', '1990-01-01', 'man', '{woman}' FROM generate_series(1, 403)"
    )
    users.run(
        "INSERT INTO app.interactions (actor_id, target_id, kind)"
        " SELECT id, %(me)s, 'like' FROM app.profiles WHERE gender = 'man'",
        me=me,
    )
    cursor, shown = None, []
    for _ in range(8):
        page = get_page(telling, me, 50, cursor)
        cursor = page["next_cursor"]
        shown += senders(page)
    assert len(set(shown)) == 400
    assert cursor is None


def test_a_card_of_a_page_opens(telling: Api, users: Users) -> None:
    """And no other card: not of a like that was withdrawn, nor of a user who likes somebody else."""
    me, she, known, new, passer = users.add(), users.add(), *users.men(3)
    rank_likes(users, users.publish({me: []}), me, [known])
    for actor, kind, target in ((new, "like", me), (passer, "like", me), (passer, "pass", me), (passer, "like", she)):
        users.act(actor, kind, target)
    cards = {UUID(card["candidate"]["id"]): card for card in get_page(telling, me)["likes"]}
    assert set(cards) == {known, new}
    for man, card in cards.items():
        opened = telling.open(me, man)
        assert opened.json() == card | {"rank": 1}
    problem(telling.open(me, passer), HTTPStatus.NOT_FOUND, "not-among-matches")
    problem(telling.open(me, uuid4()), HTTPStatus.NOT_FOUND, "not-among-matches")


def test_cursors_are_for_one_viewer_and_one_kind_of_page(telling: Api, users: Users) -> None:
    me, she, men = users.add(), users.add(), users.men(3)
    begun = users.publish({me: men, she: []})
    rank_likes(users, begun, me, men)
    cursor = get_page(telling, me, 1)["next_cursor"]
    of_matches = telling.page(me, 1)["next_cursor"]
    for refused in (
        telling.me(she, path(1, cursor)),
        telling.me(me, path(1, of_matches)),
        telling.me(me, f"matches?cursor={cursor}"),
    ):
        problem(refused, HTTPStatus.BAD_REQUEST, "cursor-invalid")
    assert senders(get_page(telling, me, 1, cursor)) == [men[1]]
    users.publish({me: []})
    users.run(f"DROP TABLE matching.match_lists_{begun}")
    problem(telling.me(me, path(1, cursor)), HTTPStatus.GONE, "cursor-gone")


def test_before_a_publication_likes_are_shown_and_paged(telling: Api, users: Users) -> None:
    me, men = users.add(), users.men(3)
    for man in men:
        users.act(man, "like", me)
    first = get_page(telling, me, 2)
    assert (first["publication"], senders(first)) == (None, [men[2], men[1]])
    users.publish({me: []})
    assert senders(get_page(telling, me, 2, first["next_cursor"])) == [men[0]]


def test_secret_likes_are_the_same_problem_for_everybody(api: Api, users: Users) -> None:
    """Decided before the database is asked: who has no profile, or asks for too much, learns no more."""
    me, newcomer, he = users.add(), users.add(), users.add("man")
    rank_likes(users, users.publish({me: [he]}), me, [he])
    responses = [
        problem(api.me(who, f"likes{query}"), HTTPStatus.FORBIDDEN, "likes-secret")
        for who in (me, newcomer, uuid4())
        for query in ("", "?limit=99", "?cursor=x")
    ]
    assert all(response == responses[0] for response in responses)
    problem(api.get("/v1/me/likes"), HTTPStatus.UNAUTHORIZED, "token-missing")


def test_secret_likes_change_no_response(api: Api, users: Users) -> None:
    me, men = users.add(), users.men(4)
    for number, person in enumerate((me, *men)):
        users.embed(person, 10, number)
    users.pair(users.publish({me: men[:2]}), me, men[2])
    paths = ["matches", "likes", "similar", "most-compatible", *(f"matches/{man}" for man in men)]

    def responses() -> list[bytes]:
        return [api.me(me, path).content for path in paths]

    before = responses()
    for man in men:
        users.act(man, "like", me)
    assert responses() == before


def test_a_publication_made_in_secret_tells_nobody(telling: Api, api_database: str, users: Users) -> None:
    """Nor does it tell a caller of the function with the API's role."""
    me, he = users.add(), users.add("man")
    publication = users.publish({me: [he]})
    rank_likes(users, publication, me, [he])
    assert senders(get_page(telling, me)) == [he]
    cursor = get_page(telling, me, 1)["next_cursor"]
    users.run('UPDATE matching.publications SET metrics = \'{"likes": "secret"}\' WHERE id = %(id)s', id=publication)
    assert get_page(telling, me)["likes"] == get_page(telling, me, 1, cursor)["likes"] == []
    with psycopg.connect(convert_to_libpq_url(api_database), autocommit=True) as connection:
        connection.execute(f"SET ROLE {ROLE}".encode())
        row = connection.execute("SELECT people FROM matching_api.read_likes(%s, 9, '{}', '{}', NULL)", [me]).fetchone()
    assert row == ([],)
