"""Every block of the pages, run or compared with what is real. A block in an unknown language fails."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from sqlalchemy import make_url

from models.db.settings import Settings
from pipelines.definitions import build_definitions
from pipelines.experiments.experiment_file import load_experiments
from serving.queries.cursor import Cursor, derive_cursor_key, write_cursor
from serving.queries.wording.dictionary import load_dictionary
from tests.docs import programs, statements
from tests.docs.conftest import Reader
from tests.docs.pages import ROOT, RUN, Block, read_blocks, read_commands, read_tokens
from tests.pipelines.conftest import Databases
from tests.serving.client.conftest import client, node
from tests.serving.client.conftest import run as in_client
from tests.serving.conftest import SECRET, Api, token_for

__all__ = ["client", "node"]

BLOCKS = [block for page in RUN for block in read_blocks(page)]
COMMANDS = {f"{block} {each}": each for block in BLOCKS if block.language == "sh" for each in read_commands(block)}
VIEWER = """
SELECT viewer_id FROM matching.match_lists
WHERE most_compatible_id IS NOT NULL AND jsonb_array_length(most_compatible_reasons) > 0
  AND cardinality(candidate_ids) > 5 AND jsonb_array_length(reasons -> 0) > 0 ORDER BY viewer_id LIMIT 1
"""


def of_language(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


def test_every_block_is_closed_and_its_language_is_run_here() -> None:
    languages = {
        "sh",
        "text",
        "json",
        "sql",
        "python",
        "ts",
        "toml",
        "yaml",
        "mermaid",
    }  # test_complete.py reads diagrams
    assert [str(block) for block in BLOCKS if block.language not in languages] == []
    for page in RUN:
        fences = re.findall(r"^ *```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        assert len(fences) == 2 * sum(token.type == "fence" for token in read_tokens(page)), page


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_does_what_it_says(command: str, request: pytest.FixtureRequest) -> None:
    program = command.split(maxsplit=1)[0].partition("=")[0]
    assert program in programs.TRIED, f"{program} is not tried; see tests/docs/programs.py"
    programs.TRIED[program](command, request)


@pytest.mark.parametrize("block", of_language("json"), ids=str)
def test_a_response_looks_as_it_says(block: Block, request: pytest.FixtureRequest, reader: Reader) -> None:
    """The last word of a block's argument may be `told`, for the API where likes are told."""
    argument = block.argument.removesuffix(" told")
    api: Api = request.getfixturevalue("api" if argument == block.argument else "telling")
    method, path, status = f"{argument} 200".split()[:3]
    ((viewer,),) = reader.place.ask(VIEWER)
    gone = write_cursor(Cursor(10**9, []), viewer, derive_cursor_key(SECRET))
    response = api.get(path.replace("{gone}", gone), token_for(viewer))
    assert (method, response.status_code) == ("GET", int(status))
    said, real = json.loads(block.text), response.json()
    assert said == real if int(status) >= 400 else shape(said) == shape(real)


def shape(value: object) -> object:
    """Names and types; the names of texts differ."""
    if isinstance(value, dict):
        return {name: "words" if name == "texts" else shape(each) for name, each in value.items()}
    return [shape(value[0])] if isinstance(value, list) else type(value).__name__


def test_documented_shared_interests_are_on_the_card() -> None:
    responses = [json.loads(block.text) for block in of_language("json")]
    matches = [match for each in responses for match in (*each.get("matches", []), each.get("match")) if match]
    assert len(matches) >= 2
    for match in matches:
        for reason in match["reasons"]:
            if reason["code"] == "shared_interests":
                shared = reason["sentence"].removeprefix("You both like ").removesuffix(".")
                assert set(re.split(", | and ", shared)) <= set(match["candidate"]["interests"])


@pytest.mark.parametrize("block", of_language("sql"), ids=str)
def test_sql_does_what_it_says(block: Block, request: pytest.FixtureRequest) -> None:
    first = block.text.splitlines()[0].partition("(")[0].strip()
    assert first in statements.TRIED, f"{first!r} is not tried; see tests/docs/statements.py"
    statements.TRIED[first](block.text, request)


@pytest.mark.parametrize("block", of_language("python"), ids=str)
def test_python_runs(block: Block, reader: Reader, capsys: pytest.CaptureFixture[str]) -> None:
    with reader.at_home():
        exec(compile(block.text, str(block), "exec"), {})  # noqa: S102 - the page tells the reader to
    assert "Columns: [profile_id, reason]" in capsys.readouterr().out


@pytest.mark.parametrize("block", of_language("toml"), ids=str)
def test_titles_and_experiments_are_read(block: Block, tmp_path: Path) -> None:
    (file := tmp_path / "page.toml").write_text(block.text, encoding="utf-8")
    if block.text.startswith("[[experiment]]"):
        assert len(load_experiments(Settings(home=tmp_path, experiments=file))) == 1
    else:
        assert load_dictionary(file).keys() == {"en", "de"}


@dg.op
def greet(context: dg.OpExecutionContext) -> None:
    """Write an event."""
    context.log.info("good morning")


@dg.job
def morning() -> None:
    """A job whose run and events are recorded."""
    greet()


@pytest.mark.parametrize("block", of_language("yaml"), ids=str)
def test_dagster_records_its_runs_in_postgresql(
    block: Block, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster.yaml").write_text(block.text, encoding="utf-8")
    with databases() as url:
        driver = make_url(url).set(drivername="postgresql+psycopg2")
        monkeypatch.setenv("DAGSTER_POSTGRES_URL", driver.render_as_string(hide_password=False))
        with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
            run_id = morning.execute_in_process(instance=instance).run_id
        with psycopg.connect(driver.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
            events = connection.execute("SELECT count(*) FROM event_logs WHERE run_id = %s", [run_id]).fetchone()
            assert events is not None
            assert events[0] > 0


# What a browser has and Node.js has not.
PAGE_OF_CARDS = """
Object.assign(globalThis, { addEventListener() {}, document: new EventTarget() });
globalThis.IntersectionObserver = class { observe() {} unobserve() {} };
const match = page.matches[0], element = {};
"""


def test_typescript_runs(client: Path, api: Api, telling: Api, reader: Reader) -> None:
    """The blocks of the client's page, the first of which tests/serving/client/test_node.py runs as it is."""
    _, tokens, pages, likes, conversations, titles, impressions = (block.text for block in of_language("ts"))
    ((viewer,),) = reader.place.ask(VIEWER)
    renewed = f"{{ token: 'refused', renew() {{ return '{token_for(viewer)}'; }} }}"
    script = (
        'import * as client from "@delete/matching-client";\n'
        "const { allMatches, answered, createMatchingClient, matchPages, observeImpressions } = client;\n"
        "const { promptTitle, toCard } = client;\n"
        f"const baseUrl = '{api.client.base_url}', session = {renewed}, shown = [];\n"
        f"const show = (match) => shown.push(match.candidate.id);\nconst api = {tokens}{pages}"
        f"{titles}{PAGE_OF_CARDS}{impressions}stop();\n"
        "console.log(JSON.stringify([shown.length, page.matches.map((match) => match.candidate.id), done, shown]));"
    )
    count, first, done, shown = json.loads(in_client("node", "--input-type=module", stdin=script))
    assert count == len(set(shown)) > 5
    assert (first, done) == (shown[:20], False)
    script = (
        'import { conversationPages, createMatchingClient, likePages } from "@delete/matching-client";\n'
        "const shown = [], show = (like) => shown.push(like.source), open = ({ stage }) => shown.push(stage);\n"
        f"const api = createMatchingClient({{ baseUrl: '{telling.client.base_url}', token: '{token_for(viewer)}' }});\n"
        f"{likes}{conversations}console.log(JSON.stringify(shown));"
    )
    assert set(json.loads(in_client("node", "--input-type=module", stdin=script))) == {"like", "new"}


def compare_flow(block: Block, request: pytest.FixtureRequest) -> None:
    """Each step of the picture is an asset, but for the ends."""
    assets = {key.to_user_string() for key in build_definitions(Settings()).resolve_asset_graph().get_all_asset_keys()}
    steps = [step.strip().replace(" ", "_") for step in re.split(r"[─>┐┘└]+|\(.*?\)", block.text)]
    unknown = {step for step in steps if step and not any(asset.endswith(step) for asset in assets)}
    assert unknown == {"app_tables", "API"}


def compare_list(block: Block, request: pytest.FixtureRequest) -> None:
    """The table of the demo has these columns, and cells like these."""
    shown = programs.show_demo(request.getfixturevalue("reader"))
    columns, cells = "┃ +┃ name +┃ age ┃ chance ┃ why +┃", r"│ 1 │ \w+ +│ \d\d +│ +\d+ % +│ "
    for pattern in (r"Matches of \w+, GET /v1/me/matches", columns, cells):
        assert re.search(pattern, block.text), pattern
        assert re.search(pattern, shown), pattern


def compare_folders(block: Block, request: pytest.FixtureRequest) -> None:
    """The folders exist, and none is left out."""
    folders = {line.split()[0] for line in block.text.splitlines()}
    assert {folder for folder in folders if not (ROOT / folder).is_dir()} == set()
    held = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    existing = {"/".join(path.split("/")[: 1 + path.startswith("models/")]) for path in held if "/" in path}
    assert {each for each in existing if (ROOT / each).is_dir()} == folders | {"tests", ".ci", ".github"}


PICTURES: dict[str, Callable[[Block, pytest.FixtureRequest], None]] = {
    "app tables": compare_flow,
    "Matches of": compare_list,
    "models/db": compare_folders,
}


@pytest.mark.parametrize("block", of_language("text"), ids=str)
def test_a_picture_is_of_what_exists(block: Block, request: pytest.FixtureRequest) -> None:
    (compare,) = (compare for begins, compare in PICTURES.items() if block.text.strip().startswith(begins))
    compare(block, request)
