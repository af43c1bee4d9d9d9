"""The terminal output of a run: one line per step and the messages of the step, without Dagster's own events."""

import logging
import time
from collections.abc import Callable

import dagster as dg


class ProgressFormatter(logging.Formatter):
    """Formats the start and end of steps, failed checks, and messages of assets."""

    def __init__(self) -> None:
        super().__init__()
        self.started: dict[str | None, float] = {}

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        event = get_event(record)
        if event is None:
            return f"    {record.dagster_meta['orig_message']}"  # type: ignore[attr-defined] # Dagster sets it
        check, step = event.event_specific_data, event.step_key
        if isinstance(check, dg.AssetCheckEvaluation):
            level = "warning" if check.severity is dg.AssetCheckSeverity.WARN else "failed"
            judged = "judged" not in check.metadata or check.metadata["judged"].value
            return f"    {level}: {check.check_name.replace('_', ' ')}: {'no; ' if judged else ''}{check.description}"
        if event.is_step_start:
            self.started[step] = time.monotonic()
            return f"▸ {step}"
        seconds = time.monotonic() - self.started.get(step, time.monotonic())
        return f"  {'failed' if event.is_step_failure else 'done'} in {seconds:.1f} s"


def _is_reported(record: logging.LogRecord) -> bool:
    event = get_event(record)
    if event is None:
        return record.levelno >= logging.INFO
    if isinstance(event.event_specific_data, dg.AssetCheckEvaluation):
        return not event.event_specific_data.passed
    return event.is_step_start or event.is_step_success or event.is_step_failure


def get_event(record: logging.LogRecord) -> dg.DagsterEvent | None:
    """Return the event that Dagster logs with this record; None for a message of an asset."""
    event: dg.DagsterEvent | None = getattr(record, "dagster_event", None)
    return event


def build_progress_logger(make_handler: Callable[[], logging.Handler]) -> dg.LoggerDefinition:
    """Build a logger that gives the handler what a run reports, formatted as lines."""

    @dg.logger(config_schema={}, description="One line per step, and its messages.")
    def report_progress(_context: dg.InitLoggerContext) -> logging.Logger:
        handler = make_handler()
        handler.setFormatter(ProgressFormatter())
        handler.addFilter(_is_reported)
        logger = logging.getLogger("matching.progress")
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        logger.handlers = [handler]
        return logger

    return report_progress


# The console logger of this project's jobs. `StreamHandler` takes the stderr of the moment at which a run starts.
progress = build_progress_logger(logging.StreamHandler)
