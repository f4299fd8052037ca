"""How an operator likes the console; what nobody chose has the default."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import msgspec

KEPT = 1_024

AfterAction = Literal["next", "stay", "close"]
Mailed = Literal["at_once", "daily"]


class Preferences(msgspec.Struct, frozen=True, omit_defaults=True):
    """`shortcuts`: whether single keys act (WCAG 2.1.4); `compact`: lists with less room between
    rows; `after_action`: what follows an action in the queue; `unwanted`: kinds of
    notifications that are not written; `mailed`: kinds that are mailed too; `hidden`: per list the
    columns that are not shown; `guided`: whether Home offers the guided shift of a demo shop;
    `console`: the console's own address, for links in mails."""

    shortcuts: bool = True
    compact: bool = False
    after_action: AfterAction = "next"
    unwanted: tuple[str, ...] = ()
    mailed: dict[str, Mailed] = {}
    hidden: dict[str, tuple[str, ...]] = {}
    guided: bool = True
    console: str = ""

    def to_text(self) -> str:
        return msgspec.json.encode(self).decode()


@lru_cache(KEPT)
def preferences_from(text: str) -> Preferences:
    """The preferences as they are stored. Read with each request, hence kept."""
    return msgspec.json.decode(text, type=Preferences)
