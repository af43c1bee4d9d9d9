"""Every block of the pages, run or compared with what is real. A block in a language nobody knows here fails."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from models.db.settings import Settings
from pipelines.definitions import build_definitions
from serving.queries.cursor import Cursor, derive_cursor_key, write_cursor
from tests.docs import programs, statements
from tests.docs.conftest import Reader
from tests.docs.pages import ROOT, RUN, Block, blocks, commands, tokens
from tests.serving.client.conftest import client, node
from tests.serving.client.conftest import run as in_client
from tests.serving.conftest import SECRET, Api, token_for

__all__ = ["client", "node"]

BLOCKS = [block for page in RUN for block in blocks(page)]
COMMANDS = [(block, command) for block in BLOCKS if block.language == "sh" for command in commands(block)]
ANSWERS = [block for block in BLOCKS if block.language == "json"]
SOMEBODY = """
SELECT viewer_id FROM matching.match_lists
WHERE most_compatible_id IS NOT NULL AND jsonb_array_length(most_compatible_reasons) > 0
  AND cardinality(candidate_ids) > 5 AND jsonb_array_length(reasons -> 0) > 0 ORDER BY viewer_id LIMIT 1
"""


def name(block: Block) -> str:
    return f"{block.page}:{block.line}"


def test_every_block_is_in_a_language_that_is_run_here() -> None:
    languages = {"sh", "text", "json", "sql", "python", "ts", "mermaid"}  # tests/docs/test_complete.py reads diagrams
    assert [name(block) for block in BLOCKS if block.language not in languages] == []


@pytest.mark.parametrize("page", RUN)
def test_every_fence_opens_or_closes_a_block(page: str) -> None:
    fences = re.findall(r"^ *```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert len(fences) == 2 * sum(token.type == "fence" for token in tokens(page))


@pytest.mark.parametrize(("block", "command"), COMMANDS, ids=[f"{name(b)} {c}" for b, c in COMMANDS])
def test_a_command_does_what_it_says(block: Block, command: str, request: pytest.FixtureRequest) -> None:
    program = command.split(maxsplit=1)[0].partition("=")[0]
    assert program in programs.TRIED, f"{name(block)}: nobody tries {program}; see tests/docs/programs.py"
    programs.TRIED[program](command, request)


@pytest.mark.parametrize("block", ANSWERS, ids=name)
def test_an_answer_looks_as_it_says(block: Block, request: pytest.FixtureRequest, reader: Reader) -> None:
    """The last word of a block's argument may be `told`, for the API where likes are told."""
    asked = block.argument.removesuffix(" told")
    api: Api = request.getfixturevalue("api" if asked == block.argument else "telling")
    method, path, status = f"{asked} 200".split()[:3]
    ((person,),) = reader.place.ask(SOMEBODY)
    gone = write_cursor(Cursor(10**9, []), person, derive_cursor_key(SECRET))
    answer = api.get(path.replace("{gone}", gone), token_for(person))
    assert (method, answer.status_code) == ("GET", int(status))
    said, real = json.loads(block.text), answer.json()
    assert said == real if int(status) >= 400 else shape(said) == shape(real)


def shape(value: object) -> object:
    """Names and types; what stands in texts has names of its own."""
    if isinstance(value, dict):
        return {name: "words" if name == "texts" else shape(each) for name, each in value.items()}
    return [shape(value[0])] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "sql"], ids=name)
def test_sql_does_what_it_says(block: Block, request: pytest.FixtureRequest) -> None:
    first = block.text.splitlines()[0].partition("(")[0].strip()
    assert first in statements.TRIED, f"{name(block)}: nobody tries {first!r}; see tests/docs/statements.py"
    statements.TRIED[first](block.text, request)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "python"], ids=name)
def test_python_runs(block: Block, reader: Reader, capsys: pytest.CaptureFixture[str]) -> None:
    with reader.at_home():
        exec(compile(block.text, name(block), "exec"), {})  # noqa: S102 - that is what the page tells the reader to do
    assert re.search(r"Columns: \[profile_id, reason\]", capsys.readouterr().out)


def test_typescript_runs(client: Path, api: Api, telling: Api, reader: Reader) -> None:
    """The blocks of the client's page, the first of which tests/serving/client/test_node.py runs as it stands."""
    _, tokens, pages, likes = (block.text for block in BLOCKS if block.language == "ts")
    ((person,),) = reader.place.ask(SOMEBODY)
    renewed = f"{{ token: 'refused', renew() {{ return '{token_for(person)}'; }} }}"
    script = (
        'import { allMatches, createMatchingClient, matchPages } from "@delete/matching-client";\n'
        f"const baseUrl = '{api.client.base_url}', session = {renewed}, shown = [];\n"
        f"const show = (match) => shown.push(match.candidate.id);\nconst api = {tokens}{pages}"
        "console.log(JSON.stringify([shown.length, page.matches.map((match) => match.candidate.id), done, shown]));"
    )
    count, first, done, shown = json.loads(in_client("node", "--input-type=module", stdin=script))
    assert count == len(set(shown)) > 5
    assert (first, done) == (shown[:20], False)
    script = (
        'import { createMatchingClient, likePages } from "@delete/matching-client";\n'
        "const shown = [], show = (like) => shown.push(like.source);\n"
        f"const api = createMatchingClient({{ baseUrl: '{telling.client.base_url}', token: '{token_for(person)}' }});\n"
        f"{likes}console.log(JSON.stringify(shown));"
    )
    assert set(json.loads(in_client("node", "--input-type=module", stdin=script))) == {"like"}


def the_flow(block: Block, request: pytest.FixtureRequest) -> None:
    """Each step of the picture is an asset, but for the ends."""
    assets = {key.to_user_string() for key in build_definitions(Settings()).resolve_asset_graph().get_all_asset_keys()}
    steps = [step.strip().replace(" ", "_") for step in re.split(r"[─>┐┘└]+|\(.*?\)", block.text)]
    unknown = {step for step in steps if step and not any(asset.endswith(step) for asset in assets)}
    assert unknown == {"app_tables", "API"}


def the_list(block: Block, request: pytest.FixtureRequest) -> None:
    """The table of the demo has these columns and cells like these."""
    shown = programs.demo(request)
    for pattern in (
        r"Matches of \w+, GET /v1/me/matches",
        "┃ +┃ name +┃ age ┃ chance ┃ why +┃",
        r"│ 1 │ \w+ +│ \d\d +│ +\d+ % +│ ",
    ):
        assert re.search(pattern, block.text), pattern
        assert re.search(pattern, shown), pattern


def the_house(block: Block, request: pytest.FixtureRequest) -> None:
    """The folders are there, and none is left out."""
    folders = {line.split()[0] for line in block.text.splitlines()}
    assert {folder for folder in folders if not (ROOT / folder).is_dir()} == set()
    held = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    there = {"/".join(path.split("/")[: 1 + path.startswith("models/")]) for path in held if "/" in path}
    assert {each for each in there if (ROOT / each).is_dir()} == folders | {"tests", ".ci", ".github"}


PICTURES: dict[str, Callable[[Block, pytest.FixtureRequest], None]] = {
    "app tables": the_flow,
    "Matches of": the_list,
    "models/db": the_house,
}


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "text"], ids=name)
def test_a_picture_is_of_what_is_there(block: Block, request: pytest.FixtureRequest) -> None:
    (look,) = (look for begins, look in PICTURES.items() if block.text.strip().startswith(begins))
    look(block, request)


def test_bash_and_make_are_here() -> None:
    assert [program for program in ("bash", "make") if shutil.which(program) is None] == []
    assert Path(sys.prefix, "bin", "matching").exists()
