"""When an order allows what: one rule per task, asked by the task and by the order's page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from cqrs_app.areas.orders.words import OrderStatus, label_of
from cqrs_app.kernel.errors import Refused

if TYPE_CHECKING:
    from cqrs_app.areas.orders.order import Order

_S = OrderStatus
NO_SUCH_ORDER = "There is no order with this number."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The states that allow a task. In any other the refusal ends in `otherwise`, or in what
    `instead` says for that state; `codes` replaces a state's own code."""

    states: frozenset[OrderStatus]
    otherwise: str
    instead: Mapping[OrderStatus, str] = field(default_factory=dict)
    codes: Mapping[OrderStatus, str] = field(default_factory=dict)


_STANDING = MappingProxyType(
    {
        _S.PLACED: ("not_approved", "has waited for approval since"),
        _S.APPROVED: ("already_approved", "was approved on"),
        _S.ON_HOLD: ("on_hold", "has been on hold since"),
        _S.PART_SHIPPED: ("already_shipped", "was shipped in part on"),
        _S.SHIPPED: ("already_shipped", "was shipped on"),
        _S.DELIVERED: ("already_delivered", "was delivered on"),
        _S.CANCELLED: ("already_cancelled", "was cancelled on"),
        _S.REJECTED: ("already_rejected", "was rejected on"),
    }
)

APPROVE = Rule(
    states=frozenset({_S.PLACED}),
    otherwise="it can no longer be approved",
    instead={
        _S.APPROVED: "it need not be approved again",
        _S.ON_HOLD: "release it before you approve it",
    },
)
REJECT = Rule(
    states=frozenset({_S.PLACED}),
    otherwise="it can no longer be rejected",
    instead={
        _S.APPROVED: "it can no longer be rejected, but it can be cancelled",
        _S.ON_HOLD: "release it before you reject it",
    },
)
HOLD = Rule(
    states=frozenset({_S.PLACED, _S.APPROVED, _S.PART_SHIPPED}),
    otherwise="it can no longer be put on hold",
    instead={_S.ON_HOLD: "it need not be held again"},
)
RELEASE = Rule(
    states=frozenset({_S.ON_HOLD}),
    otherwise="it is not on hold",
    codes=dict.fromkeys(_S, "not_on_hold"),
)
ADDRESS = Rule(
    states=frozenset({_S.PLACED, _S.APPROVED, _S.ON_HOLD, _S.PART_SHIPPED}),
    otherwise="its shipping address can no longer be changed",
)
NOTE = Rule(states=frozenset(_S), otherwise="")
SHIP = Rule(
    states=frozenset({_S.APPROVED, _S.PART_SHIPPED}),
    otherwise="it can no longer be shipped",
    instead={
        _S.PLACED: "approve it before you ship it",
        _S.ON_HOLD: "release it before you ship it",
        _S.SHIPPED: "nothing is left to ship",
        _S.DELIVERED: "nothing is left to ship",
    },
)
DELIVER = Rule(
    states=frozenset({_S.SHIPPED}),
    otherwise="it cannot be delivered",
    instead={
        _S.PLACED: "approve and ship it first",
        _S.APPROVED: "ship it first",
        _S.ON_HOLD: "release and ship it first",
        _S.PART_SHIPPED: "ship the rest first",
        _S.DELIVERED: "it need not be delivered again",
    },
    codes=dict.fromkeys((_S.PLACED, _S.APPROVED, _S.PART_SHIPPED), "not_shipped"),
)
CANCEL = Rule(
    states=frozenset({_S.PLACED, _S.APPROVED, _S.ON_HOLD}),
    otherwise="it can no longer be cancelled",
    instead={_S.CANCELLED: "it need not be cancelled again"},
)


def may_place(order: Order) -> None:
    """A number is used once, whatever became of its order."""
    if order.status is not None:
        placed = moment(order.moments[_S.PLACED])
        raise Refused(
            "order_exists",
            f"There is an order {order.order_id} already, placed on {placed}; "
            "choose another number.",
        )


def must_have_lines(order: Order) -> None:
    """Asked of the order as it was placed."""
    if not order.left:
        raise Refused("no_lines", f"Order {order.order_id} has no lines; an order needs one.")


def may_approve(order: Order) -> None:
    _ask(APPROVE, order)


def may_reject(order: Order) -> None:
    _ask(REJECT, order)


def may_hold(order: Order) -> None:
    _ask(HOLD, order)


def may_release(order: Order) -> None:
    _ask(RELEASE, order)


def may_change_address(order: Order) -> None:
    _ask(ADDRESS, order)


def may_note(order: Order) -> None:
    _ask(NOTE, order)


def may_ship(order: Order) -> None:
    _ask(SHIP, order)


def may_deliver(order: Order) -> None:
    _ask(DELIVER, order)


def may_cancel(order: Order) -> None:
    """Until anything has left, also when the rest is on hold."""
    if order.status is _S.ON_HOLD and order.before_hold is _S.PART_SHIPPED:
        raise _refusal(CANCEL, order, _S.PART_SHIPPED)
    _ask(CANCEL, order)


def refusals_of(rule: Rule) -> dict[str, str]:
    """The codes this rule can answer with, and when."""
    found = {"no_such_order": NO_SUCH_ORDER}
    for status in OrderStatus:
        if status not in rule.states:
            code = rule.codes.get(status, _STANDING[status][0])
            when = f"“{status.label}”: {rule.instead.get(status, rule.otherwise)}."
            found[code] = f"{found[code]} {when}" if code in found else when
    return found


def moment(at: datetime) -> str:
    """A point in time inside a refusal: "1 Dec 2010 at 12:03 UTC"."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y} at {at:%H:%M} UTC"


def _ask(rule: Rule, order: Order) -> None:
    if order.status is None:
        raise Refused("no_such_order", NO_SUCH_ORDER)
    if order.status not in rule.states:
        raise _refusal(rule, order, order.status)


def _refusal(rule: Rule, order: Order, status: OrderStatus) -> Refused:
    code, standing = _STANDING[status]
    why = f" ({label_of(order.hold_reason).lower()})" if status is _S.ON_HOLD else ""
    sentence = (
        f"Order {order.order_id} {standing} {moment(order.moments[status])}{why}; "
        f"{rule.instead.get(status, rule.otherwise)}."
    )
    return Refused(rule.codes.get(status, code), sentence)
