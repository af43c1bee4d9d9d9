"""The rules that an import can break."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("models", "pipelines", "serving", "examples", "migrations")
CODE = {
    path: ast.parse(path.read_text(encoding="utf-8"))
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "node_modules" not in path.parts
}
PRIVATE = re.compile(r"_(?!_)")  # names such as __future__ are public
PURE = {path: tree for path, tree in CODE.items() if path.is_relative_to(ROOT / "models" / "ml")}
# Storage and orchestration: the learning code needs none of it.
IMPURE = {"alembic", "dagster", "distributed", "fastapi", "mlflow", "psycopg", "sqlalchemy", "typer"}
# What may be shared: the record between the market policy and the database, the limits of a profile, and the errors.
SHARED = ("models.db.match_lists", "models.db.schema.profile_limits", "models.db.errors")


def test_import_contracts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    report = capsys.readouterr().out
    assert status == 0, report
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    assert f"{len(settings['contracts'])} kept, 0 broken" in report


def test_learning_code_imports_no_database_and_no_orchestration() -> None:
    """Wherever in the file the import is."""
    for path, tree in PURE.items():
        names = set(find_modules(tree))
        assert {name.split(".")[0] for name in names} & (IMPURE | {"pipelines", "serving"}) == set(), path
        assert {name for name in names if name.startswith("models.db")} <= set(SHARED), path


def test_compiled_functions_use_only_kernels() -> None:
    """The cache of compiled code notices a change of the function's own file and of `kernels`, and of nothing else."""
    for path, tree in PURE.items():
        ours = [
            each for each in tree.body if isinstance(each, ast.ImportFrom) and f"{each.module}".startswith("models.")
        ]
        unnoticed = [node for node in ours if not f"{node.module}".startswith("models.ml.kernels.")]
        others = {alias.asname or alias.name for node in unnoticed for alias in node.names}
        for function in tree.body:
            if isinstance(function, ast.FunctionDef) and "jit" in map(ast.unparse, function.decorator_list):
                used = {node.id for line in function.body for node in ast.walk(line) if isinstance(node, ast.Name)}
                assert used & others == set(), (path, function.name)


def test_no_module_imports_a_private_name() -> None:
    """A library may change such a name in any release, and a private name of ours has no users outside its module."""
    for path, tree in CODE.items():
        members = [name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names]
        used = [*find_modules(tree), *(member.name for member in members)]
        assert [name for name in used if any(map(PRIVATE.match, name.split(".")))] == [], path
        assert "SLF001" not in path.read_text(encoding="utf-8"), path  # what ruff finds of other uses is not excused


def test_shared_modules_need_only_the_standard_library() -> None:
    for name in SHARED:
        tree = CODE[(ROOT / name.replace(".", "/")).with_suffix(".py")]
        assert set(find_modules(tree)) <= {"collections.abc", "dataclasses"}, name


def find_modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a name comes from"
            yield str(node.module)
