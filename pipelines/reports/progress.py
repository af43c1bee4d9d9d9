"""The terminal output of a run: one line per step and the messages of the step, without Dagster's own events."""

import logging
import time
from typing import Any

import dagster as dg

START, DONE, FAILED, CHECK = "STEP_START", "STEP_SUCCESS", "STEP_FAILURE", "ASSET_CHECK_EVALUATION"


class _ProgressFormatter(logging.Formatter):
    """Formats the start and end of steps, failed checks, and messages of assets."""

    def __init__(self) -> None:
        super().__init__()
        self.started: dict[str, float] = {}

    def format(self, record: logging.LogRecord) -> str:
        event: Any = getattr(record, "dagster_event", None)
        if event is None:
            return f"    {record.dagster_meta['orig_message']}"  # type: ignore[attr-defined] # Dagster sets it
        kind, step = event.event_type_value, event.step_key
        if kind == CHECK:
            said = event.event_specific_data
            level = "warning" if said.severity is dg.AssetCheckSeverity.WARN else "failed"
            return f"    {level}: {said.check_name.replace('_', ' ')}: no; {said.description}"
        if kind == START:
            self.started[step] = time.monotonic()
            return f"▸ {step}"
        seconds = time.monotonic() - self.started.get(step, time.monotonic())
        return f"  {'failed' if kind == FAILED else 'done'} in {seconds:.1f} s"


def _is_reported(record: logging.LogRecord) -> bool:
    event: Any = getattr(record, "dagster_event", None)
    if event is None:
        return record.levelno >= logging.INFO
    if event.event_type_value == CHECK:
        return not event.event_specific_data.passed
    return event.event_type_value in (START, DONE, FAILED)


@dg.logger(config_schema={}, description="One line per step, and its messages.")
def progress(_context: dg.InitLoggerContext) -> logging.Logger:
    """Return the console logger of this project's jobs."""
    handler = logging.StreamHandler()
    handler.setFormatter(_ProgressFormatter())
    handler.addFilter(_is_reported)
    logger = logging.getLogger("matching.progress")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.handlers = [handler]
    return logger
