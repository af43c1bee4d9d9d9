"""Erasing someone takes them out of everything: their own rows, and every list that can still be read."""

import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from models.db.erasure import ErasureReport, erase_profile, find_profile
from models.db.errors import InputError, PublicationRefused
from models.db.match_lists import MatchList
from models.db.publications import get_live_publication, partitions, switch, verification
from models.db.schema import tables
from models.db.schema.reader_role import ROLE
from tests.models_db.conftest import (
    BEFORE,
    TOWN,
    Lists,
    list_for,
    person_id,
    publish_lists,
    run,
    settle,
    somebody_waits,
    stored_lists,
    wait_until,
)

# So that each of two erasures has deleted its own list before either goes on: triggers run in order of their names.
SLOWLY = (
    "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END $$",
    "CREATE TRIGGER dawdle AFTER DELETE ON app.profiles FOR EACH STATEMENT EXECUTE FUNCTION slowly()",
)
HANG_ON_MINE = {
    "remove_erased_candidates": "CREATE TRIGGER mine AFTER DELETE ON mine REFERENCING OLD TABLE AS gone"
    " FOR EACH STATEMENT EXECUTE FUNCTION matching.remove_erased_candidates()",
    "serialize_erasures": "CREATE TRIGGER mine BEFORE DELETE ON mine"
    " FOR EACH STATEMENT EXECUTE FUNCTION matching.serialize_erasures()",
}
TRIGGER_FUNCTIONS = """
SELECT proname, prosecdef, proconfig FROM pg_proc
WHERE prorettype = 'trigger'::regtype AND pronamespace::regnamespace::text IN ('app', 'matching') ORDER BY proname
"""


def without(lists: Lists, *gone: int) -> Lists:
    return {
        viewer: [candidate for candidate in candidates if candidate not in gone]
        for viewer, candidates in lists.items()
        if viewer not in gone
    }


def traces(connection: Connection, number: int) -> int:
    """In how many rows of all tables the person's id is found, as text."""
    names = [f"{table.schema}.{table.name}" for table in tables.metadata.sorted_tables]
    counts = [f"(SELECT count(*) FROM {name} AS t WHERE t::text LIKE :id)" for name in names]
    return connection.scalar(text(f"SELECT {' + '.join(counts)}"), {"id": f"%{person_id(number)}%"}) or 0


@pytest.fixture
def known(town: Engine) -> Engine:
    """A town whose person 1 is everywhere: three kept publications, blocks, likes, passes, an embedding."""
    for _ in range(3):
        publish_lists(town, TOWN)
    with town.begin() as connection:
        values = {"profile_id": person_id(1), "encoder": "letters", "content_hash": "x", "embedding": [0.5] * 384}
        connection.execute(tables.embeddings.insert().values(values))
        for actor, target, kind in ((1, 2, "like"), (4, 1, "pass"), (3, 2, "like")):
            row = {"actor_id": person_id(actor), "target_id": person_id(target), "kind": kind, "created_at": BEFORE}
            connection.execute(tables.interactions.insert().values(row))
        for blocker, blocked in ((6, 1), (1, 6), (3, 6)):
            connection.execute(
                tables.blocks.insert().values(blocker_id=person_id(blocker), blocked_id=person_id(blocked))
            )
    return town


def test_erasing_someone_takes_them_out_of_every_kept_publication(known: Engine) -> None:
    with known.begin() as connection:
        assert traces(connection, 1) > 0
        erased = erase_profile(connection, "town:1")
    assert erased == ErasureReport(person_id(1), interactions=2, blocks=2, embeddings=1, lists=3, places=9)
    with known.connect() as connection:
        assert traces(connection, 1) == 0
        for publication_id in (1, 2, 3):
            assert stored_lists(connection, publication_id) == without(TOWN, 1)
        assert connection.scalar(text("SELECT count(*) FROM app.interactions")) == 1
        assert connection.scalar(text("SELECT count(*) FROM app.blocks")) == 1


def test_impressions_by_and_of_someone_go_with_them(town: Engine) -> None:
    seen = "INSERT INTO app.views (viewer_id, candidate_id, surface) VALUES (:viewer, :candidate, 'list')"
    for viewer, candidate in ((1, 2), (1, 2), (4, 1), (3, 2)):
        run(town, seen, viewer=person_id(viewer), candidate=person_id(candidate))
    with town.begin() as connection:
        assert erase_profile(connection, "town:1").views == 3
        assert traces(connection, 1) == 0
        assert connection.scalar(text("SELECT count(*) FROM app.views")) == 1


def test_an_erasure_can_be_taken_back_until_its_transaction_ends(known: Engine) -> None:
    with known.connect() as connection:
        erase_profile(connection, person_id(1))
        connection.rollback()
        assert stored_lists(connection, 3) == TOWN
        assert find_profile(connection, "town:1") == person_id(1)


def test_several_people_deleted_at_once(known: Engine) -> None:
    run(known, "DELETE FROM app.profiles WHERE id = ANY (CAST(:ids AS uuid[]))", ids=[person_id(n) for n in (1, 5, 6)])
    with known.connect() as connection:
        assert stored_lists(connection, 3) == {2: [], 3: [], 4: []}


def test_two_people_erased_from_the_same_lists_at_the_same_time(town: Engine) -> None:
    """The second eraser waits for the first one's rows, and must not write back what the first one took out."""
    publish_lists(town, TOWN)
    with town.connect() as first, ThreadPoolExecutor(1) as pool:
        erase_profile(first, "town:1")

        def erase_second() -> ErasureReport:
            with town.begin() as connection:
                return erase_profile(connection, "town:5")

        second = pool.submit(erase_second)
        wait_until(lambda: somebody_waits(town))
        first.commit()
        second.result()
    with town.connect() as connection:
        assert stored_lists(connection, 1) == without(TOWN, 1, 5)
        assert traces(connection, 1) == traces(connection, 5) == 0


def test_two_people_on_each_other_s_lists_erased_at_the_same_time(town: Engine) -> None:
    """Each takes out their own list, and then wants to write the other's: they must take turns from the start."""
    publish_lists(town, TOWN)
    for slow in SLOWLY:
        run(town, slow)
    for one, other in ((1, 2), (3, 6)):
        together = Barrier(2)

        def erase_one(number: int, together: Barrier = together) -> ErasureReport:
            with town.begin() as connection:
                connection.execute(text("SELECT 1"))
                together.wait()
                return erase_profile(connection, f"town:{number}")

        with ThreadPoolExecutor(2) as pool:
            assert [erased.lists for erased in pool.map(erase_one, (one, other))] == [1, 1]
    with town.connect() as connection:
        assert stored_lists(connection, 1) == without(TOWN, 1, 2, 3, 6)


def test_people_erased_while_a_publication_is_copied_are_not_in_it(town: Engine) -> None:
    def lists() -> Iterator[MatchList]:
        yield from (list_for(viewer, candidates) for viewer, candidates in TOWN.items())
        with town.begin() as other:
            erase_profile(other, "town:1")

    published = publish_lists(town, lists())
    with town.connect() as connection:
        assert stored_lists(connection, published.id) == without(TOWN, 1)
        assert traces(connection, 1) == 0


APP_ROLE = (
    "CREATE ROLE the_app",
    "GRANT USAGE ON SCHEMA app TO the_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA app TO the_app",
)


def test_the_app_erases_with_rights_on_its_own_schema_only(known: Engine) -> None:
    with known.connect() as connection:
        for statement in APP_ROLE:
            connection.execute(text(statement))
        connection.execute(text("SET LOCAL ROLE the_app"))
        connection.execute(text("DELETE FROM app.profiles WHERE source_key = 'town:1'"))
        connection.execute(text("RESET ROLE"))
        assert traces(connection, 1) == 0
        for publication_id in (1, 2, 3):
            assert stored_lists(connection, publication_id) == without(TOWN, 1)
        connection.rollback()


@pytest.mark.parametrize("function", HANG_ON_MINE)
def test_nobody_else_may_hang_a_trigger_function_on_a_table_of_their_own(town: Engine, function: str) -> None:
    """They have their owner's rights: anybody could take whom they like out of all lists, or keep erasures waiting."""
    with town.connect() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE mine (id uuid)"))
        connection.execute(text(f"GRANT ALL ON mine TO {ROLE}"))
        connection.execute(text(f"GRANT USAGE ON SCHEMA matching TO {ROLE}"))
        connection.execute(text(f"SET LOCAL ROLE {ROLE}"))
        with pytest.raises(ProgrammingError, match=rf"permission denied for function .*{function}"):
            connection.execute(text(HANG_ON_MINE[function]))
        connection.rollback()


def test_every_trigger_that_writes_elsewhere_has_its_owner_s_rights_and_a_search_path_of_its_own(
    connection: Connection,
) -> None:
    found = connection.execute(text(TRIGGER_FUNCTIONS)).all()
    assert [tuple(row) for row in found] == [
        ("remove_erased_candidates", True, ["search_path=pg_catalog, pg_temp"]),
        ("serialize_erasures", True, ["search_path=pg_catalog, pg_temp"]),
    ]


STEPS = {
    "the lists are attached": (partitions, "attach_partition"),
    "the erased are dropped": (verification, "drop_erased"),
    "the switch": (switch, "_switch_live"),
}


@pytest.mark.parametrize("step", STEPS)
def test_people_erased_between_the_steps_of_a_publication_are_not_in_it(
    town: Engine, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone else erases a person just before a step, which then goes on as it does."""
    go_on = getattr(*STEPS[step])

    def erase_then_go_on(connection: Connection, publication_id: int) -> None:
        with town.begin() as other:
            erase_profile(other, "town:1")
        go_on(connection, publication_id)

    monkeypatch.setattr(*STEPS[step], erase_then_go_on)
    published = publish_lists(town, TOWN)
    with town.connect() as connection:
        assert get_live_publication(connection) == published
        assert stored_lists(connection, published.id) == without(TOWN, 1)
        assert traces(connection, 1) == 0


def test_an_erasure_under_way_ends_before_a_publication_looks_whom_it_erased(
    town: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds lists that the publication may want to change, and may wait for others of them: so it goes first."""
    go_on = verification.drop_erased
    with town.connect() as other, ThreadPoolExecutor(1) as pool:

        def commit_once_it_is_waited_for() -> None:
            wait_until(lambda: somebody_waits(town))
            other.commit()

        def go_on_beside_an_erasure(connection: Connection, publication_id: int) -> None:
            erase_profile(other, "town:1")
            ended = pool.submit(commit_once_it_is_waited_for)
            go_on(connection, publication_id)
            ended.result()

        monkeypatch.setattr(verification, "drop_erased", go_on_beside_an_erasure)
        published = publish_lists(town, TOWN)
    with town.connect() as connection:
        assert stored_lists(connection, published.id) == without(TOWN, 1)


def test_a_failed_publication_keeps_no_trace(town: Engine) -> None:
    with pytest.raises(PublicationRefused, match="1 lists that show viewers themselves") as raised:
        publish_lists(town, {1: [1, 2]})
    assert person_id(1) not in "".join(traceback.format_exception(raised.value))
    with town.begin() as connection:
        erase_profile(connection, "town:1")
        assert traces(connection, 1) == 0


@pytest.mark.parametrize("who", [person_id(3), person_id(3).upper(), "town:3"])
def test_people_are_found_by_id_and_by_source_key(connection: Connection, who: str) -> None:
    settle(connection, [3, 4])
    assert find_profile(connection, who) == person_id(3)


def test_an_id_counts_before_a_source_key_that_looks_like_it(connection: Connection) -> None:
    settle(connection, [3])
    settle(connection, [4], source_key=person_id(3))
    assert find_profile(connection, person_id(3)) == person_id(3)


@pytest.mark.parametrize(
    "who", ["town:4", "", "3", person_id(9), person_id(3)[:-1], "\0", "\udcff", "x" * 100_000, "'; --"]
)
def test_nobody_is_found_by_anything_else(connection: Connection, who: str) -> None:
    settle(connection, [3])
    with pytest.raises(InputError, match="nobody has the profile id or source key"):
        erase_profile(connection, who)
    assert find_profile(connection, "town:3") == person_id(3)
