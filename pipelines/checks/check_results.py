"""The result of an asset check, in one form for all checks."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR
# The end of the description of a failed blocking check.
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
    """Build the result of a check.

    Args:
        passed: Whether the check passed.
        severity: Severity of a failure.
        said: What the check found. For a failure it is also in the metadata, as `why`: the log of a run shows the
            metadata and not the description.
        figures: Metadata of the result.
        check_name: Name of the check, if its step yields several results.
        asset_key: Asset of the check, if its step yields several results.
    """
    return dg.AssetCheckResult(
        passed=passed,
        severity=severity,
        description=said,
        metadata={**figures} if passed else {"why": said, **figures},
        check_name=check_name,
        asset_key=asset_key,
    )
