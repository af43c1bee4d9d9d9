"""Erasing someone takes them out of everything: their own rows, and every list that can still be read."""

import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

import pytest
from sqlalchemy import Connection, Engine, event, text

from models.db.erasure import ErasureReport, erase_profile, find_profile
from models.db.errors import InputError, PublicationRefused
from models.db.match_lists import MatchList
from models.db.schema import tables
from tests.models_db.conftest import (
    BEFORE,
    TOWN,
    Lists,
    fetch,
    list_for,
    live,
    person_id,
    publish_lists,
    run,
    settle,
    somebody_waits,
    stored_beside_lists,
    stored_lists,
)
from tests.support.waiting import until

BESIDE = {1: (4, []), 2: (3, [4]), 3: (2, [1, 4]), 4: (1, []), 5: (None, [1]), 6: (5, [4])}
"""Whom each viewer is most compatible with, and who is withheld."""


def lists() -> Iterator[MatchList]:
    """TOWN, with person 1 beside the lists of others too."""
    for viewer, candidates in TOWN.items():
        best, withheld = BESIDE[viewer]
        yield list_for(viewer, candidates, most_compatible=best, withheld=withheld)


def without(*gone: int) -> Lists:
    left = {viewer: candidates for viewer, candidates in TOWN.items() if viewer not in gone}
    return {viewer: [each for each in candidates if each not in gone] for viewer, candidates in left.items()}


def assert_erased(bind: Engine | Connection, publication_id: int, *gone: int) -> None:
    """Nothing of them is left, and all of the others."""
    assert [traces(bind, number) for number in gone] == [0] * len(gone)
    assert stored_lists(bind, publication_id) == without(*gone)


def traces(bind: Engine | Connection, number: int) -> int:
    """In how many rows of all tables the person's id is found, as text."""
    names = [f"{table.schema}.{table.name}" for table in tables.metadata.sorted_tables]
    counts = [f"(SELECT count(*) FROM {name} AS t WHERE t::text LIKE :id)" for name in names]
    ((found,),) = fetch(bind, f"SELECT {' + '.join(counts)}", id=f"%{person_id(number)}%")
    return int(found)


@pytest.fixture
def known(town: Engine) -> Engine:
    """A town whose person 1 is everywhere: three kept publications, blocks, likes, passes, an embedding."""
    for _ in range(3):
        publish_lists(town, lists())
    with town.begin() as connection:
        values = {"profile_id": person_id(1), "encoder": "letters", "content_hash": "x", "embedding": [0.5] * 384}
        connection.execute(tables.embeddings.insert().values(values))
        for actor, target, kind in ((1, 2, "like"), (4, 1, "pass"), (3, 2, "like")):
            row = {"actor_id": person_id(actor), "target_id": person_id(target), "kind": kind, "created_at": BEFORE}
            connection.execute(tables.interactions.insert().values(row))
        for blocker, blocked in ((6, 1), (1, 6), (3, 6)):
            row = {"blocker_id": person_id(blocker), "blocked_id": person_id(blocked)}
            connection.execute(tables.blocks.insert().values(row))
    return town


def test_an_erased_person_is_in_no_kept_publication(known: Engine) -> None:
    with known.connect() as connection:
        erase_profile(connection, person_id(1))
        connection.rollback()
        assert stored_lists(known, 3) == TOWN
        assert traces(known, 1) > 0
    with known.begin() as connection:
        erased = erase_profile(connection, "town:1")
    assert erased == ErasureReport(person_id(1), interactions=2, blocks=2, embeddings=1, lists=3, places=9, withheld=6)
    for publication_id in (1, 2, 3):
        assert_erased(known, publication_id, 1)
        beside = stored_beside_lists(known, publication_id)
        assert beside == {2: (3, [4]), 3: (2, [4]), 4: (None, []), 5: (None, []), 6: (5, [4])}
    assert len(fetch(known, "SELECT FROM app.interactions")) == len(fetch(known, "SELECT FROM app.blocks")) == 1


def test_impressions_by_and_of_a_person_go_with_them(town: Engine) -> None:
    seen = "INSERT INTO app.views (viewer_id, candidate_id, surface) VALUES (:viewer, :candidate, 'list')"
    for viewer, candidate in ((1, 2), (1, 2), (4, 1), (3, 2)):
        run(town, seen, viewer=person_id(viewer), candidate=person_id(candidate))
    with town.begin() as connection:
        assert erase_profile(connection, "town:1").views == 3
        assert traces(connection, 1) == 0
    assert len(fetch(town, "SELECT FROM app.views")) == 1


def test_several_people_deleted_at_once(known: Engine) -> None:
    run(known, "DELETE FROM app.profiles WHERE id = ANY (CAST(:ids AS uuid[]))", ids=[person_id(n) for n in (1, 5, 6)])
    assert_erased(known, 3, 1, 5, 6)


def test_two_people_of_the_same_lists_at_the_same_time(town: Engine) -> None:
    """The second eraser waits for the first one's rows, and must not write back what the first one took out."""
    publish_lists(town, lists())

    def erase_second() -> None:
        with town.begin() as connection:
            erase_profile(connection, "town:5")

    with town.connect() as first, ThreadPoolExecutor(1) as pool:
        erase_profile(first, "town:1")
        second = pool.submit(erase_second)
        until(lambda: somebody_waits(town))
        first.commit()
        second.result()
    assert_erased(town, 1, 1, 5)


# So that each of two erasures has deleted its own list before either goes on: triggers run in order of their names.
SLOWLY = (
    "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END $$",
    "CREATE TRIGGER dawdle AFTER DELETE ON app.profiles FOR EACH STATEMENT EXECUTE FUNCTION slowly()",
)


def test_two_people_on_each_other_s_lists_at_the_same_time(town: Engine) -> None:
    """Each takes out their own list, and then wants to write the other's: they must take turns from the start."""
    publish_lists(town, lists())
    for slow in SLOWLY:
        run(town, slow)
    together = Barrier(2)

    def erase_one(number: int) -> int:
        with town.begin() as connection:
            connection.execute(text("SELECT 1"))
            together.wait()
            return erase_profile(connection, f"town:{number}").lists

    with ThreadPoolExecutor(2) as pool:
        for pair in ((1, 2), (3, 6)):
            assert list(pool.map(erase_one, pair)) == [1, 1]
    assert_erased(town, 1, 1, 2, 3, 6)


@contextmanager
def before_statement(engine: Engine, part: str, act: Callable[[], object]) -> Iterator[None]:
    """Act once, just before the first statement that holds `part`."""
    waiting = [act]

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if part in statement and waiting:
            waiting.pop()()

    event.listen(engine, "before_cursor_execute", listen)
    yield
    event.remove(engine, "before_cursor_execute", listen)
    assert not waiting


STEPS = ("COPY", "ADD PRIMARY KEY", "LOCK TABLE matching.erasure_lock", "FROM pg_locks")
"""While the lists are copied; before they are attached, before the erased are dropped, before the switch."""


@pytest.mark.parametrize("step", STEPS)
def test_people_erased_while_a_publication_is_made(town: Engine, step: str) -> None:
    def erase() -> None:
        with town.begin() as other:
            erase_profile(other, "town:1")

    def lists_then_erase() -> Iterator[MatchList]:
        yield from lists()
        erase()

    if step == "COPY":
        published = publish_lists(town, lists_then_erase())
    else:
        with before_statement(town, step, erase):
            published = publish_lists(town, lists())
    assert live(town) == published
    assert_erased(town, published.id, 1)


def test_an_erasure_under_way_ends_before_the_erased_are_dropped(town: Engine) -> None:
    """It holds lists that the publication may want to change, and may wait for others of them: so it goes first."""
    with town.connect() as other, ThreadPoolExecutor(1) as pool:

        def commit_once_it_is_waited_for() -> None:
            until(lambda: somebody_waits(town))
            other.commit()

        def begin() -> None:
            erase_profile(other, "town:1")
            pool.submit(commit_once_it_is_waited_for)

        with before_statement(town, "LOCK TABLE matching.erasure_lock", begin):
            published = publish_lists(town, lists())
    assert_erased(town, published.id, 1)


def test_a_failed_publication_keeps_no_trace(town: Engine) -> None:
    with pytest.raises(PublicationRefused) as raised:
        publish_lists(town, {1: [1, 2]})
    assert person_id(1) not in "".join(traceback.format_exception(raised.value))
    with town.begin() as connection:
        erase_profile(connection, "town:1")
        assert traces(connection, 1) == 0


APP_ROLE = (
    "CREATE ROLE the_app",
    "GRANT USAGE ON SCHEMA app TO the_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA app TO the_app",
    "SET LOCAL ROLE the_app",
)
TRIGGER_FUNCTIONS = """
SELECT proname, prosecdef, proconfig FROM pg_proc
WHERE prorettype = 'trigger'::regtype AND pronamespace::regnamespace::text IN ('app', 'matching') ORDER BY proname
"""


def test_the_app_erases_with_rights_on_its_own_schema_only(known: Engine) -> None:
    with known.connect() as connection:
        for statement in APP_ROLE:
            connection.execute(text(statement))
        connection.execute(text("DELETE FROM app.profiles WHERE source_key = 'town:1'"))
        connection.execute(text("RESET ROLE"))
        assert_erased(connection, 3, 1)
        search_path = ["search_path=pg_catalog, pg_temp"]
        assert [tuple(row) for row in connection.execute(text(TRIGGER_FUNCTIONS))] == [
            ("remove_erased_candidates", True, search_path),
            ("serialize_erasures", True, search_path),
        ]
        connection.rollback()


def test_people_are_found_by_id_and_by_source_key(connection: Connection) -> None:
    settle(connection, [3])
    settle(connection, [4], source_key=person_id(3))
    for who in (person_id(3), person_id(3).upper(), "town:3"):
        assert find_profile(connection, who) == person_id(3)
    for who in ("town:4", "", "3", person_id(9), person_id(3)[:-1], "\0", "\udcff", "x" * 100_000, "'; --"):
        with pytest.raises(InputError):
            erase_profile(connection, who)
