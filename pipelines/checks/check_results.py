"""The result of an asset check, in one form for all checks."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR
# The end of what a failed blocking check says.
BLOCKED = "the publication is blocked, and what was live stays live"


def make_check_result(
    *,
    passed: bool,
    severity: dg.AssetCheckSeverity,
    said: str,
    figures: Mapping[str, Any],
    check_name: str | None = None,
    asset_key: str | None = None,
) -> dg.AssetCheckResult:
    """A check's result; why one failed is among its figures too: a run's log shows them, and not the description."""
    return dg.AssetCheckResult(
        passed=passed,
        severity=severity,
        description=said,
        metadata={**figures} if passed else {"why": said, **figures},
        check_name=check_name,
        asset_key=asset_key,
    )
