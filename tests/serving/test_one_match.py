"""One candidate of the viewer's, and the most compatible one."""

from http import HTTPStatus
from uuid import UUID, uuid4

import pytest

from serving.schemas import Match, MostCompatible
from tests.serving.conftest import Api, Users, ids, problem

CLOSE = [[{"code": "close_by", "detail": []}]] * 4


def test_a_card_opens_as_the_pages_show_it(api: Api, users: Users) -> None:
    me, men = users.neighbours(6)
    users.publish({me: men[:4]}, p_match=[0.9, 0.8, 0.7, 0.6], reasons=CLOSE)
    users.block(men[1], me)
    users.act(me, "pass", men[5])
    shown = api.read(me)["matches"]
    assert [match["source"] for match in shown] == ["published"] * 3 + ["similar"]
    for match in shown:
        response = api.open(me, match["candidate"]["id"])
        assert response.json() == match
        Match.model_validate_json(response.content, strict=True)
    more = users.men(60)
    users.publish({me: more})
    assert api.open(me, more[59]).json()["rank"] == 60, "beyond the first page"


def test_the_most_compatible_and_the_opened_card_are_one(api: Api, users: Users) -> None:
    """On the list or not; else with the chance and the reasons of the pair."""
    me, he, others = users.add(latitude=52, longitude=13), users.add("man", latitude=52, longitude=13), users.men(3)
    publication = users.publish({me: others})
    users.pair(publication, me, he, 0.286, "close_by", "likely_mutual")
    response = api.me(me, "most-compatible")
    found = MostCompatible.model_validate_json(response.content, strict=True)
    assert found.publication is not None
    assert found.match is not None
    assert (found.publication.id, found.match.candidate.id, found.match.rank) == (publication, he, 1)
    assert (found.match.p_match_percent, found.match.source) == (29, "published")
    assert [reason.code for reason in found.match.reasons] == ["close_by", "likely_mutual"]
    match = response.json()["match"]
    assert api.open(me, he).json() == match
    assert [api.open(me, other).json()["rank"] for other in others] == [1, 2, 3]
    users.pair(users.publish({me: others}), me, others[2])
    assert (api.open(me, others[2]).json()["rank"], api.open(me, he).json()["p_match_percent"]) == (3, 29)


def test_there_may_be_no_most_compatible(api: Api, users: Users) -> None:
    newcomer, (he,) = users.neighbours(1)
    assert api.read(newcomer, "most-compatible") == {"publication": None, "match": None}
    me = users.add()
    publication = users.publish({me: [he]})
    for viewer in (me, newcomer):
        body = api.read(viewer, "most-compatible")
        assert (body["publication"]["id"], body["match"]) == (publication, None)


def test_cards_of_an_earlier_publication_open(api: Api, users: Users) -> None:
    """Pages stay with the publication that they began, and so do their cards."""
    me, he, men = users.add(), users.add("man"), users.men(4)
    users.pair(users.publish({me: men[:2]}, p_match=[0.1, 0.1]), me, he, 0.2)
    begun = users.publish({me: men}, p_match=[0.9, 0.8, 0.7, 0.6], reasons=CLOSE)
    cursor = api.page(me, 1)["next_cursor"]
    users.publish({me: [men[1]]}, p_match=[0.3])
    users.block(men[2], me)
    page = api.page(me, 20, cursor)
    assert ids(page) == [men[1], men[3]]
    assert api.open(me, men[3]).json() == page["matches"][1]
    assert api.open(me, men[1]).json()["p_match_percent"] == 30, "the newest list that has them counts"
    assert api.open(me, he).json()["p_match_percent"] == 20, "an earlier most compatible one as well"
    problem(api.open(me, men[2]), HTTPStatus.NOT_FOUND)
    users.run(f"DROP TABLE matching.match_lists_{begun}")
    problem(api.open(me, men[3]), HTTPStatus.NOT_FOUND)


@pytest.mark.parametrize("change", ["state = 'building'", "state = 'failed'", "metrics = '{\"rolled_back_at\": 1}'"])
def test_a_list_that_is_not_shown_opens_no_card(api: Api, users: Users, change: str) -> None:
    me, he, partner = users.add(), *users.men(2)
    unseen = users.publish({me: [he]})
    users.pair(unseen, me, partner)
    users.publish({me: []})
    assert [api.open(me, person).status_code for person in (he, partner)] == [200, 200]
    users.run(f"UPDATE matching.publications SET {change} WHERE id = %(id)s", id=unseen)
    for person in (he, partner):
        problem(api.open(me, person), HTTPStatus.NOT_FOUND)


@pytest.mark.parametrize("listed", [slice(0), slice(3), slice(51, None)], ids=["none", "the nearest", "the farthest"])
def test_similar_users_open_if_the_api_shows_them(api: Api, users: Users, listed: slice) -> None:
    """The fifty of `/v1/me/similar`, among whom are all who top up a list, and no more."""
    me, men = users.neighbours(54)
    users.publish({me: men[listed]})
    similar, pages = (api.read(me, f"{path}?limit=50")["matches"] for path in ("similar", "matches"))
    assert (pages[-1]["source"], len(similar), len(pages)) == ("similar", 50, 50)
    for match in (similar[10], similar[49]):
        opened = api.open(me, match["candidate"]["id"]).json()
        assert opened == match | {"rank": opened["rank"]}
    for match in (pages[10], pages[49]):
        assert api.open(me, match["candidate"]["id"]).json() == match
    problem(api.open(me, men[50]), HTTPStatus.NOT_FOUND)
    tenth = UUID(pages[10]["candidate"]["id"])
    users.block(tenth, me)
    problem(api.open(me, tenth), HTTPStatus.NOT_FOUND)


def test_who_is_not_shown_and_who_does_not_exist_are_alike(api: Api, users: Users) -> None:
    me, she, mine, hers, woman, blocker = users.add(), users.add(), *users.men(2), users.add(), users.add("man")
    users.publish({me: [mine, blocker], she: [hers]})
    users.block(blocker, me)
    responses = [api.open(me, person) for person in (hers, she, woman, blocker, uuid4(), me)]
    assert len({response.content for response in responses}) == 1
    problem(responses[0], HTTPStatus.NOT_FOUND, "not-among-matches")
    assert api.open(me, mine).status_code == 200
