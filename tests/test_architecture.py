"""The rules of the house that an import can break."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("models", "pipelines", "serving", "migrations")
CODE = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "node_modules" not in path.parts
)
PRIVATE = re.compile(r"_(?!_)")  # names such as __future__ are public
PURE = sorted((ROOT / "models" / "ml").rglob("*.py"))
# Where things are kept and run: none of it is the learning code's business.
IMPURE = {
    "alembic",
    "dagster",
    "distributed",
    "fastapi",
    "mlflow",
    "pipelines",
    "psycopg",
    "serving",
    "sqlalchemy",
    "typer",
}
# What may be shared: the record between the market policy and the database, the limits of a profile, and the errors.
SHARED = ("models.db.match_lists", "models.db.schema.profile_limits", "models.db.errors")


def test_the_import_contracts_hold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    told = capsys.readouterr().out
    assert status == 0, told
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    assert f"{len(contracts)} kept, 0 broken" in told


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_learning_code_imports_no_database_and_no_orchestration(path: Path) -> None:
    """Wherever in the file the import is."""
    names = set(imported(ast.parse(path.read_text(encoding="utf-8"))))
    assert {name.split(".")[0] for name in names} & IMPURE == set()
    assert {name for name in names if name.startswith("models.db")} <= set(SHARED)


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(ROOT)))
def test_compiled_functions_use_other_modules_of_kernels_only(path: Path) -> None:
    """The cache of compiled code notices a change of the function's own file and of `kernels`, and of nothing else."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    ours = [node for node in tree.body if isinstance(node, ast.ImportFrom) and str(node.module).startswith("models.")]
    unnoticed = [node for node in ours if not str(node.module).startswith("models.ml.kernels.")]
    others = {alias.asname or alias.name for node in unnoticed for alias in node.names}
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and "jit" in map(ast.unparse, function.decorator_list):
            used = {node.id for line in function.body for node in ast.walk(line) if isinstance(node, ast.Name)}
            assert used & others == set(), function.name


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_imports_a_private_name(path: Path) -> None:
    """A library may change such a name in any release. A private name of ours has no other users than its module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used = [*imported(tree), *imported_members(tree)]
    assert [name for name in used if any(map(PRIVATE.match, name.split(".")))] == []
    assert "SLF001" not in path.read_text(encoding="utf-8")  # what ruff finds of other uses is not excused


@pytest.mark.parametrize("name", SHARED)
def test_what_is_shared_needs_the_standard_library_only(name: str) -> None:
    path = (ROOT / name.replace(".", "/")).with_suffix(".py")
    assert set(imported(ast.parse(path.read_text(encoding="utf-8")))) <= {"collections.abc", "dataclasses"}


def imported_members(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (each.name for each in node.names)


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a name comes from"
            yield str(node.module)
