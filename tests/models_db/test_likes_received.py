"""The pending likes of a publication: stored, counted apart, verified, dropped with what became impossible."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from alembic import command
from sqlalchemy import Connection, Engine

from models.db.erasure import erase_profile
from models.db.errors import PublicationRefused
from models.db.match_lists import MatchList
from models.db.publications import partitions
from models.db.schema.migrations import make_alembic_config, upgrade_database
from tests.models_db.conftest import LISTS, fetch, list_for, person_id, publications, publish_lists, run
from tests.models_db.test_erasure import traces

Likes = dict[int, list[int]]


def liked_by(made: MatchList, senders: list[int]) -> MatchList:
    """The list with pending likes, whose numbers and reasons are the senders' own."""
    of_list = list_for(1, senders)
    return replace(
        made,
        likes_ids=of_list.candidate_ids,
        likes_p_like=of_list.p_like,
        likes_p_match=of_list.p_match,
        likes_reasons=of_list.reasons,
    )


def lists(likes: Likes) -> list[MatchList]:
    """1 and 2 have lists, 3 has none."""
    made = [list_for(1, [4, 2]), list_for(2, [5]), list_for(3, [])]
    return [liked_by(each, likes.get(number, [])) for number, each in enumerate(made, 1)]


def stored(bind: Engine | Connection, publication_id: int) -> Likes:
    """The senders of each viewer, after checking that numbers and reasons are still their own."""
    found: Likes = {}
    for row in fetch(bind, LISTS, id=publication_id):
        found[row.viewer_id.int] = senders = [each.int for each in row.likes_ids]
        expected = list_for(1, senders)
        assert (row.likes_p_like, row.likes_p_match) == (expected.p_like, expected.p_match)
        assert row.likes_reasons == json.loads(expected.reasons)
    return found


def test_a_row_that_only_has_likes_is_no_list(town: Engine) -> None:
    published = publish_lists(town, lists({1: [6, 2], 3: [4, 2]}))
    assert (published.viewer_count, published.pair_count) == (2, 3)
    assert stored(town, published.id) == {1: [6, 2], 2: [], 3: [4, 2]}
    with town.connect() as connection:
        size = partitions.PublicationSize(viewers=2, pairs=3, likes=4)
        assert partitions.measure_partition(connection, published.id) == size


ONE = liked_by(list_for(1, [4]), [2, 6])
BAD = {
    "a probability is missing": (replace(ONE, likes_p_like=[0.5]), "more or fewer probabilities"),
    "p_match is missing": (replace(ONE, likes_p_match=[0.5]), "more or fewer probabilities"),
    "a reason is missing": (replace(ONE, likes_reasons="[[]]"), "more or fewer probabilities or reasons than pending"),
    "reasons are no array": (replace(ONE, likes_reasons="{}"), "more or fewer probabilities or reasons than pending"),
    "a probability above 1": (replace(ONE, likes_p_match=[0.5, 1.5]), r"pending likes with a probability outside"),
    "NaN": (replace(ONE, likes_p_like=[0.5, float("nan")]), r"pending likes with a probability outside"),
    "two of one sender": (liked_by(list_for(1, [4]), [2, 2]), "two pending likes of one sender"),
    "the viewer's own": (liked_by(list_for(1, [4]), [1, 2]), "a pending like of their own"),
    "of a withheld user": (replace(ONE, withheld_ids=[person_id(6)]), "pending likes of people who are withheld"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_publication_with_bad_likes_is_refused(town: Engine, what: str) -> None:
    bad, message = BAD[what]
    with pytest.raises(PublicationRefused, match=f"1 .*{message}"):
        publish_lists(town, [bad])


IMPOSSIBLE = {
    "she blocks him": f"INSERT INTO app.blocks VALUES ('{person_id(1)}', '{person_id(6)}')",
    "he blocks her": f"INSERT INTO app.blocks VALUES ('{person_id(6)}', '{person_id(1)}')",
    "she passes": "INSERT INTO app.interactions (actor_id, target_id, kind)"
    f" VALUES ('{person_id(1)}', '{person_id(6)}', 'pass')",
    "he is paused": f"UPDATE app.profiles SET paused = true WHERE id = '{person_id(6)}'",
    "he seeks others": f"UPDATE app.profiles SET seeks = '{{man}}' WHERE id = '{person_id(6)}'",
    "he is erased": f"DELETE FROM app.profiles WHERE id = '{person_id(6)}'",
}


@pytest.mark.parametrize("event", IMPOSSIBLE)
def test_a_like_that_became_impossible_is_dropped(town: Engine, event: str) -> None:
    run(town, IMPOSSIBLE[event])
    published = publish_lists(town, lists({1: [2, 6, 4]}))
    assert published.metrics["dropped_since_scoring"] == 1
    assert stored(town, published.id)[1] == [2, 4]


def test_an_erased_user_is_in_no_pending_likes(town: Engine) -> None:
    def made() -> Iterator[MatchList]:
        yield from lists({1: [2, 6], 3: [4, 6]})
        with town.begin() as other:
            erase_profile(other, "town:4")

    for _ in range(2):
        publish_lists(town, lists({1: [6, 4], 3: [2, 6]}))
    publish_lists(town, made())
    with town.begin() as connection:
        erased = erase_profile(connection, "town:6")
        assert (erased.places, erased.withheld, erased.likes) == (0, 0, 6)
        assert traces(connection, 6) == traces(connection, 4) == 0
    found = [stored(town, each.id) for each in publications(town)]
    assert found == [{1: [2], 2: [], 3: []}, *[{1: [], 2: [], 3: [2]}] * 2]


def test_going_down_leaves_the_lists(town: Engine, database_url: str) -> None:
    published = publish_lists(town, lists({1: [6], 3: [2]}))
    command.downgrade(make_alembic_config(database_url), "0011")
    assert [row.viewer_id.int for row in fetch(town, LISTS, id=published.id)] == [1, 2]
    upgrade_database(database_url)
    assert stored(town, published.id) == {1: [], 2: []}
    # What was published before was made in secret.
    assert [each.metrics["likes"] for each in publications(town)] == ["secret"]
