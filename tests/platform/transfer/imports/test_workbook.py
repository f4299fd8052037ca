"""Workbooks: read like CSV files of their sheets, within limits."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference

from cqrs_app.platform.transfer.imports.formats import Format
from cqrs_app.platform.transfer.imports.profiles.online_retail import HEADER, PROFILE
from cqrs_app.platform.transfer.imports.source import BadFile
from cqrs_app.platform.transfer.imports.table import read_header
from cqrs_app.platform.transfer.imports.workbook import sheet_rows
from tests.platform.transfer.imports.reading import read_by

AT = datetime(2026, 3, 1, 9, 30)  # noqa: DTZ001 - cells have no zone
GOOD = (900001, "MUG", "mug", 2, AT, 12.5, "C1", "France")


def workbook(path: Path, sheets: dict[str, Sequence[Sequence[Any]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def changed(path: Path, name: str, change: Any) -> Path:
    """The workbook with one file of its archive changed."""
    with zipfile.ZipFile(path) as archive:
        files = {each: archive.read(each) for each in archive.namelist()}
    files[name] = change(files[name])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, content in files.items():
            archive.writestr(each, content)
    return path


def test_numbers_and_dates_of_cells_are_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "march.xlsx", {"Orders": [HEADER, GOOD]})
    contents = read_by(PROFILE)(path, Format())
    [document] = contents.documents
    placed: Any = document.steps[0].command
    assert document.steps[0].at == AT.replace(tzinfo=UTC)
    assert (document.key, placed.lines[0].unit_price) == ("900001", Decimal("12.5"))
    assert contents.files["march.xlsx"].format.as_json() == {
        "sheet": "Orders",
        "decimal": "point",
        "dates": "iso",
    }


def test_the_sheet_with_the_columns_is_found_and_can_be_given(tmp_path: Path) -> None:
    other = (900002, *GOOD[1:])
    sheets = {"About": [("Made by",), ("Ana",)], "May": [HEADER, GOOD], "June": [HEADER, other]}
    path = workbook(tmp_path / "orders.xlsx", sheets)
    assert [each.key for each in read_by(PROFILE)(path, Format()).documents] == ["900001"]
    found = read_by(PROFILE)(path, Format(sheet="June")).documents
    assert [each.key for each in found] == ["900002"]
    with pytest.raises(BadFile, match=r"no sheet July\. It has About, May, June"):
        read_by(PROFILE)(path, Format(sheet="July"))


def test_a_workbook_is_not_opened_once_per_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workbook(tmp_path / "year.xlsx", {str(each): [HEADER, GOOD] for each in range(12)})
    opened, load = [], openpyxl.load_workbook

    def counting(*given: Any, **options: Any) -> Any:
        opened.append(given)
        return load(*given, **options)

    monkeypatch.setattr(openpyxl, "load_workbook", counting)
    assert read_header(path, HEADER).format.sheet == "0"
    assert len(opened) == 1


def test_blank_rows_are_no_rows_and_lines_are_those_of_the_sheet(tmp_path: Path) -> None:
    broken = (900002, "MUG", "mug", 1.5, *GOOD[4:])
    rows = [(), HEADER, (), GOOD, (None, " "), broken, (900003, *GOOD[1:], "more")]
    contents = read_by(PROFILE)(workbook(tmp_path / "some.xlsx", {"A": rows}), Format())
    assert (contents.rows, [each.row.line for each in contents.set_aside]) == (3, [6, 7])
    assert [each.sentence for each in contents.set_aside] == [
        "This is not a whole number.",
        "The row has 9 values; the header has 8.",
    ]


def test_a_formula_is_the_value_that_was_saved_with_it(tmp_path: Path) -> None:
    path = workbook(tmp_path / "some.xlsx", {"A": [HEADER, (*GOOD[:5], "=5*2.5", *GOOD[6:])]})
    changed(
        path,
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"<v></v>", b"<v>12.5</v>").replace(b"<v />", b"<v>12.5</v>"),
    )
    [document] = read_by(PROFILE)(path, Format()).documents
    placed: Any = document.steps[0].command
    assert placed.lines[0].unit_price == Decimal("12.5")


def test_a_number_has_the_digits_that_the_sheet_shows(tmp_path: Path) -> None:
    row = (*GOOD[:5], 0.1 + 0.2, *GOOD[6:])
    [document] = read_by(PROFILE)(
        workbook(tmp_path / "a.xlsx", {"A": [HEADER, row]}), Format()
    ).documents
    placed: Any = document.steps[0].command
    assert placed.lines[0].unit_price == Decimal("0.3")


def test_a_date_may_have_no_time(tmp_path: Path) -> None:
    row = (*GOOD[:4], date(2026, 3, 1), *GOOD[5:])
    [document] = read_by(PROFILE)(
        workbook(tmp_path / "a.xlsx", {"A": [HEADER, row]}), Format()
    ).documents
    assert document.steps[0].at == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "is an .xls workbook of Excel 97"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "is protected with a password",
        ),
        ({"content.xml": "", "mimetype": ""}, "is an OpenDocument workbook"),
        ({"xl/workbook.bin": ""}, "is an .xlsb workbook"),
        ({"Index/Document.iwa": ""}, "is a Numbers workbook"),
        ({"orders.csv": ""}, "is a .zip archive without a workbook"),
        ({"xl/workbook.xml": "<nonsense"}, "cannot be read as a workbook"),
        (b"PK\x03\x04 cut off", "cannot be read"),
    ],
)
def test_a_workbook_of_another_kind_gets_its_sentence(
    tmp_path: Path, content: bytes | dict[str, str], sentence: str
) -> None:
    path = tmp_path / "orders.xlsx"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in content.items():
                archive.writestr(name, text)
    with pytest.raises(BadFile, match=sentence) as refused:
        read_by(PROFILE)(path, Format())
    assert str(refused.value).endswith("Nothing was imported.")


def test_an_archive_that_is_none_gets_a_sentence(tmp_path: Path) -> None:
    good = workbook(tmp_path / "good.xlsx", {"A": [HEADER, GOOD]}).read_bytes()
    entry = good.index(b"PK\x01\x02")
    version = good[: entry + 6] + b"\xff\0" + good[entry + 8 :]
    # The flag says that the name is UTF-8, which this is not.
    name = good[: entry + 8] + b"\0\x08" + good[entry + 10 : entry + 46] + b"\xff"
    for content in (version, name + good[entry + 47 :]):
        path = tmp_path / "orders.xlsx"
        path.write_bytes(content)
        with pytest.raises(BadFile, match=r"cannot be read: .* Nothing was imported\."):
            read_by(PROFILE)(path, Format())


def test_a_workbook_without_a_visible_sheet_gets_a_sentence(tmp_path: Path) -> None:
    path = workbook(tmp_path / "orders.xlsx", {"A": [HEADER, GOOD]})
    changed(path, "xl/workbook.xml", lambda xml: xml.replace(b'state="visible"', b'state="hidden"'))
    with pytest.raises(BadFile, match="has no visible sheet"):
        read_by(PROFILE)(path, Format())


def test_a_chart_is_no_sheet_to_read(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    book = openpyxl.Workbook()
    for row in (HEADER, GOOD):
        book.worksheets[0].append(row)
    chart = BarChart()
    chart.add_data(Reference(book.worksheets[0], min_col=4, min_row=1, max_row=2))
    book.create_chartsheet("Chart").add_chart(chart)
    book.save(path)
    assert len(read_by(PROFILE)(path, Format()).documents) == 1
    with pytest.raises(BadFile, match="has no sheet Chart"):
        read_by(PROFILE)(path, Format(sheet="Chart"))


def test_escapes_of_half_characters_and_zeros_do_not_come_in(tmp_path: Path) -> None:
    row = (*GOOD[:2], "a_xD83D__xDE00_ _xD800_ _x0000_ _x0009_", *GOOD[3:])
    path = workbook(tmp_path / "orders.xlsx", {"A": [HEADER, row]})
    assert next(islice(sheet_rows(path, "A"), 1, None)).values[2] == "a\U0001f600 \ufffd \ufffd \t"


def test_a_workbook_that_grows_too_much_when_unpacked_is_not_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "bomb.xlsx", {"A": [HEADER, GOOD]})
    changed(path, "xl/worksheets/sheet1.xml", lambda xml: xml + b" " * 32 * 1024**2)
    with pytest.raises(BadFile, match="too large when unpacked"):
        read_by(PROFILE)(path, Format())


@pytest.mark.parametrize("name", ["xl/sharedStrings.xml", "xl/other.xml"])
def test_the_texts_of_a_workbook_are_bounded_under_any_name(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqrs_app.platform.transfer.imports.workbook.MAX_TEXTS", 10)
    path = workbook(tmp_path / "some.xlsx", {"A": [HEADER, GOOD]})
    with zipfile.ZipFile(path) as archive:
        files = {each: archive.read(each) for each in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in files.items():
            archive.writestr(each, content)
        archive.writestr(name, "<?xml version='1.0'?><x:sst xmlns:x='urn:x'/>")
    with pytest.raises(BadFile, match="too large when unpacked"):
        read_by(PROFILE)(path, Format())


@pytest.mark.parametrize("name", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"])
@pytest.mark.parametrize("before", [b"", b"<!--" + b" " * 1_000_000 + b"-->"])
def test_entities_do_not_fill_the_memory(tmp_path: Path, name: str, before: bytes) -> None:
    path = workbook(tmp_path / "bomb.xlsx", {"A": [HEADER, GOOD]})
    entity = b'<!DOCTYPE x [<!ENTITY e "' + b"a" * 100_000 + b'">]>'
    changed(
        path, name, lambda xml: before + entity + xml[xml.find(b"?>") + 2 if b"?>" in xml else 0 :]
    )
    with pytest.raises(BadFile, match=r"cannot be read as a workbook: (it has a document|one of)"):
        read_by(PROFILE)(path, Format())


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (b'r="3"', b'r="90000000000"', "numbers a row higher than 1,048,576"),
        (b'r="H2"', b'r="XFD2"', "row 2 has more than 500 columns"),
    ],
)
def test_an_absurd_place_of_a_cell_ends_the_reading(
    tmp_path: Path, before: bytes, after: bytes, sentence: str
) -> None:
    path = workbook(tmp_path / "rows.xlsx", {"A": [HEADER, GOOD, GOOD]})
    changed(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(before, after, 1))
    with pytest.raises(BadFile, match=sentence):
        read_by(PROFILE)(path, Format())
