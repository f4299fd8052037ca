"""Failed actions of one cause are sent again: one, five, all, each as it was and once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.areas.orders.commands import ApproveOrder, PlaceOrder, RejectOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.handling import Handler
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.failures.commands import RetryFailure
from cqrs_app.platform.failures.queries import FailureView, GetFailure
from cqrs_app.platform.runtime.command_log import GetCommand
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import client_in
from tests.platform.approvals.conftest import PASSWORD
from tests.platform.failures.conftest import ADA, Console

SEVEN = [f"O{number}" for number in range(1, 8)]


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, *types: type[Command]) -> Iterator[None]:
    """Commands of these types raise."""
    whole = Handler.run

    def run(handler: Handler, aggregate: Any, command: Any, **rest: Any) -> Any:
        if type(command) in types:
            raise RuntimeError("no room")
        return whole(handler, aggregate, command, **rest)

    with monkeypatch.context() as patched:
        patched.setattr(Handler, "run", run)
        yield


def failed(console: Console, *commands: Command) -> list[str]:
    """The ids of these commands, each of which has failed."""
    found = []
    for command in commands:
        context = Context(actor=ADA, channel="test")
        with pytest.raises(RuntimeError):
            console.kernel.commands.execute(command, context)
        found.append(context.command_id)
    console.follow()
    return found


def view_of(console: Console) -> FailureView:
    [row] = console.failures(kind="command", state="all")
    found: FailureView = console.ask(GetFailure(failure_id=row.failure_id))
    return found


def previewed(console: Console, how_many: int) -> list[str]:
    retry = RetryFailure(failure_id=view_of(console).failure.failure_id, streams=how_many)
    context = Context(actor=ADA, channel="test")
    return [each.sentence for each in console.kernel.commands.effects(retry, context)]


def retry(console: Console, how_many: int) -> None:
    """Retry so many, and carry out what is queued, as a worker or a sweep does."""
    failure_id = view_of(console).failure.failure_id
    console.act(RetryFailure(failure_id=failure_id, streams=how_many))
    kernel = console.kernel
    for command_id in kernel.log.waiting(kernel.clock() + timedelta(seconds=1)):
        with suppress(Refused, RuntimeError):
            kernel.commands.run_queued(command_id)
    console.follow()


def outcomes(console: Console, command_ids: list[str]) -> list[str]:
    return [console.ask(GetCommand(command_id=each)).entry.outcome for each in command_ids]


@pytest.fixture
def ready(console: Console) -> Console:
    """Ada has an account, and seven orders are placed."""
    services_of(console.app).accounts.create("ada", "admin", PASSWORD)
    line = OrderLine(sku="S", quantity=1, unit_price=Decimal(2))
    for order_id in SEVEN:
        console.act(PlaceOrder(order_id=order_id, currency="EUR", country="FR", lines=(line,)))
    return console


def test_the_oldest_is_tried_first_then_more_and_each_is_carried_out_once_as_it_was(
    ready: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    with failing(monkeypatch, ApproveOrder):
        ids = failed(ready, *(ApproveOrder(order_id=each) for each in SEVEN))
        assert previewed(ready, 1) == [
            "Approve order (order-O1) by ada would fail again: RuntimeError."
        ]
    assert view_of(ready).failed_commands == 7
    ready.act(RejectOrder(order_id="O2", reason="Cannot be delivered."))
    first, second = previewed(ready, 2)
    assert first == "Approve order (order-O1) by ada would be carried out: OrderApproved."
    assert second.startswith("Approve order (order-O2) by ada would be refused: ")
    assert outcomes(ready, ids) == ["failed"] * 7, "a preview changes nothing"
    retry(ready, 1)
    assert outcomes(ready, ids) == ["succeeded", *["failed"] * 6]
    assert view_of(ready).failed_commands == 6
    assert "The preview shows the first 5 only." in previewed(ready, 100)
    retry(ready, 100)
    assert outcomes(ready, ids) == ["succeeded", "refused", *["succeeded"] * 5]
    retry(ready, 100)
    approved = [
        each.operator
        for order_id in SEVEN
        for each in ready.kernel.store.events_of(f"order-{order_id}")
        if each.type == "OrderApproved"
    ]
    assert approved == ["ada"] * 6
    assert previewed(ready, 1) == ["Nothing waits for this failure any more."]


def test_one_that_fails_again_is_counted_and_can_be_sent_again(
    ready: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    with failing(monkeypatch, ApproveOrder):
        ids = failed(ready, ApproveOrder(order_id="O1"))
        retry(ready, 1)
    assert outcomes(ready, ids) == ["failed"]
    view = view_of(ready)
    assert (view.failure.count, view.failed_commands) == (2, 1)
    retry(ready, 1)
    assert outcomes(ready, ids) == ["succeeded"]


def test_one_that_is_queued_again_shows_no_error(
    ready: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    with failing(monkeypatch, ApproveOrder):
        [command_id] = failed(ready, ApproveOrder(order_id="O1"))
    failure_id = view_of(ready).failure.failure_id
    ready.act(RetryFailure(failure_id=failure_id, streams=1))
    ready.follow()
    entry = ready.ask(GetCommand(command_id=command_id)).entry
    assert (entry.outcome, entry.code, entry.sentence) == ("queued", None, None)
    assert "RuntimeError" in view_of(ready).traceback, "the failure keeps it"


def test_what_somebody_sent_whose_account_is_disabled_is_not_sent_again(
    ready: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    with failing(monkeypatch, ApproveOrder):
        ids = failed(ready, ApproveOrder(order_id="O1"))
    services_of(ready.app).accounts.create("eve", "admin", PASSWORD)
    services_of(ready.app).accounts.disable("ada")
    [sentence] = previewed(ready, 1)
    assert sentence.endswith("would not be sent again: ada may not act any more.")
    retry(ready, 1)
    assert outcomes(ready, ids) == ["failed"]


def test_one_that_cannot_be_sent_again_does_not_keep_later_ones_from_it(
    ready: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = Context(actor=Actor("eve", ADA.permissions), channel="test")
    with failing(monkeypatch, ApproveOrder):
        with pytest.raises(RuntimeError):
            ready.kernel.commands.execute(ApproveOrder(order_id="O1"), eve)
        ids = failed(ready, ApproveOrder(order_id="O2"), ApproveOrder(order_id="O3"))
    assert previewed(ready, 1) == [
        "Approve order (order-O2) by ada would be carried out: OrderApproved."
    ]
    retry(ready, 1)
    assert outcomes(ready, [eve.command_id, *ids]) == ["failed", "succeeded", "failed"]


def test_personal_values_are_not_in_the_preview_and_are_in_what_is_carried_out(
    ready: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    with failing(monkeypatch, RegisterCustomer):
        command = RegisterCustomer(customer_id="C1", name="Maria Lopez", email="maria@example.org")
        ids = failed(ready, command)
    [sentence] = previewed(ready, 1)
    assert "Maria" not in sentence
    assert "maria@" not in sentence
    retry(ready, 1)
    assert outcomes(ready, ids) == ["succeeded"]
    customer = client_in(ready.app, "admin").get("/customers/C1").text
    assert "Maria Lopez" in customer


def test_the_page_offers_to_send_one_five_or_all_again(
    ready: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    with failing(monkeypatch, ApproveOrder):
        failed(ready, *(ApproveOrder(order_id=each) for each in SEVEN))
    address = f"/failures/{view_of(ready).failure.failure_id}"
    page = client_in(ready.app, "supervisor").get(address).text
    for words in ("Retry 1", "Retry 5", "Retry all 7"):
        assert words in page, words
