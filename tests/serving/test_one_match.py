"""One match of my own, and the one person of the day."""

from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from serving.schemas import Match, MostCompatible
from tests.serving.conftest import Api, Town, token_for
from tests.serving.test_matches import LEAVES_IN, LEAVES_OUT
from tests.serving.test_problems import problem


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
        problem(one(api, me, man), HTTPStatus.NOT_FOUND)


def test_even_of_a_list_longer_than_a_page(api: Api, town: Town) -> None:
    me, men = town.person(), town.people("man", 70)
    town.publish({me: men})
    assert one(api, me, men[69]).json()["rank"] == 70


def test_who_is_not_on_my_list_is_nobody_to_me(api: Api, town: Town) -> None:
    """Whether they are on another's list, fit me or exist at all: the answer is the same."""
    me, she, mine, hers, woman = town.person(), town.person(), town.person("man"), town.person("man"), town.person()
    town.publish({me: [mine], she: [hers]})
    details = {
        problem(one(api, me, whoever), HTTPStatus.NOT_FOUND)["detail"] for whoever in (hers, she, woman, uuid4(), me)
    }
    assert len(details) == 1
    assert one(api, me, mine).status_code == 200


@pytest.mark.parametrize("candidate", ["x", "1", "me", "00000000-0000-0000-0000-00000000000g"])
def test_what_is_no_id_is_named_and_not_repeated(api: Api, town: Town, candidate: str) -> None:
    body = problem(one(api, town.person(), candidate), HTTPStatus.UNPROCESSABLE_ENTITY)
    assert [error["parameter"] for error in body["errors"]] == ["candidate_id"]


def test_the_one_of_the_day(api: Api, town: Town) -> None:
    me, he, others = town.person(), town.person("man"), town.people("man", 2)
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
            "distance_km": None,
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
    assert "no longer here" in problem(api.get(path, token), HTTPStatus.UNAUTHORIZED)["detail"]
