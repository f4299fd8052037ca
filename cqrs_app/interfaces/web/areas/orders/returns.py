"""What was returned of an order, what can be returned, and what might be refunded for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cqrs_app.areas.desk.queries.one_order import OrderView, ReturnView
from cqrs_app.areas.orders.words import ReturnStatus
from cqrs_app.areas.payments.queries.lists import PaymentRow
from cqrs_app.interfaces.web.areas.order_summary import order_given
from cqrs_app.interfaces.web.areas.orders.line_quantities import OpenLine
from cqrs_app.standards.money import charged

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class ProposedRefund:
    """How much could be refunded to a payment, based on its `version`."""

    payment_id: str
    amount: Decimal
    version: int


def proposed_refunds(order: OrderView, payments: Iterable[PaymentRow]) -> Iterator[ProposedRefund]:
    """For returned units: at most what the shop has beyond the price of the rest, and what the
    payment has left.
    """
    mine = [each for each in payments if each.currency == order.currency]
    kept = sum((_kept(each) for each in mine), NOTHING)
    back = charged(order.returned_amount, order.currency)
    owed = charged(order.total, order.currency) - back
    left = min(back, max(kept - owed, NOTHING))
    for payment in sorted(mine, key=_kept, reverse=True):
        amount = min(left, _kept(payment))
        if amount > 0 and not payment.waiting:
            yield ProposedRefund(payment.payment_id, amount, payment.applied_version)
            left -= amount


def _kept(payment: PaymentRow) -> Decimal:
    return payment.captured - payment.refunded - payment.lost


def returnable(given: Mapping[str, str]) -> list[OpenLine] | None:
    """The lines with shipped units that are neither returned nor requested back."""
    order = order_given(given)
    if order is None:
        return None
    lines = []
    for line in order.lines:
        most = line.shipped_quantity - line.returned_quantity - _requested(order, line.line_no)
        if most > 0:
            lines.append(
                OpenLine(
                    line_no=line.line_no, sku=line.sku, description=line.description, most=most
                )
            )
    return lines


def requested(given: Mapping[str, str]) -> list[OpenLine] | None:
    """The lines of the named return, or of the first open one."""
    order = order_given(given)
    found = open_return(order, given.get("return_id", "")) if order else None
    if order is None or found is None:
        return None
    lines = {line.line_no: line for line in order.lines}
    return [
        OpenLine(
            line_no=each.line_no,
            sku=lines[each.line_no].sku,
            description=lines[each.line_no].description,
            most=each.quantity,
            filled_in={"restocked": each.quantity},
        )
        for each in found.lines
    ]


def open_return(order: OrderView, return_id: str = "") -> ReturnView | None:
    """The open return of this number, or the first one."""
    found = (
        each
        for each in order.returns
        if each.status is ReturnStatus.REQUESTED and return_id in ("", each.return_id)
    )
    return next(found, None)


def first_open_return(given: Mapping[str, str]) -> dict[str, Any]:
    order = order_given(given)
    found = open_return(order) if order else None
    return {"return_id": found.return_id} if found else {}


def exchange_of(order: OrderView) -> dict[str, Any]:
    """A new order for the same customer, with the returned items."""
    back = [line for line in order.lines if line.returned_quantity]
    address = {
        name: getattr(order.shipping_address, name)
        for name in ("name", "line1", "line2", "city", "postal_code", "country")
    }
    return {
        "exchange_for": order.order_id,
        "customer_id": order.customer_id,
        "customer_name": order.customer_name,
        "country": order.country,
        "currency": order.currency,
        "shipping_address": address,
        "lines": [
            {
                "sku": line.sku,
                "description": line.description,
                "quantity": line.returned_quantity,
                "unit_price": line.unit_price,
                "discount": NOTHING,
            }
            for line in back
        ],
    }


def _requested(order: OrderView, line_no: int) -> int:
    return sum(
        line.quantity
        for each in order.returns
        if each.status is ReturnStatus.REQUESTED
        for line in each.lines
        if line.line_no == line_no
    )
