"""The file of experiments: what it means, and how a wrong one is refused."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from models.db.errors import InputError
from models.db.settings import Settings
from models.experiments.design.experiment import Experiment, ExperimentArm, Unit
from pipelines.definitions import NIGHTLY_JOB, build_definitions
from pipelines.experiments.experiment_file import load_experiments

Edit = Callable[[str], str]

ORDER = """
[[experiment]]
name = "order"
hypothesis = "The order of p_match brings fewer matches than best response."
unit = "region"
layer = "lists"
share = 0.5
starts_on = 2020-01-01
ends_on = 9000-12-31
primary = "matches"
guardrails = ["views_gini"]
smallest_effect = 0.03
arms = [
    { name = "control", share = 0.5 },
    { name = "product", share = 0.5, market = { policy = "product", inbox_trust = 0.7 }, ranker = "challenger" },
]
"""


def rename(old: str, new: str) -> Edit:
    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return edit


def repeat(*edits: Edit) -> Edit:
    """The experiment, and an edited one after it."""

    def append(text: str) -> str:
        other = text
        for edit in edits:
            other = edit(other)
        return text + other

    return append


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_the_file_becomes_experiments(settings: Settings) -> None:
    assert load_experiments(settings) == ()
    (settings.home / "experiments.toml").write_text(ORDER)
    (experiment,) = load_experiments(settings)
    assert experiment == Experiment(
        name="order",
        hypothesis="The order of p_match brings fewer matches than best response.",
        unit=Unit.region,
        layer="lists",
        share=0.5,
        arms=(
            ExperimentArm("control", 0.5, {}),
            ExperimentArm("product", 0.5, {"policy": "product", "inbox_trust": 0.7}, "challenger"),
        ),
        starts_on=date(2020, 1, 1),
        ends_on=date(9000, 12, 31),
        primary="matches",
        guardrails=("views_gini",),
        smallest_effect=0.03,
    )
    assert [experiment.has_night(date(year, 12, 31)) for year in (2019, 2020, 9000, 9001)] == [False, True, True, False]


def test_experiments_that_fit_together_are_taken(settings: Settings) -> None:
    (settings.home / "experiments.toml").write_text(
        repeat(rename('"order"', '"later"'), rename("share = 0.5\nstarts", "share = 0.5\nlayer_start = 0.5\nstarts"))(
            ORDER
        )
    )
    assert [each.layer_start for each in load_experiments(settings)] == [0, 0.5]


WRONG = {
    "no TOML": (rename("[[experiment]]", "[[experiment]"), "experiments.toml cannot be read"),
    "a table of another name": (rename("[[experiment]]", "[[experiments]]"), r"a table \[\[experiment"),
    "a field that is none": (rename("layer =", "room ="), "experiment order: "),
    "no such field of an arm": (rename("ranker =", "model ="), "arms.1.model"),
    "a share of nothing": (rename("share = 0.5\n", "share = 0.0\n"), "share is 0.0"),
    "arms that are not the whole": (rename("share = 0.5 }", "share = 0.4 }"), "arms: .*0.9"),
    "arms of one name": (rename('"control"', '"product"'), "arms: .*one name"),
    "an end before the start": (rename("9000-12-31", "2019-12-31"), "ends_on is 2019-12-31"),
    "a unit that is none": (rename('"region"', '"city"'), "unit is 'city'"),
    "no field of the market": (rename("inbox_trust", "inbox_truth"), "arms.1.market: .*inbox_truth"),
    "a market out of range": (rename("0.7", "1.7"), "arms.1.market: .*inbox_trust is 1.7"),
    "no such policy": (rename('"product", inbox', '"produce", inbox'), "arms.1.market: .*policy is 'produce'"),
    "a bound of all lists": (rename("inbox_trust", "places_per_vote"), "arms.1.market: .*places_per_vote"),
    "a name that no header holds": (rename('"order"', '"my order"'), "name is 'my order'"),
    "one name twice": (repeat(), "two experiments are called order"),
    "one part of a layer twice": (repeat(rename('"order"', '"other"')), "layer_start: .*order and other"),
    "two units in a layer": (
        repeat(rename('"order"', '"other"'), rename('"region"', '"night"'), rename("hyp", "layer_start = 0.5\nhyp")),
        "unit: .*order and other",
    ),
    "one field set twice": (
        repeat(rename('"order"', '"other"'), rename('"lists"', '"more"')),
        "layer: .*inbox_trust, policy, ranker",
    ),
}


@pytest.mark.parametrize(("edit", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_file_is_refused_by_experiment_and_field(settings: Settings, edit: Edit, said: str) -> None:
    (settings.home / "experiments.toml").write_text(edit(ORDER))
    with pytest.raises(InputError, match=said):
        load_experiments(settings)


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="MATCHING_EXPERIMENTS"):
        load_experiments(Settings(home=tmp_path, experiments=tmp_path / "mine.toml"))


@pytest.mark.parametrize(
    ("edit", "config", "said"),
    [
        (rename("0.7", "1.7"), {}, "inbox_trust is 1.7"),
        (rename("0.7", "0.7"), {}, "arm product: ranker is 'challenger'"),
        (rename(', ranker = "challenger"', ""), {"most_views": 2.0}, "match_lists: most_views is 2.0"),
    ],
)
def test_a_run_is_refused_before_its_first_step(
    settings: Settings, edit: Edit, config: dict[str, float], said: str
) -> None:
    (settings.home / "experiments.toml").write_text(edit(ORDER))
    job = build_definitions(settings).resolve_job_def(NIGHTLY_JOB)
    with dg.DagsterInstance.ephemeral() as instance:
        with pytest.raises(dg.DagsterError) as refused:
            job.execute_in_process({"ops": {"match_lists": {"config": config}}}, instance=instance)
        (failed,) = instance.get_runs()
        events = [entry.dagster_event for entry in instance.all_logs(failed.run_id) if entry.dagster_event]
    assert isinstance(refused.value.__cause__, InputError)
    assert said in str(refused.value.__cause__)
    assert not [event for event in events if event.event_type_value == "STEP_START"]
