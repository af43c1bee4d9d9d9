"""The summary at the end of a run: the publication, and what changed since the one before."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from models.db.publications import StoredPublication

# The asset and the name of its metadata behind each figure that the database does not hold.
REPORTED = {"people": ("profiles", "dagster/row_count"), "expected matches": ("match_lists", "expected_matches")}
ORDER = ("people", "lists", "pairs", "expected matches")
Reports = Mapping[str, Mapping[str, Any]]


def collect_figures(publication: StoredPublication, reports: Reports) -> dict[str, float]:
    """Collect the figures of a publication.

    Args:
        publication: The publication.
        reports: What the assets of its run reported: value by name by asset. It may lack any of them.

    Returns:
        Value by figure, without the figures that are not known.
    """
    figures: dict[str, float] = {"lists": publication.viewer_count, "pairs": publication.pair_count}
    for figure, (asset, name) in REPORTED.items():
        value = reports.get(asset, {}).get(name)
        if isinstance(value, int | float):
            figures[figure] = value
    return figures


def build_summary(
    live: StoredPublication, reports: Reports, before: StoredPublication | None, reports_before: Reports
) -> Table:
    """Build the table of what is live now, with the change since the publication that was live before, if any."""
    now = collect_figures(live, reports)
    then = collect_figures(before, reports_before) if before else {}
    table = Table("", f"publication {live.id}", *([f"since {before.id}"] if before else []), box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for figure in ORDER:
        if figure in now:
            changes = [f"{round(now[figure] - then[figure]):+,}" if figure in then else "unknown"] if before else []
            table.add_row(figure, f"{now[figure]:,.0f}", *changes)
    replaced = [_describe_change(live.ranker_version, before.ranker_version)] if before else []
    table.add_row("ranker", f"version {live.ranker_version}", *replaced)
    return table


def _describe_change(version: str, before: str) -> str:
    return "the same" if version == before else f"was {before}"
