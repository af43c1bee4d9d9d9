"""Nothing is left out of the pages, and they name nothing that does not exist."""

import re
from urllib.parse import unquote

import typer

from examples.backend import statements
from models.db.schema import tables
from models.db.settings import Settings
from models.ml.profiles import frame_contracts
from pipelines import cli
from pipelines.assets.conversations import accepted_answers, accepted_conversations, accepted_messages
from pipelines.assets.impressions import accepted_views
from pipelines.definitions import build_definitions
from serving.app import create_app
from serving.observability.prometheus import Metrics
from serving.problems.problem_types import PREFIX, STATUSES
from tests.docs.pages import ALL, ROOT, RUN, read_anchors, read_blocks, read_code, read_commands, read_links, read_rows

PRODUCTION, API, OWN_APP = (f"docs/guides/{name}.md" for name in ("production", "api", "connect-your-app"))
DIAGRAMS = ("flowchart", "sequenceDiagram", "stateDiagram-v2", "erDiagram")


def cells(page: str, column: int = 0) -> set[str]:
    """What is between backticks in a column of a page's tables."""
    return {word for row in read_rows(page) if len(row) > column for word in re.findall(r"`([^`]+)`", row[column])}


def words(*pages: str) -> set[str]:
    return {word for page in pages for word in read_code(page)}


def test_settings() -> None:
    settings = {str(field.validation_alias): field.default for field in Settings.model_fields.values()}
    assert {cell for cell in cells(PRODUCTION) if cell.isupper()} == set(settings)
    named = {word for page in ALL for word in re.findall(r"\bMATCHING_[A-Z_]+\b", (ROOT / page).read_text("utf-8"))}
    assert named - set(settings) == {"MATCHING_API"}  # the example's, in serving/client/README.md
    said = {row[0].strip("`"): row[2].strip("`") for row in read_rows(PRODUCTION) if len(row) == 4}
    defaults = {name: f"{default}" for name, default in settings.items() if default not in (None, ())}
    assert {name: said[name] for name in defaults} == defaults


def test_commands() -> None:
    root = typer.main.get_command(cli.app)
    assert isinstance(root, typer.core.TyperGroup)
    names = set(root.commands) - {"load"} | {f"load {name}" for name in root.commands["load"].commands}  # type: ignore[attr-defined]
    lines = [line for block in read_blocks("README.md") if block.language == "sh" for line in read_commands(block)]
    typed = {line.removeprefix("matching ") for line in lines if line.startswith("matching ")}
    assert {name for name in names if not any(f"{each} ".startswith(f"{name} ") for each in typed)} == set()
    known = [*names, "load", "--help", "--version"]
    for word in words(*ALL):
        if word.startswith("matching ") and not word.startswith("matching run "):
            assert any(f"{word} ".startswith(f"matching {name} ") for name in known), word


def test_make_targets() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {match for word in words(*ALL) for match in re.findall(r"^make ([a-z-]+)", word)}
    assert named - targets == set()
    in_readme = {cell.removeprefix("make ").split()[0] for cell in cells("README.md")}
    assert targets - in_readme == {"help", "client-packages"}


def test_endpoints_and_statuses() -> None:
    paths = create_app(Settings(jwt_secret="0123456789abcdef0123456789abcdef")).openapi()["paths"]
    assert {cell for cell in cells(API) if cell.startswith("GET ")} == {f"GET {path}" for path in paths}
    with_token = {f"GET {path}" for path, each in paths.items() if "security" in each["get"]}
    assert {row[0].strip("`") for row in read_rows(API) if row[-1] == "yes"} == with_token
    statuses = {int(status) for each in paths.values() for status in each["get"]["responses"] if int(status) >= 400}
    assert {int(row[0]) for row in read_rows(API) if row[0].isdigit()} == statuses


def test_problems() -> None:
    said = [(row[1].strip("`"), row[0]) for row in read_rows(API) if row[0][:3].isdigit()]
    assert said == [*((f"{each}", f"{int(STATUSES[each])}") for each in STATUSES), ("about:blank", "404, 405, 500")]
    rows = read_rows("serving/client/README.md")
    assert {(f"{PREFIX}{row[1].strip('`')}", row[0]) for row in rows if row[0].isdigit()} <= set(said)


def test_assets_checks_jobs_schedules_and_sensors() -> None:
    definitions = build_definitions(Settings())
    graph, repository = definitions.resolve_asset_graph(), definitions.get_repository_def()
    names = {key.to_user_string() for key in graph.get_all_asset_keys()} | {key.name for key in graph.asset_check_keys}
    names |= {each.name for each in repository.schedule_defs} | {each.name for each in repository.sensor_defs}
    names |= {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")}
    assert names - words(*RUN, "ARCHITECTURE.md") == set()
    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    assert blocking == {check for row in read_rows(PRODUCTION) for check in re.findall(r"`(\w+)`[^`]*\*", row[-1])}


def test_columns_of_the_app() -> None:
    for table in (each for each in tables.metadata.sorted_tables if each.schema == "app"):
        assert {column.name for column in table.columns} - words(OWN_APP) == set()


def test_statements_of_the_example_s_backend() -> None:
    """Word for word; that of impressions has values on the page, and is compared when it is tried."""
    page = " ".join((ROOT / OWN_APP).read_text(encoding="utf-8").split())
    missing = {
        name for name, value in vars(statements).items() if name.isupper() and " ".join(value.split()) not in page
    }
    assert missing == {"ADD_VIEWS"}


def test_reasons_of_refusal() -> None:
    contracts = (frame_contracts._make_profiles_contract(), frame_contracts._make_interactions_contract(frozenset()))
    checks = [check for schema in contracts for column in schema.columns.values() for check in column.checks]
    reasons = {str(check.error) for check in (*checks, *(each for schema in contracts for each in schema.checks))}
    reasons |= {f"{name} occurs twice" for name in ("profile_id", "interaction_id")}
    assert {reason for row in read_rows(OWN_APP) for reason in re.findall('"([^"]+)"', row[-1])} == reasons


def test_reasons_for_which_a_view_does_not_count() -> None:
    said = {re.sub(r"\s+", " ", word) for word in read_code(OWN_APP)}
    assert {*accepted_views.RULES.values(), accepted_views.TOO_MANY} <= said


def test_reasons_for_which_what_follows_a_match_does_not_count() -> None:
    said = {re.sub(r"\s+", " ", word) for word in read_code(OWN_APP)}
    rules = (accepted_conversations.RULES, accepted_messages.RULES, accepted_answers.RULES)
    others = {accepted_conversations.ID_TWICE, accepted_conversations.PAIR_TWICE, accepted_messages.UNKNOWN}
    others |= {accepted_messages.TWICE, accepted_messages.TOO_MANY}
    assert {reason for each in rules for reason in each.values()} | others <= said


def test_columns_of_the_facts() -> None:
    names = {column.name for column in tables.conversation_facts.columns}
    assert names - words("docs/concepts/data-model.md") == set()


def test_metrics() -> None:
    made = Metrics().render({}, None).decode()
    metrics = set(re.findall(r"^# TYPE (matching_\w+?)(?:_created)? ", made, re.MULTILINE))
    assert {cell for cell in cells(PRODUCTION) if cell.startswith("matching_")} - {
        "matching_reader",
        "matching_words",
    } == metrics


def test_links_and_named_files_exist() -> None:
    file = re.compile(r"(models|pipelines|serving|examples|tests|docs|notebooks)/[\w./-]+")
    lost = [(page, word) for page in ALL for word in read_code(page) if file.fullmatch(word)]
    assert [each for each in lost if not (ROOT / each[1]).exists()] == []
    for page in ALL:
        for link in read_links(page):
            path, _, anchor = unquote(link).partition("#")
            if re.match(r"https?://", link):
                continue
            target = (ROOT / page).parent / path if path else ROOT / page
            assert target.exists(), (page, link)
            assert not anchor or anchor in read_anchors(str(target.resolve().relative_to(ROOT))), (page, link)


def test_each_page_is_reached_from_the_readme() -> None:
    reached, waiting = {"README.md", "CHANGELOG.md"}, ["README.md"]
    while waiting:
        page = waiting.pop()
        paths = {link.partition("#")[0] for link in read_links(page) if "://" not in link}
        targets = {((ROOT / page).parent / path).resolve() for path in paths if path}
        linked = {str(target.relative_to(ROOT)) for target in targets} & {*ALL} - reached
        reached |= linked
        waiting += linked
    assert {*ALL} - reached == set()


def test_packages_are_on_the_map() -> None:
    packages = {
        path.parent
        for top in ("models", "pipelines", "serving", "examples")
        for path in (ROOT / top).rglob("__init__.py")
    }
    names = {f"{path.relative_to(ROOT)}/" for path in packages}
    # The map has rows of the packages inside these two.
    assert names - cells("ARCHITECTURE.md") == {"models/", "models/ml/"}


def test_diagrams_are_of_a_known_type_and_close_their_brackets() -> None:
    for block in (each for page in ALL for each in read_blocks(page) if each.language == "mermaid"):
        assert block.text.split()[0] in DIAGRAMS, block
        lines = block.text.splitlines()
        odd = [line for line in lines if any(line.count(a) != line.count(b) for a, b in ("[]", "()"))]
        assert [*odd, *(line for line in lines if line.count('"') % 2)] == [], block
