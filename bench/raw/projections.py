"""The floor of projections: order list and timeline by hand, in batches of 500.

By hand means statements of the drivers and plain dicts. Nothing is parked or announced. Where style
makes no difference, functions of the product compute the rows: the vault opens sealed values, and
the search splits texts into words. The writes are the same, row by row: cases/catch_up.py requires
that both sides produce equal rows. PostgreSQL gets arrays in binary form, which psycopg encodes
faster than texts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.search_words import index_words

BATCH = 500
Row = dict[str, Any]

PLACED, APPROVED, SHIPPED, NOTED = "OrderPlaced", "OrderApproved", "OrderShipped", "OrderNoteAdded"


class Store(Protocol):
    """The operations of a driver in these projections: see stores.py."""

    def follow(self, after: int) -> list[Row]: ...
    def begin(self, projection: str) -> int:
        """Lock the checkpoint and return its position."""

    def find(self, table: str, orders: Sequence[str]) -> Iterable[Row]: ...
    def days(self, table: str, days: Sequence[str]) -> Iterable[Row]: ...
    def write(self, table: str, rows: Sequence[Row]) -> None: ...
    def end(self, projection: str, position: int, events: int) -> None:
        """Move the checkpoint and commit."""


def catch_up(store: Store, vault: Vault, names: Iterable[str]) -> int:
    """Advance these projections to the end of the log, one after the other; returns the number of
    events."""
    taken = 0
    for projection in names:
        apply = {"orders": _orders, "order_timeline": _timeline}[projection]
        while True:
            position = store.begin(projection)
            events = store.follow(position)
            vault.prepare(event["payload"] for event in events)
            for event in events:
                event["data"] = msgspec.json.decode(vault.open(event["payload"], event["stream"]))
            apply(store, events)
            position = events[-1]["position"] if events else position
            store.end(projection, position, len(events))
            taken += len(events)
            if len(events) < BATCH:
                break
    return taken


def _timeline(store: Store, events: Iterable[Row]) -> None:
    rows = []
    for event in events:
        data = event["data"]
        label, pairs = _LABELS[event["type"]](data)
        rows.append(
            {
                "order_id": data["order_id"],
                "version": event["version"],
                "stream": event["stream"],
                "kind": "order",
                "item": "",
                "quantity": 0,
                "personal": "{}",
                "subject": f"customer-{data['customer_id']}" if data.get("customer_id") else "",
                "before": "{}",
                "facts": "{}",
                "at": event["occurred_at"],
                "recorded_at": event["recorded_at"],
                "operator": event["operator"],
                "type": event["type"],
                "label": label,
                "detail": msgspec.json.encode([pair for pair in pairs if pair[1]]).decode(),
                "command_id": event["command_id"],
                "position": event["position"],
            }
        )
    store.write("order_timeline", rows)


Pairs = list[tuple[str, str]]


def _placed_words(data: Row) -> tuple[str, Pairs]:
    units = sum(line["quantity"] for line in data["lines"])
    counted = f"{len(data['lines']):,}, {units:,} {'unit' if units == 1 else 'units'}"
    total = f"{data['currency']} {Decimal(data['total']):,.2f}"
    return "Order placed", [
        ("Customer", data["customer_name"]),
        ("Lines", counted),
        ("Total", total),
    ]


def _shipped_words(data: Row) -> tuple[str, Pairs]:
    units = sum(line["quantity"] for line in data["lines"])
    pairs = [("Units", f"{units:,}"), ("Carrier", data["carrier"]), ("Tracking", data["tracking"])]
    return "Shipped", pairs


_LABELS: Mapping[str, Callable[[Row], tuple[str, Pairs]]] = {
    PLACED: _placed_words,
    APPROVED: lambda data: ("Approved", []),
    SHIPPED: _shipped_words,
    NOTED: lambda data: ("Note", [("Note", data["note"])]),
}

Counts = dict[tuple[str, ...], list[int]]


def _orders(store: Store, events: Sequence[Row]) -> None:
    known = _known(store, events)
    by_status: Counts = defaultdict(lambda: [0, 0])
    by_deed: Counts = defaultdict(lambda: [0, 0])
    for event in events:
        data, deed = event["data"], event["type"]
        if deed == PLACED:
            known.place(event)
        order = known.orders[data["order_id"]]
        value, day = order["total"], store_day(event["occurred_at"])
        if deed == APPROVED:
            order["step"] = "reserving"
            _move(order, "approved", by_status, event["occurred_at"])
        elif deed == SHIPPED:
            value = known.ship(data)
            _move(order, "shipped", by_status, event["occurred_at"])
        elif deed == PLACED:
            _count(by_status, _key_of(order), 1, value)
        order["updated_at"] = event["recorded_at"]
        order["applied_version"], order["applied_position"] = event["version"], event["position"]
        if deed != NOTED:
            _count(by_deed, (day, _DEEDS[deed], order["currency"]), 1, value)
    store.write("orders", list(known.orders.values()))
    store.write("order_lines", list(known.lines.values()))
    store.write("order_texts", list(known.texts.values()))
    store.write("order_days", _counted(store, "order_days", by_status))
    store.write("order_activity", _counted(store, "order_activity", by_deed))


_DEEDS = {PLACED: "placed", APPROVED: "approved", SHIPPED: "shipped"}
_STAGES = {"placed": "needs_approval", "approved": "processing", "shipped": "shipped"}
_KEYS = {
    "order_days": ("day", "currency", "status", "stage"),
    "order_activity": ("day", "what", "currency"),
}
_NUMBERS = {"order_days": ("orders", "value"), "order_activity": ("count", "value")}
_NOTHING_IMPORTED = {"order_days": {"imported": 0, "imported_value": 0}, "order_activity": {}}


def store_day(moment: Any) -> Any:
    """The day of a time in the driver's type: a date on PostgreSQL, a text on SQLite."""
    return moment[:10] if isinstance(moment, str) else moment.date()


def _move(order: Row, status: str, by_status: Counts, at: Any) -> None:
    _count(by_status, _key_of(order), -1, -order["total"])
    order["status"], order["stage"], order["stage_since"] = status, _STAGES[status], at
    order["hold_reason"] = ""
    _count(by_status, _key_of(order), 1, order["total"])


def _key_of(order: Row) -> tuple[Any, ...]:
    return order["placed_day"], order["currency"], order["status"], order["stage"]


def _count(counts: Counts, key: tuple[str, ...], times: int, value: int) -> None:
    counted = counts[key]
    counted[0] += times
    counted[1] += value


def _counted(store: Store, table: str, counts: Counts) -> list[Row]:
    """The counts added to those in the store."""
    names, numbers = _KEYS[table], _NUMBERS[table]
    for row in store.days(table, sorted({key[0] for key in counts})):
        key = tuple(row[name] for name in names)
        if key in counts:
            _count(counts, key, *(row[name] for name in numbers))
    return [
        dict(zip(names + numbers, (*key, *two), strict=True)) | _NOTHING_IMPORTED[table]
        for key, two in counts.items()
    ]


class _Known:
    """The current rows of a batch's orders."""

    def __init__(self) -> None:
        self.orders: dict[str, Row] = {}
        self.lines: dict[tuple[str, int], Row] = {}
        self.texts: dict[str, Row] = {}

    def place(self, event: Row) -> None:
        data, lines = event["data"], event["data"]["lines"]
        order_id = data["order_id"]
        self.orders[order_id] = {
            "row_id": event["position"],
            **{name: data[name] for name in ("order_id", "customer_id", "customer_name")},
            **{name: data[name] for name in ("country", "currency")},
            "status": "placed",
            "stage": _STAGES["placed"],
            "stage_since": event["occurred_at"],
            "total": _money(data["total"]),
            "line_count": len(lines),
            "units": sum(line["quantity"] for line in lines),
            "shipped_units": 0,
            "placed_at": event["occurred_at"],
            "placed_day": store_day(event["occurred_at"]),
            "flags": 0,
            "imported": False,
            **dict.fromkeys(("step", "decision", "hold_reason", "carrier", "tracking"), ""),
            **{f"ship_{name}": text for name, text in data["shipping_address"].items()},
        }
        for number, line in enumerate(lines, start=1):
            price = _money(line["unit_price"])
            self.lines[order_id, number] = {
                "order_id": order_id,
                "line_no": number,
                **{name: line[name] for name in ("sku", "description", "quantity")},
                "unit_price": price,
                "amount": price * line["quantity"],
                "shipped_quantity": 0,
                "cancelled_quantity": 0,
            }
        self.texts[order_id] = {
            "row_id": event["position"],
            "order_id": order_id,
            "search": " ".join(dict.fromkeys(_words(data))),
        }

    def ship(self, data: Row) -> int:
        order, value = self.orders[data["order_id"]], 0
        for sent in data["lines"]:
            line = self.lines[data["order_id"], sent["line_no"]]
            line["shipped_quantity"] += sent["quantity"]
            order["shipped_units"] += sent["quantity"]
            value += sent["quantity"] * line["unit_price"]
        order["carrier"], order["tracking"] = data["carrier"], data["tracking"]
        text = self.texts[data["order_id"]]
        text["search"] = " ".join(
            dict.fromkeys([*text["search"].split(), *index_words(numbers=[data["tracking"]])])
        )
        return value


def _known(store: Store, events: Iterable[Row]) -> _Known:
    """The existing rows that the events of a batch change."""
    known, asked, shipped = _Known(), [], []
    for event in events:
        if event["type"] != PLACED:
            asked.append(event["data"]["order_id"])
        if event["type"] == SHIPPED:
            shipped.append(event["data"]["order_id"])
    known.orders = {row["order_id"]: row for row in store.find("orders", asked)}
    if shipped:
        known.texts = {row["order_id"]: row for row in store.find("order_texts", shipped)}
        lines = store.find("order_lines", shipped)
        known.lines = {(row["order_id"], row["line_no"]): row for row in lines}
    return known


def _words(data: Row) -> Iterator[str]:
    numbers = [data["order_id"], data["customer_id"], *(line["sku"] for line in data["lines"])]
    texts = [data["country"], *(line["description"] for line in data["lines"])]
    yield from index_words(texts, numbers)
    yield from index_words([data["customer_name"]])


def _money(written: str) -> int:
    return int(Decimal(written) * 10_000)
