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
    "test:anna",
    "Anna",
    date(1990, 5, 17),
    "woman",
    ("man", "woman"),
    age_min=30,
    age_max=45,
    latitude=52.1,
    longitude=4.3,
    max_distance_km=25.0,
    texts={"About me": 'Zoë says "hi"\n\\N\tand {more}, 🌷'},
    interests=("chess", 'a "b", {c}'),
    traits={"fun": 0.1, "height_cm": 171.0},
    facts={"job": "baker"},
    wants={"fun": 0.75},
)
BEN = Person("test:ben", "Ben", date(1988, 1, 1), "man", ("woman",))
CLEO = Person("test:cleo", "Cleo", date(1985, 1, 1), "woman", ("man",))
LIKE = Interaction("test:anna", "test:ben", "like", MOMENT, position=3, propensity=0.5)
PASS = Interaction("test:ben", "test:anna", "pass", MOMENT)


def people(count: int) -> Iterator[Person]:
    return (replace(BEN, source_key=f"test:{number}") for number in range(count))


def rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def counts(report: LoadReport) -> tuple[int, ...]:
    return astuple(report)[:6]


def test_what_is_loaded_reads_back_the_same(engine: Engine) -> None:
    report = fill_app_tables(engine, [ANNA, BEN], [LIKE, PASS])

    assert report == LoadReport(2, 0, 0, 2, 0, 0, refused=Counter())
    columns = ", ".join(vars(ANNA))
    [kept] = rows(engine, f"SELECT id::text, {columns} FROM app.profiles WHERE source_key = 'test:anna'")
    said = [list(value) if isinstance(value, tuple) else value for value in vars(ANNA).values()]
    assert kept == (derive_profile_id("test:anna"), *said)
    assert rows(
        engine,
        """SELECT actor.display_name, target.display_name, kind, i.created_at, position, propensity
           FROM app.interactions AS i
           JOIN app.profiles AS actor ON actor.id = actor_id JOIN app.profiles AS target ON target.id = target_id
           ORDER BY kind""",
    ) == [("Anna", "Ben", "like", MOMENT, 3, 0.5), ("Ben", "Anna", "pass", MOMENT, None, None)]


def test_ids_are_the_same_on_every_machine(engine: Engine) -> None:
    fill_app_tables(engine, [ANNA, BEN], [LIKE])

    assert derive_profile_id("test:anna") == "5431441b-7bec-56c2-a19e-1bd4555a66a1"
    assert rows(engine, "SELECT id::text FROM app.interactions") == [("897854ee-6504-50ab-8b82-1d34ad290269",)]


def test_a_second_load_of_the_same_touches_no_row(engine: Engine) -> None:
    versions = "SELECT xmin::text, ctid::text, updated_at FROM app.profiles ORDER BY id"
    interaction_versions = "SELECT xmin::text, ctid::text FROM app.interactions ORDER BY id"
    fill_app_tables(engine, [ANNA, BEN], [LIKE, PASS])
    before = rows(engine, versions), rows(engine, interaction_versions)

    report = fill_app_tables(engine, [ANNA, BEN], [LIKE, PASS])

    assert counts(report) == (0, 0, 2, 0, 0, 2)
    assert (rows(engine, versions), rows(engine, interaction_versions)) == before


CHANGES: list[dict[str, Any]] = [
    {"display_name": "Anne"},
    {"birth_date": date(1990, 5, 18)},
    {"gender": "nonbinary"},
    {"seeks": ("man",)},
    {"age_min": None},
    {"age_max": 46},
    {"latitude": 52.2},
    {"longitude": 4.4},
    {"max_distance_km": 26.0},
    {"texts": {"About me": "new"}},
    {"interests": ()},
    {"traits": {"fun": 0.2}},
    {"facts": {}},
    {"wants": {"fun": 0.7}},
]


def test_a_change_of_content_moves_updated_at_of_that_person_only(engine: Engine) -> None:
    fill_app_tables(engine, [ANNA, BEN], [])
    before = dict(rows(engine, "SELECT source_key, updated_at FROM app.profiles"))

    for change in CHANGES:
        fill_app_tables(engine, [ANNA, BEN], [])
        assert counts(fill_app_tables(engine, [replace(ANNA, **change), BEN], [])) == (0, 1, 1, 0, 0, 0), change

    after = dict(rows(engine, "SELECT source_key, updated_at FROM app.profiles"))
    assert after["test:ben"] == before["test:ben"]
    assert after["test:anna"] > before["test:anna"]
    assert set().union(*CHANGES) == set(vars(ANNA)) - {"source_key"}


def test_an_interaction_that_changed_its_mind_is_updated(engine: Engine) -> None:
    fill_app_tables(engine, [ANNA, BEN], [LIKE, PASS])

    assert counts(fill_app_tables(engine, [], [replace(LIKE, kind="pass"), PASS])) == (0, 0, 0, 0, 1, 1)
    assert rows(engine, "SELECT kind FROM app.interactions") == [("pass",), ("pass",)]


def test_bad_rows_are_counted_by_reason_and_do_not_stop_the_others(engine: Engine) -> None:
    nan = replace(CLEO, source_key="test:nan", traits={"fun": float("nan")})
    child = replace(CLEO, source_key="test:child", birth_date=datetime.now(UTC).date())
    report = fill_app_tables(
        engine,
        [nan, ANNA, child, replace(ANNA, display_name="Another Anna"), replace(child, source_key="test:child-2"), BEN],
        [
            replace(LIKE, kind="superlike"),
            LIKE,
            replace(LIKE, kind="pass"),
            replace(LIKE, target_key="test:anna"),
            replace(LIKE, target_key="test:nan"),
            replace(LIKE, actor_key="test:nobody"),
            PASS,
        ],
        Counter({"refused by the source": 4}),
    )

    assert counts(report) == (2, 0, 0, 2, 0, 0)
    assert report.refused == {
        "trait or want that is not a finite number": 1,
        "under 18": 2,
        "source key seen before in this load": 1,
        "interaction of an unknown kind": 1,
        "interaction with oneself": 1,
        "interaction with an unknown person": 2,
        "pair seen before in this load": 1,
        "refused by the source": 4,
    }
    assert rows(engine, "SELECT display_name FROM app.profiles ORDER BY 1") == [("Anna",), ("Ben",)]
    assert rows(engine, "SELECT kind FROM app.interactions ORDER BY 1") == [("like",), ("pass",)]


def test_a_refused_duplicate_does_not_hide_the_good_row_after_it(engine: Engine) -> None:
    report = fill_app_tables(engine, [replace(ANNA, display_name=""), ANNA], [])

    assert counts(report) == (1, 0, 0, 0, 0, 0)
    assert report.refused == {"blank source key, name or gender": 1}


def test_interactions_may_name_people_of_earlier_loads(engine: Engine) -> None:
    fill_app_tables(engine, [ANNA], [])

    assert counts(fill_app_tables(engine, [BEN], [LIKE])) == (1, 0, 0, 1, 0, 0)


def test_keys_that_join_to_the_same_word_stay_different_pairs(engine: Engine) -> None:
    keys = ["a", "a|b", "b|c", "c"]
    like = replace(LIKE, actor_key="a|b", target_key="c")

    report = fill_app_tables(
        engine, [replace(BEN, source_key=key) for key in keys], [like, replace(like, actor_key="a", target_key="b|c")]
    )

    assert report.interactions_added == 2


def test_a_person_the_app_made_keeps_their_id(engine: Engine) -> None:
    app_id = "00000000-0000-4000-8000-000000000001"
    with engine.begin() as connection:
        connection.execute(
            text(
                f"INSERT INTO app.profiles (id, source_key, display_name, birth_date, gender, seeks, paused)"
                f" VALUES ('{app_id}', 'test:anna', 'Anna', '1990-05-17', 'woman', '{{man}}', true)"
            )
        )

    assert counts(fill_app_tables(engine, [ANNA, BEN], [LIKE])) == (1, 1, 0, 1, 0, 0)

    assert rows(engine, "SELECT actor_id::text FROM app.interactions") == [(app_id,)]
    assert rows(engine, "SELECT paused FROM app.profiles WHERE source_key = 'test:anna'") == [(True,)]


def test_a_load_of_nothing_reports_nothing(engine: Engine) -> None:
    assert fill_app_tables(engine, [], []) == LoadReport(0, 0, 0, 0, 0, 0, refused=Counter())


def test_rows_are_streamed(engine: Engine) -> None:
    size = 10_000
    people_of_town = list(people(100))
    stream = (
        replace(LIKE, actor_key=f"test:{number % 100}", target_key=f"test:{(number // 100 + number + 1) % 100}")
        for number in range(size)
    )
    fill_app_tables(engine, people_of_town, [])  # what is made once, is made now
    tracemalloc.start()
    try:
        report = fill_app_tables(engine, [], stream)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert report.interactions_added + sum(report.refused.values()) == size
    assert peak < 100 * size  # bytes; the rows as tuples alone would take eight times that


def end_other_connections(engine: Engine) -> None:
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    rows(engine, f"SELECT pg_terminate_backend(pid) {others}")


@pytest.mark.parametrize("event", ["an error of the source", "the server is lost"])
def test_a_load_that_breaks_off_writes_nothing(database_url: str, engine: Engine, event: str) -> None:
    fill_app_tables(engine, [ANNA], [])

    def source() -> Iterator[Person]:
        yield replace(ANNA, display_name="Changed")
        yield from people(2000)
        if event == "an error of the source":
            raise ValueError(event)
        end_other_connections(engine)
        yield from people(200_000)  # more than any buffer holds

    with (
        pytest.raises(ValueError if event == "an error of the source" else DatabaseUnavailable),
        open_database(Settings(database_url=database_url)) as mapped,
    ):
        fill_app_tables(mapped, source(), [])

    assert rows(engine, "SELECT display_name FROM app.profiles") == [("Anna",)]


@pytest.mark.parametrize("table", ["incoming_profiles", "app.interactions"])
def test_a_full_disk_is_told_without_the_row_that_met_it(database_url: str, engine: Engine, table: str) -> None:
    fill_app_tables(engine, [ANNA], [])
    fill_the_disk_at(engine, table)

    with (
        pytest.raises(DatabaseUnavailable, match="No space left on device") as caught,
        open_database(Settings(database_url=database_url)) as mapped,
    ):
        fill_app_tables(mapped, [replace(ANNA, display_name="Changed"), BEN], [LIKE])

    assert "Changed" not in str(caught.value)
    assert rows(engine, "SELECT display_name FROM app.profiles") == [("Anna",)]


def fill_the_disk_at(engine: Engine, table: str) -> None:
    """Let the server say that its disk is full when the first row reaches a table, temporary ones included."""
    put_trigger = f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION full_disk()"
    with engine.begin() as connection:
        connection.exec_driver_sql(
            """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN RAISE 'No space left on device' USING ERRCODE = 'disk_full'; END $$"""
        )
        if table.startswith("app."):
            connection.exec_driver_sql(put_trigger)
        else:
            connection.exec_driver_sql(
                f"""CREATE FUNCTION fill_disk() RETURNS event_trigger LANGUAGE plpgsql
                    AS $$ BEGIN {put_trigger}; END $$;
                    CREATE EVENT TRIGGER fill_disk ON ddl_command_end WHEN TAG IN ('CREATE TABLE AS')
                    EXECUTE FUNCTION fill_disk()"""
            )


def test_a_second_load_at_the_same_time_waits_for_the_first(engine: Engine) -> None:
    reports: list[LoadReport] = []
    waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'matching.load_lock'::regclass AND NOT granted"
    second = threading.Thread(target=lambda: reports.append(fill_app_tables(engine, [ANNA, BEN], [LIKE])))

    def source() -> Iterator[Person]:
        yield BEN
        second.start()
        deadline = time.monotonic() + 300
        while rows(engine, waiting) != [(1,)] and time.monotonic() < deadline:
            time.sleep(0.02)
        assert rows(engine, waiting) == [(1,)]
        yield ANNA

    reports.append(fill_app_tables(engine, source(), [LIKE]))
    second.join()

    assert [counts(report) for report in reports] == [(2, 0, 0, 1, 0, 0), (0, 0, 2, 0, 0, 1)]


words = st.text(st.characters(), max_size=5)  # any character, NUL and surrogates too


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=words,
    texts=st.dictionaries(words, words, max_size=2),
    interests=st.lists(words, max_size=2),
    traits=st.dictionaries(words, st.floats(), max_size=2),
)
def test_whatever_a_person_says_is_kept_exactly_or_refused(
    engine: Engine, name: str, texts: dict[str, str], interests: list[str], traits: dict[str, float]
) -> None:
    odd = replace(BEN, display_name=name, texts=texts, interests=tuple(interests), traits=traits)

    report = fill_app_tables(engine, [odd], [])

    if report.refused:
        assert sum(report.refused.values()) == 1
        return
    [kept] = rows(engine, "SELECT display_name, texts, interests FROM app.profiles")
    assert kept == (name, texts, interests)
    measured = rows(engine, "SELECT key, value::float8 FROM app.profiles, jsonb_each(traits)")
    assert dict(measured) == traits
