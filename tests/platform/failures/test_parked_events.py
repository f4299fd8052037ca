"""Parked events as failures: grouped, retried one, five or all, and resolved by themselves."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import select

from cqrs_app.areas.desk.read_models import orders
from cqrs_app.areas.orders.commands import ChangeShippingAddress, PlaceOrder
from cqrs_app.areas.orders.types import OrderLine, ShippingAddress
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.store.tables import parked_events
from cqrs_app.platform.failures.commands import (
    IgnoreFailure,
    ReopenFailure,
    ResolveFailure,
    RetryFailure,
)
from cqrs_app.platform.failures.queries import GetFailure
from cqrs_app.platform.failures.retry import PreviewRetry
from cqrs_app.platform.runtime.status import ParkedStreams
from tests.platform.failures.conftest import ADA, Console, shipment

SEVEN = range(1, 8)


@pytest.fixture
def stuck(console: Console) -> str:
    """The failure of seven orders that are stuck for one cause."""
    console.broken.update(f"O{number}" for number in SEVEN)
    console.order(*SEVEN)
    console.follow()
    [failure] = console.failures()
    return failure.failure_id


def parked(console: Console) -> list[str]:
    return [each.stream for each in console.ask(ParkedStreams())]


def shipped(console: Console) -> dict[str, int]:
    found = select(orders.c.order_id, orders.c.shipped_units).where(orders.c.shipped_units > 0)
    with console.kernel.engines.read.connect() as connection:
        return dict(connection.execute(found).all())


def test_orders_stuck_for_one_cause_are_one_failure(console: Console, stuck: str) -> None:
    [failure] = console.failures()
    assert (failure.kind, failure.place, failure.error, failure.count) == (
        "event",
        "orders",
        "KeyError",
        7,
    )
    assert failure.subjects == tuple(f"order-O{number}" for number in SEVEN)
    assert failure.message == "\N{HORIZONTAL ELLIPSIS}"
    assert sum(failure.trend) == 7
    assert {each.cause for each in console.ask(ParkedStreams())} == {stuck}


def test_another_error_of_the_same_projection_is_another_failure(
    console: Console, stuck: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def approve(event: object, recorded: object, rows: object) -> None:
        raise ValueError("cannot be approved")

    handlers = console.kernel.registry.projections["orders"].handlers
    monkeypatch.setitem(handlers, "OrderApproved", approve)
    console.order(8)
    console.follow()
    assert sorted((each.error, each.count) for each in console.failures()) == [
        ("KeyError", 7),
        ("ValueError", 1),
    ]
    console.broken.clear()
    console.act(RetryFailure(failure_id=stuck, streams=100))
    assert [each.error for each in console.failures()] == ["ValueError"]
    assert [each.failure_id for each in console.failures("resolved")] == [stuck]


def test_a_retry_begins_with_the_oldest_and_takes_as_many_as_asked_for(
    console: Console, stuck: str
) -> None:
    console.broken.clear()
    console.act(RetryFailure(failure_id=stuck))
    assert (shipped(console), len(parked(console))) == ({"O1": 1}, 6)
    console.act(RetryFailure(failure_id=stuck, streams=5))
    assert parked(console) == ["order-O7"]
    assert console.failures("open") != ()
    console.act(RetryFailure(failure_id=stuck, streams=100))
    assert len(shipped(console)) == 7


def test_rows_that_other_events_changed_before_a_retry_are_repaired(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The approval is applied after a step of fulfilment, which is in another stream."""
    handlers = console.kernel.registry.projections["orders"].handlers
    with monkeypatch.context() as broken:
        broken.setitem(handlers, "OrderApproved", _raise)
        place, approve, _ = shipment(1)
        console.act(place, approve)
        fulfilment = console.kernel.tasks["fulfilment"].task
        for key in fulfilment.due(console.kernel):
            fulfilment.work(console.kernel, key)
        console.follow()
    [failure] = console.failures()
    assert console.kernel.reconciler.due(None) == []
    console.act(RetryFailure(failure_id=failure.failure_id))
    assert (console.failures(), console.kernel.reconciler.due(None)) == ((), ["orders"])
    done = console.app.test_cli_runner().invoke(args=["reconcile", "--due"])
    assert (done.exit_code, console.kernel.reconciler.due(None)) == (0, [])
    assert "repaired" in done.output
    assert console.kernel.reconciler.prove(["orders"])["orders"].count == 0


def _raise(*_: object) -> None:
    raise KeyError("broken")


def test_a_failure_of_which_nothing_is_parked_any_more_is_resolved(
    console: Console, stuck: str
) -> None:
    console.broken.clear()
    console.act(RetryFailure(failure_id=stuck, streams=100))
    assert console.failures("open") == ()
    [failure] = console.failures("resolved")
    assert failure.failure_id == stuck
    [resolved] = console.kernel.store.events_of(f"failure-{stuck}")[1:]
    assert (resolved.type, resolved.operator) == ("FailureResolved", "failures")


def test_what_fails_again_stays_parked_and_is_counted_again(console: Console, stuck: str) -> None:
    console.act(RetryFailure(failure_id=stuck, streams=2))
    assert len(parked(console)) == 7
    [failure] = console.failures()
    assert (failure.failure_id, failure.count) == (stuck, 9)


def test_a_preview_names_each_value_that_would_change_and_changes_none(
    console: Console, stuck: str
) -> None:
    console.broken.remove("O1")
    before = shipped(console)
    first, second = console.ask(PreviewRetry(failure_id=stuck, streams=2))
    assert (first.subscription, first.stream) == ("orders", "order-O1")
    assert (first.waiting, first.processed, first.error) == (1, 1, "")
    [row] = [each for each in first.changes if each.table == "orders"]
    assert (row.action, row.key) == ("changed", "O1")
    fields = {each.name: (each.before, each.after) for each in row.fields}
    assert fields["shipped_units"] == ("0", "1")
    assert (second.processed, second.changes) == (0, ())
    assert second.error.startswith("KeyError: ")
    assert shipped(console) == before
    assert len(parked(console)) == 7


def test_a_preview_holds_no_personal_value_of_before_or_after(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    console.act(
        PlaceOrder(
            order_id="O1",
            customer_name="Ann Smith",
            country="France",
            currency="EUR",
            lines=(OrderLine(sku="S", quantity=1, unit_price=Decimal(2)),),
            shipping_address=ShippingAddress(
                line1="1 Old Street", city="Oldtown", country="France"
            ),
        )
    )
    with monkeypatch.context() as broken:

        def fail(*_: object) -> None:
            raise KeyError("broken")

        handlers = console.kernel.registry.projections["orders"].handlers
        broken.setitem(handlers, "ShippingAddressChanged", fail)
        new = ShippingAddress(line1="2 New Street", city="Newtown", country="France")
        console.act(ChangeShippingAddress(order_id="O1", address=new))
    [failure] = console.failures()
    [preview] = console.ask(PreviewRetry(failure_id=failure.failure_id))
    [row] = [each for each in preview.changes if each.table == "orders"]
    fields = {each.name: (each.before, each.after) for each in row.fields}
    assert fields["ship_city"] == ("[personal]", "[personal]")
    shown = msgspec.json.encode(preview).decode()
    texts = ("Old Street", "Oldtown", "New Street", "Newtown", "Smith")
    assert [each for each in texts if each in shown] == []


def test_the_form_of_a_retry_is_told_the_same(console: Console, stuck: str) -> None:
    console.broken.clear()
    context = Context(actor=ADA, channel="test")
    effects = console.kernel.commands.effects(RetryFailure(failure_id=stuck), context)
    sentences = [each.sentence for each in effects]
    assert sentences[0] == "Order O1 in orders: 1 event would be applied."
    assert any("shipped units 0 \N{RIGHTWARDS ARROW} 1" in each for each in sentences), sentences


def test_events_parked_by_an_earlier_release_are_counted(console: Console, stuck: str) -> None:
    """Their rows name no cause."""
    [before] = console.failures()
    with console.kernel.engines.read.begin() as connection:
        connection.execute(parked_events.update().values(cause=None))
    console.follow()
    [failure] = console.failures()
    assert (failure.failure_id, failure.count) == (before.failure_id, 14)
    assert {each.cause for each in console.ask(ParkedStreams())} == {stuck}


def test_a_resolved_failure_that_comes_back_is_open_and_says_in_which_release(
    console: Console, stuck: str
) -> None:
    console.broken.clear()
    console.act(RetryFailure(failure_id=stuck, streams=100))
    assert console.failures() == ()
    console.broken.add("O8")
    console.order(8)
    console.follow()
    [failure] = console.failures()
    assert (failure.failure_id, failure.state, failure.regressed_in) == (stuck, "open", "0.1.0")


def test_an_ignored_failure_is_not_open_until_the_moment_has_passed(
    console: Console, stuck: str
) -> None:
    now = console.kernel.clock()
    console.act(IgnoreFailure(failure_id=stuck, until=now + timedelta(hours=1)))
    assert (console.failures(), len(console.failures("ignored"))) == ((), 1)
    console.act(ReopenFailure(failure_id=stuck))
    assert len(console.failures()) == 1
    with pytest.raises(Refused, match="That moment has passed"):
        console.act(IgnoreFailure(failure_id=stuck, until=now - timedelta(seconds=1)))


def test_decisions_that_make_no_sense_are_refused(console: Console, stuck: str) -> None:
    with pytest.raises(Refused, match="There is no failure 000000000000"):
        console.act(ResolveFailure(failure_id="0" * 12))
    with pytest.raises(Refused, match="It is already open"):
        console.act(ReopenFailure(failure_id=stuck))


def test_no_personal_value_is_kept_with_a_failure(console: Console, stuck: str) -> None:
    view = console.ask(GetFailure(failure_id=stuck))
    kept = f"{view.failure} {view.sample} {view.traceback}"
    assert "Ann 1" not in kept
    assert view.sample["type"] == "OrderShipped"
    assert view.traceback.endswith("KeyError: \N{HORIZONTAL ELLIPSIS}")
