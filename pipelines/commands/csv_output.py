"""CSV files that a command writes."""

from pathlib import Path

import pandas as pd

from models.db.errors import InputError


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as CSV, atomically.

    Raises:
        InputError: The path cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.part")
    try:
        frame.to_csv(unfinished, index=False, float_format="%.6g")
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise InputError(f"{path} cannot be written: {error.strerror}") from error
