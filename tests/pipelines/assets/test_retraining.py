"""When a run trains the ranker: the rule, what it asks, the command and the nightly schedule that follow it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from models.db.settings import Settings
from pipelines.assets.retraining import explain_retraining, find_training_reason
from pipelines.commands.run_pipeline import run_pipeline
from pipelines.definitions import build_definitions, build_registry, build_schedules, list_assets_without_training
from pipelines.loaders.simulation import simulated_loader
from tests.pipelines.conftest import Place, RunOnce

TRAINED_ON = {"profiles": 1_000, "interactions": 20_000}
# Many likes and passes once more, and a tenth of people who are too young.
AGAIN = """
INSERT INTO app.interactions (actor_id, target_id, kind, created_at)
SELECT actor_id, target_id, kind, created_at + interval '1 minute' FROM app.interactions ORDER BY id LIMIT 300
"""
CHILDREN = """
INSERT INTO app.profiles (display_name, birth_date, gender, seeks)
SELECT 'Somebody', current_date - 4000, 'woman', '{man}' FROM generate_series(1, 6)
"""
NOBODY = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture(scope="module")
def town(run_once: RunOnce) -> Iterator[Place]:
    """A town of 60 that was run once."""
    with run_once(60, 4) as place:
        yield place


def due(place: Place) -> str | None:
    with place.engine.connect() as connection:
        return find_training_reason(build_registry(place.settings), connection)


def requested(settings: Settings) -> set[str] | None:
    """The assets that the nightly schedule asks for; None for all of the job."""
    definitions = build_definitions(settings)
    resources = {
        name: value for name, value in (definitions.resources or {}).items() if name in ("database", "registry")
    }
    context = dg.build_schedule_context(resources=resources)
    nightly = next(each for each in build_schedules(settings) if each.name == "nightly")
    (request,) = nightly.evaluate_tick(context).run_requests or ()
    return None if request.asset_selection is None else {key.to_user_string() for key in request.asset_selection}


@pytest.mark.parametrize(
    ("days", "now", "said"),
    [
        (0, {}, None),
        (7, {"profiles": 1_050, "interactions": 19_000}, None),
        (7.1, {}, "is 7 days old"),
        (-0.01, {}, None),
        (-2, {}, "is of a time to come, by 2 days, 0:00:00"),
        (1, {"profiles": 1_051}, "was trained when app.profiles had 1,000 rows, and it has 1,051"),
        (1, {"profiles": 900}, "was trained when app.profiles had 1,000 rows, and it has 900"),
        (1, {"interactions": 21_001}, "was trained when app.interactions had 20,000 rows, and it has 21,001"),
    ],
)
def test_a_champion_is_good_for_a_week_and_for_a_town_much_as_it_was(
    days: float, now: dict[str, int], said: str | None
) -> None:
    assert explain_retraining(timedelta(days=days), TRAINED_ON, TRAINED_ON | now) == said


def test_the_first_decision_of_a_town_without_any_is_reason_enough() -> None:
    before = TRAINED_ON | {"interactions": 0}
    assert explain_retraining(timedelta(0), before, before) is None
    assert explain_retraining(timedelta(0), before, before | {"interactions": 1}) is not None


def test_without_a_champion_the_ranker_is_trained_at_night(place: Place) -> None:
    assert due(place) == "there is no champion to score with"
    assert requested(place.settings) is None


def test_a_night_without_a_database_asks_for_the_whole_run_which_will_say_so(place: Place) -> None:
    assert requested(Settings(home=place.home, database_url=NOBODY)) is None


def test_the_next_run_goes_on_with_the_champion_and_publishes(town: Place) -> None:
    assert due(town) is None
    assert requested(town.settings) == {key.to_user_string() for key in list_assets_without_training()}
    done = town.command("run")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("  goes on with the champion; --train trains another ranker\n")
    assert "▸ ranker" not in done.stderr
    assert town.ask("SELECT id, ranker_version FROM matching.publications WHERE state = 'live'") == [(2, "1")]


def test_asked_for_it_is_trained(town: Place) -> None:
    said: list[str] = []
    run_pipeline(town.settings, town.engine, said.append, train=True)
    assert said == ["  trains the ranker: it was asked for"]
    ((trained_with,),) = town.ask("SELECT ranker_version FROM matching.publications WHERE state = 'live'")
    assert trained_with == build_registry(town.settings).find_champion_version()


def test_another_town_is_noticed(town: Place) -> None:
    where = build_registry(town.settings)
    version = where.find_champion_version()
    assert version is not None
    trained_at, counts = where.describe_training_data(version)
    assert timedelta(0) < datetime.now(UTC) - trained_at < timedelta(hours=1)
    (now,) = town.ask("SELECT (SELECT count(*) FROM app.profiles), (SELECT count(*) FROM app.interactions)")
    assert tuple(counts.values()) == now
    town.tell("DELETE FROM app.interactions WHERE id IN (SELECT id FROM app.interactions ORDER BY id LIMIT 50)")
    there = now[1] - 50
    had = f"was trained when app.interactions had {now[1]:,} rows, and it has {there:,}"
    assert due(town) == f"the champion, version {version}, {had}"


def test_decisions_taken_again_and_refused_people_are_no_reason_to_train_every_night(place: Place) -> None:
    """Learned from are neither; what is compared is the same then and now."""
    simulated_loader.load_simulated(place.engine, 60, 4, place.home)
    place.tell(AGAIN, CHILDREN)
    place.run()
    assert place.metadata("rejected_profiles")["dagster/row_count"] == 6
    ((there,),) = place.ask("SELECT count(*) FROM app.interactions")
    assert int(str(place.metadata("ranker")["decisions"])) < 0.95 * there
    assert due(place) is None
