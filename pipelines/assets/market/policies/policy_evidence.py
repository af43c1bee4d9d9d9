"""Evidence for a market policy other than the default, from the last judgement of logs."""

import pandas as pd

from models.experiments.off_policy.policy_value import BEST_METHODS, MATCHES
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
    try:
        values = convert_from_table(read_table(store.get_frame_path("policy_value")))
    except FileNotFoundError:
        said = f"no policy was judged by logs: {HINT.format(config.policy.value)}"
        check = leave_unjudged(CHECK, said, passed=False)
    else:
        check = check_policy(values, config.policy.value)
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
