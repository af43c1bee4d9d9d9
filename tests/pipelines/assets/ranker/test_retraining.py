"""When a run trains the ranker: the rule, and the command and the nightly schedule that follow it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from models.db.settings import Settings
from models.ml.training.learning_curve import LearningCurve
from pipelines.assets.ranker.retraining import (
    TRAINING_TAG,
    decide_training,
    describe_next_training,
    explain_retraining,
)
from pipelines.commands.run_pipeline import run_pipeline
from pipelines.definitions import build_definitions, build_registry, build_schedules, list_assets_without_training
from tests.pipelines.conftest import Databases, Place
from tests.support.places import copied

TRAINED_ON = {"profiles": 1_000, "interactions": 20_000}
# The log loss is a + 1 / sqrt(decisions): 0.01 above the least.
CURVE = LearningCurve(decisions=10_000, slope=1.0, slope_error=0.1)
REPEAT_DECISIONS = """
INSERT INTO app.interactions (actor_id, target_id, kind, created_at)
SELECT actor_id, target_id, kind, created_at + interval '1 minute' FROM app.interactions ORDER BY id LIMIT 500
"""
ADD_CHILDREN = """
INSERT INTO app.profiles (display_name, birth_date, gender, seeks)
SELECT 'Somebody', current_date - 4000, 'woman', '{man}' FROM generate_series(1, 15)
"""
LIVE = "SELECT id, ranker_version FROM matching.publications WHERE state = 'live'"
NO_DATABASE = "postgresql://nobody@127.0.0.1:1/nothing"


def due(place: Place) -> str | None:
    with place.engine.connect() as connection:
        decision = decide_training(build_registry(place.settings), connection)
    return decision.sentence if decision.due else None


def requested(settings: Settings) -> set[str] | None:
    """The assets that the nightly schedule asks for; None for all of the job."""
    resources = build_definitions(settings).resources or {}
    context = dg.build_schedule_context(resources={name: resources[name] for name in ("database", "registry")})
    nightly = next(each for each in build_schedules(settings) if each.name == "nightly")
    (request,) = nightly.evaluate_tick(context).run_requests or ()
    assert request.tags[TRAINING_TAG]
    return None if request.asset_selection is None else {key.to_user_string() for key in request.asset_selection}


@pytest.mark.parametrize(
    ("days", "now", "reason"),
    [
        (0, {}, None),
        (7, {"profiles": 2_000, "interactions": 19_000}, None),
        (1, {"interactions": 31_000}, None),
        (1, {"interactions": 31_500}, "31,500, which would lower the log loss by 0.0020 ± 0.0002"),
        (7.1, {}, "7 days old"),
        (-0.01, {}, None),
        (-2, {}, "by 2 days"),
        (1, {"profiles": 900}, "app.profiles had 1,000 rows, and it has 900"),
        (1, {"interactions": 18_999}, "app.interactions had 20,000 rows, and it has 18,999"),
    ],
)
def test_a_champion_serves_a_week_or_until_it_pays(days: float, now: dict[str, int], reason: str | None) -> None:
    found = explain_retraining(timedelta(days=days), TRAINED_ON, TRAINED_ON | now, CURVE)
    assert found is None if reason is None else reason in str(found)


def test_the_first_decision_of_all_is_reason_enough() -> None:
    before, none = TRAINED_ON | {"interactions": 0}, LearningCurve(0)
    assert explain_retraining(timedelta(0), before, before, none) is None
    assert explain_retraining(timedelta(0), before, before | {"interactions": 1}, none) is not None


@pytest.mark.parametrize(("index", "reason"), [(0.25, None), (0.26, "age drifted, by a stability index of 0.26")])
def test_drift_is_a_reason(index: float, reason: str | None) -> None:
    found = explain_retraining(timedelta(0), TRAINED_ON, TRAINED_ON, CURVE, ("age", index))
    assert found is None if reason is None else reason in str(found)


def test_what_pays_later_is_described() -> None:
    assert "from 1.56 times the 10,000 decisions on" in describe_next_training(CURVE)
    for flat in (LearningCurve(10_000, slope=0.0), LearningCurve(10_000, slope=-1.0), LearningCurve(10**6)):
        assert "no number of them" in describe_next_training(flat)
        assert explain_retraining(timedelta(0), TRAINED_ON, TRAINED_ON | {"interactions": 10**9}, flat) is None


def test_the_night_trains_without_a_champion_or_a_database(place: Place) -> None:
    assert "no champion" in str(due(place))
    assert requested(place.settings) is None
    assert requested(Settings(home=place.home, database_url=NO_DATABASE)) is None


@pytest.fixture(scope="module")
def trained(settled: Place, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with copied(settled, databases, tmp_path_factory.mktemp("retraining") / "home") as place:
        yield place


def test_the_next_run_goes_on_with_the_champion(trained: Place) -> None:
    assert due(trained) is None
    assert requested(trained.settings) == {key.to_user_string() for key in list_assets_without_training()}
    done = trained.command("run")
    assert done.returncode == 0, done.stderr
    assert "▸ ranker" not in done.stderr
    assert re.search(r"publication 2 +since 1 *\n +people +\d+ +\+0 *\n +lists +\d+ +[+-]\d+ *\n", done.stdout)
    assert re.search(r"expected matches +\d+ +[+-]\d+ *\n +ranker +version 1 +the same *\n", done.stdout)
    assert trained.ask(LIVE) == [(2, "1")]


def test_a_run_trains_on_request_and_counts_all_rows(trained: Place) -> None:
    """Repeated decisions and refused users are not learned from; they are no reason to train each night."""
    trained.tell(REPEAT_DECISIONS, ADD_CHILDREN)
    run_pipeline(trained.settings, trained.engine, print, train=True)
    registry, version = build_registry(trained.settings), str(trained.metadata("ranker")["version"])
    assert version != "1"
    assert trained.ask(LIVE) == [(3, registry.find_champion_version())]
    assert registry.find_drift(str(registry.find_champion_version())) is not None
    registry.promote(version)  # whatever the gate said
    assert due(trained) is None
    with trained.engine.connect() as connection:
        assert "is good enough: app.interactions had" in decide_training(registry, connection).sentence
    curve, metadata = registry.load_learning_curve(version), trained.metadata("ranker")
    assert curve.slope == pytest.approx(float(str(metadata["learning_curve.slope"])), abs=1e-4)
    assert metadata["learning_curve"] == describe_next_training(curve)
    registry.record_drift(version, "age", 0.3)
    assert "age drifted" in str(due(trained))
    registry.record_drift(version, "age", 0.0)
    trained_at, counts = registry.describe_training_data(version)
    assert timedelta(0) < datetime.now(UTC) - trained_at < timedelta(hours=1)
    (rows,) = trained.ask("SELECT (SELECT count(*) FROM app.profiles), (SELECT count(*) FROM app.interactions)")
    assert tuple(counts.values()) == rows
    assert trained.metadata("rejected_profiles")["dagster/row_count"] == 15
    assert int(str(trained.metadata("ranker")["decisions"])) < 0.95 * rows[1]
    trained.tell("DELETE FROM app.interactions WHERE id IN (SELECT id FROM app.interactions ORDER BY id LIMIT 500)")
    assert f"app.interactions had {rows[1]:,} rows, and it has {rows[1] - 500:,}" in str(due(trained))
