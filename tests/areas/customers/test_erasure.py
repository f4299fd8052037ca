"""Erasing a customer: no store yields a value any more, the chain verifies, a receipt proves it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, inspect, text

from cqrs_app.areas.customers import commands as do
from cqrs_app.areas.customers.queries import GetCustomerProfile, ListRegisteredCustomers
from cqrs_app.areas.customers.receipt import ErasureReceipt
from cqrs_app.areas.desk.queries.customers import GetCustomer, ListCustomers
from cqrs_app.areas.desk.queries.one_order import GetOrder
from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.areas.desk.queries.timeline import OrderTimeline
from cqrs_app.areas.orders import commands as orders
from cqrs_app.areas.orders.types import OrderLine, ShippingAddress
from cqrs_app.areas.orders.words import HoldReason
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import Invalid, Refused
from cqrs_app.kernel.messages.messages import Command, Query
from cqrs_app.kernel.privacy.personal import ERASED
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.runtime.command_log import GetCommand
from cqrs_app.platform.runtime.pending import RawEvents
from tests.interfaces.web.pages.conftest import catch_up

ANA = Actor("ana", frozenset(ROLES["admin"]))
WHY = "Asked for it in writing."
VALUES = ("quintessa", "zabriskie", "xylophonweg", "5550142", "by telephone")
ADDRESS = ShippingAddress(name="Quintessa Z", line1="Xylophonweg 7", city="Ulm", country="Germany")


def run(kernel: Kernel, command: Command, command_id: str = "") -> None:
    context = Context(
        actor=ANA, channel="test", **({"command_id": command_id} if command_id else {})
    )
    kernel.commands.execute(command, context)


def ask(kernel: Kernel, question: Query, **how: Any) -> Any:
    return kernel.queries.ask(question, QueryContext(actor=ANA, **how)).value


def order(order_id: str, customer_id: str = "C1", **values: Any) -> orders.PlaceOrder:
    line = OrderLine(sku="85123A", description="White lantern", quantity=1, unit_price=5)
    values = {"customer_name": "Quintessa Zabriskie", "shipping_address": ADDRESS} | values
    return orders.PlaceOrder(
        order_id=order_id,
        customer_id=customer_id,
        country="Germany",
        currency="EUR",
        lines=(line,),
        **values,
    )


@pytest.fixture
def known(kernel: Kernel) -> Kernel:
    """A console in which much is known about the customer C1, in every place."""
    run(
        kernel,
        do.RegisterCustomer(
            customer_id="C1",
            name="Quintessa Zabriskie",
            email="quintessa@zabriskie.example",
            phone="5550142",
        ),
        "register",
    )
    run(kernel, do.RegisterCustomer(customer_id="C2", name="Ben", email="ben@example.org"))
    run(kernel, order("2", customer_name="White"))
    run(kernel, order("1"), "place")
    run(kernel, orders.ChangeShippingAddress(order_id="1", address=ADDRESS), "address")
    run(kernel, do.DeactivateCustomer(customer_id="C1", reason="Said so by telephone."))
    run(kernel, orders.HoldOrder(order_id="1", reason=HoldReason.OTHER))
    with pytest.raises(Refused):
        run(kernel, do.ChangeCustomerEmail(customer_id="C2", email="Quintessa@Zabriskie.example"))
    catch_up(kernel, "read")
    return kernel


def questions() -> Iterator[Query]:
    yield GetCustomerProfile(customer_id="C1")
    yield ListRegisteredCustomers(q="")
    yield GetCustomer(customer_id="C1")
    yield ListCustomers()
    yield GetOrder(order_id="1")
    yield OrderTimeline(order_id="1")
    yield ListOrders()
    for name in ("register", "place", "address"):
        yield GetCommand(command_id=name)
    for stream in ("customer-C1", "order-1"):
        yield RawEvents(stream=stream)


def texts_of(engine: Engine) -> Iterator[tuple[str, str]]:
    with engine.connect() as connection:
        for table in inspect(engine).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                for value in row:
                    plain = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                    yield table, plain


def texts_in(redis: Redis) -> Iterator[tuple[str, str]]:
    for key in redis.scan_iter():
        kind, name = redis.type(key), key.decode("latin-1")
        if kind == b"string":
            yield name, redis.get(key).decode("latin-1")
        elif kind == b"hash":
            yield name, str(redis.hgetall(key))
        elif kind == b"list":
            yield name, str(redis.lrange(key, 0, -1))


def found(kernel: Kernel) -> set[tuple[str, str]]:
    """Every place that still contains one of the values."""
    places = [*texts_of(kernel.engines.write), *texts_of(kernel.engines.read)]
    places += texts_in(kernel.redis)
    return {
        (place, value) for place, said in places for value in VALUES if value in said.casefold()
    }


def tables_of(kernel: Kernel) -> dict[str, list[Any]]:
    with kernel.engines.read.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(table.select())), key=repr)
            for projection in kernel.registry.projections.values()
            for table in projection.tables
        }


def test_the_write_store_never_holds_a_value_as_it_is(known: Kernel) -> None:
    said = list(texts_of(known.engines.write))
    assert said
    assert not [
        (place, value) for place, each in said for value in VALUES if value in each.casefold()
    ]
    assert found(known), "the read store should show them, or this test proves nothing"


def test_after_erasing_no_store_holds_a_value_and_no_question_yields_one(known: Kernel) -> None:
    for question in questions():
        assert any(value in repr(ask(known, question)).casefold() for value in VALUES), question
    run(known, do.EraseCustomer(customer_id="C1", reason=WHY))
    catch_up(known, "read")
    assert found(known) == set()
    for question in questions():
        said = repr(ask(known, question)).casefold()
        assert not [value for value in VALUES if value in said], question
        assert ERASED in said, question
    for strong in (GetOrder(order_id="1"), GetCustomerProfile(customer_id="C1")):
        assert "zabriskie" not in repr(ask(known, strong, strong=True)).casefold()
    assert found(known) == set()


def test_the_chain_verifies_and_a_rebuild_gives_the_same_rows(known: Kernel) -> None:
    run(known, do.EraseCustomer(customer_id="C1", reason=WHY))
    catch_up(known, "read")
    assert [report.fault for report in known.verify_streams() if report.fault] == []
    before = tables_of(known)
    for name in known.registry.projections:
        known.runner.rebuild(name, lambda done, total: None)
    assert tables_of(known) == before
    assert found(known) == set()


def test_others_and_the_figures_stay_as_they_were(known: Kernel) -> None:
    before = ask(known, GetCustomer(customer_id="C1")).accounts[0]
    run(known, do.EraseCustomer(customer_id="C1", reason=WHY))
    catch_up(known, "read")
    after = ask(known, GetCustomer(customer_id="C1")).accounts[0]
    assert (after.orders, after.placed_value) == (before.orders, before.placed_value) == (2, 10)
    assert ask(known, GetCustomerProfile(customer_id="C2")).email == "ben@example.org"
    assert {row.order_id for row in ask(known, ListOrders(q="white lantern")).rows} == {"1", "2"}
    assert ask(known, ListOrders(q="quintessa")).rows == ()


def test_the_receipt_says_when_by_whom_and_that_no_key_is_left(known: Kernel) -> None:
    assert ask(known, ErasureReceipt(customer_id="C1")) is None
    run(known, do.EraseCustomer(customer_id="C1", reason=WHY), "erase")
    receipt = ask(known, ErasureReceipt(customer_id="C1"))
    assert (receipt.operator, receipt.reason, receipt.command_id) == ("ana", WHY, "erase")
    assert (receipt.keys, receipt.claims) == (0, 0)
    assert receipt.key_destroyed_at is not None
    event = known.store.events_of("customer-C1")[-1]
    assert (receipt.version, receipt.event_hash) == (event.version, event.hash.hex())


def test_nothing_personal_is_taken_in_any_more(known: Kernel) -> None:
    run(known, do.EraseCustomer(customer_id="C1", reason=WHY))
    for command, code in (
        (order("3"), "person_erased"),
        (orders.ChangeShippingAddress(order_id="1", address=ADDRESS), "person_erased"),
        (do.RegisterCustomer(customer_id="C1", name="Quintessa"), "customer_erased"),
    ):
        with pytest.raises(Refused) as refusal:
            run(known, command)
        assert refusal.value.code == code
    run(known, orders.ReleaseOrder(order_id="1"))
    run(known, do.ChangeCustomerEmail(customer_id="C2", email="Quintessa@zabriskie.example"))


def test_who_is_known_from_orders_only_is_registered_and_then_erased(kernel: Kernel) -> None:
    run(kernel, order("1", "C9"))
    run(kernel, do.RegisterCustomer(customer_id="C9"))
    run(kernel, do.EraseCustomer(customer_id="C9", reason=WHY))
    catch_up(kernel, "read")
    assert found(kernel) == set()


def test_a_task_that_waits_for_somebody_erased_meanwhile_comes_to_an_end(known: Kernel) -> None:
    change = do.ChangeCustomerEmail(customer_id="C1", email="new@zabriskie.example")
    known.commands.enqueue(change, Context(actor=ANA, channel="test", command_id="waits"))
    run(known, do.EraseCustomer(customer_id="C1", reason=WHY))
    with pytest.raises(Invalid):
        known.commands.run_queued("waits")
    entry = known.log.find("waits")
    assert entry is not None
    assert (entry.outcome, entry.code) == ("refused", "invalid")
    assert known.commands.run_queued("waits") is None
    catch_up(known, "read")
    assert found(known) == set()
