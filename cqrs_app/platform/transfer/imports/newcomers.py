"""Customers and products that documents name. Each is created once, at the time of its first
appearance.

Only imported documents bring them along, so those that are named only in rows set aside are not
created. They follow after the documents, since the last one may have the earliest time. Existing
ones are left unchanged, even if their names differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
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
from cqrs_app.platform.transfer.imports.spooled import temporary

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
_NEVER = "9999"
_LEARN = """
INSERT INTO known VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
country = iif(excluded.at < at, excluded.country, country), at = min(excluded.at, at),
words = iif(excluded.named_at < named_at, excluded.words, words),
named_at = min(excluded.named_at, named_at),
email = iif(excluded.mailed_at < mailed_at, excluded.email, email),
mailed_at = min(excluded.mailed_at, mailed_at)
"""


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


class Newcomers:
    """Those of a whole file, each once, on disk until all documents are known.

    A profile that lists the commands in TASKS has customers registered and products added.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._kinds = {kind for kind, task in TASKS.items() if task in profile.commands}
        self._database = temporary(
            self,
            "CREATE TABLE known (kind, number, at, country, words, named_at, email, mailed_at,"
            " PRIMARY KEY (kind, number));",
        )

    def learn(self, document: Document) -> None:
        """Note whom and what a document names: as of the earliest time, with the earliest name and
        address that are not blank."""
        made = document.steps[0]
        command: Any = made.command
        at = made.at.isoformat()
        self._database.executemany(
            _LEARN,
            [
                (
                    kind,
                    number,
                    at,
                    command.country,
                    words,
                    at if words else _NEVER,
                    document.email,
                    at if document.email else _NEVER,
                )
                for (kind, number), words in (_named_in(command) if self._kinds else {}).items()
                if kind in self._kinds
            ],
        )

    def chunks(self, size: int, newcomer_counts: NewcomerCounts) -> Iterator[list[Newcomer]]:
        """All of them, in the order in which they were named. One that cannot be created is
        counted as refused."""
        found = self._database.execute(
            "SELECT kind, number, at, country, words, email FROM known ORDER BY rowid"
        )
        while rows := found.fetchmany(size):
            some = []
            for kind, number, at, *texts in rows:
                try:
                    some.append(self._newcomer(kind, number, datetime.fromisoformat(at), *texts))
                except Invalid as invalid:
                    # The line of an order may have a SKU that is not valid for a product.
                    newcomer_counts.refused[f"{TASKS[kind].__name__}.{invalid.code}"] += 1
            yield some

    def _newcomer(
        self, kind: Kind, number: str, at: datetime, country: str, words: str, email: str
    ) -> Newcomer:
        command: Command
        if kind == "customers":
            command = RegisterCustomer(customer_id=number, name=words, email=email, country=country)
        else:
            command = AddProduct(
                sku=number, description=words, tracked=not self._profile.is_charge(number)
            )
        command_id = fixed_id(series_of(self._profile), kind, number)
        return Newcomer(kind, Step(at, command), command_id)


def _named_in(made: Any) -> dict[Place, str]:
    """Customer and products that an order or credit note names -> their name in it."""
    named: dict[Place, str] = {}
    if made.customer_id:
        named["customers", made.customer_id] = getattr(made, "customer_name", "")
    for line in made.lines:
        place: Place = ("products", line.sku)
        named[place] = named.get(place) or line.description
    return named
