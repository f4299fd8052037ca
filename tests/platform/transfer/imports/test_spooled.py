"""Rows of a file on disk: by document, in order, in bounded memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from cqrs_app.platform.transfer.imports import gathered
from cqrs_app.platform.transfer.imports.documents import Taken
from cqrs_app.platform.transfer.imports.formats import DETECTED
from cqrs_app.platform.transfer.imports.profiles.online_retail import HEADER, PROFILE
from cqrs_app.platform.transfer.imports.set_aside import SetAside, SetAsideRows
from cqrs_app.platform.transfer.imports.source import SourceRow
from cqrs_app.platform.transfer.imports.spooled import SpooledList, SpooledRows
from tests.platform.transfer.imports.reading import read_by

ROW = ("MUG", "Mug", "1", "2026-03-01 09:30:00", "12.50", "C1", "France")


def row(line: int) -> SourceRow:
    return SourceRow("day.csv", line, (f"text {line}", "é"))


def spooled(*numbers: str) -> SpooledRows:
    rows = SpooledRows()
    for line, number in enumerate(numbers, start=2):
        rows.add(number, row(line), f"hint {line}")
    return rows


def lines_of(rows: SpooledRows) -> list[tuple[str, int, list[int]]]:
    return [
        (number, size, [each.line for each, _ in found]) for number, size, found in rows.documents()
    ]


def test_scattered_rows_of_a_document_come_together_in_the_order_of_first_rows() -> None:
    rows = spooled("a", "b", "a", "a", "c", "b")
    assert lines_of(rows) == [("a", 3, [2, 4, 5]), ("b", 2, [3, 7]), ("c", 1, [6])]
    assert len(rows) == 3
    [_, (_, _, found), _] = list(rows.documents())
    assert list(found) == [(row(3), "hint 3"), (row(7), "hint 7")]


def test_a_row_without_a_number_stands_for_itself() -> None:
    rows = spooled("", "", "a", "")
    assert lines_of(rows) == [("", 1, [2]), ("", 1, [3]), ("a", 1, [4]), ("", 1, [5])]
    assert len(rows) == 4


def test_a_document_in_which_the_rows_end_is_left_out_unless_it_is_the_only_one() -> None:
    rows = spooled("a", "a", "b")
    rows.cut("b")
    assert lines_of(rows) == [("a", 2, [2, 3])]
    assert len(rows) == 1
    alone = spooled("a", "a")
    alone.cut("a")
    assert lines_of(alone) == [("a", 2, [2, 3])]


def test_rows_set_aside_are_in_the_order_of_the_file_with_the_sentence_of_their_reason() -> None:
    found = [SetAside(row(line), "late", column=str(line % 2)) for line in (5, 3, 4)]
    rows = SetAsideRows([*found, SetAside(row(2), "odd", "Its own.")])
    rows.explain({"late": "It came late.", "odd": "It is odd."})
    assert [(each.row.line, each.sentence) for each in rows] == [
        (2, "Its own."),
        (3, "It came late."),
        (4, "It came late."),
        (5, "It came late."),
    ]
    assert rows.by_reason() == {"late": 3, "odd": 1}
    assert [each.row.line for each in rows.examples(10)] == [2, 3, 4]
    assert [each.row.line for each in rows.examples(1)] == [2]


def test_a_list_on_disk_comes_back_in_pieces() -> None:
    taken = SpooledList(Taken)
    every = [Taken("order", str(number), "", 2, 1) for number in range(5)]
    for each in every:
        taken.append(each)
    assert list(taken.chunks(2)) == [every[:2], every[2:4], every[4:]]


def written(path: Path, numbers: list[str]) -> Path:
    text = "".join(f"{','.join((number, *ROW))}\n" for number in numbers)
    path.write_text(f"{','.join(HEADER)}\n{text}")
    return path


def test_a_document_of_too_many_rows_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathered, "MOST_ROWS", 2)
    read = read_by(PROFILE)(
        written(tmp_path / "some.csv", ["900001", "900002", "900001", "900001"])
    )
    assert [each.key for each in read.documents] == ["900002"]
    assert {each.sentence for each in read.set_aside} == {
        "The document 900001 has more than 2 rows."
    }
    assert [each.row.line for each in read.set_aside] == [2, 4, 5]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        # Each document has a row at the beginning of the file, and one at its end.
        numbers = [str(900_000 + number) for number in range(count)]
        path = written(tmp_path / "some.csv", [*numbers, *numbers])
        del numbers
        tracemalloc.start()
        contents = PROFILE.read(path, DETECTED)
        assert sum(1 for _ in contents.documents) == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100)
    assert peak(4_000) < 1.5 * peak(1_500)
