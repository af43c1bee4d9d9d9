"""The bar under the lines of a run on a terminal: the step, its number, and the elapsed and expected time."""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import dagster as dg
from rich.console import Console
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pipelines.reports.progress import build_progress_logger, get_event, progress
from pipelines.reports.terminal.durations import format_duration

REFRESHES_PER_SECOND = 4
# So that the line of a run of hours fits into 80 columns.
BAR_WIDTH, NAME_WIDTH = 16, 22
STYLES = (
    ("▸", "bold cyan"),
    ("  done", "green"),
    ("  failed", "bold red"),
    ("    failed", "red"),
    ("    warn", "yellow"),
)


@dataclass(frozen=True)
class RunState:
    """How far a run is. Times are seconds of one clock."""

    started: float
    planned: frozenset[str] = frozenset()
    """The keys of all steps; empty until Dagster has planned them."""
    expected: Mapping[str, float] = field(default_factory=dict)
    """Seconds that each step is expected to take, where that is known."""
    ended: frozenset[str] = frozenset()
    step: str | None = None
    """The step that is running."""
    step_started: float = 0.0


# The steps that a run plans, and the seconds that each is expected to take.
ReadPlan = Callable[[], tuple[frozenset[str], Mapping[str, float]]]


def estimate_total(state: RunState, now: float) -> float | None:
    """Estimate the seconds of the whole run: those elapsed, and those that the other steps are expected to take.

    Returns:
        The estimate; None if the time of a planned step is not known.
    """
    if not state.planned or state.planned - state.expected.keys():
        return None
    left = sum(state.expected[step] for step in state.planned - state.ended - {state.step})
    if state.step is not None:
        left += max(state.expected.get(state.step, 0) - (now - state.step_started), 0)
    return now - state.started + left


def draw_bar(state: RunState, now: float) -> Table:
    """Draw the bar: by time where that is expected, else by the number of completed steps."""
    elapsed, total, steps = now - state.started, estimate_total(state, now), len(state.planned)
    number = f"step {min(len(state.ended) + 1, steps)} of {steps}" if steps else "starting"
    filled = elapsed / total if total else len(state.ended) / max(steps, 1)
    clock = format_duration(elapsed) + (f" of about {format_duration(total)}" if total else "")
    name = Text(state.step or "", "cyan")
    name.truncate(NAME_WIDTH, overflow="ellipsis")
    row = Table.grid(padding=(0, 1))
    for _ in range(4):
        row.add_column(no_wrap=True)
    row.add_row(number, ProgressBar(1, filled, BAR_WIDTH), clock, name)
    return row


class RunBar(logging.Handler):
    """Prints the lines of a run above its bar, in colour."""

    def __init__(self, console: Console, read_plan: ReadPlan) -> None:
        super().__init__()
        self.console = console
        self.read_plan = read_plan
        self.state = RunState(time.monotonic())

    def emit(self, record: logging.LogRecord) -> None:
        """Print the line of a record, and advance the bar."""
        line = self.format(record)
        style = next((style for begin, style in STYLES if line.startswith(begin)), "")
        said = line.lstrip()
        self.console.print(Padding(Text(said, style), (0, 0, 0, len(line) - len(said))))
        event = get_event(record)
        if event is not None:
            self._advance(event)

    def draw(self) -> Table:
        """Draw the bar as of now."""
        return draw_bar(self.state, time.monotonic())

    def _advance(self, event: dg.DagsterEvent) -> None:
        if not self.state.planned:
            planned, expected = self.read_plan()
            self.state = replace(self.state, planned=planned, expected=expected)
        if event.is_step_start:
            self.state = replace(self.state, step=event.step_key, step_started=time.monotonic())
        elif event.is_step_success or event.is_step_failure:
            self.state = replace(self.state, ended=self.state.ended | {str(event.step_key)}, step=None)


@contextmanager
def open_progress(read_plan: ReadPlan) -> Iterator[dg.LoggerDefinition]:
    """Yield the logger of a run: with a bar and colours if stderr is a terminal, plain lines elsewhere."""
    if not (sys.stderr.isatty() and Console(stderr=True).is_interactive):
        yield progress
        return
    # Dagster redirects the standard streams into files for as long as it executes steps.
    with os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8") as terminal:
        bar = RunBar(Console(file=terminal, force_terminal=True, highlight=False), read_plan)
        with Live(
            console=bar.console, get_renderable=bar.draw, refresh_per_second=REFRESHES_PER_SECOND, transient=True
        ):
            yield build_progress_logger(lambda: bar)
