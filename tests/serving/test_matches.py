"""Who a viewer is shown: the published list, less what changed since."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from tests.serving.conftest import Api, Users, ids


def test_order_is_kept_and_ranks_follow_what_is_shown(api: Api, users: Users) -> None:
    likes = [str(position) for position in range(6)]
    me, men = users.add(interests=likes), users.men(6, interests=likes)
    reasons = [[{"code": "shared_interests", "detail": [each]}] for each in likes]
    users.publish({me: men}, p_match=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4], reasons=reasons)
    users.act(me, "pass", men[0])
    users.erase(men[2])
    body = api.read(me)
    assert ids(body) == [men[1], men[3], men[4], men[5]]
    cards = [(each["rank"], each["p_match_percent"], each["reasons"][0]["sentence"][-2]) for each in body["matches"]]
    assert cards == [(1, 80, "1"), (2, 60, "3"), (3, 50, "4"), (4, 40, "5")]


def test_limit_counts_what_is_shown(api: Api, users: Users) -> None:
    me, men = users.viewer(55)
    for man in men[:3]:
        users.block(man, me)
    for limit, count in ((None, 20), (1, 1), (7, 7), (50, 50)):
        assert api.shown(me, limit) == men[3 : 3 + count]


ACT = "INSERT INTO app.interactions (actor_id, target_id, kind) VALUES "
LEAVES_OUT = {
    "I blocked him": "INSERT INTO app.blocks VALUES (%(me)s, %(he)s)",
    "he blocked me": "INSERT INTO app.blocks VALUES (%(he)s, %(me)s)",
    "I liked him": ACT + "(%(me)s, %(he)s, 'like')",
    "I passed on him": ACT + "(%(me)s, %(he)s, 'pass')",
    "he is gone": "DELETE FROM app.profiles WHERE id = %(he)s",
    "he is paused": "UPDATE app.profiles SET paused = true WHERE id = %(he)s",
    "I am paused": "UPDATE app.profiles SET paused = true WHERE id = %(me)s",
    "he is of another gender": "UPDATE app.profiles SET gender = 'other' WHERE id = %(he)s",
    "I seek others": "UPDATE app.profiles SET seeks = '{woman,other}' WHERE id = %(me)s",
    "he is under 18 after all": "UPDATE app.profiles SET birth_date = current_date - 6000 WHERE id = %(he)s",
    "he is too far away for me": "UPDATE app.profiles SET latitude = 53, max_distance_km = 100 WHERE id = %(me)s",
}
LEAVES_IN = {
    "he liked me": ACT + "(%(he)s, %(me)s, 'like')",
    "he passed on me": ACT + "(%(he)s, %(me)s, 'pass')",
    "I blocked another": "INSERT INTO app.blocks VALUES (%(me)s, %(other)s)",
    "he is just near enough": "UPDATE app.profiles SET latitude = 52.5, max_distance_km = 100 WHERE id = %(he)s",
    "his place is unknown": "UPDATE app.profiles SET latitude = NULL, longitude = NULL WHERE id = %(he)s",
}


def where_shown(api: Api, me: UUID, he: UUID) -> list[bool]:
    """Whether he is on her list, most compatible, can be opened, and is similar."""
    match = api.read(me, "most-compatible")["match"]
    most_compatible = match is not None and match["candidate"]["id"] == str(he)
    return [he in api.shown(me), most_compatible, api.open(me, he).status_code == 200, he in api.similar(me)]


@pytest.mark.parametrize("change", [*LEAVES_OUT, *LEAVES_IN])
def test_a_change_counts_at_once_and_everywhere(api: Api, users: Users, change: str) -> None:
    me, he, other = (users.add(gender, latitude=52, longitude=13) for gender in ("woman", "man", "man"))
    for person in (me, he, other):
        users.embed(person, 1, 0)
    users.pair(users.publish({me: [he]}), me, he)
    assert where_shown(api, me, he) == [True] * 4
    users.run((LEAVES_OUT | LEAVES_IN)[change], me=me, he=he, other=other)
    assert where_shown(api, me, he) == [change in LEAVES_IN] * 4
    if change == "I am paused":
        assert api.shown(me) == api.similar(me) == []
        users.change(me, paused=False)
        assert where_shown(api, me, he) == [True] * 4


def test_a_reader_sees_one_publication_whole(api: Api, users: Users) -> None:
    me, lists = users.add(), [users.men(5), users.men(5)]
    published = {users.publish({me: lists[0]}): lists[0]}

    def publish_more() -> None:
        for turn in range(1, 20):
            published[users.publish({me: lists[turn % 2]})] = lists[turn % 2]

    with ThreadPoolExecutor() as threads:
        publishing = threads.submit(publish_more)
        bodies = [api.read(me)]
        while not publishing.done():
            bodies.append(api.read(me))
        publishing.result()
    bodies.append(api.read(me))
    for body in bodies:
        assert ids(body) == published[body["publication"]["id"]]
    assert bodies[-1]["publication"]["id"] == max(published), "the next request sees the newest"
