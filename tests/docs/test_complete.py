"""Nothing is left out of the pages, and they name nothing that is not there."""

import re
from urllib.parse import unquote

import pytest
import typer

from models.db.schema import tables
from models.db.settings import Settings
from models.ml.profiles import frame_contracts
from pipelines import cli
from pipelines.assets.impressions import accepted_views
from pipelines.definitions import build_definitions
from serving.app import create_app
from serving.observability.prometheus import Metrics
from serving.problems.problem_types import PREFIX, STATUSES
from tests.docs.pages import ALL, DIAGRAMS, ROOT, RUN, anchors, blocks, code, commands, links, rows

PRODUCTION, API, OWN_APP = (f"docs/guides/{name}.md" for name in ("production", "api", "connect-your-app"))


def cells(page: str, column: int = 0) -> set[str]:
    """What stands between backticks in a column of a page's tables."""
    return {word for row in rows(page) if len(row) > column for word in re.findall(r"`([^`]+)`", row[column])}


def words(*pages: str) -> set[str]:
    return {word for page in pages for word in code(page)}


def test_every_setting_is_in_the_table_and_no_other() -> None:
    settings = {str(field.validation_alias) for field in Settings.model_fields.values()}
    assert {cell for cell in cells(PRODUCTION) if cell.isupper()} == settings
    named = {word for page in ALL for word in re.findall(r"\bMATCHING_[A-Z_]+\b", (ROOT / page).read_text("utf-8"))}
    assert named - settings == {"MATCHING_API"}  # the example's, told in serving/client/README.md


def test_what_a_setting_is_when_unset_is_what_the_table_says() -> None:
    said = {row[0].strip("`"): row[2].strip("`") for row in rows(PRODUCTION) if len(row) == 4}
    told = {str(f.validation_alias): f.default for f in Settings.model_fields.values() if f.default not in (None, ())}
    assert {name: said[name] for name in told} == {name: f"{default}" for name, default in told.items()}


def test_every_command_is_in_the_readme_and_no_other() -> None:
    root = typer.main.get_command(cli.app)
    assert isinstance(root, typer.core.TyperGroup)
    names = set(root.commands) - {"load"} | {f"load {name}" for name in root.commands["load"].commands}  # type: ignore[attr-defined]
    lines = [line for block in blocks("README.md") if block.language == "sh" for line in commands(block)]
    typed = {line.removeprefix("matching ") for line in lines if line.startswith("matching ")}
    assert {name for name in names if not any(f"{each} ".startswith(f"{name} ") for each in typed)} == set()
    for word in words(*ALL):
        if word.startswith("matching ") and not word.startswith("matching run "):
            assert any(f"{word} ".startswith(f"matching {name} ") for name in [*names, "load", "--help"]), word


def test_every_target_of_the_makefile_is_told_and_no_other() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {match for word in words(*ALL) for match in re.findall(r"^make ([a-z-]+)", word)}
    assert named - targets == set()
    assert targets - {cell.removeprefix("make ").split()[0] for cell in cells("README.md")} == {
        "help",
        "client-packages",
    }


def test_every_address_is_told_and_no_other() -> None:
    paths = create_app(Settings(jwt_secret="0123456789abcdef0123456789abcdef")).openapi()["paths"]
    assert {cell for cell in cells(API) if cell.startswith("GET ")} == {f"GET {path}" for path in paths}
    with_token = {f"GET {path}" for path, each in paths.items() if "security" in each["get"]}
    assert {row[0].strip("`") for row in rows(API) if row[-1] == "yes"} == with_token
    statuses = {int(status) for each in paths.values() for status in each["get"]["responses"] if int(status) >= 400}
    assert {int(row[0]) for row in rows(API) if row[0].isdigit()} == statuses


def test_every_problem_is_told_with_its_status_and_no_other() -> None:
    told = [(row[1].strip("`"), row[0]) for row in rows(API) if row[0][:3].isdigit()]
    assert told == [*((f"{each}", f"{int(STATUSES[each])}") for each in STATUSES), ("about:blank", "404, 405, 500")]
    client = [(f"{PREFIX}{row[1].strip('`')}", row[0]) for row in rows("serving/client/README.md") if row[0].isdigit()]
    assert set(client) <= set(told)


def test_every_asset_check_job_schedule_and_sensor_is_told() -> None:
    definitions = build_definitions(Settings())
    graph = definitions.resolve_asset_graph()
    names = {key.to_user_string() for key in graph.get_all_asset_keys()} | {key.name for key in graph.asset_check_keys}
    repository = definitions.get_repository_def()
    names |= {schedule.name for schedule in repository.schedule_defs} | {each.name for each in repository.sensor_defs}
    names |= {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")}
    assert names - words(*RUN, "ARCHITECTURE.md") == set()


def test_the_checks_that_are_said_to_block_do() -> None:
    graph = build_definitions(Settings()).resolve_asset_graph()
    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    said = {check for row in rows(PRODUCTION) for check in re.findall(r"`(\w+)`[^`]*\*", row[-1])}
    assert said == blocking


def test_every_column_of_the_app_s_tables_is_told() -> None:
    told = words(OWN_APP)
    for table in (tables.profiles, tables.interactions, tables.blocks, tables.views):
        assert {column.name for column in table.columns} - told == set()


def test_every_reason_of_a_refusal_is_told_and_no_other() -> None:
    contracts = (frame_contracts._make_profiles_contract(), frame_contracts._make_interactions_contract(frozenset()))
    checks = [check for schema in contracts for column in schema.columns.values() for check in column.checks]
    reasons = {str(check.error) for check in (*checks, *(each for schema in contracts for each in schema.checks))}
    reasons |= {f"{name} occurs twice" for name in ("profile_id", "interaction_id")}
    assert {reason for row in rows(OWN_APP) for reason in re.findall('"([^"]+)"', row[-1])} == reasons


def test_every_reason_for_which_a_view_does_not_count_is_told() -> None:
    told = [re.sub(r"\s+", " ", word) for word in code(OWN_APP)]
    assert {*accepted_views.RULES.values(), accepted_views.TOO_MANY} - {*told} == set()


def test_every_metric_is_told_and_no_other() -> None:
    made = Metrics().render({}, None).decode()
    metrics = set(re.findall(r"^# TYPE (matching_\w+?)(?:_created)? ", made, re.MULTILINE))
    assert {cell for cell in cells(PRODUCTION) if cell.startswith("matching_") and cell != "matching_reader"} == metrics


@pytest.mark.parametrize("page", ALL)
def test_every_link_leads_somewhere(page: str) -> None:
    for link in links(page):
        path, _, anchor = unquote(link).partition("#")
        if re.match(r"https?://", link):
            continue
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(str(target.resolve().relative_to(ROOT))), link


@pytest.mark.parametrize("page", ALL)
def test_every_file_that_is_named_is_there(page: str) -> None:
    named = [
        word for word in code(page) if re.fullmatch(r"(models|pipelines|serving|tests|docs|notebooks)/[\w./-]+", word)
    ]
    assert [word for word in named if not (ROOT / word).exists()] == []


def test_each_page_is_reached_from_the_readme() -> None:
    reached, waiting = {"README.md", "CHANGELOG.md"}, ["README.md"]
    while waiting:
        linked = pages_linked_from(waiting.pop()) - reached
        reached |= linked
        waiting += linked
    assert {*ALL} - reached == set()


def pages_linked_from(page: str) -> set[str]:
    paths = {link.partition("#")[0] for link in links(page) if "://" not in link}
    targets = {((ROOT / page).parent / path).resolve() for path in paths if path}
    return {str(target.relative_to(ROOT)) for target in targets} & {*ALL}


def test_every_package_is_on_the_map() -> None:
    packages = {path.parent for top in ("models", "pipelines", "serving") for path in (ROOT / top).rglob("__init__.py")}
    names = {f"{path.relative_to(ROOT)}/" for path in packages}
    # Their rows are those of the packages inside.
    assert names - cells("ARCHITECTURE.md") == {"models/", "models/ml/"}


@pytest.mark.parametrize("page", ALL)
def test_every_diagram_is_of_a_known_type_and_closes_its_brackets(page: str) -> None:
    for block in blocks(page):
        if block.language == "mermaid":
            assert block.text.split()[0] in DIAGRAMS, f"{page}:{block.line}"
            lines = block.text.splitlines()
            odd = [line for line in lines if any(line.count(a) != line.count(b) for a, b in ("[]", "()"))]
            assert [*odd, *(line for line in lines if line.count('"') % 2)] == []
