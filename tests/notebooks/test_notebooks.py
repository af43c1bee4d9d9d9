"""The notebooks: kept without outputs, run top to bottom without a complaint, with pictures and nobody's words."""

import base64
import re
import time
from io import BytesIO

import matplotlib.image
import nbformat
import pytest
from nbformat import NotebookNode

from tests.notebooks.conftest import NOTEBOOKS, SECONDS, Run, kept
from tests.pipelines.conftest import Place

NAMES = (
    "01_the_town",
    "02_how_good_is_the_ranker",
    "03_why_these_matches",
    "04_who_gets_seen",
    "05_ask_the_database",
)
SECRETS = """
SELECT display_name FROM app.profiles UNION
SELECT answer FROM app.profiles, jsonb_each_text(texts) AS each (prompt, answer) WHERE length(answer) > 8
"""


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def shown(notebook: NotebookNode, kind: str) -> list[str]:
    """What the cells show of a MIME type."""
    return [output.data[kind] for output in outputs(notebook) if kind in output.get("data", {})]


def test_there_are_these_notebooks() -> None:
    assert sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_kept_without_outputs(name: str) -> None:
    notebook = kept(name)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert outputs(notebook) == []
    assert {cell.execution_count for cell in notebook.cells if cell.cell_type == "code"} == {None}
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert all(cell.metadata == {} for cell in notebook.cells)


@pytest.mark.parametrize("name", NAMES)
def test_opens_with_its_question_and_ends_with_what_was_found(name: str) -> None:
    cells = kept(name).cells
    assert re.match(r"# .+\n\n\*\*.+\?\*\*\n", cells[0].source)
    assert [cell.source for cell in cells[-2:-1]] == ["## What the figures say"]
    assert "Markdown(" in cells[-1].source


@pytest.mark.parametrize("name", NAMES)
def test_nothing_in_it_is_worth_a_module(name: str) -> None:
    """No function and no class: what would be used again is in the packages, with tests of its own."""
    code = [cell.source for cell in kept(name).cells if cell.cell_type == "code"]
    assert not [line for source in code for line in source.splitlines() if re.match(r"\s*(async )?(def|class) ", line)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", ["town", "evenings"])
def test_runs_top_to_bottom(name: str, where: str, run: Run, request: pytest.FixtureRequest) -> None:
    place: Place = request.getfixturevalue(where)
    started = time.monotonic()
    notebook = run(name, place)
    assert time.monotonic() - started < SECONDS
    assert [output for output in outputs(notebook) if output.output_type in ("stream", "error")] == []
    pictures = [matplotlib.image.imread(BytesIO(base64.b64decode(png))) for png in shown(notebook, "image/png")]
    assert len(pictures) >= 1
    assert all(picture.std() > 0.02 for picture in pictures)
    said = notebook.cells[-1].outputs[0].data["text/markdown"]
    assert len(re.findall(r"^- .*\d", said, re.MULTILINE)) >= 3
    assert "nan" not in said
    text = "\n".join(shown(notebook, "text/html") + shown(notebook, "text/markdown"))
    assert [secret for (secret,) in place.ask(SECRETS) if re.search(rf"\b{re.escape(secret)}\b", text)] == []


def test_the_list_explained_is_somebody_s_and_says_whose(town: Place, run: Run) -> None:
    notebook = run("03_why_these_matches", town)
    (whose,) = re.findall(
        r"\*\*Explained is the list of (simulated:4-200:\d+)\*\*", "\n".join(shown(notebook, "text/markdown"))
    )
    assert whose in notebook.cells[-1].outputs[0].data["text/markdown"]
