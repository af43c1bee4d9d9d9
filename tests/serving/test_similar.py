"""Whoever joined since the publication is shown the eligible people whose embeddings are nearest."""

from uuid import UUID

from serving.schemas import Matches, Similar
from tests.serving.conftest import Api, Town, token_for


def settle(town: Town) -> tuple[UUID, list[UUID]]:
    """A newcomer and five men, nearest first, none of whom the publication has a list for."""
    me, men = town.person(), town.people("man", 5)
    town.embed(me, 1, 0)
    for place in (3, 1, 4, 0, 2):
        town.embed(men[place], 5 - place, place)
    town.publish({})
    return me, men


def test_the_nearest_come_first_and_are_marked(api: Api, town: Town) -> None:
    me, men = settle(town)
    answer = api.matches(me)
    assert api.shown(me) == men
    assert api.shown(me, limit=2) == men[:2]
    for rank, match in enumerate(answer.json()["matches"], start=1):
        assert (match["rank"], match["source"]) == (rank, "similar")
        assert (match["p_match_percent"], match["reasons"]) == (None, [])
    Matches.model_validate_json(answer.content, strict=True)


def test_the_same_rules_hold(api: Api, town: Town) -> None:
    me, men = settle(town)
    woman = town.person()
    town.embed(woman, 1, 0)
    town.block(men[0], me)
    town.act(me, "pass", men[1])
    town.change(men[2], paused=True)
    town.erase(men[3])
    assert api.shown(me) == [men[4]]
    town.change(me, paused=True)
    assert api.shown(me) == []


def test_embeddings_of_another_encoder_are_not_compared(api: Api, town: Town) -> None:
    me, men = settle(town)
    stranger = town.person("man")
    town.embed(stranger, 1, 0, encoder="numbers")
    assert api.shown(me) == men


def test_without_an_embedding_the_list_is_empty(api: Api, town: Town) -> None:
    settle(town)
    assert api.shown(town.person()) == []


def test_many_unfit_neighbours_do_not_hide_the_fit(api: Api, town: Town) -> None:
    me = town.person()
    town.embed(me, 1, 0)
    for woman in town.people("woman", 300):
        town.embed(woman, 1, 0)
    far = town.person("man")
    town.embed(far, -1, 0)
    town.publish({})
    assert api.shown(me) == [far]


def similar(api: Api, me: UUID, limit: int | None = None) -> list[UUID]:
    """The people of /v1/me/similar, once the answer fits its schema."""
    answer = api.get("/v1/me/similar" + ("" if limit is None else f"?limit={limit}"), token_for(me))
    assert answer.status_code == 200, answer.text
    matches = Similar.model_validate_json(answer.content, strict=True).matches
    assert [(match.rank, match.source) for match in matches] == [(n, "similar") for n in range(1, len(matches) + 1)]
    return [match.candidate.id for match in matches]


def test_similar_people_are_told_on_the_list_or_not_and_before_any_publication(api: Api, town: Town) -> None:
    me, men = town.person(), town.people("man", 30)
    assert similar(api, me) == []
    for number, person in enumerate([me, *men]):
        town.embed(person, 30, number)
    assert similar(api, me) == men[:20]
    town.publish({me: men[5:10]})
    assert similar(api, me) == men[:20]
    assert similar(api, me, 3) == men[:3]
    assert similar(api, me, 50) == men


def test_the_same_rules_hold_for_similar_people(api: Api, town: Town) -> None:
    me, men = settle(town)
    woman = town.person()
    town.embed(woman, 1, 0)
    town.block(men[0], me)
    town.act(me, "like", men[1])
    town.change(men[2], paused=True)
    town.erase(men[3])
    town.act(men[4], "like", me)
    assert similar(api, me) == [men[4]]
    town.change(men[4], age_max=18)
    assert similar(api, me) == []


def test_who_is_on_the_list_is_not_similar_as_well(api: Api, town: Town) -> None:
    """Whether they are still shown or not."""
    me, men = settle(town)
    town.publish({me: [men[3], men[0]]})
    town.block(me, men[0])
    answer = Matches.model_validate_json(api.matches(me).content, strict=True)
    shown = [(match.candidate.id, match.source) for match in answer.matches]
    assert shown == [(men[3], "published"), (men[1], "similar"), (men[2], "similar"), (men[4], "similar")]
    assert answer.topped_up
