"""The withheld people of a publication: stored, counted apart, verified, and forgotten with an erased person."""

from dataclasses import replace

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, text

from models.db.erasure import erase_profile
from models.db.errors import PublicationRefused
from models.db.match_lists import MatchList, MostCompatibleEntry
from models.db.publications import list_publications, partitions
from models.db.schema.migrations import make_alembic_config, upgrade_database
from tests.models_db.conftest import list_for, person_id, publish_lists
from tests.models_db.test_erasure import traces

Withheld = dict[int, list[int]]


def lists(withheld: Withheld) -> list[MatchList]:
    """1 and 2 have lists, 3 has none."""
    made = [list_for(1, [4, 2]), list_for(2, [5]), list_for(3, [])]
    return [replace(each, withheld_ids=[person_id(n) for n in withheld.get(i, [])]) for i, each in enumerate(made, 1)]


def stored(connection: Connection, publication_id: int) -> Withheld:
    query = "SELECT viewer_id, withheld_ids FROM matching.match_lists WHERE publication_id = :id"
    rows = connection.execute(text(query), {"id": publication_id}).all()
    return {viewer.int: [each.int for each in them] for viewer, them in rows}


def test_a_row_that_only_withholds_is_no_list(town: Engine) -> None:
    published = publish_lists(town, lists({1: [6], 3: [2, 4]}))
    assert (published.viewer_count, published.pair_count) == (2, 3)
    with town.connect() as connection:
        assert stored(connection, published.id) == {1: [6], 2: [], 3: [2, 4]}
        assert partitions.measure_partition(connection, published.id) == partitions.PublicationSize(2, 3, 3)


SHOWN = {
    "on the list": [replace(list_for(1, [4, 2]), withheld_ids=[person_id(2)])],
    "the one of the day": [
        replace(
            list_for(1, [4]), withheld_ids=[person_id(2)], most_compatible=MostCompatibleEntry(person_id(2), 0.5, "[]")
        )
    ],
}


@pytest.mark.parametrize("where", SHOWN)
def test_a_publication_that_shows_who_is_withheld_is_refused(town: Engine, where: str) -> None:
    with pytest.raises(PublicationRefused, match="1 lists that show people who are withheld from the viewer"):
        publish_lists(town, SHOWN[where])


def test_an_erased_person_is_withheld_from_nobody(town: Engine) -> None:
    for _ in range(2):
        publish_lists(town, lists({1: [6, 4][:1], 3: [2, 6]}))
    with town.begin() as connection:
        erased = erase_profile(connection, "town:6")
        assert (erased.places, erased.withheld) == (0, 4)
        assert traces(connection, 6) == 0
        for each in list_publications(connection):
            assert stored(connection, each.id) == {1: [], 2: [], 3: [2]}


def test_whoever_is_erased_while_a_publication_is_made_is_not_in_it(town: Engine) -> None:
    def made() -> object:
        yield from lists({3: [2, 6]})
        with town.begin() as other:
            erase_profile(other, "town:6")

    published = publish_lists(town, made())  # type: ignore[arg-type]
    with town.connect() as connection:
        assert stored(connection, published.id)[3] == [2]
        assert traces(connection, 6) == 0


def test_going_down_leaves_the_lists(town: Engine, database_url: str) -> None:
    published = publish_lists(town, lists({1: [6], 3: [2]}))
    command.downgrade(make_alembic_config(database_url), "0005")
    query = "SELECT viewer_id FROM matching.match_lists ORDER BY viewer_id"
    with town.connect() as connection:
        assert [viewer.int for viewer in connection.scalars(text(query))] == [1, 2]
    upgrade_database(database_url)
    with town.connect() as connection:
        assert stored(connection, published.id) == {1: [], 2: []}
