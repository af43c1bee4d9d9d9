"""The review queue on a real database: what enters it, who reads it, what a decision changes, and what removes it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from models.db.schema.reviewer_role import ROLE
from models.db.schema.tables import profiles
from models.ml.conversations.flags.flag_messages import Flag
from pipelines.assets.conversations.flags.message_flags import FlagConfig, judge_queue, review_queue
from pipelines.assets.conversations.flags.queue_entries import has_queue_news, update_queue
from pipelines.assets.conversations.flags.queue_figures import read_queue_figures
from pipelines.assets.conversations.flags.unsearched_messages import has_unsearched
from pipelines.assets.extract import read_blocks
from pipelines.resources import DatabaseResource, FlagModels

ANNA, BEN, CARL = (f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2, 3))
CONSENTED, PRIVATE = (f"00000000-0000-0000-0000-0000000000a{number}" for number in (1, 2))
THREAT, ORDINARY, UNREAD, YOUNG = (f"00000000-0000-0000-0000-0000000000b{number}" for number in (1, 2, 3, 4))
CANARY = "canary-7f3a"
BODIES = {
    THREAT: f"I will kill you {CANARY}",
    ORDINARY: f"How was your day? {CANARY}",
    UNREAD: f"I will kill you too {CANARY}",
    YOUNG: f"I am sixteen {CANARY}",
}
INSERTS = """
INSERT INTO app.conversations (id, person_a, person_b, matched_at, content_allowed) VALUES
    (:consented, :anna, :ben, now() - interval '2 days', true),
    (:private, :anna, :carl, now() - interval '2 days', false);
INSERT INTO app.messages (id, conversation_id, sender_id, sent_at) VALUES
    (:threat, :consented, :ben, now() - interval '3 hours'), (:ordinary, :consented, :anna, now() - interval '1 hour'),
    (:young, :consented, :anna, now() - interval '1 hour'), (:unread, :private, :carl, now() - interval '1 hour');
"""


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        for person, gender in ((ANNA, "woman"), (BEN, "man"), (CARL, "man")):
            row = {"id": person, "display_name": "Somebody", "gender": gender, "birth_date": date(1990, 1, 1)}
            seeks = ["man"] if gender == "woman" else ["woman"]
            connection.execute(
                profiles.insert().values(**row, seeks=seeks, updated_at=datetime(2020, 1, 1, tzinfo=UTC))
            )
        names = {"consented": CONSENTED, "private": PRIVATE, "anna": ANNA, "ben": BEN, "carl": CARL, "threat": THREAT}
        values = names | {"ordinary": ORDINARY, "unread": UNREAD, "young": YOUNG}
        for statement in filter(str.strip, INSERTS.split(";")):
            connection.execute(text(statement), values)
        for message, body in BODIES.items():
            row = {"message": message, "body": body}
            connection.execute(text("INSERT INTO app.message_texts VALUES (:message, :body)"), row)
    yield engine
    engine.dispose()


def search(engine: Engine, home: Path, **config: int) -> dg.ExecuteInProcessResult:
    url = engine.url.render_as_string(hide_password=False)
    resources = {
        "database": DatabaseResource(home=str(home), url=url),
        "flag_models": FlagModels(folder=str(home / "flags")),
        "config_check": dg.ResourceDefinition.none_resource(),
    }
    ops = dg.RunConfig(ops={"review_queue": FlagConfig(**config)})
    return dg.materialize([review_queue], resources=resources, run_config=ops)


def read_queue(connection: Connection) -> list[tuple[str, str, str]]:
    query = "SELECT message_id::text, kind, state FROM matching.review_queue ORDER BY kind, message_id"
    return [tuple(row) for row in connection.execute(text(query))]


def decide(connection: Connection, kind: str, decision: str) -> None:
    connection.execute(text(f"SET LOCAL ROLE {ROLE}"))
    entry = connection.scalar(text("SELECT id FROM matching.review_queue WHERE kind = :kind"), {"kind": kind})
    connection.execute(text("SELECT matching.decide_review(:id, :to, 'rita')"), {"id": entry, "to": decision})
    connection.execute(text("RESET ROLE"))


def test_rules_flag_what_consent_allows_and_once(engine: Engine, tmp_path: Path) -> None:
    first = search(engine, tmp_path, budget=1)
    with engine.begin() as connection:
        assert read_queue(connection) == [(THREAT, "threat", "open"), (YOUNG, "under_age", "waiting")]
        assert not has_unsearched(connection)
    second = search(engine, tmp_path, budget=2)
    with engine.begin() as connection:
        assert [state for *_, state in read_queue(connection)] == ["open", "open"]
    metadata = [each.asset_materializations_for_node("review_queue")[0].metadata for each in (first, second)]
    assert [each["messages"].value for each in metadata] == [3, 0]
    assert CANARY not in str([event for each in (first, second) for event in each.all_events])


def test_reviewers_read_open_bodies_alone_and_decide_once(engine: Engine, tmp_path: Path) -> None:
    search(engine, tmp_path, budget=1)
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {ROLE}"))
        bodies = connection.execute(text("SELECT message_id::text, body FROM matching.review_bodies")).all()
        assert [tuple(row) for row in bodies] == [(THREAT, BODIES[THREAT])]
    statements = [
        f"SELECT FROM {each}"
        for each in ("app.message_texts", "app.messages", "app.profiles", "matching.searched_messages")
    ]
    for forbidden in [*statements, "UPDATE matching.review_queue SET state = 'dismissed'"]:
        with engine.connect() as connection:
            connection.execute(text(f"SET LOCAL ROLE {ROLE}"))
            with pytest.raises(DBAPIError, match="permission denied"):
                connection.execute(text(forbidden))
    with engine.begin() as connection:
        decide(connection, "threat", "dismissed")
        assert connection.scalar(text("SELECT count(*) FROM matching.review_bodies")) == 0
        assert len(read_blocks(connection)) == 0
    with pytest.raises(DBAPIError, match="no open entry"), engine.begin() as connection:
        decide(connection, "threat", "upheld")


def test_an_upheld_report_separates_two_people(engine: Engine) -> None:
    report = (
        "INSERT INTO app.reports (reporter_id, reported_id, message_id, reason) VALUES (:by, :about, :message, 'rude')"
    )
    visible = "SELECT count(*) FROM matching.visible_candidates WHERE viewer_id = :id"
    with engine.begin() as connection:
        assert connection.scalar(text(visible), {"id": ANNA}) == 2
        connection.execute(text(report), {"by": ANNA, "about": BEN, "message": THREAT})
        # Carl names a message that he did not receive.
        connection.execute(text(report), {"by": CARL, "about": BEN, "message": THREAT})
        assert has_queue_news(connection, 10)
        assert update_queue(connection, [THREAT], [Flag(0, "threat", 1.0, "threat")], 10).reports == 2
        assert not has_queue_news(connection, 10)
        named = "SELECT message_id::text FROM matching.review_queue WHERE kind = 'report' ORDER BY reporter_id"
        assert connection.scalars(text(named)).all() == [THREAT, None]
        connection.execute(text("DELETE FROM matching.review_queue WHERE reporter_id = :id"), {"id": CARL})
        decide(connection, "report", "upheld")
        assert read_blocks(connection).values.tolist() == [[ANNA, BEN]]
        assert connection.scalar(text(visible), {"id": ANNA}) == connection.scalar(text(visible), {"id": BEN}) + 1 == 1
        assert read_queue_figures(connection).recall == 1.0


def test_often_blocked_people_are_looked_at_and_decided_entries_go(engine: Engine) -> None:
    others = [f"00000000-0000-0000-0000-0000000000c{number}" for number in range(3)]
    with engine.begin() as connection:
        for other in others:
            row = {"id": other, "display_name": "Other", "gender": "woman", "birth_date": date(1990, 1, 1)}
            connection.execute(profiles.insert().values(**row, seeks=["man"], updated_at=datetime.now(UTC)))
            connection.execute(text("INSERT INTO app.blocks VALUES (:by, :about)"), {"by": other, "about": BEN})
        assert update_queue(connection, [], [], 10).blocked == 1
        decide(connection, "blocked", "dismissed")
        connection.execute(text("UPDATE matching.review_queue SET decided_at = now() - interval '31 days'"))
        connection.execute(text("UPDATE app.blocks SET created_at = now() - interval '31 days'"))
        assert update_queue(connection, [], [], 10).removed == 1
        assert read_queue(connection) == []


def test_erasure_reaches_the_queue(engine: Engine, tmp_path: Path) -> None:
    search(engine, tmp_path)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO matching.upheld_reports VALUES (:a, :b)"), {"a": ANNA, "b": BEN})
        connection.execute(text("DELETE FROM app.profiles WHERE id = :id"), {"id": BEN})
        for table in ("review_queue", "upheld_reports", "searched_messages"):
            assert connection.scalar(text(f"SELECT count(*) FROM matching.{table}")) == 0


def test_checks_warn_of_imprecise_and_late_decisions(engine: Engine) -> None:
    with engine.begin() as connection:
        assert all(each.passed for each in judge_queue(read_queue_figures(connection)))
        fill = """
            INSERT INTO matching.review_queue (person_id, kind, score, rule, created_at, state, decided_at)
            SELECT :id, 'abuse', 0.9, 'classifier', now() - interval '100 hours', state,
                   CASE WHEN state <> 'open' THEN now() END
            FROM unnest(array_fill('dismissed'::text, ARRAY[24]) || ARRAY['upheld', 'open']) AS state
        """
        connection.execute(text(fill), {"id": BEN})
        figures = read_queue_figures(connection)
        assert figures.precision == pytest.approx(0.04)
        assert figures.hours_to_decision == pytest.approx(100, abs=0.1)
        assert {each.check_name for each in judge_queue(figures) if not each.passed} == {
            "flag_precision",
            "decisions_in_time",
        }
