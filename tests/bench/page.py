"""The figures as docs/benchmarks.md, from a template that says what is measured."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from string import Template

from tests.bench.figures import ROOT, Row, markdown

Tables = dict[str, list[Row]]
"""The rows of the circumstances and of each part: a place of the template each."""

PAGE = ROOT / "docs" / "benchmarks.md"
TEMPLATE = Path(__file__).with_name("benchmarks.md.template")
NOT_MEASURED = "Not measured in this run."


class Part(StrEnum):
    SCALE = "scale"
    MARKET = "market"
    API = "api"


def write_page(tables: Tables, figures: Path, *, full: bool, page: Path = PAGE) -> Path:
    """Write the page, or one beside the file of the figures if this was no full run; return where."""
    path = page if full else figures.with_suffix(".md")
    path.write_text(fill(TEMPLATE.read_text(encoding="utf-8"), tables), encoding="utf-8")
    return path


def fill(template: str, tables: Mapping[str, list[Row]]) -> str:
    """The template with a table in each place, of which every table has one."""
    places = Template(template).get_identifiers()
    texts = dict.fromkeys(places, NOT_MEASURED) | {name: markdown(rows) for name, rows in tables.items()}
    assert texts.keys() == set(places), texts.keys() ^ set(places)
    return Template(template).substitute(texts)


def print_tables(tables: Tables) -> str:
    return "\n\n".join(markdown(rows) for rows in tables.values())
