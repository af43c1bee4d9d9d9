import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from models.db.engines import open_database
from models.db.errors import DatabaseUnavailable
from models.db.settings import Settings
from pipelines.loaders.app_tables import Interaction, LoadReport, Person, derive_profile_id, fill_app_tables

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ANNA = Person(
    *("test:anna", "Anna", date(1990, 5, 17), "woman", ("man", "woman"), 30, 45, 52.1, 4.3, 25.0),
    texts={"About me": 'Zoë says "hi"\n\\N\tand {more}, 🌷'},
    interests=("chess", 'a "b", {c}'),
    traits={"fun": 0.1, "height_cm": 171.0},
    facts={"job": "baker"},
    wants={"fun": 0.75},
)
BEN = Person("test:ben", "Ben", date(1988, 1, 1), "man", ("woman",), latitude=52.2, longitude=4.4)
LIKE = Interaction("test:anna", "test:ben", "like", MOMENT, position=3, propensity=0.5)
PASS = Interaction("test:ben", "test:anna", "pass", MOMENT)
NAMES = "SELECT display_name FROM app.profiles ORDER BY 1"
KINDS = "SELECT kind FROM app.interactions ORDER BY 1"


def make_people(count: int) -> Iterator[Person]:
    return (replace(BEN, source_key=f"test:{number}") for number in range(count))


def read(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def count(report: LoadReport) -> tuple[int, ...]:
    return astuple(report)[:6]


def test_what_is_loaded_reads_back_the_same_on_every_machine(engine: Engine) -> None:
    assert fill_app_tables(engine, [], []) == LoadReport(0, 0, 0, 0, 0, 0, refused=Counter())
    assert fill_app_tables(engine, [ANNA, BEN], [LIKE, PASS]) == LoadReport(2, 0, 0, 2, 0, 0, refused=Counter())
    columns = ", ".join(vars(ANNA))
    [kept] = read(engine, f"SELECT id::text, {columns} FROM app.profiles WHERE source_key = 'test:anna'")
    said = [list(value) if isinstance(value, tuple) else value for value in vars(ANNA).values()]
    assert kept == ("5431441b-7bec-56c2-a19e-1bd4555a66a1", *said)
    anna, ben = derive_profile_id("test:anna"), derive_profile_id("test:ben")
    columns = "actor_id::text, target_id::text, kind, created_at, position, propensity"
    assert read(engine, f"SELECT id::text, {columns} FROM app.interactions ORDER BY kind") == [
        ("897854ee-6504-50ab-8b82-1d34ad290269", anna, ben, "like", MOMENT, 3, 0.5),
        ("259ccb5c-1e0c-58db-a124-588800bb8b71", ben, anna, "pass", MOMENT, None, None),
    ]
    versions = "SELECT id, xmin::text, ctid::text FROM app."
    rows = f"{versions}profiles UNION ALL {versions}interactions ORDER BY 1"
    before = read(engine, rows)
    assert count(fill_app_tables(engine, [ANNA, BEN], [LIKE, PASS])) == (0, 0, 2, 0, 0, 2)
    assert read(engine, rows) == before


def test_any_change_of_a_person_moves_their_updated_at_only(engine: Engine) -> None:
    fill_app_tables(engine, [ANNA, BEN], [])
    before = dict(read(engine, "SELECT source_key, updated_at FROM app.profiles"))
    for name in vars(ANNA).keys() - {"source_key"}:
        fill_app_tables(engine, [ANNA, BEN], [])
        changed = replace(ANNA, **{name: getattr(BEN, name)})
        assert count(fill_app_tables(engine, [changed, BEN], [])) == (0, 1, 1, 0, 0, 0), name
    after = dict(read(engine, "SELECT source_key, updated_at FROM app.profiles"))
    assert after["test:ben"] == before["test:ben"]
    assert after["test:anna"] > before["test:anna"]


def test_an_interaction_of_earlier_people_is_added_and_updated(engine: Engine) -> None:
    fill_app_tables(engine, [ANNA], [])
    assert count(fill_app_tables(engine, [BEN], [LIKE, PASS])) == (1, 0, 0, 2, 0, 0)
    assert count(fill_app_tables(engine, [], [replace(LIKE, kind="pass"), PASS])) == (0, 0, 0, 0, 1, 1)
    assert read(engine, KINDS) == [("pass",), ("pass",)]
    keys = [replace(BEN, source_key=key) for key in ("a", "a|b", "b|c", "c")]  # joined, two pairs would be one
    likes = [replace(LIKE, actor_key=actor, target_key=target) for actor, target in (("a|b", "c"), ("a", "b|c"))]
    assert fill_app_tables(engine, keys, likes).interactions_added == 2


def test_bad_rows_are_counted_and_do_not_stop_the_others(engine: Engine) -> None:
    child = replace(ANNA, source_key="test:child", birth_date=datetime.now(UTC).date())
    report = fill_app_tables(
        engine,
        [
            replace(ANNA, display_name=""),  # refused, so the next one is the first with this key
            *(ANNA, child, replace(child, source_key="test:child-2"), replace(ANNA, display_name="Another")),
            BEN,
        ],
        [
            *(replace(LIKE, kind="superlike"), LIKE, replace(LIKE, kind="pass"), PASS),
            *(replace(LIKE, target_key="test:child"), replace(LIKE, actor_key="test:nobody")),
        ],
        Counter({"refused by the source": 4}),
    )
    assert count(report) == (2, 0, 0, 2, 0, 0)
    assert report.refused == {
        "blank source key, name or gender": 1,
        "under 18": 2,
        "source key seen before in this load": 1,
        "interaction of an unknown kind": 1,
        "interaction with an unknown person": 2,
        "pair seen before in this load": 1,
        "refused by the source": 4,
    }
    assert read(engine, NAMES) == [("Anna",), ("Ben",)]
    assert read(engine, KINDS) == [("like",), ("pass",)]


def test_a_person_the_app_made_keeps_their_id(engine: Engine) -> None:
    fill_app_tables(engine, [ANNA], [])
    app_id = "00000000-0000-4000-8000-000000000001"
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE app.profiles SET id = '{app_id}', paused = true, facts = '{{}}'"))
    assert count(fill_app_tables(engine, [ANNA, BEN], [LIKE])) == (1, 1, 0, 1, 0, 0)
    assert read(engine, "SELECT actor_id::text FROM app.interactions") == [(app_id,)]
    assert read(engine, "SELECT display_name FROM app.profiles WHERE paused") == [("Anna",)]


def test_rows_are_streamed(engine: Engine) -> None:
    size = 10_000
    stream = (
        replace(LIKE, actor_key=f"test:{number % 100}", target_key=f"test:{(number // 100 + number + 1) % 100}")
        for number in range(size)
    )
    fill_app_tables(engine, make_people(100), [])  # what is made once, is made now
    tracemalloc.start()
    try:
        report = fill_app_tables(engine, [], stream)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.interactions_added + sum(report.refused.values()) == size
    assert peak < 100 * size  # bytes; the rows as tuples alone would take eight times that


def test_a_load_whose_server_is_lost_writes_nothing(database_url: str, engine: Engine) -> None:
    fill_app_tables(engine, [ANNA], [])

    def source() -> Iterator[Person]:
        yield replace(ANNA, display_name="Changed")
        yield from make_people(2000)
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        read(engine, f"SELECT pg_terminate_backend(pid) {others}")
        yield from make_people(200_000)  # more than any buffer holds

    with pytest.raises(DatabaseUnavailable), open_database(Settings(database_url=database_url)) as mapped:
        fill_app_tables(mapped, source(), [])
    assert read(engine, NAMES) == [("Anna",)]


# When a load begins to copy. At any other moment a full disk is as for publications.
FULL_DISK = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE 'No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE FUNCTION fill_disk() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
  CREATE TRIGGER full_disk BEFORE INSERT ON incoming_profiles FOR EACH ROW EXECUTE FUNCTION full_disk();
END $$;
CREATE EVENT TRIGGER fill_disk ON ddl_command_end WHEN TAG IN ('CREATE TABLE AS') EXECUTE FUNCTION fill_disk()
"""


def test_a_full_disk_is_reported_without_the_row(database_url: str, engine: Engine) -> None:
    fill_app_tables(engine, [ANNA], [])
    with engine.begin() as connection:
        connection.exec_driver_sql(FULL_DISK)
    database = open_database(Settings(database_url=database_url))
    with pytest.raises(DatabaseUnavailable, match="No space left on device") as caught, database as mapped:
        fill_app_tables(mapped, [replace(ANNA, display_name="Changed"), BEN], [LIKE])
    assert "Changed" not in str(caught.value)
    assert read(engine, NAMES) == [("Anna",)]


def test_a_second_load_at_the_same_time_waits_for_the_first(engine: Engine) -> None:
    reports: list[LoadReport] = []
    waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'matching.load_lock'::regclass AND NOT granted"
    second = threading.Thread(target=lambda: reports.append(fill_app_tables(engine, [ANNA, BEN], [LIKE])))

    def source() -> Iterator[Person]:
        yield BEN
        second.start()
        deadline = time.monotonic() + 300
        while read(engine, waiting) != [(1,)] and time.monotonic() < deadline:
            time.sleep(0.02)
        assert read(engine, waiting) == [(1,)]
        yield ANNA

    reports.append(fill_app_tables(engine, source(), [LIKE]))
    second.join()
    assert [count(report) for report in reports] == [(2, 0, 0, 1, 0, 0), (0, 0, 2, 0, 0, 1)]


words = st.text(st.characters(), max_size=5)  # any character, NUL and surrogates too


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=words,
    texts=st.dictionaries(words, words, max_size=2),
    interests=st.lists(words, max_size=2),
    traits=st.dictionaries(words, st.floats(), max_size=2),
)
def test_any_answers_are_kept_exactly_or_refused(
    engine: Engine, name: str, texts: dict[str, str], interests: list[str], traits: dict[str, float]
) -> None:
    odd = replace(BEN, display_name=name, texts=texts, interests=tuple(interests), traits=traits)
    report = fill_app_tables(engine, [odd], [])
    if report.refused:
        assert sum(report.refused.values()) == 1
        return
    assert read(engine, "SELECT display_name, texts, interests FROM app.profiles") == [(name, texts, interests)]
    assert dict(read(engine, "SELECT key, value::float8 FROM app.profiles, jsonb_each(traits)")) == traits
