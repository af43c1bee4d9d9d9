"""Read an external CSV file, plain or zipped, with one-line errors for files that cannot be read."""

import csv
import html
import io
import math
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from models.db.errors import InputError
from models.ml.profiles.no_answers import is_no_answer

MAX_CELL_LENGTH = (
    10_000_000  # characters; the loaders refuse a person with a long answer, so the file must not fail on it
)


def read_rows(
    path: Path,
    required: Collection[str],
    optional: Collection[str],
    encodings: Collection[str],
    refused: Counter[str],
    no_answers: Counter[str],
) -> Iterator[tuple[int, dict[str, str]]]:
    """Read the data rows of a CSV file, with only the requested columns.

    A cell that stands for no answer, such as `NA`, becomes blank.

    Args:
        path: A CSV file, or a zip archive that holds one.
        required: Columns that the file must have.
        optional: Columns that are blank in every row if the file lacks them.
        encodings: The encodings to try, in order; the first that can decode the file is used.
        refused: Counts rows with more or fewer cells than the header.
        no_answers: Counts cells that stand for no answer, by column.

    Returns:
        An iterator of (row number from 1, cell by column).

    Raises:
        InputError: At once, if the file is missing, is not text, is empty or lacks required columns. While iterating,
            if a quote is not closed.
    """
    csv.field_size_limit(MAX_CELL_LENGTH)
    reader = csv.reader(io.StringIO(_decode_file(path, encodings), newline=""), strict=True)
    header = _read_header(path, reader)
    missing = [name for name in required if name not in header]
    if missing:
        raise InputError(f"{path} is not the file expected: it has no column {', '.join(missing)}")
    places = {name: header.index(name) for name in (*required, *optional) if name in header}
    blank = dict.fromkeys(optional, "")
    complete = _filter_complete(path, reader, len(header), refused)
    return (
        (number, blank | {name: _replace_no_answer(name, row[place], no_answers) for name, place in places.items()})
        for number, row in complete
    )


def is_blank(cell: str) -> bool:
    """Return whether a cell of a file gives no answer. In files, `none` in any case is no answer either."""
    return is_no_answer(html.unescape(cell)) or cell.strip().casefold() == "none"


def _replace_no_answer(column: str, cell: str, no_answers: Counter[str]) -> str:
    if not is_blank(cell):
        return cell
    if cell.strip():
        no_answers[column] += 1
    return ""


def parse_number(cell: str) -> float | None:
    """Parse a cell as a number, with optional thousands separators; return None if it is blank.

    Raises:
        ValueError: The cell is not a finite number.
    """
    if is_blank(cell):
        return None
    digits = cell.strip().replace(",", "")
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(digits)
    return value


def parse_whole_number(cell: str) -> int | None:
    """Parse a cell as a whole number, `11` or `11.0`; return None if it is anything else."""
    try:
        value = parse_number(cell)
    except ValueError:
        return None
    return int(value) if value is not None and value.is_integer() else None


def _read_header(path: Path, reader: Iterator[list[str]]) -> list[str]:
    try:
        return [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise InputError(f"{path} is not a proper CSV file: {error}") from error


def _filter_complete(
    path: Path, reader: Iterator[list[str]], width: int, refused: Counter[str]
) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        for number, row in enumerate(filter(None, reader), start=1):
            if len(row) == width:
                yield number, row
            else:
                refused["row with more or fewer cells than the header"] += 1
    except csv.Error as error:
        raise InputError(f"{path} is not a proper CSV file after row {number}: {error}") from error
    if number == 0:
        raise InputError(f"{path} has a header but no rows")


def _decode_file(path: Path, encodings: Collection[str]) -> str:
    content = _read_content(path)
    if not content.strip():
        raise InputError(f"{path} is empty")
    if b"\0" in content.partition(b"\n")[0]:
        raise InputError(f"{path} is not a text file; save it as CSV in {' or '.join(encodings)}")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            failure = error
    line = content.count(b"\n", 0, failure.start) + 1
    raise InputError(f"{path} is not {' or '.join(encodings)}: line {line} has a byte {content[failure.start]:#04x}")


def _read_content(path: Path) -> bytes:
    try:
        if path.suffix.lower() != ".zip":
            return path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv") and "__MACOSX" not in name]
            if len(names) != 1:
                raise InputError(f"{path} should hold one CSV file, and holds {len(names)}")
            return archive.read(names[0])
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (zipfile.BadZipFile, EOFError, RuntimeError, zlib.error) as error:
        raise InputError(f"{path} cannot be unpacked: {error}") from error
