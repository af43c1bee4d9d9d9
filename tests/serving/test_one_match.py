"""One match of my own, and the one person of the day."""

from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from serving.schemas import Match, MostCompatible
from tests.serving.conftest import Api, Town, token_for
from tests.serving.problems.test_problem_details import problem
from tests.serving.test_matches import LEAVES_IN, LEAVES_OUT


def one(api: Api, me: UUID, candidate: object) -> httpx2.Response:
    return api.get(f"/v1/me/matches/{candidate}", token_for(me))


def most_compatible(api: Api, me: UUID) -> dict[str, Any]:
    answer = api.get("/v1/me/most-compatible", token_for(me))
    assert answer.status_code == 200, answer.text
    MostCompatible.model_validate_json(answer.content, strict=True)
    body: dict[str, Any] = answer.json()
    return body


def test_one_is_as_the_pages_show_them(api: Api, town: Town) -> None:
    me, men = town.person(), town.people("man", 6)
    for number, man in enumerate([me, *men]):
        town.embed(man, 10, number)
    town.publish({me: men[:4]}, p_match=[0.9, 0.8, 0.7, 0.6], reasons=[[{"code": "close_by", "detail": []}]] * 4)
    town.block(men[1], me)
    town.act(me, "pass", men[5])
    shown = api.matches(me).json()["matches"]
    assert [match["source"] for match in shown] == ["published"] * 3 + ["similar"]
    for match in shown:
        answer = one(api, me, match["candidate"]["id"])
        assert answer.json() == match
        Match.model_validate_json(answer.content, strict=True)
    for man in (men[1], men[5]):
        problem(one(api, me, man), HTTPStatus.NOT_FOUND, "not-among-matches")


def test_even_of_a_list_longer_than_a_page(api: Api, town: Town) -> None:
    me, men = town.person(), town.people("man", 70)
    town.publish({me: men})
    assert one(api, me, men[69]).json()["rank"] == 70


def test_the_one_of_the_day_is_opened_as_their_card_shows_them(api: Api, town: Town) -> None:
    """On the list or, as 7 to 37 of 100 of them, not; then with the chance and the reasons of the pair."""
    me, he, others = town.person(), town.person("man"), town.people("man", 3)
    town.pair(town.publish({me: others}), me, he, 0.286, "close_by", "likely_mutual")
    answer = one(api, me, he)
    assert answer.json() == most_compatible(api, me)["match"]
    assert (answer.json()["p_match_percent"], answer.json()["source"]) == (29, "published")
    again = api.get(f"/v1/me/matches/{he}", token_for(me), **{"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert [one(api, me, other).json()["rank"] for other in others] == [1, 2, 3]
    town.pair(town.publish({me: others}), me, others[2])
    assert (one(api, me, others[2]).json()["rank"], one(api, me, he).json()["p_match_percent"]) == (3, 29)


def test_a_card_of_pages_that_go_on_can_be_opened(api: Api, town: Town) -> None:
    """They stay with the publication that they began, and so do the cards of whoever looked at them."""
    me, he, men = town.person(), town.person("man"), town.people("man", 4)
    town.pair(town.publish({me: men[:2]}, p_match=[0.1, 0.1]), me, he, 0.2)
    begun = town.publish({me: men}, p_match=[0.9, 0.8, 0.7, 0.6], reasons=[[{"code": "close_by", "detail": []}]] * 4)
    first = api.get("/v1/me/matches?limit=1", token_for(me)).json()
    town.publish({me: [men[1]]}, p_match=[0.3])
    town.block(men[2], me)
    path = f"/v1/me/matches?cursor={first['next_cursor']}"
    cards = {match["candidate"]["id"]: match for match in api.get(path, token_for(me)).json()["matches"]}
    assert list(cards) == [str(men[1]), str(men[3])]
    assert one(api, me, men[3]).json() == cards[str(men[3])]
    assert one(api, me, men[1]).json()["p_match_percent"] == 30, "the newest list that has them counts"
    assert one(api, me, he).json()["p_match_percent"] == 20, "yesterday's one of the day as well"
    problem(one(api, me, men[2]), HTTPStatus.NOT_FOUND)
    town.run(f"DROP TABLE matching.match_lists_{begun}")
    problem(one(api, me, men[3]), HTTPStatus.NOT_FOUND)


@pytest.mark.parametrize("state", ["building", "failed", "rolled back from"])
def test_a_list_that_nobody_is_shown_opens_nobody(api: Api, town: Town, state: str) -> None:
    me, he, partner = town.person(), town.person("man"), town.person("man")
    unseen = town.publish({me: [he]})
    town.pair(unseen, me, partner)
    town.publish({me: []})
    assert (one(api, me, he).status_code, one(api, me, partner).status_code) == (200, 200)
    town.run(
        "UPDATE matching.publications SET metrics = '{\"rolled_back_at\": 1}' WHERE id = %(id)s"
        if state == "rolled back from"
        else "UPDATE matching.publications SET state = %(state)s WHERE id = %(id)s",
        id=unseen,
        state=state,
    )
    for person in (he, partner):
        problem(one(api, me, person), HTTPStatus.NOT_FOUND)


@pytest.mark.parametrize("listed", [slice(0), slice(3), slice(51, None)], ids=["none", "the nearest", "the farthest"])
def test_similar_people_are_opened_if_the_api_shows_them(api: Api, town: Town, listed: slice) -> None:
    """The fifty of `/v1/me/similar`, among whom are all who fill up a list; whoever comes after them is nobody."""
    me, men = town.person(), town.people("man", 54)
    for number, person in enumerate([me, *men]):
        town.embed(person, 100, number)
    town.publish({me: men[listed]})
    similar = api.get("/v1/me/similar?limit=50", token_for(me)).json()["matches"]
    pages = api.matches(me, limit=50).json()["matches"]
    assert (pages[-1]["source"], len(similar), len(pages)) == ("similar", 50, 50)
    for match in (similar[10], similar[49]):
        opened = one(api, me, match["candidate"]["id"]).json()
        assert opened == match | {"rank": opened["rank"]}
    for match in (pages[10], pages[49]):
        assert one(api, me, match["candidate"]["id"]).json() == match
    problem(one(api, me, men[50]), HTTPStatus.NOT_FOUND)
    town.block(UUID(pages[10]["candidate"]["id"]), me)
    problem(one(api, me, pages[10]["candidate"]["id"]), HTTPStatus.NOT_FOUND)


def test_who_is_not_on_my_list_is_nobody_to_me(api: Api, town: Town) -> None:
    """Whether they are on another's list, fit me or exist at all: the answer is the same."""
    me, she, mine, hers, woman = town.person(), town.person(), town.person("man"), town.person("man"), town.person()
    town.publish({me: [mine], she: [hers]})
    answers = [one(api, me, whoever) for whoever in (hers, she, woman, uuid4(), me)]
    assert len({answer.content for answer in answers}) == 1
    problem(answers[0], HTTPStatus.NOT_FOUND, "not-among-matches")
    assert one(api, me, mine).status_code == 200


@pytest.mark.parametrize("candidate", ["x", "1", "me", "00000000-0000-0000-0000-00000000000g"])
def test_what_is_no_id_is_named_and_not_repeated(api: Api, town: Town, candidate: str) -> None:
    body = problem(one(api, town.person(), candidate), HTTPStatus.UNPROCESSABLE_ENTITY)
    assert [error["parameter"] for error in body["errors"]] == ["candidate_id"]


def test_the_one_of_the_day(api: Api, town: Town) -> None:
    me, he = (town.person(gender, latitude=52, longitude=13) for gender in ("woman", "man"))
    others = town.people("man", 2)
    publication = town.publish({me: others})
    town.pair(publication, me, he, 0.286, "close_by", "likely_mutual")
    answer = most_compatible(api, me)
    assert answer["publication"]["id"] == publication
    match = answer["match"]
    assert UUID(match["candidate"].pop("id")) == he
    assert match == {
        "rank": 1,
        "candidate": {
            "name": "Somebody",
            "age": match["candidate"]["age"],
            "gender": "man",
            "distance_km": 0,
            "interests": [],
            "texts": {},
        },
        "p_match_percent": 29,
        "reasons": [
            {"code": "close_by", "sentence": "You live close to each other."},
            {"code": "likely_mutual", "sentence": "The interest is likely to be mutual."},
        ],
        "source": "published",
    }


def test_there_may_be_none_of_the_day(api: Api, town: Town) -> None:
    me, newcomer, he = town.person(), town.person(), town.person("man")
    town.embed(newcomer, 1, 0)
    town.embed(he, 1, 0)
    assert most_compatible(api, me) == {"publication": None, "match": None}
    publication = town.publish({me: [he]})
    for viewer in (me, newcomer):
        answer = most_compatible(api, viewer)
        assert (answer["publication"]["id"], answer["match"]) == (publication, None)


@pytest.mark.parametrize("change", [*LEAVES_OUT, *LEAVES_IN])
def test_what_changed_counts_for_both_at_once(api: Api, town: Town, change: str) -> None:
    me, he, other = (town.person(gender, latitude=52, longitude=13) for gender in ("woman", "man", "man"))
    town.pair(town.publish({me: [he]}), me, he)
    assert most_compatible(api, me)["match"]["candidate"]["id"] == str(he)
    town.run((LEAVES_OUT | LEAVES_IN)[change], me=me, he=he, other=other)
    stays = change in LEAVES_IN
    assert (most_compatible(api, me)["match"] is not None) == stays
    assert one(api, me, he).status_code == (200 if stays else 404)


def test_the_current_publication(api: Api, town: Town) -> None:
    me = town.person()
    town.publish({})
    publication = town.publish({me: []})
    town.run("UPDATE matching.publications SET viewer_count = 12, pair_count = 345 WHERE state = 'live'")
    answer = api.get("/v1/publications/current", token_for(me))
    made_at = answer.json().pop("made_at")
    assert answer.json() == {"id": publication, "made_at": made_at, "viewers": 12, "pairs": 345}
    assert made_at == api.get("/readyz").json()["publication"]["made_at"]


@pytest.mark.parametrize(
    "path", ["/v1/me/matches", f"/v1/me/matches/{UUID(int=1)}", "/v1/me/most-compatible", "/v1/me/similar"]
)
def test_whoever_is_erased_is_nobody(api: Api, town: Town, path: str) -> None:
    me = town.person()
    town.publish({me: []})
    token = token_for(me)
    assert api.get(path, token).status_code in (200, 404)
    town.erase(me)
    problem(api.get(path, token), HTTPStatus.FORBIDDEN, "no-profile")
