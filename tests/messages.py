"""One usable example of every command and query, as plain values, for tests of every door."""

from __future__ import annotations

from typing import Any

THE = "CS-1"
LINE = {"sku": "85123A", "description": "Lantern, white", "quantity": 6, "unit_price": "2.55"}
PARKED = {"projection": "orders", "stream": f"order-{THE}"}

COMMANDS: dict[str, dict[str, Any]] = {
    "PlaceOrder": {
        "order_id": THE,
        "customer_id": "17850",
        "customer_name": "Ana Núñez",
        "country": "United Kingdom",
        "shipping_address": {"line1": "1 High Street", "city": "Leeds", "postal_code": "LS1 1AA"},
        "currency": "GBP",
        "lines": [LINE, {"sku": "POST", "quantity": 1, "unit_price": "18"}],
    },
    "ApproveOrder": {"order_id": THE},
    "RejectOrder": {"order_id": THE, "reason": "No such customer."},
    "HoldOrder": {"order_id": THE, "reason": "payment_check", "note": "Rang them twice."},
    "ReleaseOrder": {"order_id": THE},
    "ChangeShippingAddress": {
        "order_id": THE,
        "address": {"line1": "2 Low Street", "city": "Łódź", "country": "Poland"},
    },
    "AddOrderNote": {"order_id": THE, "note": "Two lines\nof note."},
    "ShipOrder": {
        "order_id": THE,
        "lines": [{"line_no": 1, "quantity": 2}],
        "carrier": "DHL",
        "tracking": "JD0001",
    },
    "DeliverOrder": {"order_id": THE},
    "CancelOrder": {"order_id": THE, "reason": "customer_request"},
    "RecordCreditNote": {
        "credit_note_id": "C-1",
        "customer_id": "17850",
        "country": "France",
        "currency": "EUR",
        "reason": "Broken on arrival",
        "lines": [LINE],
    },
    "PauseProjection": {"projection": "orders"},
    "ResumeProjection": {"projection": "orders"},
    "RetryParkedEvents": PARKED,
    "SkipParkedEvent": {**PARKED, "reason": "Told by the auditors."},
}

FILTERS = {
    "q": "lantern",
    "status": ["placed", "on_hold"],
    "customer_id": "17850",
    "country": "United Kingdom",
    "placed_from": "2026-01-01",
    "placed_to": "2026-12-31",
    "min_total": "0.5",
    "max_total": "1000",
}
QUERIES: dict[str, dict[str, Any]] = {
    "ListOrders": {**FILTERS, "sort": "total", "descending": False, "limit": 5},
    "CountChanges": {**FILTERS, "since": 0},
    "GetOrder": {"order_id": THE},
    "OrderTimeline": {"order_id": THE},
    "OrderActions": {"order_id": THE},
    "WaitingWork": {},
    "TodayFigures": {"day": "2026-11-20"},
    "OrdersByDay": {"days": 3, "until": "2026-11-20"},
    "OrdersByStatus": {},
    "ListCustomers": {"q": "ana", "sort": "orders", "descending": True, "limit": 5},
    "GetCustomer": {"customer_id": "17850"},
    "ImportTotals": {"order_ids": [THE, "CS-2"], "credit_note_ids": ["C-1"]},
    "ProjectionStatus": {},
    "LogHead": {"after": [0, 1]},
    "ParkedStreams": {"limit": 5},
    "ProcessList": {},
    "CommandFigures": {"hours": 2},
    "QueryFigures": {"hours": 2},
    "ListCommands": {"type": "PlaceOrder", "received_from": "2026-01-01", "limit": 5},
    "GetCommand": {"command_id": "no-such-command"},
    "FailedToday": {},
    "PendingWrites": {"streams": [f"order-{THE}"]},
    "RawEvents": {"stream": f"order-{THE}", "limit": 5},
    "EventsSince": {"stream": f"order-{THE}", "version": 0},
}
