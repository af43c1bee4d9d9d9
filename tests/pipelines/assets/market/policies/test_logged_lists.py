"""What logs say of the live publication's lists, from real rows."""

import pytest
from sqlalchemy import Connection

from models.db.errors import InputError
from pipelines.assets.market.policies.logged_lists import FLAGS, read_logged_lists
from tests.models_db.conftest import person_id, settle
from tests.pipelines.assets.market.test_attention_estimates import Logs


@pytest.fixture
def logs(connection: Connection) -> Logs:
    settle(connection, range(40))
    return Logs(connection)


def read_flags(connection: Connection) -> dict[tuple[int, int], str]:
    """The flags that hold of each card, by the numbers of viewer and candidate."""
    cards = read_logged_lists(connection).cards
    numbers = {person_id(number): number for number in range(40)}
    rows = cards[["viewer_id", "candidate_id", *FLAGS]].itertuples(index=False, name=None)
    return {
        (numbers[str(viewer)], numbers[str(candidate)]): " ".join(
            name for name, holds in zip(FLAGS, flags, strict=True) if holds
        )
        for viewer, candidate, *flags in rows
    }


def test_what_became_of_each_card(logs: Logs) -> None:
    logs.offer(0, [3, 4, 5, 6, 7, 8])
    logs.show(0, 3)
    logs.show(0, 3, hours_ago=1)
    logs.decide(0, 4, surface=None, kind="like")
    logs.decide(4, 0, surface="likes", publication=None, kind="like", hours_ago=5)
    logs.decide(0, 5, kind="like")
    logs.decide(5, 0, publication=None, kind="pass", hours_ago=100)
    logs.show(0, 6, publication=1)  # on another list
    logs.decide(0, 7, surface="likes", kind="like")  # elsewhere
    logs.show(0, 7)
    logs.decide(0, 8, kind="like")
    logs.decide(0, 8, kind="pass", hours_ago=1)  # the last decision counts
    logs.offer(1, [5])
    assert read_flags(logs.connection) == {
        (0, 3): "opened examined",
        (0, 4): "opened examined liked answered returned",
        (0, 5): "opened examined liked answered",
        (0, 6): "opened",
        (0, 7): "opened examined",
        (0, 8): "opened examined",
        (1, 5): "",
    }
    counts = read_logged_lists(logs.connection).count()
    assert counts == {
        "publication": 2,
        "viewers_who_opened": 1,
        "cards_examined": 5,
        "cards_liked": 2,
        "likes_answered": 2,
        "randomised_share": 0,
    }


def test_without_a_publication_there_is_nothing_to_judge(connection: Connection) -> None:
    with pytest.raises(InputError, match="no publication is live"):
        read_logged_lists(connection)
