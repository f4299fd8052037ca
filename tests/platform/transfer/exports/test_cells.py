"""Cells that people open in a spreadsheet: exact, and never a formula."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqrs_app.areas.orders.words import OrderStatus
from cqrs_app.platform.transfer.exports.cells import cell, guarded, harmless, unguarded

STARTS = "=+-@\ufe66\uff1d\ufe62\uff0b\ufe63\uff0d\u2212\ufe6b\uff20"
BLANKS = ["", " ", "\u00a0", "\u3000", "\u200b", "\ufeff", "\t", "\r", "\n", " \u2009\t"]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("blanks", BLANKS, ids=ascii)
def test_a_formula_gets_an_apostrophe_also_after_blanks_and_in_wide_forms(
    blanks: str, start: str
) -> None:
    text = f"{blanks}{start}HYPERLINK(1)"
    assert cell(text).startswith("'")
    assert cell(text).replace("'", "") == text


@pytest.mark.parametrize("text", ["\tx", "\rx", "\nx", "\t", "\r"])
def test_a_tab_or_a_line_break_never_begins_a_cell(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("red;=1+1", "red;'=1+1"),
        ("red; -5 cm", "red;' -5 cm"),
        ("first\n=1+1", "first\n'=1+1"),
        ("first\t@SUM", "first\t'@SUM"),
    ],
)
def test_a_formula_that_another_separator_would_cut_out_is_harmless_too(
    text: str, made: str
) -> None:
    assert cell(text) == made


@pytest.mark.parametrize(
    "text", ["", "lamp", "5 - 3", "a=b", "x@y.example", "'quoted'", "50 %", "\u4e2d\u6587", "a;b"]
)
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize(
    ("value", "made"),
    [
        (-5, "-5"),
        (Decimal("-12.5000"), "-12.5000"),
        (Decimal("0.0000"), "0.0000"),
        (Decimal("999999999999.9999"), "999999999999.9999"),
        (Decimal("1E+3"), "1000"),
        (0.25, "0.25"),
        (None, ""),
        (True, "true"),
        (date(2010, 12, 1), "2010-12-01"),
        (datetime(2010, 12, 1, 8, 26, tzinfo=UTC), "2010-12-01T08:26:00Z"),
        (OrderStatus.ON_HOLD, "on_hold"),
        ((1, "a"), '[1,"a"]'),
    ],
)
def test_values_of_ours_are_exact_and_numbers_stay_numbers(value: Any, made: str) -> None:
    assert cell(value) == made


@given(st.text(alphabet=st.sampled_from([*STARTS, *";\t\r\n \u3000\ufeff'\"a1"])))
def test_no_text_of_whatever_characters_begins_a_formula(text: str) -> None:
    for part in re.split(r"[;\t\r\n]", cell(text)):
        assert part.strip(" \u3000\ufeff")[:1] not in set(STARTS)


@given(st.text(alphabet=st.sampled_from([*STARTS, *";\t\r\n \u3000\ufeff'\"a1"])))
def test_a_guarded_text_begins_no_formula_and_comes_back_as_it_was(text: str) -> None:
    for part in re.split(r"[;\t\r\n]", guarded(text)):
        assert part.strip(" \u3000\ufeff")[:1] not in set(STARTS)
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize(("text", "made"), [("-10", "-10"), ("+4.5", "+4.5"), ("-1+2", "'-1+2")])
def test_rows_of_a_file_keep_their_plain_numbers(text: str, made: str) -> None:
    assert harmless(text, numbers=True) == made


def test_many_line_breaks_take_no_time() -> None:
    assert cell("\n" * 100_000).startswith("'")
