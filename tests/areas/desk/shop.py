"""Generated work for property tests: few orders and few words, so that collisions are frequent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from cqrs_app.areas.fulfilment.types import Stage
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.amounts import part_of
from cqrs_app.areas.orders.types import (
    BillingAddress,
    ChangedLine,
    CreditedLine,
    OrderAdjustment,
    OrderLine,
    ReceivedLine,
    ReturnedLine,
    ShippedLine,
    ShippingAddress,
)
from cqrs_app.areas.orders.words import AdjustmentKind, CancelReason, HoldReason, ReturnReason
from cqrs_app.areas.types import IMPORTER
from cqrs_app.kernel.messages.messages import Command
from tests.areas.desk.history import START, History

ORDER_IDS = st.sampled_from(["1", "2", "3", "A-4", "a-4"])
RETURN_IDS = st.sampled_from(["R1", "R1", "R2", "R3"])
CUSTOMERS = st.sampled_from(["", "", "17850", "12431.b"])
CURRENCIES = st.sampled_from(["GBP", "GBP", "EUR"])
COUNTRIES = st.sampled_from(["United Kingdom", "Ireland", "France"])
PRICES = st.decimals(min_value=0, max_value=1_000, places=4, allow_nan=False)
TEXTS = st.sampled_from(["", "WHITE METAL LANTERN", "café crème", "£5 voucher", "o'neill & co"])
LINES: dict[str, Any] = {
    "sku": st.sampled_from(["85123A", "85123a", "POST", "gift_0001_80"]),
    "description": TEXTS,
    "quantity": st.integers(1, 5),
    "unit_price": PRICES,
}
ADDRESSES = st.builds(
    ShippingAddress,
    line1=st.just("1 High Street"),
    city=st.sampled_from(["Leeds", "Łódź"]),
    country=COUNTRIES,
)

LESS = st.decimals(min_value=0, max_value=1, places=4, allow_nan=False)


@st.composite
def ordered_lines(draw: st.DrawFn) -> tuple[OrderLine, ...]:
    """Lines of which some have a discount, of any part of what they cost."""
    lines = draw(st.lists(st.builds(OrderLine, **LINES), min_size=0, max_size=4))
    parts = st.one_of(st.just(Decimal(0)), LESS)
    return tuple(
        replace(line, discount=part_of(line.unit_price * line.quantity, draw(parts), 1))
        for line in lines
    )


PLACING: st.SearchStrategy[Command] = st.builds(
    do.PlaceOrder,
    order_id=ORDER_IDS,
    customer_id=CUSTOMERS,
    customer_name=TEXTS,
    country=COUNTRIES,
    shipping_address=ADDRESSES,
    currency=CURRENCIES,
    lines=ordered_lines(),
    adjustments=st.lists(
        st.builds(
            OrderAdjustment,
            kind=st.sampled_from([each for each in AdjustmentKind if each != "discount"]),
            label=TEXTS,
            amount=LESS,
        ),
        max_size=2,
    ).map(tuple),
    billing_address=st.one_of(
        st.just(BillingAddress()), st.just(BillingAddress(name="Lima SARL", city="Lille"))
    ),
)
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    PLACING,
    PLACING,
    st.builds(do.ApproveOrder, order_id=ORDER_IDS),
    st.builds(do.ApproveOrder, order_id=ORDER_IDS),
    st.builds(do.RejectOrder, order_id=ORDER_IDS, reason=st.just("no")),
    st.builds(do.HoldOrder, order_id=ORDER_IDS, reason=st.sampled_from(HoldReason), note=TEXTS),
    st.builds(do.ReleaseOrder, order_id=ORDER_IDS),
    st.builds(do.ChangeShippingAddress, order_id=ORDER_IDS, address=ADDRESSES),
    st.builds(do.AddOrderTag, order_id=ORDER_IDS, tag=st.sampled_from(["gift", "VIP", "é"])),
    st.builds(do.RemoveOrderTag, order_id=ORDER_IDS, tag=st.sampled_from(["gift", "vip"])),
    st.builds(
        do.AssignOrderToCustomer,
        order_id=ORDER_IDS,
        customer_id=st.sampled_from(["17850", "12431.b"]),
    ),
    st.builds(
        do.ChangeBillingAddress,
        order_id=ORDER_IDS,
        address=st.just(BillingAddress(line1="1 Mill Lane", city="York")),
    ),
    st.builds(do.AddOrderNote, order_id=ORDER_IDS, note=st.just("rang them")),
    st.builds(
        do.ShipOrder,
        order_id=ORDER_IDS,
        lines=st.lists(
            st.builds(ShippedLine, line_no=st.integers(1, 4), quantity=st.integers(1, 5)),
            max_size=3,
            unique_by=lambda line: line.line_no,
        ).map(tuple),
        carrier=st.sampled_from(["", "DHL"]),
        tracking=st.sampled_from(["", "JD014-600", "TRACK 9"]),
    ),
    st.builds(do.DeliverOrder, order_id=ORDER_IDS),
    st.builds(
        do.ChangeOrderLines,
        order_id=ORDER_IDS,
        lines=st.lists(
            st.builds(
                ChangedLine,
                line_no=st.integers(1, 5),
                quantity=st.integers(0, 5),
                unit_price=PRICES,
                discount=st.sampled_from([None, None, Decimal(0)]),
            ),
            min_size=1,
            max_size=3,
            unique_by=lambda line: line.line_no,
        ).map(tuple),
        added=st.lists(st.builds(OrderLine, **LINES), max_size=2).map(tuple),
    ),
    st.builds(
        do.RequestReturn,
        order_id=ORDER_IDS,
        lines=st.lists(
            st.builds(ReturnedLine, line_no=st.integers(1, 5), quantity=st.integers(1, 3)),
            min_size=1,
            max_size=2,
            unique_by=lambda line: line.line_no,
        ).map(tuple),
        reason=st.sampled_from(ReturnReason),
    ),
    st.builds(
        do.ReceiveReturn,
        order_id=ORDER_IDS,
        return_id=RETURN_IDS,
        lines=st.one_of(
            st.just(()),
            st.builds(
                ReceivedLine,
                line_no=st.integers(1, 5),
                restocked=st.integers(0, 2),
                written_off=st.integers(1, 2),
            ).map(lambda line: (line,)),
        ),
    ),
    st.builds(do.CancelReturn, order_id=ORDER_IDS, return_id=RETURN_IDS),
    st.builds(do.CancelOrder, order_id=ORDER_IDS, reason=st.sampled_from(CancelReason)),
    st.builds(do.CancelRemainingItems, order_id=ORDER_IDS, reason=st.sampled_from(CancelReason)),
    st.builds(
        do.RecordCreditNote,
        credit_note_id=st.sampled_from(["C1", "C2", "C3"]),
        customer_id=CUSTOMERS,
        country=COUNTRIES,
        currency=CURRENCIES,
        lines=st.lists(st.builds(CreditedLine, **LINES), min_size=1, max_size=3).map(tuple),
    ),
)


MOVES = st.tuples(ORDER_IDS, st.sampled_from(["", "", *Stage]))
"""Of whatever order, there or not, to whatever stage."""


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Any sequence of commands and moves: some are refused, some are history that violates the
    rules. Times may go back, as in an import."""
    history = History()
    work = st.tuples(COMMANDS, st.integers(0, 200), st.booleans(), MOVES)
    for command, hours, happened, (order_id, step) in draw(st.lists(work, max_size=40)):
        if step:
            history.move(order_id, step, step, START + timedelta(hours=hours))
        operator = IMPORTER if happened else "ana"
        history.run(command, START + timedelta(hours=hours), operator, history=happened)
    return history
