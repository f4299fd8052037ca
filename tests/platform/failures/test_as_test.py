"""A failure as a test: pasted, it fails as the failure did, and passes once that is fixed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from cqrs_app.areas.desk.projections.orders import OrdersProjection
from cqrs_app.areas.orders import commands as orders
from cqrs_app.areas.orders.order import Order
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.areas.orders.words import HoldReason
from cqrs_app.areas.payments.commands import AuthorisePayment
from cqrs_app.areas.payments.tasks import PaymentRequests
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.errors import Refused
from cqrs_app.platform.failures.as_test import FailureAsTest
from cqrs_app.platform.failures.source import Source
from cqrs_app.services import services_of
from tests.performance.plenty import do
from tests.platform.failures.conftest import ADA, Console


def text_of(console: Console, kind: str) -> str:
    services_of(console.app).failures.flush()
    [failure] = console.failures(kind=kind)
    text: str = console.ask(FailureAsTest(failure_id=failure.failure_id))
    return text


def pasted(text: str) -> Callable[[], None]:
    """The test function in this text."""
    names: dict[str, Any] = {}
    exec(compile(text, "pasted.py", "exec"), names)  # noqa: S102
    [name] = [each for each in names if each.startswith("test_")]
    found: Callable[[], None] = names[name]
    return found


def fail(*_: Any, **__: Any) -> Any:
    raise KeyError("parcel")


def test_a_parked_event_of_a_projection(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    console.broken.add("O1")
    console.order(1, 2)
    console.follow()
    text = text_of(console, "event")
    assert "Ann" not in text
    assert 'customer_name="erased"' in text
    assert "O2" not in text
    run = pasted(text)
    assert run.__name__ == "test_order_shipped_is_processed_by_orders"
    run()
    monkeypatch.setattr(OrdersProjection, "order_shipped", fail)
    with pytest.raises(KeyError, match="parcel"):
        run()


def test_a_parked_event_of_another_subscription(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(*_: Any) -> None:
        raise KeyError("gateway")

    console.order(1)
    console.follow()
    with monkeypatch.context() as broken:
        broken.setattr(PaymentRequests, "take", take)
        payment = AuthorisePayment(
            payment_id="A1", order_id="O1", amount=Decimal(1), currency="EUR", method="tok_visa"
        )
        do(console.app, [payment])
        console.follow()
        run = pasted(text_of(console, "event"))
        with pytest.raises(KeyError, match="gateway"):
            run()
    run()


def test_a_command(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    console.order(1)
    console.follow()
    command = orders.HoldOrder(order_id="O1", reason=HoldReason.CUSTOMER_REQUEST)
    with monkeypatch.context() as broken:
        broken.setattr(Order, "evolve", fail)
        with pytest.raises(KeyError):
            console.kernel.commands.execute(command, Context(actor=ADA, channel="test"))
        run = pasted(text_of(console, "command"))
        with pytest.raises(KeyError):
            run()
    run()


def test_of_what_is_neither_none_is_made(console: Console) -> None:
    services_of(console.app).failures.report(ValueError("no"), kind="page", place="GET /")
    with pytest.raises(Refused, match="Only parked events and actions"):
        text_of(console, "page")
    assert console.ask(FailureAsTest(failure_id="0" * 12)) is None


def test_every_kind_of_value_is_written_as_it_is() -> None:
    source = Source()
    line = OrderLine(sku='a"b', quantity=2, unit_price=Decimal("1.50"))
    values = (line, HoldReason.CUSTOMER_REQUEST, (), ("x",), {"a": [1, None, True]})
    names: dict[str, Any] = {}
    text = source.of(values)
    exec(f"{source.imports}\nvalue = {text}", names)  # noqa: S102
    assert names["value"] == (line, HoldReason.CUSTOMER_REQUEST, (), ("x",), {"a": (1, None, True)})
