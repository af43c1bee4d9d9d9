"""A publication is stored, verified, switched, kept and rolled back for real."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text

from models.db.engines import convert_to_libpq_url
from models.db.errors import NothingToRollBack, PublicationRefused
from models.db.match_lists import MatchList
from models.db.publications import get_live_publication, list_publications, partitions, roll_back, verification
from models.db.publications.verification import verify_lists
from tests.models_db.conftest import (
    BEFORE,
    SCORED_AT,
    TOWN,
    list_for,
    person_id,
    publish_lists,
    run,
    settle,
    stored_lists,
    wait_until,
)

LATER = SCORED_AT + timedelta(minutes=1)


def erase_row(engine: Engine, number: int) -> None:
    run(engine, "DELETE FROM app.profiles WHERE id = :id", id=person_id(number))


def block(engine: Engine, blocker: int, blocked: int, at: datetime | str) -> None:
    run(engine, "INSERT INTO app.blocks VALUES (:a, :b, :at)", a=person_id(blocker), b=person_id(blocked), at=at)


def react(engine: Engine, actor: int, target: int, kind: str, at: datetime | str) -> None:
    statement = "INSERT INTO app.interactions (actor_id, target_id, kind, created_at) VALUES (:a, :b, :kind, :at)"
    run(engine, statement, a=person_id(actor), b=person_id(target), kind=kind, at=at)


def edit(engine: Engine, number: int, change: str, at: datetime | str = BEFORE) -> None:
    run(engine, f"UPDATE app.profiles SET {change}, updated_at = :at WHERE id = :id", id=person_id(number), at=at)


def test_a_publication_holds_what_was_sent_and_says_so(town: Engine) -> None:
    published = publish_lists(town, TOWN)
    with town.connect() as connection:
        assert stored_lists(connection, published.id) == TOWN
        assert get_live_publication(connection) == published
        assert list_publications(connection) == [published]
        second = text("SELECT * FROM matching.matches WHERE viewer_id = :id AND rank = 2")
        match = connection.execute(second, {"id": person_id(1)}).one()
    assert (published.state, published.viewer_count, published.pair_count, published.kept) == ("live", 6, 10, True)
    assert (published.ranker_version, published.encoder) == ("7", "letters")
    assert published.metrics == {"auc": 0.75, "dropped_since_scoring": 0}
    assert published.activated_at is not None
    assert published.activated_at > published.created_at
    assert (match.state, match.candidate_id.int, match.p_like) == ("live", 2, 2 / 128)
    assert match.reasons == [{"code": "is", "detail": ["2"]}]


def test_the_next_publication_retires_the_live_one(town: Engine) -> None:
    first = publish_lists(town, TOWN)
    second = publish_lists(town, {1: [2]})
    with town.connect() as connection:
        assert get_live_publication(connection) == second
        assert list_publications(connection) == [second, replace(first, state="retired")]
        assert stored_lists(connection, first.id) == TOWN


def test_nothing_is_live_at_first(town: Engine) -> None:
    with town.connect() as connection:
        assert get_live_publication(connection) is None
        assert list_publications(connection) == []


NOTHING: Any = None
TWO = list_for(2, [5, 1])
REFUSED: dict[str, tuple[list[MatchList], str]] = {
    "no list": ([], "holds no pair"),
    "only empty lists": ([list_for(1, [])], "holds no pair"),
    "a viewer twice": ([TWO, list_for(1, [2]), list_for(1, [4])], "1 viewers with several lists;"),
    "a viewer shown to themselves": ([TWO, list_for(1, [2, 1])], "1 lists that show viewers themselves;"),
    "a candidate twice": ([TWO, list_for(1, [2, 4, 2])], "1 lists that name a candidate twice;"),
    "p_like too short": ([replace(TWO, p_like=[0.5])], "1 lists with more or fewer"),
    "p_liked_back too long": ([replace(TWO, p_liked_back=[0.5] * 3)], "1 lists with more or fewer"),
    "p_match missing": ([replace(TWO, p_match=[])], "1 lists with more or fewer"),
    "reasons too short": ([replace(TWO, reasons="[[]]")], "1 lists with more or fewer"),
    "a probability above 1": ([replace(TWO, p_like=[0.5, 1.5])], r"outside \[0, 1\];"),
    "a probability below 0": ([replace(TWO, p_liked_back=[-0.1, 0.5])], r"outside \[0, 1\]"),
    "a probability not a number": ([replace(TWO, p_match=[0.5, float("nan")])], r"outside \[0, 1\]"),
    "a probability beyond real numbers": ([replace(TWO, p_match=[0.5, 1e300])], "uuids and numbers: float too large"),
    "a probability missing": (
        [replace(TWO, p_like=[0.5, NOTHING])],
        "a list is not made of uuids and numbers",
    ),
    "an id that is no uuid": ([replace(TWO, viewer_id="town:2")], "a list is not made of uuids and numbers"),
    "a reason that JSON has no word for": ([replace(TWO, reasons='[[{"code": NaN}], []]')], "invalid .* json"),
}


def test_wrong_lists_are_refused(town: Engine, subtests: pytest.Subtests) -> None:
    before = publish_lists(town, TOWN)
    for number, (case, (lists, message)) in enumerate(REFUSED.items(), start=before.id + 1):
        with subtests.test(case):
            with pytest.raises(PublicationRefused, match=rf"publication {number} was not published: .*{message}"):
                publish_lists(town, lists)
            with town.connect() as connection:
                failed = list_publications(connection)[0]
                assert get_live_publication(connection) == before
                assert stored_lists(connection, before.id) == TOWN
                assert partitions.find_partitions(connection) == {before.id}
            assert (failed.id, failed.state, failed.kept, failed.activated_at) == (number, "failed", False, None)
            assert failed.metrics["auc"] == 0.75
            assert person_id(1)[:-1] not in failed.metrics["error"], "a record that stays names nobody"


@pytest.mark.parametrize("sent", [partitions.PublicationSize(2, 4), partitions.PublicationSize(1, 5)])
def test_lists_lost_on_the_way_are_refused(connection: Connection, sent: partitions.PublicationSize) -> None:
    assert partitions.fill_partition(
        connection, 9, [list_for(1, [2, 4]), list_for(2, [1, 3, 5])]
    ) == partitions.PublicationSize(2, 5)
    verify_lists(connection, 9, partitions.PublicationSize(2, 5))
    with pytest.raises(PublicationRefused, match=f"{sent} were sent and 5 pairs in 2 lists are stored"):
        verify_lists(connection, 9, sent)


def test_metrics_that_json_cannot_hold_are_refused(town: Engine) -> None:
    with pytest.raises(PublicationRefused, match="metrics cannot be stored as JSON"):
        publish_lists(town, TOWN, metrics={"auc": float("nan")})
    with town.connect() as connection:
        assert list_publications(connection) == []


@pytest.fixture
def against(town: Engine) -> dict[str, Callable[[datetime | str], None]]:
    """What makes the pair 1 → 4 impossible, by name, each with a given stamp."""
    return {
        "blocked": lambda at: block(town, 1, 4, at),
        "blocked by": lambda at: block(town, 4, 1, at),
        "liked": lambda at: react(town, 1, 4, "like", at),
        "passed": lambda at: react(town, 1, 4, "pass", at),
        "too old for her": lambda at: edit(town, 1, "age_max = 29", at),
        "too young for him": lambda at: edit(town, 4, "age_min = 31", at),
        "no longer seeks her": lambda at: edit(town, 4, "seeks = '{man}'", at),
        "another gender": lambda at: edit(town, 4, "gender = 'woman'", at),
        "a child": lambda at: edit(town, 4, "birth_date = '2015-01-01'", at),
        "of no date": lambda at: edit(town, 4, "birth_date = 'infinity'", at),
        "paused": lambda at: edit(town, 4, "paused = true", at),
    }


AGAINST = {
    "blocked": "blocked",
    "blocked by": "blocked",
    "liked": "decided",
    "passed": "decided",
    **dict.fromkeys(
        (
            *("too old for her", "too young for him", "no longer seeks her", "another gender", "a child", "of no date"),
            "paused",
        ),
        "ineligible",
    ),
}
STAMPS = [BEFORE, SCORED_AT, LATER, "-infinity", "infinity", "4713-01-01 BC", "294276-12-31"]


@pytest.mark.parametrize("at", STAMPS)
def test_what_users_did_is_dropped_and_counted_whatever_its_stamp(
    town: Engine,
    against: dict[str, Callable[[datetime | str], None]],
    at: datetime | str,
    subtests: pytest.Subtests,
) -> None:
    for what, counted in AGAINST.items():
        with subtests.test(what):
            against[what](at)
            published = publish_lists(town, {1: [2, 4, 6], 2: [5, 1]})
            with town.connect() as connection:
                stored = stored_lists(connection, published.id)
            gone = {2, 4, 6} if what == "too old for her" else {4}
            assert set(stored[1]) == {2, 4, 6} - gone
            assert {5} <= set(stored[2])
            dropped = 5 - sum(map(len, stored.values()))
            assert published.metrics["dropped_since_scoring"] == published.metrics[f"dropped_{counted}"] == dropped
            assert published.pair_count == 5 - dropped
            run(town, "DELETE FROM app.blocks")
            run(town, "DELETE FROM app.interactions")
            run(town, "DELETE FROM app.profiles")
            with town.begin() as connection:
                settle(connection, range(1, 7))


def test_what_is_stamped_before_the_scoring_is_warned_of(
    town: Engine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A library that configures logging in this process may have turned it off.
    monkeypatch.setattr(verification.logger, "disabled", False)
    caplog.set_level("WARNING", verification.logger.name)
    block(town, 1, 4, SCORED_AT - timedelta(seconds=1))  # in flight, or by another clock
    assert "dropped_backdated" not in publish_lists(town, {1: [4, 2]}).metrics
    assert [each for each in caplog.records if each.levelname == "WARNING"] == []
    react(town, 1, 4, "like", BEFORE)
    assert publish_lists(town, {1: [4, 2]}).metrics == {
        "auc": 0.75,
        "dropped_since_scoring": 1,
        "dropped_blocked": 1,
        "dropped_decided": 1,
        "dropped_backdated": 1,
    }
    (warned,) = (each for each in caplog.records if each.levelname == "WARNING")
    assert person_id(1)[:-1] not in warned.getMessage()


@pytest.fixture
def crowd(engine: Engine) -> Engine:
    """Sixty women and sixty men."""
    with engine.begin() as connection:
        settle(connection, range(1, 121))
    return engine


def everybody(number: int) -> list[int]:
    """Fifty people of the other gender."""
    return [each for each in range(1, 121) if each % 2 != number % 2][:50]


def test_one_person_on_every_list_stops_nothing(crowd: Engine) -> None:
    edit(crowd, 2, "gender = 'woman', seeks = '{man}'")
    for other in range(1, 121, 2):
        block(crowd, 2, other, BEFORE)
    published = publish_lists(crowd, {number: everybody(number) for number in range(1, 121)})
    assert published.metrics["dropped_since_scoring"] == 50 + 60
    assert published.state == "live"


def test_lists_of_which_more_than_a_tenth_is_impossible_are_refused(crowd: Engine) -> None:
    lists = {number: everybody(number) for number in range(1, 121)}
    before = publish_lists(crowd, lists)
    run(crowd, "INSERT INTO app.interactions (actor_id, target_id, kind) SELECT woman.id, man.id, 'like'"
               " FROM app.profiles woman JOIN app.profiles man ON woman.gender <> man.gender AND woman.id < :id",
               id=person_id(13))  # fmt: skip
    published = publish_lists(crowd, lists)  # of 12 people's 50: a tenth
    assert published.metrics["dropped_decided"] == 600
    block(crowd, 13, 14, LATER)
    with pytest.raises(
        PublicationRefused, match=r"60\d of 6,000 listed pairs are impossible \(blocked \d, decided 600\)"
    ):
        publish_lists(crowd, lists)
    with crowd.connect() as connection:
        assert get_live_publication(connection) == published != before


def test_being_liked_is_no_reason_to_drop(town: Engine) -> None:
    react(town, 4, 1, "like", BEFORE)
    assert publish_lists(town, {1: [4]}).metrics["dropped_since_scoring"] == 0


def test_paused_and_erased_people_are_dropped_whenever_they_left(town: Engine) -> None:
    edit(town, 1, "paused = true")
    edit(town, 6, "paused = true")
    erase_row(town, 5)
    published = publish_lists(town, {1: [4, 2], 3: [4, 6], 4: [5, 3], 5: [2]})
    with town.connect() as connection:
        assert stored_lists(connection, published.id) == {1: [], 3: [4], 4: [3]}
    assert (published.metrics["dropped_since_scoring"], published.viewer_count, published.pair_count) == (5, 3, 2)


def test_a_pair_with_two_things_against_it_counts_once(town: Engine) -> None:
    block(town, 1, 4, LATER)
    block(town, 4, 1, LATER)
    react(town, 1, 4, "pass", LATER)
    assert publish_lists(town, {1: [4, 2]}).metrics["dropped_since_scoring"] == 1


def test_ages_count_on_the_day_of_the_scores(town: Engine) -> None:
    edit(town, 4, "birth_date = '1990-02-02', age_max = 30")
    edit(town, 1, "age_min = 30")
    early = publish_lists(town, {1: [4, 2]}, as_of=date(2020, 2, 1))
    assert (early.pair_count, early.metrics["dropped_ineligible"]) == (1, 1)
    assert publish_lists(town, {1: [4]}, as_of=date(2020, 2, 2)).pair_count == 1


def test_a_publication_that_everybody_left_is_refused(town: Engine) -> None:
    before = publish_lists(town, TOWN)
    edit(town, 1, "paused = true")
    with pytest.raises(PublicationRefused, match="holds no pair"):
        publish_lists(town, {1: [2, 4]})
    with town.connect() as connection:
        assert get_live_publication(connection) == before
        assert partitions.find_partitions(connection) == {before.id}


def test_the_last_three_publications_keep_their_lists(town: Engine) -> None:
    for _ in range(5):
        publish_lists(town, TOWN)
    with town.connect() as connection:
        found = list_publications(connection)
        assert [(one.id, one.state, one.kept) for one in found] == [
            (5, "live", True),
            (4, "retired", True),
            (3, "retired", True),
            (2, "retired", False),
            (1, "retired", False),
        ]
        assert partitions.find_partitions(connection) == {3, 4, 5}


def test_lists_in_use_are_dropped_by_a_later_publication(town: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "READERS_WAIT_SECONDS", 0.1)
    for _ in range(3):
        publish_lists(town, TOWN)
    with town.connect() as reader:
        reader.execute(text("SELECT count(*) FROM matching.match_lists"))
        assert publish_lists(town, TOWN).state == "live"
        assert partitions.find_partitions(reader) == {1, 2, 3, 4}
    publish_lists(town, TOWN)
    with town.connect() as connection:
        assert partitions.find_partitions(connection) == {3, 4, 5}


def test_rolling_back_goes_on_until_nothing_is_kept(town: Engine) -> None:
    for _ in range(4):
        publish_lists(town, TOWN)
    for earlier in (3, 2):
        assert roll_back(town).id == earlier
        with town.connect() as connection:
            now_live = get_live_publication(connection)
            assert now_live is not None
            assert (now_live.id, now_live.pair_count) == (earlier, 10)
    with pytest.raises(NothingToRollBack, match="before the live one, 2, still has its lists; publish"):
        roll_back(town)


def test_what_was_rolled_back_from_never_returns(town: Engine) -> None:
    good, bad = publish_lists(town, TOWN), publish_lists(town, TOWN)
    assert roll_back(town).id == good.id
    publish_lists(town, TOWN)
    assert roll_back(town).id == good.id
    with town.connect() as connection:
        withdrawn = list_publications(connection)[1]
    assert (withdrawn.id, withdrawn.state, withdrawn.kept) == (bad.id, "retired", False)
    assert datetime.fromisoformat(withdrawn.metrics["rolled_back_at"]).tzinfo is not None


def test_nothing_to_roll_back_before_the_first_publication(town: Engine) -> None:
    with pytest.raises(NothingToRollBack, match="nothing has been published yet"):
        roll_back(town)


READ_EVERYTHING = """
SELECT array_agg(DISTINCT publication.id), count(*), min(list.p_like[1]), max(list.p_like[1])
FROM matching.publications AS publication JOIN matching.match_lists AS list ON list.publication_id = publication.id
WHERE publication.state = 'live'
"""
READ_ONE = """
SELECT publication.id, list.p_like[1] FROM matching.publications AS publication
LEFT JOIN matching.match_lists AS list ON list.publication_id = publication.id AND list.viewer_id = %s
WHERE publication.state = 'live'
"""


def test_readers_see_the_old_set_whole_or_the_new_whole(engine: Engine, database_url: str) -> None:
    """Each publication has probabilities of its own; the statements are prepared; old lists are dropped meanwhile."""
    viewers = range(1, 401, 2)
    with engine.begin() as connection:
        settle(connection, range(1, 401))
    scales = {publication_id: publication_id / 8 for publication_id in range(1, 7)}

    def lists(publication_id: int) -> Iterator[MatchList]:
        return (list_for(viewer, [64, 32], scales[publication_id]) for viewer in viewers)

    publish_lists(engine, lists(1))
    done, seen = threading.Event(), [set[int]() for _ in range(4)]

    def read_everything(seen: set[int]) -> None:
        with psycopg.connect(convert_to_libpq_url(database_url), autocommit=True) as connection:
            while not done.is_set():
                row = connection.execute(READ_EVERYTHING, prepare=True).fetchone()
                assert row is not None
                ids, count, lowest, highest = row
                assert (len(ids), count, lowest, highest) == (1, 200, scales[ids[0]] / 2, scales[ids[0]] / 2)
                seen.add(ids[0])

    def read_one(seen: set[int]) -> None:
        with psycopg.connect(convert_to_libpq_url(database_url), autocommit=True) as connection:
            while not done.is_set():
                rows = connection.execute(READ_ONE, (person_id(1),), prepare=True).fetchall()
                assert [p_like for _, p_like in rows] == [scales[rows[0][0]] / 2]
                seen.add(rows[0][0])

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read_everything, seen[0]), *(pool.submit(read_one, each) for each in seen[1:])]

        def everybody_saw(publication_id: int) -> None:
            wait_until(lambda: all(publication_id in each for each in seen) or any(map(Future.done, readers)))

        try:
            everybody_saw(1)
            for publication_id in range(2, 7):
                assert publish_lists(engine, lists(publication_id)).id == publication_id
                everybody_saw(publication_id)
        finally:
            done.set()
        for reader in readers:
            reader.result()
    assert seen == [set(range(1, 7))] * 4


COUNT_LIVE = """
SELECT publication.id, count(list.*) FROM matching.publications AS publication
LEFT JOIN matching.match_lists AS list ON list.publication_id = publication.id
WHERE publication.state = 'live' GROUP BY publication.id
"""


def test_a_prepared_query_in_an_open_transaction_sees_no_empty_set(town: Engine, database_url: str) -> None:
    """Its plan knows no later partition until the transaction ends, so the switch waits for that."""
    publish_lists(town, TOWN)
    with psycopg.connect(convert_to_libpq_url(database_url)) as reader, ThreadPoolExecutor(1) as pool:
        assert reader.execute(COUNT_LIVE, prepare=True).fetchall() == [(1, 6)]
        publishing = pool.submit(publish_lists, town, TOWN)
        wait_until(lambda: counted(town, 2) == 6)
        for _ in range(20):
            assert reader.execute(COUNT_LIVE, prepare=True).fetchall() == [(1, 6)]
            time.sleep(0.01)
        assert not publishing.done()
        reader.commit()
        assert publishing.result().id == 2
        assert reader.execute(COUNT_LIVE, prepare=True).fetchall() == [(2, 6)]


def counted(engine: Engine, publication_id: int) -> int:
    """The viewer_count of a publication, which is written when its lists are attached and swept."""
    with engine.connect() as connection:
        count = "SELECT viewer_count FROM matching.publications WHERE id = :id"
        return connection.scalar(text(count), {"id": publication_id}) or 0


def test_a_transaction_that_stays_open_does_not_stop_the_town(town: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "READERS_WAIT_SECONDS", 0.1)
    publish_lists(town, TOWN)
    with town.connect() as reader:
        reader.execute(text(COUNT_LIVE))
        assert publish_lists(town, TOWN).state == "live"


def test_a_viewer_erased_while_the_lists_are_attached_does_not_stop_them(
    town: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The eraser has not committed when the lists are verified, so that they still seem right."""
    monkeypatch.setattr(partitions, "ATTACH_PAUSE_SECONDS", 0.01)
    with town.connect() as eraser, ThreadPoolExecutor(1) as pool:
        eraser.execute(text("DELETE FROM app.profiles WHERE id = :id"), {"id": person_id(1)})
        publishing = pool.submit(publish_lists, town, TOWN)
        wait_until(lambda: lock_waiters(town) > 0)
        eraser.commit()
        published = publishing.result()
    with town.connect() as connection:
        assert stored_lists(connection, published.id) == {2: [5], 3: [6], 4: [], 5: [], 6: [3, 5]}
    assert (published.viewer_count, published.pair_count) == (5, 4)


def lock_waiters(engine: Engine) -> int:
    with engine.connect() as connection:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'app.profiles'::regclass"
        return connection.scalar(text(waiting)) or 0


def test_writers_of_profiles_that_never_end_refuse_a_publication(town: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "ATTACH_ATTEMPTS", 2)
    monkeypatch.setattr(partitions, "ATTACH_PAUSE_SECONDS", 0.01)
    before = publish_lists(town, TOWN)
    with town.connect() as writer:
        writer.execute(text("UPDATE app.profiles SET display_name = 'Someone'"))
        with pytest.raises(PublicationRefused, match=r"app\.profiles was being written to .* end it"):
            publish_lists(town, TOWN)
    with town.connect() as connection:
        assert get_live_publication(connection) == before
    assert publish_lists(town, TOWN).state == "live"
