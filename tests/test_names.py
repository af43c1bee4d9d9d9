"""Function names begin with a verb, and class names are unique."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("models", "pipelines", "serving", "examples")
LEAST_SHARE = 0.95
MOST_ENTRIES = 12

VERBS = frozenset((Path(__file__).parent / "verbs.txt").read_text(encoding="utf-8").split())


def find_trees() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def is_counted(node: ast.AST) -> bool:
    """Whether a node is a function, but no property and no dunder."""
    return (
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("__")
        and not any("property" in ast.unparse(each) for each in node.decorator_list)
    )


def test_functions_begin_with_a_verb() -> None:
    """Dagster's assets and checks and the commands are nouns, for their names are read as such."""
    functions = [
        (f"{path}:{node.lineno}", node.name)
        for path, tree in find_trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_counted(node)
    ]
    others = [f"{where}: {name}" for where, name in functions if name.strip("_").split("_")[0] not in VERBS]
    assert len(others) <= (1 - LEAST_SHARE) * len(functions), "\n".join(others)


def test_no_two_classes_have_one_name() -> None:
    names = Counter(node.name for _, tree in find_trees() for node in tree.body if isinstance(node, ast.ClassDef))
    assert [name for name, count in names.items() if count > 1] == []


def test_no_level_has_more_than_a_dozen_entries() -> None:
    """A level is what one package holds: its modules and its subpackages."""
    entries = {path.parts[: depth + 1] for path, _ in find_trees() for depth in range(1, len(path.parts))}
    levels = Counter(parts[:-1] for parts in entries if parts[-1] != "__init__.py")
    assert {"/".join(level): count for level, count in levels.items() if count > MOST_ENTRIES} == {}
