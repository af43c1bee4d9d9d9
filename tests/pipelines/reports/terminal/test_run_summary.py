"""The table at the end of a run."""

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from models.db.publications import StoredPublication
from pipelines.reports.terminal.run_summary import build_summary

THEN = datetime(2026, 3, 2, tzinfo=UTC)
BEFORE = StoredPublication(11, "retired", "1", "letters", 1_990, 99_400, {}, THEN, THEN, kept=True)
LIVE = StoredPublication(13, "live", "2", "letters", 1_987, 100_000, {}, THEN, THEN, kept=True)
REPORTS = {"profiles": {"dagster/row_count": 2_012}, "match_lists": {"expected_matches": 1_304.4}}


def print_summary(*given: object) -> list[list[str]]:
    console = Console(width=80, file=StringIO(), record=True)
    console.print(build_summary(*given))  # type: ignore[arg-type]
    return [line.split() for line in console.export_text().splitlines()]


def test_what_changed_since_the_publication_before() -> None:
    reports = {"profiles": {"dagster/row_count": 2_000}, "match_lists": {"expected_matches": 1_304.6}}
    assert print_summary(LIVE, REPORTS, BEFORE, reports) == [
        ["publication", "13", "since", "11"],
        ["people", "2,012", "+12"],
        ["lists", "1,987", "-3"],
        ["pairs", "100,000", "+600"],
        ["expected", "matches", "1,304", "+0"],
        ["ranker", "version", "2", "was", "1"],
    ]


def test_what_dagster_has_forgotten_is_left_out_or_unknown() -> None:
    assert print_summary(LIVE, {}, None, {})[:3] == [["publication", "13"], ["lists", "1,987"], ["pairs", "100,000"]]
    assert print_summary(LIVE, REPORTS, BEFORE, {})[1:3] == [["people", "2,012", "unknown"], ["lists", "1,987", "-3"]]
