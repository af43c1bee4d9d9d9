import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.db.errors import InputError
from pipelines.loaders.csv_files import parse_number, parse_whole_number, read_rows


def read(path: Path, encodings: tuple[str, ...] = ("utf-8-sig", "mac_roman")) -> list[tuple[int, dict[str, str]]]:
    return read_rows(path, ("name", "age"), ("town",), encodings).rows


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


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
    assert read(write(tmp_path / "people.csv", content)) == [
        (1, {"name": "Zoé, B", "age": "30", "town": ""}),
        (2, {"name": "Ben", "age": "31", "town": ""}),
    ]


def test_a_zip_archive_is_read_like_the_file_in_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "people.zip", "w") as archive:
        archive.writestr("people.csv", "name,age\nAnna,30\n")
        archive.writestr("__MACOSX/._people.csv", "\0")
    assert read(tmp_path / "people.zip") == [(1, {"name": "Anna", "age": "30", "town": ""})]


def test_rows_of_another_width_are_counted_and_keep_their_number(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", b"name,age\nAnna,30\nBen\nCleo,31,32\nDina,33\n")
    found = read_rows(path, ("name", "age"), (), ("utf-8",))
    assert [(place, cells["name"]) for place, cells in found.rows] == [(1, "Anna"), (4, "Dina")]
    assert found.refused == {"row with more or fewer cells than the header": 2}


def test_cells_that_stand_for_no_answer_are_blank_and_counted_by_column(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", b"name,age,secret,town\nNA,?,NA,none\nBen,,NA, null \nNathan,30,x,Delft\n")
    found = read_rows(path, ("name", "age"), ("town",), ("utf-8",))
    kept = [cells for _, cells in found.rows]
    assert kept[:2] == [{"name": "", "age": "", "town": ""}, {"name": "Ben", "age": "", "town": ""}]
    assert kept[2] == {"name": "Nathan", "age": "30", "town": "Delft"}
    assert found.no_answers == {"name": 1, "age": 1, "town": 2}


def test_a_cell_of_a_megabyte_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", b"name,age\n" + b"x" * 1_000_000 + b",30\n")
    assert len(read(path)[0][1]["name"]) == 1_000_000


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b" \r\n", "is empty"),
        (b"name,age\n", "has a header but no rows"),
        (b"names,town\nAnna,Delft\n", "is not the file expected: it has no column name, age"),
        ("name,age\nAnna,30\n".encode("utf-16"), "is not a text file; save it as CSV in utf-8-sig"),
        (b"name,age\nAnna,30\nZo\xeb,31\n", "is not utf-8-sig: line 3 has a byte 0xeb"),
        (b'name,age\nAnna,30\n"Ben,31\n', "is not a proper CSV file after row 1: unexpected end of data"),
        (b'"name,age\n', "is not a proper CSV file: unexpected end of data"),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = write(tmp_path / "people.csv", content)
    with pytest.raises(InputError) as caught:
        read(path, ("utf-8-sig",))
    assert str(caught.value) == f"{path} {complaint}"


def test_a_path_without_a_readable_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv cannot be read: No such file or directory$"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match=r"cannot be read: Is a directory$"):
        read(tmp_path)
    with pytest.raises(InputError, match=r"people\.zip cannot be unpacked: File is not a zip file$"):
        read(write(tmp_path / "people.zip", b"name,age\nAnna,30\n"))


def test_an_archive_without_exactly_one_csv_file_or_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "name,age\nAnna,30\n" * 1000)
    whole_archive = bytearray(path.read_bytes())
    whole_archive[40:80] = b"\xff" * 40
    path.write_bytes(whole_archive)
    with pytest.raises(InputError, match="cannot be unpacked"):
        read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "")
        archive.writestr("b.csv", "")
    with pytest.raises(InputError, match="should hold one CSV file, and holds 2"):
        read(path)


@given(st.floats(-1e12, 1e12).map(lambda value: round(value, 2)))
def test_thousands_separators_do_not_change_a_number(value: float) -> None:
    assert parse_number(f" {value:,.2f} ") == value


def test_cells_that_are_not_numbers() -> None:
    assert [
        parse_number(cell) for cell in ("", " ", "NA", "NaN", "?", "<NA>", "#N/A", "null", "None", "none", "-")
    ] == [None] * 11
    assert [parse_whole_number(cell) for cell in ("11", "11.0", "1,001", "-1")] == [11, 11, 1001, -1]
    assert [parse_whole_number(cell) for cell in ("", "11.5", "x", "inf", "1e999", "--1")] == [None] * 6
    for cell in ("x", "inf", "-inf", "1e999", "12 years"):
        with pytest.raises(ValueError, match=r"."):
            parse_number(cell)
