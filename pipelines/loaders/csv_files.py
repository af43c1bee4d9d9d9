"""Read an external CSV file, plain or zipped, with one-line errors for files that cannot be read."""

import csv
import html
import io
import math
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from models.db.errors import InputError
from models.ml.profiles.no_answers import is_no_answer

MAX_CELL_LENGTH = (
    10_000_000  # characters; the loaders refuse a person with a long answer, so the file must not fail on it
)


@dataclass(frozen=True)
class CsvRows:
    """The data rows of a CSV file."""

    rows: list[tuple[int, dict[str, str]]]
    """Row number from 1, refused rows included, and cell by column."""
    refused: Counter[str]
    """Rows that are left out, by reason."""
    no_answers: Counter[str]
    """Cells that stand for no answer, such as `NA`, by column. In `rows` they are blank."""


def read_rows(path: Path, required: Collection[str], optional: Collection[str], encodings: Collection[str]) -> CsvRows:
    """Read the data rows of a CSV file, with only the requested columns.

    Rows with more or fewer cells than the header are refused.

    Args:
        path: A CSV file, or a zip archive that holds one.
        required: Columns that the file must have.
        optional: Columns that are blank in every row if the file lacks them.
        encodings: The encodings to try, in order; the first that can decode the file is used.

    Raises:
        InputError: The file is missing, is not text, is empty, lacks required columns or has a quote that is not
            closed.
    """
    csv.field_size_limit(MAX_CELL_LENGTH)
    reader = csv.reader(io.StringIO(_decode_file(path, encodings), newline=""), strict=True)
    header = _read_header(path, reader)
    missing = [name for name in required if name not in header]
    if missing:
        raise InputError(f"{path} is not the file expected: it has no column {', '.join(missing)}")
    places = {name: header.index(name) for name in (*required, *optional) if name in header}
    content = _read_content_rows(path, reader)
    rows, no_answers = [], Counter[str]()
    for number, row in enumerate(content, start=1):
        if len(row) == len(header):
            cells = {name: row[place] for name, place in places.items()}
            blank = [name for name, cell in cells.items() if is_blank(cell)]
            no_answers.update(name for name in blank if cells[name].strip())
            rows.append((number, dict.fromkeys(optional, "") | cells | dict.fromkeys(blank, "")))
    refused = Counter({"row with more or fewer cells than the header": len(content) - len(rows)})
    return CsvRows(rows, +refused, no_answers)


def is_blank(cell: str) -> bool:
    """Return whether a cell of a file gives no answer. In files, `none` in any case is no answer either."""
    return is_no_answer(html.unescape(cell)) or cell.strip().casefold() == "none"


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


def _read_content_rows(path: Path, reader: Iterator[list[str]]) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        rows.extend(filter(None, reader))
    except csv.Error as error:
        raise InputError(f"{path} is not a proper CSV file after row {len(rows)}: {error}") from error
    if not rows:
        raise InputError(f"{path} has a header but no rows")
    return rows


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
