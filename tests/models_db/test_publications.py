"""A publication is stored, verified, switched, kept and rolled back for real."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from models.db.engines import convert_to_libpq_url
from models.db.errors import NothingToRollBack, PublicationRefused
from models.db.match_lists import MatchList, MostCompatibleEntry
from models.db.publications import partitions, roll_back, verification
from models.db.publications.partitions import PublicationSize
from models.db.publications.verification import verify_lists
from tests.models_db.conftest import (
    BEFORE,
    SCORED_AT,
    TOWN,
    fetch,
    find_partitions,
    list_for,
    live,
    person_id,
    publications,
    publish_lists,
    run,
    session,
    settle,
    stored_beside_lists,
    stored_lists,
)
from tests.support.waiting import until

BLOCK = "INSERT INTO app.blocks VALUES (:me, :other, :at)"
BLOCKED_BY = "INSERT INTO app.blocks VALUES (:other, :me, :at)"
DECIDE = "INSERT INTO app.interactions (actor_id, target_id, kind, created_at) VALUES (:me, :other, '{kind}', :at)"
LIKED_BY = "INSERT INTO app.interactions (actor_id, target_id, kind, created_at) VALUES (:other, :me, 'like', :at)"
EDIT = "UPDATE app.profiles SET {change}, updated_at = :at WHERE id = :other"


def act(engine: Engine, statement: str, me: int, other: int, at: datetime | str = BEFORE) -> None:
    run(engine, statement, me=person_id(me), other=person_id(other), at=at)


def test_a_publication_is_stored_as_sent(town: Engine) -> None:
    assert live(town) is None
    assert publications(town) == []
    first = publish_lists(town, TOWN)
    assert stored_lists(town, first.id) == TOWN
    assert live(town) == first
    (match,) = fetch(town, "SELECT * FROM matching.matches WHERE viewer_id = :id AND rank = 2", id=person_id(1))
    assert (first.state, first.viewer_count, first.pair_count, first.kept) == ("live", 6, 10, True)
    assert (first.ranker_version, first.encoder) == ("7", "letters")
    assert first.metrics == {"auc": 0.75, "dropped_since_scoring": 0}
    assert first.activated_at is not None
    assert first.activated_at > first.created_at
    assert (match.state, match.candidate_id.int, match.p_like) == ("live", 2, 2 / 128)
    assert match.reasons == [{"code": "is", "detail": ["2"]}]

    second = publish_lists(town, {1: [2]})
    assert publications(town) == [second, replace(first, state="retired")]
    assert stored_lists(town, first.id) == TOWN


def test_what_is_beside_the_lists_is_stored_as_sent(town: Engine) -> None:
    lists = [
        list_for(1, [4, 2], most_compatible=4, withheld=[6]),
        list_for(2, [5], most_compatible=3),
        list_for(3, [], withheld=[2, 4]),
    ]
    published = publish_lists(town, lists)
    assert (published.viewer_count, published.pair_count) == (2, 3), "a row that only withholds is no list"
    assert stored_beside_lists(town, published.id) == {1: (4, [6]), 2: (3, []), 3: (None, [2, 4])}
    with town.connect() as connection:
        assert partitions.measure_partition(connection, published.id) == PublicationSize(2, 3, 3)
    for column in ("most_compatible_id", "most_compatible_p_match", "most_compatible_reasons"):
        with pytest.raises(IntegrityError, match="most_compatible_whole"):
            run(town, f"UPDATE matching.match_lists SET {column} = NULL WHERE viewer_id = :id", id=person_id(1))


NOTHING: Any = None
NUMBER: Any = 5
TWO = list_for(2, [5, 1])


def best(number: int = 4, p_match: float = 0.25, reasons: str = "[]") -> list[MatchList]:
    """Lists of which one has this most compatible candidate."""
    return [TWO, replace(list_for(1, [2]), most_compatible=MostCompatibleEntry(person_id(number), p_match, reasons))]


REFUSED: dict[str, tuple[list[MatchList], str]] = {
    "no list": ([], "holds no pair"),
    "only empty lists": ([list_for(1, [])], "holds no pair"),
    "a viewer twice": ([TWO, list_for(1, [2]), list_for(1, [4])], "1 viewers with several lists"),
    "a viewer shown to themselves": ([TWO, list_for(1, [2, 1])], "1 lists that show viewers themselves"),
    "a candidate twice": ([TWO, list_for(1, [2, 4, 2])], "1 lists that name a candidate twice"),
    "p_like too short": ([replace(TWO, p_like=[0.5])], "1 lists with more or fewer"),
    "p_liked_back too long": ([replace(TWO, p_liked_back=[0.5] * 3)], "1 lists with more or fewer"),
    "p_match missing": ([replace(TWO, p_match=[])], "1 lists with more or fewer"),
    "reasons too short": ([replace(TWO, reasons="[[]]")], "1 lists with more or fewer"),
    "above 1": ([replace(TWO, p_like=[0.5, 1.5])], "lists with a probability outside"),
    "below 0": ([replace(TWO, p_liked_back=[-0.1, 0.5])], "lists with a probability outside"),
    "not a number": ([replace(TWO, p_match=[0.5, float("nan")])], "lists with a probability outside"),
    "beyond real numbers": ([replace(TWO, p_match=[0.5, 1e300])], "uuids and numbers"),
    "no probability": ([replace(TWO, p_like=[0.5, NOTHING])], "uuids and numbers"),
    "a viewer who is no uuid": ([replace(TWO, viewer_id="town:2")], "uuids and numbers"),
    "a candidate who is no uuid": ([replace(TWO, candidate_ids=["town:5", "town:1"])], "uuids and numbers"),
    "a candidate who is missing": ([replace(TWO, candidate_ids=[NOTHING, NOTHING])], "uuids and numbers"),
    "a candidate who is a number": ([replace(TWO, candidate_ids=[NUMBER, NUMBER])], "uuids and numbers"),
    "a reason that is no JSON": ([replace(TWO, reasons='[[{"code": NaN}], []]')], "json"),
    "most compatible with oneself": (best(1), "1 viewers most compatible with themselves"),
    "most compatible above 1": (best(p_match=1.5), "1 most compatible people"),
    "most compatible below 0": (best(p_match=-0.5), "1 most compatible people"),
    "most compatible not a number": (best(p_match=float("nan")), "1 most compatible people"),
    "most compatible without a list of reasons": (best(reasons="{}"), "1 most compatible people"),
    "most compatible without a probability": (best(p_match=NOTHING), "uuids and numbers"),
    "withheld and listed": ([list_for(1, [4, 2], withheld=[2])], "1 lists that show people who are withheld"),
    "withheld and most compatible": ([list_for(1, [4], most_compatible=2, withheld=[2])], "1 lists .* withheld"),
}


def test_wrong_lists_are_refused(town: Engine, subtests: pytest.Subtests) -> None:
    before = publish_lists(town, TOWN)
    for number, (case, (lists, message)) in enumerate(REFUSED.items(), start=before.id + 1):
        with subtests.test(case):
            with pytest.raises(PublicationRefused, match=rf"publication {number} was not published: .*{message}"):
                publish_lists(town, lists)
            failed = publications(town)[0]
            assert live(town) == before
            assert stored_lists(town, before.id) == TOWN
            assert find_partitions(town) == {before.id}
            assert (failed.id, failed.state, failed.kept, failed.activated_at) == (number, "failed", False, None)
            assert failed.metrics["auc"] == 0.75
            assert person_id(1)[:-1] not in failed.metrics["error"], "a record that stays names nobody"


def test_lists_lost_on_the_way_are_refused(connection: Connection) -> None:
    lists = [list_for(1, [2, 4]), list_for(2, [1, 3, 5], withheld=[7])]
    whole = PublicationSize(2, 5, 1)
    assert partitions.fill_partition(connection, 9, lists) == whole
    verify_lists(connection, 9, whole)
    for sent in (PublicationSize(2, 4, 1), PublicationSize(1, 5, 1), PublicationSize(2, 5, 2)):
        with pytest.raises(PublicationRefused, match="were sent"):
            verify_lists(connection, 9, sent)


def test_metrics_that_json_cannot_hold_are_refused(town: Engine) -> None:
    with pytest.raises(PublicationRefused, match="metrics"):
        publish_lists(town, TOWN, metrics={"auc": float("nan")})
    assert publications(town) == []


LONG_BEFORE = [BEFORE, "-infinity", "4713-01-01 BC"]
SINCE = [SCORED_AT - timedelta(seconds=1), SCORED_AT + timedelta(minutes=1), "infinity", "294276-12-31"]
"""One second before may be by another clock."""
AGAINST = {  # by candidate; 2 is blocked both ways, 34 pauses, 36 is erased
    2: (BLOCK, BLOCKED_BY, DECIDE.format(kind="pass")),
    4: (BLOCKED_BY,),
    6: (DECIDE.format(kind="like"),),
    8: (DECIDE.format(kind="pass"),),
    10: (EDIT.format(change="age_min = 31"),),
    12: (EDIT.format(change="age_max = 29"),),
    14: (EDIT.format(change="seeks = '{man}'"),),
    16: (EDIT.format(change="gender = 'woman'"),),
    18: (EDIT.format(change="birth_date = '2015-01-01'"),),
    20: (EDIT.format(change="birth_date = 'infinity'"),),
    34: (EDIT.format(change="paused = true"),),
    36: ("DELETE FROM app.profiles WHERE id = :other",),
}
FINE = [22, 24]


def test_impossible_pairs_are_dropped_whatever_the_stamp(
    engine: Engine, subtests: pytest.Subtests, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Viewer 3 is too old for all, 5 has just been erased; the candidate 24 has liked viewer 1, which is no reason."""
    with engine.begin() as connection:
        settle(connection, range(1, 41))
    for other, statements in AGAINST.items():
        for statement in statements:
            act(engine, statement, 1, other)
    act(engine, LIKED_BY, 1, 24)
    act(engine, EDIT.format(change="age_max = 29"), 1, 3)
    run(engine, "DELETE FROM app.profiles WHERE id = :id", id=person_id(5))
    lists = [
        list_for(1, [*AGAINST, *FINE], most_compatible=2),
        list_for(3, FINE),
        list_for(5, FINE),
        list_for(7, [*FINE, 34, 36], most_compatible=36),
        list_for(9, FINE, most_compatible=34),
    ]
    monkeypatch.setattr(verification.logger, "disabled", False)  # a library that configures logging may turn it off
    for at in LONG_BEFORE + SINCE:
        caplog.clear()
        run(engine, "UPDATE app.blocks SET created_at = :at", at=at)
        run(engine, "UPDATE app.interactions SET created_at = :at", at=at)
        run(engine, "UPDATE app.profiles SET updated_at = :at", at=at)
        published = publish_lists(engine, lists)
        with subtests.test(at=at):
            assert stored_lists(engine, published.id) == {1: FINE, 3: [], 7: FINE, 9: FINE}
            assert stored_beside_lists(engine, published.id) == dict.fromkeys((1, 3, 7, 9), (None, []))
            expected = {
                "dropped_since_scoring": 19,
                "dropped_blocked": 2,
                "dropped_decided": 3,
                "dropped_ineligible": 15,
            }
            if at in LONG_BEFORE:  # all but those of the paused and the erased
                expected["dropped_backdated"] = 12
            assert published.metrics == {"auc": 0.75} | expected
            warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
            assert len(warned) == (at in LONG_BEFORE)
            assert person_id(1)[:-1] not in str(warned)
            assert (published.viewer_count, published.pair_count) == (4, 6)


def test_more_than_a_tenth_impossible_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        settle(connection, range(1, 121))
    lists = {number: [each for each in range(1, 121) if each % 2 != number % 2][:50] for number in range(1, 121)}
    twelve_decide = (
        "INSERT INTO app.interactions (actor_id, target_id, kind) SELECT woman.id, man.id, 'like'"
        " FROM app.profiles woman JOIN app.profiles man ON woman.gender <> man.gender AND woman.id < :id"
    )
    run(engine, twelve_decide, id=person_id(13))
    published = publish_lists(engine, lists)
    assert (published.metrics["dropped_decided"], published.pair_count) == (600, 5_400)
    act(engine, BLOCK, 13, 14)
    with pytest.raises(PublicationRefused, match=r"60\d of 6,000 .*blocked \d, decided 600"):
        publish_lists(engine, lists)
    assert live(engine) == published


def test_ages_count_on_the_day_of_the_scores(town: Engine) -> None:
    act(town, EDIT.format(change="birth_date = '1990-02-02', age_max = 30"), 1, 4)
    act(town, EDIT.format(change="age_min = 30"), 4, 1)
    assert publish_lists(town, {1: [4, 2]}, as_of=date(2020, 2, 1)).pair_count == 1
    assert publish_lists(town, {1: [4]}, as_of=date(2020, 2, 2)).pair_count == 1


def test_a_publication_that_everybody_left_is_refused(town: Engine) -> None:
    act(town, EDIT.format(change="paused = true"), 2, 1)
    with pytest.raises(PublicationRefused, match="holds no pair"):
        publish_lists(town, {1: [2, 4]})
    assert find_partitions(town) == set()


def test_the_last_three_publications_keep_their_lists(town: Engine) -> None:
    for _ in range(3):
        publish_lists(town, TOWN)
    with town.connect() as reader, town.connect() as other:
        reader.execute(text("SELECT count(*) FROM matching.match_lists"))
        partitions.drop_partition(other, 1)
        assert find_partitions(town) == {1, 2, 3}, "lists in use are dropped by a later publication"
    for _ in range(2):
        publish_lists(town, TOWN)
    found = [(each.id, each.state, each.kept) for each in publications(town)]
    assert find_partitions(town) == {3, 4, 5}
    retired = [(number, "retired", number > 2) for number in (4, 3, 2, 1)]
    assert found == [(5, "live", True), *retired]


def test_what_was_rolled_back_from_never_returns(town: Engine) -> None:
    with pytest.raises(NothingToRollBack):
        roll_back(town)
    for _ in range(4):
        publish_lists(town, TOWN)
    for earlier in (3, 2):
        assert roll_back(town).id == earlier
        assert [(each.id, each.pair_count) for each in publications(town) if each.state == "live"] == [(earlier, 10)]
    with pytest.raises(NothingToRollBack, match="2"):
        roll_back(town)
    publish_lists(town, TOWN)
    assert roll_back(town).id == 2
    assert find_partitions(town) == {2, 5}
    withdrawn = publications(town)[1:3]
    assert [(each.id, each.state, each.kept) for each in withdrawn] == [(4, "retired", False), (3, "retired", False)]
    assert datetime.fromisoformat(withdrawn[0].metrics["rolled_back_at"]).tzinfo is not None


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


def test_readers_see_the_old_set_whole_or_the_new_whole(engine: Engine) -> None:
    """Each publication has probabilities of its own; the statements are prepared; old lists are dropped meanwhile."""
    with engine.begin() as connection:
        settle(connection, range(1, 401))

    def lists(publication_id: int) -> Iterator[MatchList]:
        return (list_for(viewer, [64, 32], publication_id / 8) for viewer in range(1, 401, 2))

    publish_lists(engine, lists(1))
    done, seen = threading.Event(), [set[int]() for _ in range(3)]

    def read_everything(seen: set[int]) -> None:
        with session(engine.url) as connection:
            while not done.is_set():
                ((found, *read),) = connection.execute(READ_EVERYTHING, prepare=True).fetchall()
                assert (len(found), *read) == (1, 200, found[0] / 16, found[0] / 16)
                seen.add(found[0])

    def read_one(seen: set[int]) -> None:
        with session(engine.url) as connection:
            while not done.is_set():
                ((found, p_like),) = connection.execute(READ_ONE, (person_id(1),), prepare=True).fetchall()
                assert p_like == found / 16
                seen.add(found)

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read_everything, seen[0]), *(pool.submit(read_one, each) for each in seen[1:])]

        def everybody_saw(publication_id: int) -> None:
            until(lambda: all(publication_id in each for each in seen) or any(map(Future.done, readers)))

        try:
            everybody_saw(1)
            for publication_id in range(2, 6):
                assert publish_lists(engine, lists(publication_id)).id == publication_id
                everybody_saw(publication_id)
        finally:
            done.set()
        for reader in readers:
            reader.result()
    assert seen == [set(range(1, 6))] * 3


COUNT_LIVE = """
SELECT publication.id, count(list.*) FROM matching.publications AS publication
LEFT JOIN matching.match_lists AS list ON list.publication_id = publication.id
WHERE publication.state = 'live' GROUP BY publication.id
"""


def test_a_prepared_query_in_a_transaction_sees_no_empty_set(town: Engine, database_url: str) -> None:
    """Its plan knows no later partition until the transaction ends, so the switch waits for that, up to a limit."""
    publish_lists(town, TOWN)
    attached = "SELECT FROM matching.publications WHERE id = 2 AND viewer_count = 6"
    with (
        psycopg.connect(convert_to_libpq_url(database_url)) as reader,
        session(town.url) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        assert reader.execute(COUNT_LIVE, prepare=True).fetchall() == [(1, 6)]
        publishing = pool.submit(publish_lists, town, TOWN)
        until(lambda: other.execute(attached).rowcount)
        with town.connect() as connection:
            partitions.await_readers(connection, 0.1)
        assert reader.execute(COUNT_LIVE, prepare=True).fetchall() == [(1, 6)]
        assert not publishing.done()
        reader.commit()
        assert publishing.result().id == 2
        assert reader.execute(COUNT_LIVE, prepare=True).fetchall() == [(2, 6)]


def test_a_viewer_erased_while_the_lists_are_attached(town: Engine) -> None:
    """The eraser has not committed when the lists are verified, so that they still seem right."""
    waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'app.profiles'::regclass"
    with town.connect() as eraser, session(town.url) as other, ThreadPoolExecutor(1) as pool:
        eraser.execute(text("DELETE FROM app.profiles WHERE id = :id"), {"id": person_id(1)})
        publishing = pool.submit(publish_lists, town, TOWN)
        until(lambda: other.execute(waiting).rowcount)
        eraser.commit()
        published = publishing.result()
    assert stored_lists(town, published.id) == {2: [5], 3: [6], 4: [], 5: [], 6: [3, 5]}
    assert (published.viewer_count, published.pair_count) == (5, 4)


def test_writers_of_profiles_that_never_end_stop_the_attachment(town: Engine) -> None:
    with town.connect() as writer, town.connect() as builder:
        writer.execute(text("UPDATE app.profiles SET display_name = 'Someone'"))
        partitions.fill_partition(builder, 9, [list_for(1, [2])])
        started = time.monotonic()
        with pytest.raises(PublicationRefused, match=r"app\.profiles"):
            partitions.attach_partition(builder, 9, attempts=2, pause_seconds=0.01)
        assert time.monotonic() - started > 0.5, "it gives way, and tries again"
