import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.db.errors import InputError
from pipelines.loaders.csv_files import CsvRows, parse_number, parse_whole_number, read_rows
from pipelines.loaders.okcupid import read_okcupid
from pipelines.loaders.records import Source
from pipelines.loaders.speed_dating.speed_dating import read_speed_dating

BOTH = ("utf-8-sig", "mac_roman")


def read(path: Path, content: bytes, encodings: tuple[str, ...] = ("utf-8-sig",)) -> CsvRows:
    path.write_bytes(content)
    return read_rows(path, ("name", "age"), ("town",), encodings)


@pytest.mark.parametrize(
    "content",
    [
        b'age,secret,name\r\n30,x,"Zo\x8e, B"\r\n\r\n31,y,Ben\r\n',
        'age,secret,name\n30,x,"Zoé, B"\n31,y,Ben\n'.encode(),
        '\ufeffage,secret,name \n30,x,"Zoé, B"\n31,y,Ben'.encode(),
    ],
    ids=["Mac Roman, CRLF and a blank line", "UTF-8", "UTF-8 with a byte order mark, no last line end"],
)
def test_rows_are_numbered_and_hold_the_columns_asked_for(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path / "people.csv", content, BOTH).rows == [
        (1, {"name": "Zoé, B", "age": "30", "town": ""}),
        (2, {"name": "Ben", "age": "31", "town": ""}),
    ]


def test_rows_of_another_width_are_counted_and_numbered(tmp_path: Path) -> None:
    found = read(tmp_path / "people.csv", b"name,age\nAnna,30\nBen\nCleo,31,32\n" + b"x" * 1_000_000 + b",33\n")
    assert [(number, len(cells["name"])) for number, cells in found.rows] == [(1, 4), (4, 1_000_000)]
    assert found.refused == {"row with more or fewer cells than the header": 2}


def test_cells_that_stand_for_no_answer_are_counted(tmp_path: Path) -> None:
    content = b"name,age,secret,town\nNA,?,NA,none\nBen,,NA, null \nNathan,30,x,Delft\n"
    found = read(tmp_path / "people.csv", content)
    kept = [(cells["name"], cells["age"], cells["town"]) for _, cells in found.rows]
    assert kept == [("", "", ""), ("Ben", "", ""), ("Nathan", "30", "Delft")]
    assert found.no_answers == {"name": 1, "age": 1, "town": 2}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b" \r\n", "empty"),
        (b"name,age\n", "no rows"),
        (b"names,town\nAnna,Delft\n", "no column name, age"),
        ("name,age\nAnna,30\n".encode("utf-16"), "not a text file"),
        (b"name,age\nAnna,30\nZo\xeb,31\n", "line 3 has a byte 0xeb"),
        (b'name,age\nAnna,30\n"Ben,31\n', "after row 1"),
        (b'"name,age\n', "not a proper CSV file"),
    ],
)
def test_a_bad_file_is_named_with_its_fault(tmp_path: Path, content: bytes, complaint: str) -> None:
    with pytest.raises(InputError, match=rf"people\.csv .*{complaint}"):
        read(tmp_path / "people.csv", content)


@pytest.mark.parametrize(
    ("reader", "column"), [(read_okcupid, "height, income"), (read_speed_dating, "iid, gender, wave, pid")]
)
def test_the_file_of_another_source_is_refused(tmp_path: Path, reader: Callable[[Path], Source], column: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text("age,sex,orientation\n30,f,gay\n")
    with pytest.raises(InputError, match=f"it has no column {column}"):
        reader(path)


def test_a_path_without_a_readable_file_is_named(tmp_path: Path) -> None:
    for path, fault in ((tmp_path / "nowhere.csv", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InputError, match=f"{path} cannot be read: {fault}"):
            read_rows(path, (), (), BOTH)


def test_a_zip_archive_must_hold_one_readable_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "people.zip"
    with pytest.raises(InputError, match=r"people\.zip cannot be unpacked"):
        read(path, b"name,age\nAnna,30\n")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("people.csv", "name,age\n" + "Anna,30\n" * 1000)
        archive.writestr("__MACOSX/._people.csv", "\0")
    content = path.read_bytes()
    assert read(path, content).rows[-1] == (1000, {"name": "Anna", "age": "30", "town": ""})
    with pytest.raises(InputError, match="cannot be unpacked"):
        read(path, content[:44] + b"\xff" * 40 + content[84:])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("b.csv", "")
    with pytest.raises(InputError, match="holds 2"):
        read(path, path.read_bytes())


@given(st.floats(-1e12, 1e12).map(lambda value: round(value, 2)))
def test_thousands_separators_do_not_change_a_number(value: float) -> None:
    assert parse_number(f" {value:,.2f} ") == value


def test_cells_that_are_not_numbers() -> None:
    assert {parse_number(cell) for cell in ("", " ", "NA", "NaN", "?", "<NA>", "#N/A", "null", "none", "-")} == {None}
    assert [parse_whole_number(cell) for cell in ("11", "11.0", "1,001", "-1")] == [11, 11, 1001, -1]
    assert {parse_whole_number(cell) for cell in ("", "11.5", "x", "inf", "1e999", "--1")} == {None}
    for cell in ("x", "-inf", "1e999"):
        with pytest.raises(ValueError, match=r"."):
            parse_number(cell)
