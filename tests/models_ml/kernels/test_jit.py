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
CALLER = """
from models.ml.kernels.helper import add_some
from models.ml.kernels.jit import jit

@jit
def compute(number: int) -> int:
    return add_some(number)
"""
CALL = """
from models.ml.ranker.caller import compute
print(compute(10), sum(compute.stats.cache_hits.values()))
"""


@pytest.mark.parametrize("named", [False, True])
def test_a_change_is_noticed_in_a_helper_and_in_the_own_file(tmp_path: Path, named: bool) -> None:
    """A compiled function calls one of another file, in a copy of the package; the cache's folder may be named."""
    shutil.copytree(ROOT / "models", tmp_path / "models", ignore=shutil.ignore_patterns("__pycache__"))
    kernels, caller = tmp_path / "models/ml/kernels", tmp_path / "models/ml/ranker/caller.py"
    caller.write_text(CALLER, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    environment |= {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"NUMBA_CACHE_DIR": str(tmp_path / "cache")} if named else {}

    def run() -> tuple[int, int]:
        """What a new process computes, and how often it found compiled code on disk."""
        command = [sys.executable, "-c", CALL]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        result, hits = map(int, done.stdout.split())
        return result, hits

    (kernels / "helper.py").write_text(HELPER.format(added=1), encoding="utf-8")
    assert run() == (11, 0)
    kept = sorted(tmp_path.rglob("*.nbc"))
    assert kept
    assert all(path.is_relative_to(tmp_path / "cache") for path in kept) is named
    if named:
        return
    assert run() == (11, 1)
    (kernels / "helper.py").write_text(HELPER.format(added=5), encoding="utf-8")
    assert run() == (15, 0)
    assert sorted(tmp_path.rglob("*.nbc")) == kept, "old files are written over"
    caller.write_text(CALLER.replace("add_some(number)", "add_some(number) * 2"), encoding="utf-8")
    assert run() == (30, 0)
