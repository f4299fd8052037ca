"""What each task can be refused with: told by the catalogue, taken from the rules themselves."""

from __future__ import annotations

from types import MappingProxyType

from cqrs_app.areas.orders import commands, rules

_LINES = {
    "no_such_line": "The order has fewer lines.",
    "more_than_left": "A line has less left to ship.",
}

_ERASED = {"person_erased": "The customer was erased: nothing personal can be added."}

ORDER_REFUSALS = MappingProxyType(
    {
        commands.PlaceOrder: {
            "order_exists": "The number was used before.",
            "no_lines": "There is nothing in it.",
        }
        | _ERASED,
        commands.ApproveOrder: rules.refusals_of(rules.APPROVE),
        commands.RejectOrder: rules.refusals_of(rules.REJECT),
        commands.HoldOrder: rules.refusals_of(rules.HOLD),
        commands.ReleaseOrder: rules.refusals_of(rules.RELEASE),
        commands.ChangeShippingAddress: rules.refusals_of(rules.ADDRESS) | _ERASED,
        commands.AddOrderNote: rules.refusals_of(rules.NOTE),
        commands.ShipOrder: rules.refusals_of(rules.SHIP) | _LINES,
        commands.DeliverOrder: rules.refusals_of(rules.DELIVER),
        commands.CancelOrder: rules.refusals_of(rules.CANCEL),
        commands.RecordCreditNote: {"credit_note_exists": "The number was used before."},
    }
)
