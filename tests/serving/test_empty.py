"""An empty list says why it is empty, to its viewer alone."""

from collections.abc import Callable
from uuid import UUID

import pytest

from tests.serving.conftest import Api, Users

Change = Callable[[Users, UUID], object]


def publish_for(users: Users, *viewers: UUID, listed: int = 0) -> list[UUID]:
    men = users.men(listed)
    users.publish(dict.fromkeys(viewers, men))
    return men


def publish_for_another(users: Users, me: UUID) -> None:
    publish_for(users, users.add())


def do_nothing(users: Users, me: UUID) -> None:
    pass


def use_up(users: Users, me: UUID) -> None:
    for man in publish_for(users, me, listed=2):
        users.act(me, "pass", man)


def pause(users: Users, me: UUID) -> None:
    publish_for(users, me, listed=2)
    users.change(me, paused=True)


def join_long_ago(users: Users, me: UUID) -> None:
    publish_for_another(users, me)
    users.run("UPDATE app.profiles SET created_at = now() - interval '2 days' WHERE id = %(me)s", me=me)


CASES: dict[str, tuple[str, Change]] = {
    "nothing is published": ("no_publication", do_nothing),
    "a paused viewer of a list": ("paused", pause),
    "paused before anything": ("paused", lambda users, me: users.change(me, paused=True)),
    "joined since": ("no_list_yet", publish_for_another),
    "nobody fits": ("no_candidates", publish_for),
    "nobody fitted, and no row": ("no_candidates", join_long_ago),
    "all are decided on": ("list_used_up", use_up),
    "a value out of its limits": ("profile_invalid", lambda users, me: users.change(me, age_min=200)),
}


@pytest.mark.parametrize("case", CASES)
def test_an_empty_list_says_why(api: Api, users: Users, case: str) -> None:
    me = users.add()
    reason, change = CASES[case]
    change(users, me)
    body = api.read(me)
    assert (body["matches"], body["empty_because"]) == ([], reason)


def test_a_list_that_is_not_empty_gives_no_reason(api: Api, users: Users) -> None:
    """Nor does an empty last page: it follows others."""
    me, _ = users.viewer(2)
    first = api.page(me, 2)
    last = api.page(me, 2, first["next_cursor"])
    assert [first["empty_because"], last["matches"], last["empty_because"]] == [None, [], None]
