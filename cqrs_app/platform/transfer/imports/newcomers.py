"""Customers and products that documents name. Each is created once, at the time of its first
appearance.

Only imported documents bring them along, so those that are named only in rows set aside are not
created. Existing ones are left unchanged, even if their names differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.areas.inventory.commands import AddProduct
from cqrs_app.kernel.errors import BusError, Invalid
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.transfer.imports.documents import (
    Document,
    Profile,
    Step,
    fixed_id,
    series_of,
)

Kind = Literal["customers", "products"]
Place = tuple[Kind, str]
"""A kind and the id of one of them."""

TASKS: Mapping[Kind, type[Command]] = MappingProxyType(
    {"customers": RegisterCustomer, "products": AddProduct}
)
"""Kind -> the command that creates one."""

THERE_ALREADY = frozenset(
    {"customer_exists", "customer_erased", "product_exists", "command_id_reused"}
)
"""Refusals for existing ones. The last one: it was imported with other data from another file."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """One customer or product, with the command that creates it."""

    kind: Kind
    step: Step
    command_id: str


@dataclass(slots=True)
class NewcomerCounts:
    """How many were created by this or an earlier import, and how many were left unchanged.
    `refused` counts those that cannot be created, by command and code."""

    taken: Counter[Kind] = field(default_factory=Counter)
    there_already: Counter[Kind] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def note(self, newcomer: Newcomer, error: BusError | None) -> None:
        """Count the outcome for one."""
        if error is None:
            self.taken[newcomer.kind] += 1
        elif error.code in THERE_ALREADY:
            self.there_already[newcomer.kind] += 1
        else:
            self.refused[f"{type(newcomer.step.command).__name__}.{error.code}"] += 1

    def figures(self) -> dict[str, Any]:
        """Their figures in the report."""
        return {
            "registered_customers": self.taken["customers"],
            "products": self.taken["products"],
            "there_already": {kind: self.there_already[kind] for kind in TASKS},
        }


@dataclass(slots=True)
class _Known:
    """What the file contains about one: `at` is the earliest time, `words` the first name that is
    not blank."""

    at: datetime
    words: str = ""
    country: str = ""
    email: str = ""


class Newcomers:
    """Those of a whole file, returned chunk by chunk, each once.

    A profile that lists the commands in TASKS has customers registered and products added.
    """

    def __init__(self, profile: Profile, documents: Sequence[Document]) -> None:
        self._profile = profile
        self._kinds = {kind for kind, task in TASKS.items() if task in profile.commands}
        self._known: dict[Place, _Known] = {}
        if self._kinds:
            for document in sorted(documents, key=lambda each: each.steps[0].at):
                self._learn(document)

    def of(
        self, documents: Iterable[Document], newcomer_counts: NewcomerCounts
    ) -> Iterator[Newcomer]:
        """Those that these documents name and no earlier ones did."""
        for document in documents if self._kinds else ():
            for place in _named_in(document.steps[0].command):
                known = self._known.pop(place, None)
                if known is not None:
                    try:
                        yield self._newcomer(place, known)
                    except Invalid as invalid:
                        # The line of an order may have a SKU that is not valid for a product.
                        newcomer_counts.refused[f"{TASKS[place[0]].__name__}.{invalid.code}"] += 1

    def _learn(self, document: Document) -> None:
        made = document.steps[0]
        command: Any = made.command
        for place, words in _named_in(command).items():
            if place[0] in self._kinds:
                known = self._known.setdefault(place, _Known(made.at, country=command.country))
                known.words = known.words or words
                known.email = known.email or document.email

    def _newcomer(self, place: Place, known: _Known) -> Newcomer:
        kind, number = place
        command: Command
        if kind == "customers":
            command = RegisterCustomer(
                customer_id=number, name=known.words, email=known.email, country=known.country
            )
        else:
            command = AddProduct(
                sku=number, description=known.words, tracked=not self._profile.is_charge(number)
            )
        command_id = fixed_id(series_of(self._profile), kind, number)
        return Newcomer(kind, Step(known.at, command), command_id)


def _named_in(made: Any) -> dict[Place, str]:
    """Customer and products that an order or credit note names -> their name in it."""
    named: dict[Place, str] = {}
    if made.customer_id:
        named["customers", made.customer_id] = getattr(made, "customer_name", "")
    for line in made.lines:
        place: Place = ("products", line.sku)
        named[place] = named.get(place) or line.description
    return named
