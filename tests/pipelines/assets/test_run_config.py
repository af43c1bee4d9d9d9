"""A wrong configuration is refused before any step, with the asset, the field and the value."""

import dagster as dg
import pytest

from models.db.errors import InputError
from models.db.settings import Settings
from pipelines.assets.run_config import CONFIGS
from pipelines.definitions import EVALUATION_JOB, NIGHTLY_JOB, build_definitions


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_definitions(Settings(home=tmp_path_factory.mktemp("home")))


UNBOUNDED = {"experiment_report"}
"""Their configuration is a name, which they look up themselves."""


def test_every_asset_with_a_configuration_is_checked(definitions: dg.Definitions) -> None:
    nodes = definitions.resolve_implicit_global_asset_job_def().nodes
    ops = [node.definition for node in nodes if isinstance(node.definition, dg.OpDefinition)]
    assert len(ops) == len(nodes)
    configured = {each.name for each in ops if getattr(each.config_schema.as_field().config_type, "fields", {})}
    assert configured - UNBOUNDED == set(CONFIGS)
    assert {each.name for each in ops if "config_check" in each.required_resource_keys} == set(CONFIGS)


@pytest.mark.parametrize(
    ("job", "asset", "config", "said"),
    [
        (NIGHTLY_JOB, "match_lists", {"inbox_trust": 1.5}, "inbox_trust is 1.5: "),
        (EVALUATION_JOB, "ranker_evaluation", {"seed": 2**31}, "seed is 2147483648: "),
        (NIGHTLY_JOB, "ranker", {"seed": {"env": "SEED"}}, "seed is -4: "),
    ],
)
def test_a_number_out_of_range_is_refused_before_any_step(
    definitions: dg.Definitions,
    monkeypatch: pytest.MonkeyPatch,
    job: str,
    asset: str,
    config: dict[str, object],
    said: str,
) -> None:
    monkeypatch.setenv("SEED", "-4")
    with dg.DagsterInstance.ephemeral() as instance:
        with pytest.raises(dg.DagsterError) as refused:
            definitions.resolve_job_def(job).execute_in_process({"ops": {asset: {"config": config}}}, instance=instance)
        (failed,) = instance.get_runs()
        events = [entry.dagster_event for entry in instance.all_logs(failed.run_id) if entry.dagster_event]
    assert isinstance(refused.value.__cause__, InputError)
    assert str(refused.value.__cause__).startswith(f"{asset}: {said}")
    assert failed.status is dg.DagsterRunStatus.FAILURE
    assert not [event for event in events if event.event_type_value == "STEP_START"]
    (told,) = (event for event in events if event.event_type_value == "RESOURCE_INIT_FAILURE")
    assert f"{asset}: {said}" in str(told.event_specific_data)


@pytest.mark.parametrize("config", [{"policy": "best"}, {"inbox_trust": "much"}, {"trust": 1}])
def test_what_is_no_setting_is_refused_before_a_run(definitions: dg.Definitions, config: dict[str, object]) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        with pytest.raises(dg.DagsterInvalidConfigError, match="root:ops:match_lists:config") as refused:
            definitions.resolve_job_def(NIGHTLY_JOB).execute_in_process(
                {"ops": {"match_lists": {"config": config}}}, instance=instance
            )
        assert instance.get_runs() == []
    assert all(name in str(refused.value) for name in config)
