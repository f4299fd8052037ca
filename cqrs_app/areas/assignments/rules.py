"""Why an order cannot be assigned, taken over or skipped."""

from __future__ import annotations

from cqrs_app.kernel import Refusal

ALREADY_ASSIGNED = Refusal("already_assigned", "The order is assigned to them already.")
NOT_ASSIGNED = Refusal("not_assigned", "The order is assigned to nobody.")
NO_SUCH_ORDER = Refusal("no_such_order", "There is no order with this number.")
UNKNOWN_ASSIGNEE = Refusal("unknown_assignee", "No active operator, or no team, has this name.")
NOT_CLAIMED = Refusal("not_claimed", "Nobody has claimed the order.")
YOURS_ALREADY = Refusal("yours_already", "You have claimed the order yourself.")
"""All but the first two are raised where orders, operators and claims are known."""
