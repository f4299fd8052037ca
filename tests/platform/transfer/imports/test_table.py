"""Files as programs really write them: encodings, line ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from cqrs_app.platform.transfer.imports.formats import Format, whole
from cqrs_app.platform.transfer.imports.source import BadFile
from cqrs_app.platform.transfer.imports.table import Table, open_table
from tests.platform.transfer.imports.reading import limited


def table_of(folder: Path, content: bytes, given: str | None = None) -> Table:
    path = folder / "some.csv"
    path.write_bytes(content)
    return open_table(path, ("id",), given=Format(encoding=given))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_header_may_have_letters_outside_of_ascii(tmp_path: Path, encoding: str) -> None:
    table = table_of(tmp_path, "id,Größe\n1,für\n".encode(encoding))
    assert table.header == ("id", "Größe")
    assert [row.values for row in table.rows()] == [("1", "für")]


def test_the_encoding_that_was_given_counts_from_the_first_line(tmp_path: Path) -> None:
    table = table_of(tmp_path, "id,Größe\n1,5 €\n".encode("iso-8859-15"), "iso-8859-15")
    assert table.header == ("id", "Größe")
    assert [row.values for row in table.rows()] == [("1", "5 €")]


def test_a_line_end_within_a_line_costs_that_line_alone(tmp_path: Path) -> None:
    table = table_of(tmp_path, b"id,name\n1\r2,a\n3,b\n")
    broken, whole_row = table.rows()
    assert (broken.line, broken.problem.split(":")[0]) == (2, "A line end is in the wrong place")
    assert (whole_row.line, whole_row.values, whole_row.problem) == (3, ("3", "b"), "")


@pytest.mark.parametrize(
    ("content", "given"),
    [(b"id,name\r1,a\r", None), ("id,name\n".encode("utf-16-le"), "utf-16")],
    ids=["carriage returns only", "UTF-16 without a byte order mark"],
)
def test_a_file_that_cannot_be_read_gets_a_sentence(
    tmp_path: Path, content: bytes, given: str | None
) -> None:
    with pytest.raises(BadFile, match="Nothing was imported"):
        table_of(tmp_path, content, given)


def test_a_number_of_thousands_of_digits_is_no_whole_number() -> None:
    with pytest.raises(ValueError, match="This is not a whole number"):
        whole("9" * 5_000)


def test_as_many_rows_and_bytes_as_allowed_are_read_and_not_one_more(tmp_path: Path) -> None:
    content = b"id\n1\n\n2\n3\n"
    with limited(rows=3, unpacked_bytes=len(content)):
        rows = [row.values for row in table_of(tmp_path, content).rows()]
    assert rows == [("1",), ("2",), ("3",)]
    with (
        limited(rows=2, unpacked_bytes=len(content)),
        pytest.raises(BadFile, match="more than 2 rows"),
    ):
        list(table_of(tmp_path, content).rows())
    with (
        limited(rows=3, unpacked_bytes=len(content) - 1),
        pytest.raises(BadFile, match="is larger than"),
    ):
        list(table_of(tmp_path, content).rows())
