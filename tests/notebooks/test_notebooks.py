"""The notebooks are kept without outputs, run top to bottom, and show pictures but nobody's name or words."""

import base64
import re
from io import BytesIO

import matplotlib.image
import nbformat
import pytest
from nbformat import NotebookNode

from tests.notebooks.conftest import NOTEBOOKS, Run, read_notebook
from tests.pipelines.conftest import Place

NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
SECRETS = """
SELECT display_name FROM app.profiles UNION
SELECT answer FROM app.profiles, jsonb_each_text(texts) AS each (prompt, answer) WHERE length(answer) > 8
"""


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def shown(notebook: NotebookNode, kind: str) -> list[str]:
    """What the cells show of a MIME type."""
    return [output.data[kind] for output in outputs(notebook) if kind in output.get("data", {})]


def read_conclusions(notebook: NotebookNode) -> str:
    """What the figures say: the second heading of a notebook, before any picture."""
    sources = [cell.source for cell in notebook.cells]
    place = sources.index("## What the figures say")
    drawn = [index for index, cell in enumerate(notebook.cells) if "image/png" in str(cell.get("outputs", ""))]
    assert place < min(drawn, default=len(sources))
    conclusions: str = notebook.cells[place + 1].outputs[0].data["text/markdown"]
    return conclusions


@pytest.mark.parametrize("name", NAMES)
def test_committed_without_outputs_and_functions(name: str) -> None:
    notebook = read_notebook(name)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert outputs(notebook) == []
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert {cell.execution_count for cell in code} == {None}
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert all(cell.metadata == {} for cell in notebook.cells)
    assert re.match(r"# .+\n\n\*\*.+\?\*\*\n", notebook.cells[0].source)
    assert [cell for cell in code if re.search(r"^\s*(async )?(def|class) ", cell.source, re.MULTILINE)] == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", ["simulated", "speed_dated"])
def test_runs_top_to_bottom(name: str, where: str, run: Run, request: pytest.FixtureRequest) -> None:
    place: Place = request.getfixturevalue(where)
    notebook = run(name, place)
    assert [output for output in outputs(notebook) if output.output_type in ("stream", "error")] == []
    pictures = [matplotlib.image.imread(BytesIO(base64.b64decode(png))) for png in shown(notebook, "image/png")]
    assert len(pictures) >= 1
    assert all(picture.std() > 0.02 for picture in pictures)
    found, markdown = read_conclusions(notebook), "\n".join(shown(notebook, "text/markdown"))
    assert re.search(r"^- .*\d", found, re.MULTILINE)
    assert len(re.findall(r"^- .*\d", markdown, re.MULTILINE)) >= 3
    assert "nan" not in found
    text = "\n".join(shown(notebook, "text/html") + shown(notebook, "text/markdown"))
    assert [secret for (secret,) in place.ask(SECRETS) if re.search(rf"\b{re.escape(secret)}\b", text)] == []


def test_the_explained_list_names_its_viewer(simulated: Place, run: Run) -> None:
    notebook = run("03_why_these_matches", simulated)
    text = "\n".join(shown(notebook, "text/markdown"))
    (viewer,) = re.findall(r"\*\*Explained is the list of (simulated:4-200:\d+)\*\*", text)
    assert viewer in read_conclusions(notebook)
