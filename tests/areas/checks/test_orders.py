"""The customer of a new order is known and active, and nothing is shipped to nowhere."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cqrs_app.areas.customers.commands import (
    ChangeCustomerAddress,
    DeactivateCustomer,
    EraseCustomer,
    ReactivateCustomer,
    RegisterCustomer,
    UpdateCustomerProfile,
)
from cqrs_app.areas.desk.queries.one_order import GetOrder
from cqrs_app.areas.inventory.commands import AddProduct
from cqrs_app.areas.orders.commands import (
    ApproveOrder,
    ChangeShippingAddress,
    PlaceOrder,
    ShipOrder,
)
from cqrs_app.areas.orders.order import Order
from cqrs_app.areas.orders.queries import OrderActions
from cqrs_app.areas.orders.types import OrderLine, ShippingAddress
from cqrs_app.kernel.commands.context import Context, new_id
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.kernel.errors import Invalid, Refused
from cqrs_app.platform.operators.roles import system_actor
from tests.areas.fulfilment.conftest import MakeDesk, OrderDesk
from tests.areas.payments.conftest import ADA
from tests.services.statements import statements

DEFAULTS: dict[str, Any] = {
    "unknown_customers": "flag",
    "inactive_customers": "refuse",
    "shipping_address_required": True,
    "fulfilment": False,
}
ANA = RegisterCustomer(customer_id="7", name="Ana Lima", country="France")
LEFT = DeactivateCustomer(customer_id="7", reason="Asked us to.......")
ERASED = EraseCustomer(customer_id="7", reason="Asked for it in writing.")
HOME = ShippingAddress(name="Ana Lima", line1="Rue Haute 5", city="Lille", country="France")


def place(order_id: str = "1", **rest: Any) -> PlaceOrder:
    line = OrderLine(sku="A", description="", quantity=1, unit_price=Decimal(1))
    values = {"country": "France", "currency": "EUR", "lines": (line,), "customer_id": "7"} | rest
    return PlaceOrder(order_id=order_id, **values)


@pytest.fixture
def desk(make_desk: MakeDesk) -> OrderDesk:
    return make_desk(**DEFAULTS)


def events_of(desk: OrderDesk, order_id: str = "1") -> list[str]:
    return [each.type for each in desk.kernel.store.events_of(f"order-{order_id}")]


def test_an_order_of_a_registered_customer_bears_no_flag(desk: OrderDesk) -> None:
    desk.do(ANA, place(), place("2", customer_id=""))
    assert events_of(desk) == events_of(desk, "2") == ["OrderPlaced"]


def test_an_order_of_an_unknown_customer_is_flagged(desk: OrderDesk) -> None:
    desk.do(place())
    desk.catch_up()
    assert events_of(desk) == ["OrderPlaced", "OrderFlagged"]
    [flag] = desk.ask(GetOrder(order_id="1")).flags
    assert (flag.code, flag.sentence) == (
        "unknown_customer",
        "No customer 7 is registered.",
    )


@pytest.mark.parametrize("gone", [LEFT, ERASED])
def test_an_order_of_a_customer_who_left_is_refused(desk: OrderDesk, gone: Any) -> None:
    desk.do(ANA, gone)
    with pytest.raises(Refused, match=r"^Customer 7 was (deactivated|erased)\. Nothing") as refused:
        desk.do(place())
    assert refused.value.code == "inactive_customer"
    assert events_of(desk) == []


def test_a_customer_who_came_back_orders_again(desk: OrderDesk) -> None:
    desk.do(ANA, LEFT, ReactivateCustomer(customer_id="7"), place())
    assert events_of(desk) == ["OrderPlaced"]


def test_the_shop_chooses_the_other_reaction(make_desk: MakeDesk) -> None:
    choice = {"unknown_customers": "refuse", "inactive_customers": "flag"}
    desk = make_desk(**DEFAULTS | choice)
    with pytest.raises(Refused) as refused:
        desk.do(place())
    assert refused.value.code == "unknown_customer"
    desk.do(ANA, LEFT, place())
    assert events_of(desk) == ["OrderPlaced", "OrderFlagged"]


def test_a_sku_that_is_no_product_is_accepted_flagged_or_refused(make_desk: MakeDesk) -> None:
    desk = make_desk(**DEFAULTS)
    desk.do(place(customer_id=""))
    assert events_of(desk) == ["OrderPlaced"]
    flagging = make_desk(**DEFAULTS | {"unknown_products": "flag"})
    flagging.do(place("2", customer_id=""))
    assert events_of(flagging, "2") == ["OrderPlaced", "OrderFlagged"]
    refusing = make_desk(**DEFAULTS | {"unknown_products": "refuse"})
    with pytest.raises(Refused, match=r"^There is no product A\. Nothing was changed\.") as refused:
        refusing.do(place("3", customer_id=""))
    assert refused.value.code == "unknown_product"
    refusing.do(AddProduct(sku="A"), place("4", customer_id=""))
    assert events_of(refusing, "4") == ["OrderPlaced"]


def test_products_are_looked_up_at_once_and_also_in_the_batch_that_adds_them(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(**DEFAULTS | {"unknown_products": "refuse"})
    counts = []
    for number, skus in enumerate(("AB", "CDEFG")):
        lines = tuple(OrderLine(sku=sku, quantity=1, unit_price=Decimal(1)) for sku in skus)
        desk.do(*(AddProduct(sku=sku) for sku in skus))
        with statements() as sent:
            desk.do(replace(place(str(number), customer_id=""), lines=lines))
        counts.append(len(sent))
    assert counts[0] == counts[1]
    commands = (AddProduct(sku="H"), replace(place("9", customer_id=""), lines=_one("H")))
    items = [(each, Context(actor=ADA, channel="test")) for each in commands]
    assert all(each.receipt for each in desk.kernel.commands.execute_batch(items))


def _one(sku: str) -> tuple[OrderLine, ...]:
    return (OrderLine(sku=sku, quantity=1, unit_price=Decimal(1)),)


def test_an_order_is_of_the_country_of_its_address_unless_it_says_another(
    desk: OrderDesk,
) -> None:
    guest = {"customer_id": "", "shipping_address": HOME}
    desk.do(place(country="", **guest), place("2", country="Spain", **guest))
    desk.do(ANA, place("3", country=""))
    desk.catch_up()
    countries = [desk.ask(GetOrder(order_id=each)).country for each in ("1", "2", "3")]
    assert countries == ["France", "Spain", "France"]
    with pytest.raises(Invalid) as invalid:
        place("4", country="", customer_id="")
    assert invalid.value.problems == {"shipping_address.country": "Required."}
    with pytest.raises(Refused, match="no country") as refused:
        desk.do(place("5", country="", customer_id="8"))
    assert refused.value.code == "country_needed"


def test_history_has_the_customers_it_had(desk: OrderDesk) -> None:
    desk.do(ANA, LEFT)
    importer = system_actor("importer", PlaceOrder.declaration.permission, HISTORY)
    context = Context(actor=importer, channel="import", command_id=new_id())
    desk.kernel.commands.execute(place(), replace(context, occurred_at=desk.clock()))
    assert events_of(desk) == ["OrderPlaced"]


def test_a_customer_registered_in_the_same_batch_is_known(desk: OrderDesk) -> None:
    context = Context(actor=ADA, channel="test")
    items = [(each, replace(context, command_id=new_id())) for each in (ANA, place())]
    outcomes = desk.kernel.commands.execute_batch(items)
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert events_of(desk) == ["OrderPlaced"]


def test_what_is_left_open_is_filled_from_the_profile(desk: OrderDesk) -> None:
    desk.do(
        ANA,
        UpdateCustomerProfile(customer_id="7", name="Ana Lima-Roth", country="France"),
        ChangeCustomerAddress(customer_id="7", line1="Rue Haute 5", city="Lille"),
        place(),
    )
    desk.catch_up()
    order = desk.ask(GetOrder(order_id="1"))
    assert order.customer_name == "Ana Lima-Roth"
    to = order.shipping_address
    assert (to.name, to.line1, to.country) == ("Ana Lima-Roth", "Rue Haute 5", "France")
    elsewhere = replace(HOME, line1="Quai Bas 1")
    desk.do(place("2", customer_name="Bo", shipping_address=elsewhere))
    desk.catch_up()
    order = desk.ask(GetOrder(order_id="2"))
    assert (order.customer_name, order.shipping_address.line1) == ("Bo", "Quai Bas 1")


def test_an_order_that_was_filled_is_answered_again_for_the_same_id(desk: OrderDesk) -> None:
    desk.do(ANA)
    context = Context(actor=ADA, channel="test", command_id="a1")
    first = desk.kernel.commands.execute(place(), context)
    desk.do(UpdateCustomerProfile(customer_id="7", name="Ana Roth"))
    again = desk.kernel.commands.execute(place(), context)
    assert (again.repeated, again.version) == (True, first.version)


def test_an_order_without_an_address_is_not_shipped_before_it_has_one(desk: OrderDesk) -> None:
    desk.do(place(customer_id=""), ApproveOrder(order_id="1"))
    with pytest.raises(Refused, match="has no shipping address") as refused:
        desk.do(ShipOrder(order_id="1"))
    assert refused.value.code == "address_needed"
    offered = {each.command: each for each in desk.ask(OrderActions(order_id="1")).actions}
    assert offered["ShipOrder"].reason == refused.value.why
    desk.do(ChangeShippingAddress(order_id="1", address=HOME), ShipOrder(order_id="1"))
    assert events_of(desk)[-1] == "OrderShipped"


def test_history_is_shipped_without_an_address(desk: OrderDesk) -> None:
    commands = (place(customer_id=""), ApproveOrder(order_id="1"), ShipOrder(order_id="1"))
    permissions = [each.declaration.permission for each in commands]
    context = Context(actor=system_actor("importer", *permissions, HISTORY), channel="import")
    for each in commands:
        at = replace(context, command_id=new_id(), occurred_at=desk.clock())
        desk.kernel.commands.execute(each, at)
    assert events_of(desk) == ["OrderPlaced", "OrderApproved", "OrderShipped"]


def test_that_an_order_has_an_address_does_not_depend_on_its_erasure(desk: OrderDesk) -> None:
    desk.do(ANA, place(shipping_address=HOME))
    before = desk.state(Order, "1").addressed  # type: ignore[attr-defined]
    desk.do(ERASED)
    folded = Order()
    for stored in desk.kernel.store.events_of("order-1"):
        folded.evolve(desk.kernel.registry.codec.decode(stored).event, stored.occurred_at)
    assert before is folded.addressed is True
