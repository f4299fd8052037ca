"""Files as shops have them: what is detected, and what is said of each row that is set aside."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.transfer.imports import table
from cqrs_app.platform.transfer.imports.formats import (
    Dates,
    DecimalSign,
    Format,
    exact,
    iso_time,
    whole,
)
from cqrs_app.platform.transfer.imports.importer import import_file
from cqrs_app.platform.transfer.imports.profiles import PROFILES
from cqrs_app.platform.transfer.imports.profiles.online_retail import HEADER, PROFILE
from cqrs_app.platform.transfer.imports.rehearsal import rehearse_file
from cqrs_app.platform.transfer.imports.set_aside import SetAside
from cqrs_app.platform.transfer.imports.source import BadFile
from cqrs_app.services import services_of
from tests.platform.transfer.imports.reading import Read, read_by

INPUTS = Path(__file__).parents[4].parent / "shared" / "data" / "inputs"
GOOD = "900001,MUG,mug,1,2026-03-01 09:30:00,12.50,C1,France"
HEAD = ",".join(HEADER)


def written(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    return path


def read(path: Path, given: Format | None = None) -> Read:
    return read_by(PROFILE)(path, given or Format())


def placed(contents: Read) -> list[Any]:
    return [document.steps[0].command for document in contents.documents]


def found(contents: Read) -> Iterator[tuple[int, str, str, str]]:
    for each in sorted(contents.set_aside, key=lambda each: each.row.line):
        yield each.row.line, each.reason, each.column, each.value


def only(contents: Read) -> SetAside:
    [each] = contents.set_aside
    return each


@pytest.mark.parametrize(
    ("row", "column", "value", "sentence"),
    [
        ("900001,MUG,mug,1.5,2026-03-01,1,C1,France", "Quantity", "1.5", "not a whole number"),
        ("900001,MUG,mug,,2026-03-01,1,C1,France", "Quantity", "", "missing"),
        ("900001,MUG,mug,1,soon,1,C1,France", "InvoiceDate", "soon", "like 2026-03-31 09:30:00"),
        ("900001,MUG,mug,1,9999-12-31,1,C1,France", "InvoiceDate", "9999-12-31", "1000 to 8999"),
        ("900001,MUG,mug,1,2026-03-01,free,C1,France", "UnitPrice", "free", "not an amount"),
        (
            "900001,MUG,mug,1,2026-03-01,1.00001,C1,France",
            "UnitPrice",
            "1.00001",
            "At most 4 digits",
        ),
        ("900001,,mug,1,2026-03-01,1,C1,France", "StockCode", "", "Required"),
        ("900001,MUG,mug,1,2026-03-01,1,C 1,France", "CustomerID", "C 1", "not allowed"),
        ("900001,MUG,mug,1,2026-03-01,1,C1", "", "", "The row has 7 values; the header has 8."),
    ],
)
def test_column_value_and_sentence_are_those_of_the_fault(
    tmp_path: Path, row: str, column: str, value: str, sentence: str
) -> None:
    good = GOOD.replace("900001", "900002")
    contents = read(written(tmp_path / "some.csv", HEAD, good, row))
    assert [each.order_id for each in placed(contents)] == ["900002"]
    fault = only(contents)
    assert (fault.row.line, fault.reason) == (3, "unreadable")
    assert (fault.column, fault.value) == (column, value)
    assert sentence in fault.sentence


def test_the_other_rows_of_a_document_name_the_line_that_cannot_be_read(tmp_path: Path) -> None:
    broken = GOOD.replace(",1,", ",many,")
    contents = read(written(tmp_path / "some.csv", HEAD, GOOD, broken, GOOD))
    assert not contents.documents
    sentences = {each.row.line: each.sentence for each in contents.set_aside}
    assert sentences[2] == sentences[4]
    assert sentences[2].startswith("Line 3 belongs to the same document")


@pytest.mark.parametrize("column", ["CustomerID", "Country"])
def test_rows_that_contradict_each_other_are_set_aside_and_both_are_named(
    tmp_path: Path, column: str
) -> None:
    other = GOOD.replace("C1", "C9") if column == "CustomerID" else GOOD.replace("France", "Italy")
    neighbour = GOOD.replace("900001", "900002")
    contents = read(written(tmp_path / "some.csv", HEAD, GOOD, neighbour, other))
    assert [each.order_id for each in placed(contents)] == ["900002"]
    values = "C1, C9" if column == "CustomerID" else "France, Italy"
    assert [*found(contents)] == [(line, "contradictory", column, values) for line in (2, 4)]
    assert "Lines 2 and 4 differ for 900001" in contents.set_aside[0].sentence


def test_a_row_that_says_nothing_of_the_customer_contradicts_none(tmp_path: Path) -> None:
    contents = read(written(tmp_path / "some.csv", HEAD, GOOD.replace("C1", ""), GOOD))
    [order] = placed(contents)
    assert order.customer_id == "C1"
    assert len(order.lines) == 2


def test_documents_whose_rows_have_other_times_are_counted(kernel: Kernel, tmp_path: Path) -> None:
    path = written(tmp_path / "some.csv", HEAD, GOOD, GOOD.replace("09:30", "09:31"))
    assert read(path).differing_times == 1
    report = import_file(kernel, PROFILE, path, lambda done, of: None).report
    assert report.as_json()["differing_times"] == 1


def test_blank_rows_are_no_rows(tmp_path: Path) -> None:
    contents = read(written(tmp_path / "some.csv", HEAD, GOOD, "," * 7, "", "   ", " , ,,,,,,"))
    assert (contents.rows, contents.set_aside) == (1, [])


def test_columns_are_found_by_name_in_any_order_and_case(tmp_path: Path) -> None:
    header = (
        "Country, invoiceno,Channel,STOCKCODE,Description,Quantity,InvoiceDate,UnitPrice,CustomerID"
    )
    path = written(
        tmp_path / "some.csv", header, "France,900001,web,MUG,mug,1,2026-03-01 09:30,12.50,C1"
    )
    contents = read(path)
    assert [(each.order_id, each.country) for each in placed(contents)] == [("900001", "France")]
    assert contents.files["some.csv"].ignored == ("Channel",)


def test_a_column_that_is_missing_or_there_twice_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "some.csv", HEAD.replace(",Quantity", ""), GOOD)
    with pytest.raises(BadFile, match=r"has no column Quantity\. It starts with InvoiceNo, .*"):
        read(path)
    with pytest.raises(BadFile, match="has the column Country twice"):
        read(written(path, f"{HEAD},country", f"{GOOD},Italy"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
def test_the_encoding_is_detected(tmp_path: Path, encoding: str) -> None:
    row = GOOD.replace("mug", "Caf\N{LATIN SMALL LETTER E WITH ACUTE} \N{EURO SIGN}5")
    start = "\ufeff" if encoding == "utf-16-be" else ""
    path = written(tmp_path / "some.csv", start + HEAD, GOOD, row, encoding=encoding)
    contents = read(path)
    assert [line.description for line in placed(contents)[0].lines] == [
        "mug",
        "Caf\N{LATIN SMALL LETTER E WITH ACUTE} \N{EURO SIGN}5",
    ]
    expected = {"utf-8-sig": "utf-8", "utf-16-be": "utf-16"}.get(encoding, encoding)
    assert contents.files["some.csv"].format.encoding == expected


def test_an_encoding_that_is_given_is_used(tmp_path: Path) -> None:
    row = GOOD.replace("mug", "\N{EURO SIGN}5")
    path = written(tmp_path / "some.csv", HEAD, row, encoding="iso-8859-15")
    [order] = placed(read(path, Format(encoding="iso-8859-15")))
    assert order.lines[0].description == "\N{EURO SIGN}5"
    with pytest.raises(BadFile, match="is not UTF-8 text"):
        read(path, Format(encoding="utf-8"))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_detected(tmp_path: Path, separator: str) -> None:
    quoted = '"' + HEAD.replace(",", '","') + '"'
    path = written(
        tmp_path / "some.csv", *(each.replace(",", separator) for each in (quoted, GOOD))
    )
    contents = read(path)
    assert len(placed(contents)) == 1
    assert contents.files["some.csv"].format.separator == separator


def test_decimal_comma_and_dates_are_detected_from_any_row(tmp_path: Path) -> None:
    rows = [
        "900001;MUG;mug;1;03/04/2026 8:26;1.234,50;C1;France",
        "900002;MUG;mug;1.000;03/31/2026 1:05 PM;2,5;C1;France",
    ]
    contents = read(written(tmp_path / "some.csv", HEAD.replace(",", ";"), *rows))
    first, second = placed(contents)
    assert [str(each.lines[0].unit_price) for each in (first, second)] == ["1234.50", "2.5"]
    assert second.lines[0].quantity == 1000
    assert [document.steps[0].at.isoformat() for document in contents.documents] == [
        "2026-03-04T08:26:00+00:00",
        "2026-03-31T13:05:00+00:00",
    ]
    form = contents.files["some.csv"].format
    assert (form.decimal, form.dates) == (DecimalSign.COMMA, Dates.MONTH_FIRST)


@pytest.mark.parametrize(
    ("row", "option", "given"),
    [
        ("900001;MUG;mug;1;03/04/2026;1.50;C1;France", "--dates", Format(dates=Dates.DAY_FIRST)),
        (
            "900001;MUG;mug;1;2026-03-04;1,234;C1;France",
            "--decimal",
            Format(decimal=DecimalSign.COMMA),
        ),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked_for(
    tmp_path: Path, row: str, option: str, given: Format
) -> None:
    path = written(tmp_path / "some.csv", HEAD.replace(",", ";"), row)
    with pytest.raises(BadFile, match=rf"can be read in two ways.*{option} .*Nothing was imported"):
        read(path)
    [document] = read(path, given).documents
    if given.dates:
        assert document.steps[0].at.isoformat() == "2026-04-03T00:00:00+00:00"
    else:
        assert str(placed(read(path, given))[0].lines[0].unit_price) == "1.234"


def test_a_date_of_another_shape_than_the_others_is_set_aside(tmp_path: Path) -> None:
    other = "900002,MUG,mug,1,01/13/2026 09:30,1,C1,France"
    contents = read(written(tmp_path / "some.csv", HEAD, GOOD, GOOD, other))
    assert [*found(contents)] == [(4, "unreadable", "InvoiceDate", "01/13/2026 09:30")]


@pytest.mark.parametrize(
    "broken",
    [
        '900002,TEA,"5" pot,1,2026-03-01 09:30:00,2.50,C1,France',
        '900002,TEA,"5 pot,1,2026-03-01 09:30:00,2.50,C1,France',
        '"900002,TEA,pot,1,2026-03-01 09:30:00,2.50,C1,France',
    ],
    ids=["within", "never closed", "at the start"],
)
def test_a_quotation_mark_in_the_wrong_place_costs_its_document_alone(
    tmp_path: Path, broken: str
) -> None:
    rows = [GOOD, broken, GOOD.replace("900001", "900003"), GOOD.replace("900001", "900004")]
    contents = read(written(tmp_path / "some.csv", HEAD, *rows))
    assert [each.order_id for each in placed(contents)] == ["900001", "900003", "900004"]
    assert only(contents).row.line == 3
    assert "quotation mark" in only(contents).sentence
    assert contents.rows == 4


def test_quoted_texts_of_several_lines_stay_whole_and_lines_are_counted(tmp_path: Path) -> None:
    long = GOOD + ',"kept\nin ""one"" value, as it is"'
    wrong = GOOD.replace("900001", "900002").replace(",1,", ",x,") + ","
    contents = read(written(tmp_path / "some.csv", f"{HEAD},Note", long, wrong))
    assert [each.order_id for each in placed(contents)] == ["900001"]
    assert only(contents).row.line == 4


def test_a_file_with_quotation_marks_in_the_wrong_place_everywhere_is_no_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MAX_REREAD", 2_000)
    broken = GOOD.replace("mug", '"mug')
    with pytest.raises(BadFile, match=r"is not a CSV file: .* line "):
        read(written(tmp_path / "some.csv", HEAD, *[broken, GOOD] * 100))


def test_a_number_sign_is_dropped_and_an_address_becomes_a_number(
    kernel: Kernel, tmp_path: Path
) -> None:
    path = written(tmp_path / "own.csv", HEAD, GOOD.replace("C1", "Ada@example.com"))
    imported = import_file(kernel, PROFILE, path, lambda done, of: None)
    assert imported.report.registered_customers == 1
    [order] = placed(read(path))
    assert order.customer_id.startswith("mail-")
    assert "ada" not in order.customer_id
    same = read(written(path, HEAD, GOOD.replace("C1", "ada@example.com")))
    assert placed(same)[0].customer_id == order.customer_id


def test_a_dry_run_says_the_same_and_writes_the_rows_set_aside(
    console: Flask, tmp_path: Path
) -> None:
    path = written(tmp_path / "day.csv", HEAD, GOOD, GOOD.replace("900001", "900002") + ",9")
    kernel = services_of(console).kernel
    rehearsed = rehearse_file(kernel, PROFILE, path, lambda done, of: None)
    assert rehearsed.figures.set_aside_examples == [
        {
            "file": "day.csv",
            "line": 3,
            "reason": "unreadable",
            "column": "",
            "value": "",
            "sentence": "The row has 9 values; the header has 8.",
        }
    ]
    arguments = ["import", str(path), "--profile", "online-retail", "--dry-run"]
    result = console.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output
    assert "day.csv line 3: unreadable. The row has 9 values" in result.output
    assert "encoding utf-8; separator comma; decimal point; dates iso" in result.output
    aside = services_of(console).settings.data_dir / "imports" / "day-dry-run-set-aside.csv"
    with aside.open(newline="", encoding="utf-8") as file:
        header, row, *_ = csv.reader(file)
    assert header[:5] == ["Line", "Reason", "Column", "Value", "Explanation"]
    assert row[:5] == ["3", "unreadable", "", "", "The row has 9 values; the header has 8."]
    assert kernel.store.head() == 0


def test_formats_can_be_given_on_the_command_line(console: Flask, tmp_path: Path) -> None:
    path = written(
        tmp_path / "day.csv", HEAD.replace(",", ";"), "900001;M;m;1;03/04/2026;1,234;C1;France"
    )
    arguments = ["import", str(path), "--profile", "online-retail", "--dates", "day-first"]
    arguments += ["--decimal", "comma", "--separator", "semicolon", "--encoding", "utf-8"]
    result = console.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output
    assert "gross                              1.234" in result.output


@pytest.mark.parametrize(
    ("text", "sign", "number"),
    [
        ("1,234.5", "point", "1234.5"),
        ("1.234,5", "comma", "1234.5"),
        ("1 234,5", "comma", "1234.5"),
        ("1'234.50", "point", "1234.50"),
        ("-2,5", "comma", "-2.5"),
        ("12", "comma", "12"),
    ],
)
def test_numbers_are_read_with_their_separators(text: str, sign: str, number: str) -> None:
    assert str(exact(text, DecimalSign(sign))) == number


@pytest.mark.parametrize(
    ("text", "sign"),
    [("1,23", "point"), ("1.23", "comma"), ("12,34,567", "point"), ("1-", "point")],
)
def test_a_number_of_another_shape_is_none(text: str, sign: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        exact(text, DecimalSign(sign))
    with pytest.raises(ValueError, match="not a whole number"):
        whole(text, DecimalSign(sign))


@pytest.mark.parametrize(
    ("text", "dates", "iso"),
    [
        ("31.3.26", "day-first", "2026-03-31T00:00:00"),
        ("3/31/2026 12:05 AM", "month-first", "2026-03-31T00:05:00"),
        ("3/31/2026 12:05:09 pm", "month-first", "2026-03-31T12:05:09"),
        ("2025-03-20 05:20:57 -0700", "iso", "2025-03-20 05:20:57-0700"),
    ],
)
def test_dates_become_iso(text: str, dates: str, iso: str) -> None:
    shown = iso_time(text, Dates(dates))
    assert shown in (iso, iso.removesuffix(":00"))


needs_inputs = pytest.mark.skipif(
    not INPUTS.is_dir(), reason="the collected inputs are not beside this checkout"
)


@needs_inputs
@pytest.mark.parametrize(
    ("name", "orders", "set_aside"),
    [
        ("blank_rows", ["900001"], []),
        ("formulas", ["900001", "900002", "900003"], []),
        ("contradictory", ["900028"], [(2, "CustomerID"), (4, "CustomerID")]),
        ("semicolon", ["900001"], []),
        ("us_dates_cp1252", ["900001"], []),
        ("utf16", ["900001"], []),
        ("unescaped_quote", ["900001", "900003"], [(3, "")]),
        ("reordered_extra", ["900001"], []),
        (
            "reasons",
            ["900005", "900006", "900007"],
            [(2, "Quantity"), (3, "InvoiceDate"), (4, "StockCode"), (5, "UnitPrice")],
        ),
    ],
)
def test_the_collected_inputs_come_out_right(
    name: str, orders: list[str], set_aside: list[tuple[int, str]]
) -> None:
    contents = read_by(PROFILES["online-retail"])(INPUTS / f"{name}.csv", Format())
    assert [each.order_id for each in placed(contents)] == orders
    assert [(line, column) for line, _, column, _ in found(contents)] == set_aside
    assert all(each.sentence for each in contents.set_aside)


def test_characters_that_show_nothing_are_dropped(tmp_path: Path) -> None:
    row = GOOD.replace("mug", "\u200b=1")
    contents = read(written(tmp_path / "some.csv", HEAD, f"\u200b{row}"))
    [order] = placed(contents)
    assert (order.order_id, order.lines[0].description) == ("900001", "=1")
    assert contents.set_aside == []
