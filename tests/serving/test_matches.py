"""Whom a viewer is shown: the published list, less what changed since."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from tests.serving.conftest import Api, Town, token_for


def test_order_is_kept_and_ranks_follow_what_is_shown(api: Api, town: Town) -> None:
    likes = [str(place) for place in range(6)]
    me, men = town.person(interests=likes), [town.person("man", interests=likes) for _ in likes]
    reasons = [[{"code": "shared_interests", "detail": [each]}] for each in likes]
    town.publish({me: men}, p_match=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4], reasons=reasons)
    town.act(me, "pass", men[0])
    town.erase(men[2])
    shown = api.matches(me).json()["matches"]
    assert [UUID(match["candidate"]["id"]) for match in shown] == [men[1], men[3], men[4], men[5]]
    assert [match["rank"] for match in shown] == [1, 2, 3, 4]
    assert [match["p_match_percent"] for match in shown] == [80, 60, 50, 40]
    assert [match["reasons"][0]["sentence"][-2] for match in shown] == ["1", "3", "4", "5"]


@pytest.mark.parametrize(("limit", "count"), [(None, 20), (1, 1), (7, 7), (50, 50)])
def test_limit_counts_what_is_shown(api: Api, town: Town, limit: int | None, count: int) -> None:
    me, men = town.person(), town.people("man", 55)
    town.publish({me: men})
    for man in men[:3]:
        town.block(man, me)
    assert api.shown(me, limit) == men[3 : 3 + count]


def test_one_sees_only_ones_own_list(api: Api, town: Town) -> None:
    me, she, he, other = town.person(), town.person(), town.person("man"), town.person("man")
    town.publish({me: [he], she: [other], he: [she, me]})
    assert (api.shown(me), api.shown(she), api.shown(he)) == ([he], [other], [she, me])
    query = f"?viewer={she}&viewer_id={she}&sub={she}&me={she}"
    assert api.get(f"/v1/me/matches{query}", token_for(me)).json() == api.matches(me).json()


ACT = "INSERT INTO app.interactions (actor_id, target_id, kind) VALUES "

LEAVES_OUT = {
    "I blocked him": "INSERT INTO app.blocks VALUES (%(me)s, %(he)s)",
    "he blocked me": "INSERT INTO app.blocks VALUES (%(he)s, %(me)s)",
    "I liked him": ACT + "(%(me)s, %(he)s, 'like')",
    "I passed him": ACT + "(%(me)s, %(he)s, 'pass')",
    "he is gone": "DELETE FROM app.profiles WHERE id = %(he)s",
    "he is paused": "UPDATE app.profiles SET paused = true WHERE id = %(he)s",
    "he is of another gender": "UPDATE app.profiles SET gender = 'other' WHERE id = %(he)s",
    "he seeks others": "UPDATE app.profiles SET seeks = '{man}' WHERE id = %(he)s",
    "I seek others": "UPDATE app.profiles SET seeks = '{woman,other}' WHERE id = %(me)s",
    "I am too old for him": "UPDATE app.profiles SET age_max = 18 WHERE id = %(he)s",
    "he is too young for me": "UPDATE app.profiles SET age_min = 90 WHERE id = %(me)s",
    "he is under 18 after all": "UPDATE app.profiles SET birth_date = current_date - 6000 WHERE id = %(he)s",
    "I am under 18 after all": "UPDATE app.profiles SET birth_date = current_date - 6000 WHERE id = %(me)s",
    "he is over 110": "UPDATE app.profiles SET birth_date = '1850-01-01' WHERE id = %(he)s",
    "he is yet to be born": "UPDATE app.profiles SET birth_date = 'infinity' WHERE id = %(he)s",
    "he was always there": "UPDATE app.profiles SET birth_date = '-infinity' WHERE id = %(he)s",
    "I am too far away for him": "UPDATE app.profiles SET latitude = 53, max_distance_km = 100 WHERE id = %(he)s",
    "he is too far away for me": "UPDATE app.profiles SET latitude = 53, max_distance_km = 100 WHERE id = %(me)s",
    "he is not on the globe": "UPDATE app.profiles SET latitude = 'infinity', max_distance_km = 9 WHERE id = %(he)s",
    "I am not on the globe": "UPDATE app.profiles SET longitude = 181 WHERE id = %(me)s",
    "he goes a negative distance": "UPDATE app.profiles SET max_distance_km = -1 WHERE id = %(he)s",
    "I go a negative distance": "UPDATE app.profiles SET max_distance_km = -1 WHERE id = %(me)s",
}

LEAVES_IN = {
    "he liked me": ACT + "(%(he)s, %(me)s, 'like')",
    "he passed me": ACT + "(%(he)s, %(me)s, 'pass')",
    "I blocked somebody else": "INSERT INTO app.blocks VALUES (%(me)s, %(other)s)",
    "he blocked somebody else": "INSERT INTO app.blocks VALUES (%(he)s, %(other)s)",
    "I passed somebody else": ACT + "(%(me)s, %(other)s, 'pass')",
    "somebody else liked him": ACT + "(%(other)s, %(he)s, 'like')",
    "he is just near enough": "UPDATE app.profiles SET latitude = 52.5, max_distance_km = 100 WHERE id = %(he)s",
    "he is nobody knows where": "UPDATE app.profiles SET latitude = NULL, longitude = NULL WHERE id = %(he)s",
}


@pytest.mark.parametrize("change", LEAVES_OUT)
def test_what_changed_leaves_the_candidate_out_at_once(api: Api, town: Town, change: str) -> None:
    me, he, other = (town.person(gender, latitude=52, longitude=13) for gender in ("woman", "man", "man"))
    town.publish({me: [he, other]})
    assert api.shown(me) == [he, other]
    town.run(LEAVES_OUT[change], me=me, he=he)
    assert he not in api.shown(me)


@pytest.mark.parametrize("change", LEAVES_IN)
def test_what_does_not_matter_leaves_the_candidate_in(api: Api, town: Town, change: str) -> None:
    me, he, other = (town.person(gender, latitude=52, longitude=13) for gender in ("woman", "man", "man"))
    town.publish({me: [he]})
    town.run(LEAVES_IN[change], me=me, he=he, other=other)
    assert api.shown(me) == [he]


def test_a_paused_viewer_has_an_empty_list_until_they_come_back(api: Api, town: Town) -> None:
    me, he = town.person(), town.person("man")
    town.publish({me: [he]})
    town.change(me, paused=True)
    assert api.shown(me) == []
    town.change(me, paused=False)
    assert api.shown(me) == [he]


def test_an_empty_list_is_an_answer(api: Api, town: Town) -> None:
    me = town.person()
    town.publish({me: []})
    assert api.matches(me).json()["matches"] == []
    assert api.matches(me).json()["next_cursor"] is None


def test_the_next_request_sees_the_next_publication(api: Api, town: Town) -> None:
    me, old, new = town.person(), town.person("man"), town.person("man")
    first = town.publish({me: [old]})
    assert (api.matches(me).json()["publication"]["id"], api.shown(me)) == (first, [old])
    second = town.publish({me: [new, old]})
    assert (api.matches(me).json()["publication"]["id"], api.shown(me)) == (second, [new, old])


def test_a_reader_sees_one_publication_whole(api: Api, town: Town) -> None:
    me, lists = town.person(), [town.people("man", 5), town.people("man", 5)]
    published = {town.publish({me: lists[0]}): lists[0]}

    def publish_more() -> None:
        for turn in range(1, 20):
            published[town.publish({me: lists[turn % 2]})] = lists[turn % 2]

    with ThreadPoolExecutor() as threads:
        publishing = threads.submit(publish_more)
        answers = []
        while not publishing.done():
            answers.append(api.matches(me).json())
    publishing.result()
    for answer in answers:
        shown = [UUID(match["candidate"]["id"]) for match in answer["matches"]]
        assert shown == published[answer["publication"]["id"]]
    assert len({answer["publication"]["id"] for answer in answers}) > 2


def test_a_person_of_nowhere_is_refused(api: Api, town: Town) -> None:
    town.publish({})
    assert api.matches(uuid4()).status_code == 403
