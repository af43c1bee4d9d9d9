"""The cache of compiled functions: what is kept on disk is used again, until a file that it depends on changes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.db.schema.migrations import ROOT

HELPER = """
from models.ml.kernels.jit import jit

@jit
def add_some(number: int) -> int:
    return number + {added}
"""
BETWEEN = """
from models.ml.kernels.helper import add_some
from models.ml.kernels.jit import jit

@jit
def add_twice(number: int) -> int:
    return add_some(add_some(number))
"""
CALLER = """
from models.ml.kernels.between import add_twice
from models.ml.kernels.jit import jit

@jit
def compute(number: int) -> int:
    return add_twice(number)
"""
CALL = """
from models.ml.ranker.caller import compute
print(compute(10), sum(compute.stats.cache_hits.values()))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package in which compiled functions of three files call each other."""
    shutil.copytree(ROOT / "models", tmp_path / "models", ignore=shutil.ignore_patterns("__pycache__"))
    ml = tmp_path / "models" / "ml"
    (ml / "kernels" / "helper.py").write_text(HELPER.format(added=1), encoding="utf-8")
    (ml / "kernels" / "between.py").write_text(BETWEEN, encoding="utf-8")
    (ml / "ranker" / "caller.py").write_text(CALLER, encoding="utf-8")
    return tmp_path


def run(package: Path, **variables: str) -> tuple[int, int]:
    """What a new process computes, and how often it found compiled code on disk."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    environment |= {"PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"} | variables
    done = subprocess.run(
        [sys.executable, "-c", CALL], cwd=package, env=environment, capture_output=True, text=True, check=True
    )
    result, hits = map(int, done.stdout.split())
    return result, hits


@pytest.mark.parametrize("named", [False, True])
def test_a_change_of_a_helper_in_another_file_is_noticed(package: Path, named: bool) -> None:
    variables = {"NUMBA_CACHE_DIR": str(package / "cache")} if named else {}
    assert [run(package, **variables), run(package, **variables)] == [(12, 0), (12, 1)]
    kept = sorted(package.rglob("*.nbc"))
    assert all(path.is_relative_to(package / "cache") for path in kept) is named
    (package / "models" / "ml" / "kernels" / "helper.py").write_text(HELPER.format(added=5), encoding="utf-8")
    assert [run(package, **variables), run(package, **variables)] == [(20, 0), (20, 1)]
    assert sorted(package.rglob("*.nbc")) == kept, "old files are written over"


def test_a_change_of_the_functions_own_file_is_noticed(package: Path) -> None:
    assert run(package) == (12, 0)
    caller = package / "models" / "ml" / "ranker" / "caller.py"
    caller.write_text(CALLER.replace("add_twice(number)", "add_twice(number) * 2"), encoding="utf-8")
    assert [run(package), run(package)] == [(24, 0), (24, 1)]
