"""Two of everything: what happens to one changes nothing that is stored about its neighbour.

Both live the same life, one step behind the other, in one console: whatever is done to one is done
while the other is in the same state. After each step, every row of both stores that came, went or
differs must be about the one that it was done to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from cqrs_app.kernel.store.tables import command_log
from tests.neighbours.areas import (
    customers,
    expenses,
    fulfilment,
    orders,
    payments,
    place,
    products,
    returns,
)
from tests.neighbours.console import REGISTRY, Console, Somebody, Step
from tests.neighbours.operators import endings, leftovers, own_account, own_queue, time_passes
from tests.neighbours.platform import (
    alerts_and_failures,
    approvals,
    batches,
    of_a_projection,
    of_a_rule,
    people,
    security,
    views_and_files,
    webhooks,
)
from tests.neighbours.watching import EVERYONES, disturbed, stored

LIFE = (
    *(people, customers, products, orders, returns, payments, fulfilment, expenses),
    *(views_and_files, webhooks, approvals, batches, alerts_and_failures, security),
    *(own_account, own_queue, leftovers, time_passes, endings),
)
NEIGHBOURS = (
    (LIFE, Somebody("alder", "a1dea1de"), Somebody("birch", "b14cb14c")),
    ((of_a_rule,), Somebody("no_worker"), Somebody("no_sweep")),
    ((of_a_projection,), Somebody("product_sales"), Somebody("stock_movements")),
)
FAILING = {"alder-8": KeyError, "birch-8": LookupError}
"""What the list of orders raises for the tag `broken` of these orders: a failure each."""
NO_NEIGHBOUR = {
    "RecordSettings": "one record of the console's settings",
    "RecordAccessReview": "a review is of all operators",
    "SendTestAlert": "there is one test",
    "RequestApproval": "decided in place of what needs approval, and logged under its name",
}
"""Commands that are not sent here, and why."""


@pytest.fixture
def console(shared_console: Flask, monkeypatch: pytest.MonkeyPatch) -> Console:
    """A console with what both share: signers, a customer, a product and an order."""
    console = Console(shared_console)
    for name in ("ana", "tina"):
        console.services.accounts.create(name, "admin", "countersign seventeen lamps")
    both = Somebody(EVERYONES)
    for step in (
        both.do("RegisterCustomer", customer_id=EVERYONES, name="Everyone"),
        both.do("AddProduct", sku=EVERYONES, description="For everyone", tracked=True),
        both.do("ReceiveStock", sku=EVERYONES, reference="PO-9", quantity=1000),
        place(both, "", order_id=EVERYONES),
    ):
        step(console)
    console.settle()
    handlers = console.kernel.registry.projections["orders"].handlers
    whole = handlers["OrderTagAdded"]

    def tag_added(event: Any, recorded: Any, rows: Any) -> None:
        if console.broken and event.tag == "broken":
            raise FAILING[event.order_id](event.order_id)
        whole(event, recorded, rows)

    monkeypatch.setitem(handlers, "OrderTagAdded", tag_added)
    return console


def lived(
    console: Console, chapters: tuple[Callable[[Somebody], Iterator[Step]], ...], *pair: Somebody
) -> Iterator[str]:
    """Everything that changed and should not have. On PostgreSQL, where looking costs more, one
    lives a whole chapter before the other."""
    at_once = 1 if console.kernel.engines.write.dialect.name == "sqlite" else None
    before = stored(console.kernel)
    for chapter in chapters:
        lives = [(me, other, chapter(me)) for me, other in (pair, pair[::-1])]
        for me, other, steps in cycle(lives):
            portion = list(_carry_out(console, islice(steps, at_once)))
            if not portion:
                break
            after = stored(console.kernel)
            for each in disturbed(before, after, me.words, other.words):
                yield f"{chapter.__name__} of {me.name}: {each}"
            before = after


def _carry_out(console: Console, steps: Iterator[Step]) -> Iterator[Step]:
    for step in steps:
        step(console)
        console.settle()
        yield step


@pytest.mark.timeout(600)
def test_what_happens_to_one_changes_nothing_of_its_neighbour(console: Console) -> None:
    found: list[str] = []
    try:
        for life in NEIGHBOURS:
            found.extend(lived(console, *life))
    finally:
        assert not found, "\n".join(found)
    with console.kernel.engines.write.connect() as connection:
        succeeded = select(command_log.c.type).where(command_log.c.outcome == "succeeded")
        carried_out = set(connection.execute(succeeded.distinct()).scalars())
    assert REGISTRY.commands.keys() - carried_out - NO_NEIGHBOUR.keys() == set()
