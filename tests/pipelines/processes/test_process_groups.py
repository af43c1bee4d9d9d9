"""What a killed process started ends, even if it ignores that it is asked to."""

import subprocess
import sys

import psutil

from models.db.schema.migrations import ROOT

STUBBORN = """
import subprocess, time
from pipelines.processes.process_groups import end_with_this_process

script = "trap '' TERM; echo deaf; while :; do sleep 1; done"
child = subprocess.Popen(["/bin/sh", "-c", script], start_new_session=True, stdout=subprocess.PIPE, text=True)
assert child.stdout.readline() == "deaf\\n"
with end_with_this_process(child.pid, seconds=0.5):
    print(child.pid, flush=True)
    time.sleep(600)
"""


def test_a_child_that_ignores_its_end_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True, cwd=ROOT) as killed:
        assert killed.stdout is not None
        child = psutil.Process(int(killed.stdout.readline()))
        killed.kill()
    alive = psutil.wait_procs([child], timeout=60)[1]
    for process in alive:
        process.kill()
    assert alive == []
