"""What the report says where the arms cannot be compared."""

from datetime import date

import pandas as pd
import pytest

from models.experiments.design.experiment import Experiment, ExperimentArm, Unit
from models.experiments.statistics.verdict import Progress, Verdict
from pipelines.experiments.experiment_report import add_verdicts
from pipelines.experiments.experiment_results import ArmResult, ExperimentResults
from pipelines.experiments.result_text import describe_doubts, describe_verdict, tabulate_sequences


@pytest.mark.parametrize(("wrong_ratio", "said"), [(False, "stop: better"), (True, "no verdict")])
def test_arms_of_wrong_sizes_have_no_verdict(wrong_ratio: bool, said: str) -> None:
    arms = (ExperimentArm("control", 0.5, {}), ExperimentArm("new", 0.5, {"policy": "product"}))
    days = date(2026, 11, 1), date(2026, 11, 30)
    experiment = Experiment("order", "More.", Unit.person, "lists", 1, arms, *days, "matches", (), 0.2)
    arm = ArmResult("new", Verdict.better, [], 1.0)
    exposure = pd.DataFrame({"arm": ["control", "new"], "own_lists": [1.0, 1.0]})
    results = ExperimentResults(experiment, Progress(9, 30), exposure, wrong_ratio, [], [arm])
    assert describe_verdict(results, arm).startswith(f"new: {said}")
    assert bool(list(describe_doubts(results))) is wrong_ratio
    look = tabulate_sequences(results).reindex([0]).assign(arm="new")
    frame = add_verdicts(look, results)
    assert frame["verdict"].item() == ("" if wrong_ratio else "stop: better")
    assert (frame["market"].item(), frame["control_market"].item()) == ('{"policy": "product"}', "{}")
