"""Texts are composed, trimmed and cleared of invisible characters before other checks."""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import Annotated

import pytest
from msgspec import Meta

from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Query, parse, query, value
from cqrs_app.kernel.messages.normal import NormalForm
from cqrs_app.kernel.messages.patterns import LINES, ONE_LINE
from cqrs_app.kernel.messages.permissions import Permission, Role
from cqrs_app.kernel.messages.sentences import NEEDED, UNUSABLE_CHARACTERS

Name = Annotated[str, Meta(pattern=ONE_LINE, min_length=1, max_length=5)]
COMPOSED, TAKEN_APART = "Ren\u00e9", "Rene\u0301"


def small(text: str) -> str:
    if text == "NO":
        raise ValueError("Anything but this.")
    return text.lower()


@value
class Part:
    name: Name


@query(label="Names", permission=Permission("names.view", Role.VIEWER))
class AskNames(Query):
    name: Name = "x"
    note: Annotated[str, Meta(pattern=LINES)] = ""
    code: Annotated[str, NormalForm(small), Meta(pattern="^[a-z]*$")] = ""
    parts: tuple[Part, ...] = ()


def test_a_text_is_composed_and_without_outer_blanks_through_every_door() -> None:
    for written in (COMPOSED, TAKEN_APART, f" {TAKEN_APART}\n", f"\u3000{COMPOSED}\u00a0"):
        for made in (parse(AskNames, {"name": written}), AskNames(name=written)):
            assert made.name == COMPOSED
        for made in (
            parse(AskNames, {"parts": [{"name": written}]}),
            AskNames(parts=(Part(name=written),)),
        ):
            assert made.parts == (Part(name=COMPOSED),)


def test_limits_count_what_is_kept() -> None:
    assert parse(AskNames, {"name": "  abcde  "}).name == "abcde"
    with pytest.raises(Invalid) as refused:
        parse(AskNames, {"name": "   "})
    assert refused.value.problems == {"name": NEEDED}


def test_a_normal_form_is_kept_or_says_what_is_wrong() -> None:
    assert parse(AskNames, {"code": "AbC"}).code == AskNames(code="AbC").code == "abc"
    for refused_by in (lambda: parse(AskNames, {"code": "NO"}), lambda: AskNames(code="NO")):
        with pytest.raises(Invalid) as refused:
            refused_by()
        assert refused.value.problems == {"code": "Anything but this."}


@pytest.mark.parametrize(
    "hidden", ["\u200b", "\u00ad", "\u202e", "\u0085", "\U000e0041", "\u3164", "\u2800"]
)
def test_characters_that_nobody_sees_are_refused(hidden: str) -> None:
    with pytest.raises(Invalid) as refused:
        AskNames(name=f"a{hidden}b")
    assert refused.value.problems == {"name": UNUSABLE_CHARACTERS}


@pytest.mark.parametrize("blank", ["\u2800", "\u200b\n\u200d", " \u3164 \u00a0\n\u2800"])
def test_a_text_that_shows_nothing_is_empty(blank: str) -> None:
    assert AskNames(note=blank).note == parse(AskNames, {"note": blank}).note == ""
    with pytest.raises(Invalid) as refused:
        AskNames(name=blank)
    assert refused.value.problems == {"name": NEEDED}


def test_one_line_has_no_character_of_the_categories_cc_and_cf() -> None:
    every = map(chr, range(sys.maxunicode + 1))
    unseen = [char for char in every if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")]
    assert [char for char in unseen if re.search(ONE_LINE, f"a{char}b")] == []
    family = "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"
    assert AskNames(note=f"{family}\nfine").note == f"{family}\nfine"
