"""Evidence for a market policy other than the default: the last judgement of logs, or of an experiment."""

import json
from collections.abc import Callable, Mapping

import pandas as pd

from models.experiments.off_policy.policy_value import BEST_METHODS, MATCHES
from models.experiments.statistics.verdict import Verdict
from models.ml.validation.gate_rules import GateCheck, Rule, judge, leave_unjudged
from pipelines.assets.market.market_config import MarketConfig, Policy, PolicyEvidence
from pipelines.resources import ShardStore
from pipelines.store.frame_store import convert_from_table, read_table

CHECK = "policy_has_evidence"
DEFAULT = Policy.best_response
MAX_LOSS = 0.01
"""The share of matches that a policy may lose against the default."""
HINT = f"run `matching policy-value {DEFAULT.value} {{}}` when users have opened their lists"


def choose_policy(config: MarketConfig, store: ShardStore) -> tuple[MarketConfig, GateCheck]:
    """Choose the configured policy, or the default if the evidence that is asked for does not speak for it.

    Returns:
        The configuration to use, and the check that decided.
    """
    if config.policy is DEFAULT or config.needs_evidence is PolicyEvidence.none:
        return config, leave_unjudged(CHECK, "no evidence was asked for (needs_evidence)", passed=True)
    frame, judge_frame, missing = SOURCES[config.needs_evidence]
    try:
        found = convert_from_table(read_table(store.get_frame_path(frame)))
    except FileNotFoundError:
        check = leave_unjudged(CHECK, missing.format(config.policy.value), passed=False)
    else:
        check = judge_frame(found, config.policy.value)
    return (config if check.passed else config.model_copy(update={"policy": DEFAULT})), check


def check_policy(values: pd.DataFrame, policy: str) -> GateCheck:
    """Check that a policy does not lose more than MAX_LOSS of the matches; it fails if the logs do not tell.

    Args:
        values: The frame `policy_value`.
        policy: The policy.
    """
    decisive = values[(values["outcome"] == MATCHES) & (values["method"] == BEST_METHODS[MATCHES])]
    rows = {str(row["policy"]): row for row in decisive.to_dict("records")}
    ours, theirs = rows.get(policy), rows.get(DEFAULT.value)
    if ours is None or theirs is None or next(iter(rows)) != DEFAULT.value:
        said = f"the last judgement did not compare it with {DEFAULT.value}: {HINT.format(policy)}"
        return leave_unjudged(CHECK, said, passed=False)
    if refusal := ours["refusal"] or theirs["refusal"]:
        return leave_unjudged(CHECK, f"the logs do not tell: {refusal}", passed=False)
    gain, error = (float(ours[name]) / float(theirs["value"]) for name in ("difference", "difference_error"))
    logs = f"by the logs of publication {ours['publication']}, relative to the default"
    said = f"matches by {policy.replace('_', ' ')}, {logs}"
    return judge(CHECK, [Rule("matches_gain", said, gain, "at least", -MAX_LOSS, error, needs="answers in the logs")])


def check_experiment(looks: pd.DataFrame, policy: str) -> GateCheck:
    """Check that an experiment found a policy better than the default; it fails while the experiment does not tell.

    Args:
        looks: The frame `experiment_report`.
        policy: The policy.
    """
    default: tuple[dict[str, str], ...] = ({}, {"policy": DEFAULT.value})
    tried = looks["market"].map(lambda market: market != "" and json.loads(market) == {"policy": policy})
    against = looks["control_market"].map(lambda market: market != "" and json.loads(market) in default)
    rows = looks[tried & against & (looks["metric"] == looks["primary"])]
    if rows.empty:
        said = f"the last report was of no experiment that compares {policy} with {DEFAULT.value}"
        return leave_unjudged(CHECK, said, passed=False)
    # Of the two designs, the one that is aware of interference comes last, where it can be said.
    last = rows.sort_values(["night", "design"], ascending=[True, False], kind="stable").iloc[-1]
    experiment = f"experiment {last['experiment']}"
    if last["verdict"] not in (Verdict.better.value, Verdict.worse.value):
        said = f"{experiment} does not tell yet: {last['verdict'] or 'its arms have wrong sizes'}"
        return leave_unjudged(CHECK, said, passed=False)
    said = f"lower end of the interval of {last['primary']} in {experiment}, relative to the default"
    better = float(last["verdict"] == Verdict.better.value)
    rules = [
        Rule("verdict_is_better", f"1 if {experiment} says {Verdict.better.value!r}, else 0", better, "at least", 1),
        Rule("lift_low", said, float(last["low"]), "at least", 0.0),
    ]
    return judge(CHECK, rules)


SOURCES: Mapping[PolicyEvidence, tuple[str, Callable[[pd.DataFrame, str], GateCheck], str]] = {
    PolicyEvidence.off_policy: ("policy_value", check_policy, f"no policy was judged by logs: {HINT}"),
    PolicyEvidence.experiment: ("experiment_report", check_experiment, "no experiment was reported that tries {}"),
}
"""The frame of each kind of evidence, what judges it, and what to say without it."""
