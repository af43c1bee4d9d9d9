"""The page of the benchmarks has every figure, its bar, and what it was measured on."""

from pathlib import Path
from string import Template

import pytest

from tests.bench.figures import circumstances, promise, unjudged
from tests.bench.page import NOT_MEASURED, TEMPLATE, Part, Tables, fill, write_page

TABLES: Tables = {
    "circumstances": unjudged([("commit", "1a2b3c")]),
    "scale": [{"figure": "full run, s", "300 people": 12.34, **promise("full run, s", 1234.5, "<=", 900)}],
    "market": [promise("gain, %", 0.4449, ">", 0), *unjudged([("users", 60_000)])],
}


def test_a_known_page() -> None:
    assert fill("# Of\n\n$circumstances\n\n$scale\n\n$market\n\n$api\n", TABLES) == (
        "# Of\n\n"
        "| figure | measured | bar |  |\n| --- | --- | --- | --- |\n| commit | 1a2b3c |  |  |\n\n"
        "| figure | 300 people | measured | bar |  |\n| --- | --- | --- | --- | --- |\n"
        "| full run, s | 12.3 | 1,234 | <= 900 | does not hold |\n\n"
        "| figure | measured | bar |  |\n| --- | --- | --- | --- |\n"
        "| gain, % | 0.445 | > 0 | holds |\n| users | 60,000 |  |  |\n\n"
        f"{NOT_MEASURED}\n"
    )


def test_no_table_is_left_out() -> None:
    with pytest.raises(AssertionError, match="market"):
        fill("$circumstances $scale", TABLES)


def test_only_a_full_run_writes_the_page(tmp_path: Path) -> None:
    page, figures = tmp_path / "benchmarks.md", tmp_path / "bench.json"
    page.write_text("of a full run")
    assert write_page(TABLES, figures, full=False, page=page) == tmp_path / "bench.md"
    assert page.read_text() == "of a full run"
    assert write_page(TABLES, figures, full=True, page=page) == page
    assert page.read_text() == (tmp_path / "bench.md").read_text()
    assert "| full run, s | 12.3 | 1,234 | <= 900 | does not hold |" in page.read_text()


def test_the_template_has_each_part_and_linked_heading() -> None:
    template = TEMPLATE.read_text(encoding="utf-8")
    assert set(Template(template).get_identifiers()) == {"circumstances", *Part}
    assert {"## Stages at scale", "### Retrieval and scoring", "## The API"} <= set(template.splitlines())


def test_circumstances_name_commit_date_machine_and_run() -> None:
    said = {row["figure"]: str(row["measured"]) for row in circumstances(["numpy"], quick=True)}
    assert set(said) == {"commit", "date", "run", "machine", "versions"}
    assert said["run"].startswith("quick")
    assert "cores" in said["machine"]
    assert "GB" in said["machine"]
