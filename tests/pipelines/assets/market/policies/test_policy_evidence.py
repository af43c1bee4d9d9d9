"""Another policy than the default makes the lists only with the evidence that is asked for."""

from pathlib import Path

import pandas as pd
import pytest
from upath import UPath

from pipelines.assets.market.market_config import MarketConfig
from pipelines.assets.market.policies.policy_evidence import choose_policy
from pipelines.resources import ShardStore
from pipelines.store.frame_store import convert_to_table, write_table

ASKING = MarketConfig.model_validate({"policy": "product", "needs_evidence": "off_policy"})


def judge(folder: Path, rows: list[tuple[str, float, str]]) -> tuple[str, str, bool]:
    """What is chosen after a judgement: policy, difference to the first one, and refusal of each row."""
    store = ShardStore(base=str(folder))
    frame = pd.DataFrame(rows, columns=["policy", "difference", "refusal"])
    frame = frame.assign(outcome="matches", method="dpr", value=100 + frame["difference"], difference_error=2.0)
    write_table(convert_to_table(frame.assign(publication=7)), UPath(store.get_frame_path("policy_value")))
    config, check = choose_policy(ASKING, store)
    return config.policy.value, check.sentence, check.judged


@pytest.mark.parametrize(("difference", "chosen"), [(3.0, "product"), (-0.5, "product"), (-1.5, "best_response")])
def test_the_evidence_decides(tmp_path: Path, difference: float, chosen: str) -> None:
    policy, said, judged = judge(tmp_path, [("best_response", 0, ""), ("product", difference, "")])
    assert (policy, judged) == (chosen, True)
    assert f"{difference / 100:.4f} ± 0.0200 (at least -0.01" in said
    assert "publication 7" in said


@pytest.mark.parametrize(
    "rows",
    [
        [("best_response", 0.0, ""), ("product", 9.0, "too few cards")],
        [("best_response", 0.0, "")],
        [("product", 0.0, ""), ("best_response", 1.0, "")],
    ],
)
def test_without_evidence_the_default_stays(tmp_path: Path, rows: list[tuple[str, float, str]]) -> None:
    policy, _, judged = judge(tmp_path, rows)
    assert (policy, judged) == ("best_response", False)


def test_what_is_not_asked_for_is_not_read(tmp_path: Path) -> None:
    store = ShardStore(base=str(tmp_path))
    assert choose_policy(ASKING, store)[0].policy.value == "best_response"
    plain = MarketConfig.model_validate({"policy": "product"})
    assert choose_policy(plain, store)[0] is plain


TRYING = MarketConfig.model_validate({"policy": "product", "needs_evidence": "experiment"})


@pytest.mark.parametrize(
    ("said", "chosen", "judged"),
    [
        ({}, "product", True),
        ({"control_market": '{"policy": "best_response"}'}, "product", True),
        ({"verdict": "stop: worse"}, "best_response", True),  # by a guardrail
        ({"verdict": "keep running"}, "best_response", False),
        ({"verdict": ""}, "best_response", False),
        ({"market": '{"policy": "naive"}'}, "best_response", False),
        ({"market": '{"policy": "product", "swap_rate": 0.1}'}, "best_response", False),
        ({"control_market": '{"policy": "naive"}'}, "best_response", False),
        ({"primary": "likes"}, "best_response", False),
    ],
)
def test_an_experiment_decides(tmp_path: Path, said: dict[str, str], chosen: str, judged: bool) -> None:
    """Of two designs on the last night, the aware one counts; earlier nights do not."""
    looks = pd.DataFrame({"design": ["naive", "aware", "naive"], "night": [2, 2, 1], "low": [-0.1, 0.02, -0.3]})
    frame = looks.assign(metric="matches", primary="matches", experiment="order", verdict="stop: better")
    frame = frame.assign(market='{"policy": "product"}', control_market="{}").assign(**said)
    store = ShardStore(base=str(tmp_path))
    write_table(convert_to_table(frame), UPath(store.get_frame_path("experiment_report")))
    config, check = choose_policy(TRYING, store)
    assert (config.policy.value, check.judged) == (chosen, judged)


def test_without_a_report_the_default_stays(tmp_path: Path) -> None:
    assert choose_policy(TRYING, ShardStore(base=str(tmp_path)))[0].policy.value == "best_response"
