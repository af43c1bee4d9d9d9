"""Check that few rows of the app break their contract."""

import dagster as dg

from pipelines.checks.check_results import BLOCKED, ERROR, WARN, make_check_result
from pipelines.reports.plots import round_figures

# A few invalid rows are mistakes of the app. If half of them are invalid, the app or a view of it is broken.
REJECTION_WARNING, REJECTION_ERROR = 0.05, 0.5


def check_rejection_rate(asset: str, accepted: int, rejected: int, *, blocks: bool = True) -> dg.AssetCheckResult:
    """Check that few rows break their contract.

    Args:
        asset: The asset of the accepted rows.
        accepted: Number of accepted rows.
        rejected: Number of rejected rows.
        blocks: Whether the publication is blocked above 50 %.

    Returns:
        A failure above 5 % rejected rows: a warning, or an error that blocks.
    """
    share = rejected / max(accepted + rejected, 1)
    is_error = blocks and share > REJECTION_ERROR
    bound = f"; {BLOCKED if is_error else f'above {REJECTION_ERROR:.0%} nothing is published'}" if blocks else ""
    return make_check_result(
        check_name="rejection_rate",
        asset_key=asset,
        passed=share <= REJECTION_WARNING,
        severity=ERROR if is_error else WARN,
        said=f"{rejected:,} of {accepted + rejected:,} rows break the contract ({share:.1%}); at most "
        f"{REJECTION_WARNING:.0%} is usual{bound}",
        figures=round_figures({"rejected_share": share}),
    )
