"""A mapping: which column of a file is which field of an order, as data. It needs no program.

docs/imports.md describes the file; `profiles/*.toml` are those that ship with the console.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.areas.inventory.commands import AddProduct
from cqrs_app.areas.orders.commands import AddOrderNote, AddOrderTag, PlaceOrder
from cqrs_app.platform.transfer.imports.documents import Contents, Profile
from cqrs_app.platform.transfer.imports.fields import FIELDS, LONGEST_NAME, MEANINGS, TIMES
from cqrs_app.platform.transfer.imports.formats import DETECTED, Dates, DecimalSign, Format
from cqrs_app.platform.transfer.imports.lifecycle import LIFE_COMMANDS
from cqrs_app.platform.transfer.imports.lines import LEFT_OUT, Column, Constant, LineFile
from cqrs_app.platform.transfer.imports.paying import PAYMENT_COMMANDS
from cqrs_app.platform.transfer.imports.text import ENCODINGS

SERIES = "mapping"
"""Mappings know the documents of each other again: one may be corrected and used once more."""
COMMANDS = (
    RegisterCustomer,
    AddProduct,
    PlaceOrder,
    AddOrderNote,
    AddOrderTag,
    *LIFE_COMMANDS,
    *PAYMENT_COMMANDS,
)
REASONS = {LEFT_OUT: "The mapping leaves out orders with this status."}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "encoding": tuple(ENCODINGS),
    "separator": (",", ";", "\t", "|"),
    "decimal": tuple(map(str, DecimalSign)),
    "dates": tuple(map(str, Dates)),
}
_TABLES = ("columns", "fixed", "meanings", "format")


class BadMapping(ValueError):
    """A mapping cannot be used. The text is one sentence; `key` is what it is about."""

    def __init__(self, sentence: str, key: str = "") -> None:
        super().__init__(sentence)
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """`columns` maps fields to columns, `fixed` fields to the same value in every row, `meanings`
    values of a status, in small letters, to what they mean; `format` has what is not to be
    detected. Times without a zone are in `zone`. Raises BadMapping."""

    columns: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)
    format: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"
    documentation: str = ""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def problems(self) -> dict[str, str]:
        """Field -> what is missing before files can be read with it."""
        given = {*self.columns, *self.fixed}
        found = {
            name: f"Choose the column of {each.label.lower()}."
            for name, each in FIELDS.items()
            if each.needed and name not in given
        }
        if not {"unit_price", "line_price"} & given:
            found["unit_price"] = "Choose the column of the unit price or of the line's."
        if not {"sku", "description"} & given:
            found["sku"] = "Choose the column of the SKU or of the description."
        if not {"country", "ship_country", "bill_country", "customer_id"} & given:
            found["country"] = "Choose the column of a country, or enter one."
        return found

    def as_json(self) -> str:
        """The same for equal mappings."""
        plain = {name: getattr(self, name) for name in (*_TABLES, "zone", "documentation")}
        return msgspec.json.encode(plain, order="deterministic").decode()


def mapping_of(plain: Any) -> ColumnMapping:
    """Raises BadMapping."""
    known = (*_TABLES, "zone", "documentation")
    if not isinstance(plain, dict):
        raise BadMapping("A mapping is a table.")
    for name in plain:
        if name not in known:
            raise BadMapping(f"There is no {name}. There are: {', '.join(known)}.", name)
    return ColumnMapping(**plain)


def stored_mapping(text: str) -> ColumnMapping:
    """From `as_json`. Raises BadMapping."""
    try:
        plain = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadMapping("A mapping is JSON.") from error
    return mapping_of(plain)


def mapping_file(path: Path) -> ColumnMapping:
    """From a TOML file. Raises BadMapping, with the line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadMapping(f"{path} cannot be read: {error}. Nothing was imported.") from error
    try:
        mapping = mapping_of(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadMapping(f"{path} is no TOML file: {error}. Nothing was imported.") from error
    except BadMapping as error:
        where = f", line {line}" if (line := _line_of(text, error.key)) else ""
        raise BadMapping(f"{path}{where}: {error} Nothing was imported.", error.key) from error
    if mapping.problems:
        sentences = " ".join(mapping.problems.values())
        raise BadMapping(f"{path}: {sentences} Nothing was imported.")
    return mapping


def profile_from(mapping: ColumnMapping, name: str) -> Profile:
    """Raises BadMapping if something is missing in it."""
    file = line_file(mapping)

    def read(path: Path, given: Format = DETECTED) -> Contents:
        return file.read(path, merged(mapping.format, given))

    return Profile(
        name=name,
        series=SERIES,
        read=read,
        commands=COMMANDS,
        reasons=REASONS,
    )


def merged(own: Mapping[str, str], given: Format) -> Format:
    """The format of a mapping, as far as no other one is given."""
    values: dict[str, Any] = dict(own)
    if "decimal" in own:
        values["decimal"] = DecimalSign(own["decimal"])
    if "dates" in own:
        values["dates"] = Dates(own["dates"])
    names = ("encoding", "separator", "sheet", "decimal", "dates")
    others = {name: value for name in names if (value := getattr(given, name)) is not None}
    return replace(Format(**values), **others)


def line_file(mapping: ColumnMapping) -> LineFile:
    """How files of a mapping are parsed. Raises BadMapping if something is missing in it."""
    for key, sentence in mapping.problems.items():
        raise BadMapping(sentence, key)
    fields: dict[str, Column] = {name: Constant(text) for name, text in mapping.fixed.items()}
    fields |= mapping.columns
    # Whoever has no number of their own is known by their address.
    if "email" in fields:
        fields.setdefault("customer_id", fields["email"])
    given = {name: Constant("") for name in ("country", "sku", "currency") if name not in fields}
    needed = [
        column
        for name, column in mapping.columns.items()
        if FIELDS[name].needed or name in ("unit_price", "line_price", "sku", "description")
    ]
    header = tuple(dict.fromkeys(needed))
    optional = dict.fromkeys(each for each in mapping.columns.values() if each not in header)
    return LineFile(
        header=header,
        optional=tuple(optional),
        columns={name: each for name, each in fields.items() if name == "at" or name not in TIMES}
        | given,
        moments={name: each for name, each in fields.items() if name != "at" and name in TIMES},
        meanings=mapping.meanings,
        zone=ZoneInfo(mapping.zone),
        makes_skus=True,
    )


def _check(mapping: ColumnMapping) -> None:
    for table in _TABLES:
        values = getattr(mapping, table)
        if not isinstance(values, dict):
            raise BadMapping(f"{table} is a table.", table)
        for name, value in values.items():
            _check_text(name, value, blank=table == "meanings")
    _check_text("zone", mapping.zone)
    _check_fields(mapping)
    _check_meanings(mapping)
    for name, value in mapping.format.items():
        choices = _CHOICES.get(name, ())
        if name != "sheet" and value not in choices:
            expected = ", ".join(choices or (*_CHOICES, "sheet"))
            raise BadMapping(f"{name} {value!r} is unknown. There are: {expected}.", name)
    if mapping.zone not in available_timezones():
        raise BadMapping(f"There is no time zone {mapping.zone}.", "zone")
    if not isinstance(mapping.documentation, str):
        raise BadMapping("documentation is a text.", "documentation")


def _check_text(name: str, value: object, *, blank: bool = False) -> None:
    if not isinstance(value, str) or len(value) > LONGEST_NAME or not (value or blank):
        raise BadMapping(f"{name} is a text of 1 to {LONGEST_NAME} characters.", name)


def _check_fields(mapping: ColumnMapping) -> None:
    for name in (*mapping.columns, *mapping.fixed):
        if name not in FIELDS:
            raise BadMapping(f"There is no field {name}. There are: {', '.join(FIELDS)}.", name)
    for name in mapping.fixed:
        if not FIELDS[name].fixed:
            raise BadMapping(f"{name} needs a column.", name)


def _check_meanings(mapping: ColumnMapping) -> None:
    for value, meaning in mapping.meanings.items():
        if meaning not in MEANINGS:
            choices = ", ".join(filter(None, MEANINGS))
            raise BadMapping(f"{meaning} is no meaning. There are: {choices}.", value)
        if value != value.casefold():
            raise BadMapping(f"Write {value} in small letters.", value)


def _line_of(text: str, key: str) -> int:
    """The line that has this key; 0 if none has."""
    pattern = re.compile(rf"""^\s*\[?["']?{re.escape(key)}["']?\s*[\]=]""")
    lines = enumerate(text.splitlines(), start=1)
    return next((number for number, line in lines if key and pattern.match(line)), 0)
