"""The checks of the gate as Dagster shows them: figures on each, and pictures on those that were not met."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from models.experiments.off_policy.orders import MAX_LOSS
from models.ml.validation.gate import AUC_TOLERANCE, LIKE_LEAK, LOSS_TOLERANCE, MATCH_LEAK, MAX_CALIBRATION_ERROR
from models.ml.validation.gate_rules import GateCheck
from pipelines.checks.check_results import ERROR, WARN, make_check_result
from pipelines.reports.ranker.ranker_report import CALIBRATION_PICTURE, GATE_PICTURE

NO_WORSE = f"AUC within viewers at most {AUC_TOLERANCE} lower and log loss at most {LOSS_TOLERANCE} higher"
CHECKS = {
    "beats_the_baselines": "It ranks better within viewers than random, popularity and interest cosine.",
    "is_no_worse_than_linear": f"It is no worse than the ridge that its trees start from: {NO_WORSE}.",
    "is_no_worse_than_the_champion": f"It is no worse than the champion, on samples that neither has seen: {NO_WORSE}.",
    "is_calibrated": "Its probabilities agree with the observed frequencies: expected calibration error at most "
    f"{MAX_CALIBRATION_ERROR}.",
    "does_not_leak": "Its accuracy from profiles alone is not implausibly high, as it would be if decisions leaked: "
    f"AUC less one standard error at most {LIKE_LEAK} for likes and {MATCH_LEAK} for matches.",
    "has_evidence": "If the configuration asks for it (needs_evidence): the live lists would have brought at most "
    f"{MAX_LOSS:.0%} fewer likes in its order than in the champion's, by what users did with them.",
}
CHECK_NOTES = (
    "± is one standard error; only `does_not_leak` counts it. A check that could not be judged says so: as a warning "
    "if the ranker is refused for it. A ranker that fails is not promoted, and the champion remains in use."
)
CHAMPION_REMAINS = "refused, so version {} remains the champion, and lists are published with it"


def list_check_specs() -> list[dg.AssetCheckSpec]:
    """Return the specs of the gate's checks."""
    return [
        dg.AssetCheckSpec(name, asset="ranker", description=f"{said} {CHECK_NOTES}") for name, said in CHECKS.items()
    ]


def describe_check(check: GateCheck) -> str:
    """Return the sentence of a check, which begins with "not judged" if it was not."""
    return check.sentence if check.judged else f"{check.state}: {check.sentence}"


def build_gate_results(
    checks: Sequence[GateCheck], promoted: bool, rival: str | None, metadata: Mapping[str, dg.MetadataValue[Any]]
) -> list[dg.AssetCheckResult]:
    """Return the checks of the gate as Dagster shows them; for a refused version, with the champion that remains.

    A check that could not be judged is never an error. If the ranker cannot be promoted without it, it is a warning.

    Args:
        checks: The checks.
        promoted: Whether the ranker became champion.
        rival: Version of the champion at that time, None if there was none.
        metadata: Metadata of the ranker, from which a check that does not pass takes its pictures.
    """
    return [_build_result(check, promoted, rival, metadata) for check in checks]


def _build_result(
    check: GateCheck, promoted: bool, rival: str | None, metadata: Mapping[str, dg.MetadataValue[Any]]
) -> dg.AssetCheckResult:
    wanted = (GATE_PICTURE, *([CALIBRATION_PICTURE] if check.name == "is_calibrated" else []))
    pictures = {} if check.passed else {name: metadata[name] for name in wanted if name in metadata}
    remains = "" if promoted or check.passed else f"; {CHAMPION_REMAINS.format(rival)}"
    return make_check_result(
        passed=check.passed,
        check_name=check.name,
        severity=WARN if promoted or not check.judged else ERROR,
        said=describe_check(check) + remains,
        figures={"state": check.state, "judged": check.judged, **check.figures, **pictures},
    )
