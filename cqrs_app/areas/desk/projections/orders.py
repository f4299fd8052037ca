"""Orders, their lines, their words and their figures: one projection, so that lists and figures
on one page never disagree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Connection, Table

from cqrs_app.areas.assignments.events import AssigneeChanged, AssigneeRemoved
from cqrs_app.areas.customers.events import CustomerMerged
from cqrs_app.areas.desk.projections.figures import count_activity, count_order, enter
from cqrs_app.areas.desk.projections.lines import add_lines, change_lines, stored_adjustments
from cqrs_app.areas.desk.projections.merged import kept, merge
from cqrs_app.areas.desk.projections.returns import cancel_return, open_return, receive_return
from cqrs_app.areas.desk.projections.words import (
    impersonal_words,
    index_lines,
    lasting_words,
    lines_of,
    preload_words,
    words_of,
)
from cqrs_app.areas.desk.read_models import (
    order_activity,
    order_days,
    order_flags,
    order_lines,
    order_return_lines,
    order_returns,
    order_tags,
    order_texts,
    orders,
    orders_of_merged,
)
from cqrs_app.areas.desk.search import (
    create_search,
    drop_search,
    forget_words,
    search_built_last,
    search_exchanged,
    with_more,
    without,
)
from cqrs_app.areas.desk.stage import BEGINNING, STEPS, stage_of
from cqrs_app.areas.fulfilment.events import FulfilmentMoved
from cqrs_app.areas.fulfilment.types import Stage as Step
from cqrs_app.areas.orders.amounts import part_of, sums_of
from cqrs_app.areas.orders.events import (
    Address,
    BillingAddressChanged,
    OrderApproved,
    OrderAssigned,
    OrderCancelled,
    OrderDelivered,
    OrderFlagged,
    OrderHeld,
    OrderLinesChanged,
    OrderPlaced,
    OrderRejected,
    OrderReleased,
    OrderShipped,
    OrderTagAdded,
    OrderTagRemoved,
    RemainingItemsCancelled,
    ReturnCancelled,
    ReturnReceived,
    ReturnRequested,
    ShippingAddressChanged,
    is_of_an_order,
)
from cqrs_app.areas.orders.types import PERSON
from cqrs_app.areas.orders.words import OrderStatus, advance_status
from cqrs_app.areas.types import IMPORTER
from cqrs_app.kernel import (
    ERASED,
    Event,
    Key,
    Projection,
    Recorded,
    Row,
    Rows,
    SubjectErased,
    erased,
    index_words,
)
from cqrs_app.standards.countries import country_name

_OF_LINES = OrderShipped | RemainingItemsCancelled | OrderLinesChanged | ReturnReceived


class OrdersProjection(Projection):
    """`applied_version` of an order's row is that of its own stream; the events of its fulfilment
    change its stage, those of its assignment who is responsible."""

    name: ClassVar[str] = "orders"
    by_day: ClassVar[bool] = True
    version: ClassVar[int] = 10
    fulfilled: ClassVar[bool] = True
    """Whether fulfilment sees to approved orders."""
    tables: ClassVar[tuple[Table, ...]] = (
        orders,
        order_lines,
        order_returns,
        order_return_lines,
        order_flags,
        order_tags,
        order_texts,
        orders_of_merged,
        order_days,
        order_activity,
    )

    def bind(self, events: Iterable[type[Event]]) -> None:
        """An event of an order without a method moves the version of its row all the same."""
        declared = list(events)
        super().bind(declared)
        for event in filter(is_of_an_order, declared):
            self.handlers.setdefault(event.__name__, self._moved)

    def _moved(self, event: Any, recorded: Recorded, rows: Rows) -> None:
        rows.change(orders, event.order_id).update(_applied(recorded))

    def store_rows(self, batch: Sequence[Recorded], rows: Rows) -> None:
        super().store_rows(batch, rows)
        if rows.connection and any(isinstance(each.event, SubjectErased) for each in batch):
            forget_words(rows.connection, rows.table_of(order_texts))

    @contextmanager
    def refilled(self, connection: Connection) -> Iterator[None]:
        with search_built_last(connection), super().refilled(connection):
            yield

    def create_extras(self, connection: Connection, suffix: str = "") -> None:
        create_search(connection, suffix)

    def drop_extras(self, connection: Connection, suffix: str = "") -> None:
        drop_search(connection, suffix)

    @contextmanager
    def extras_exchanged(self, connection: Connection, suffix: str) -> Iterator[None]:
        with search_exchanged(connection, suffix):
            yield

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, Key]]:
        event: Any = recorded.event
        if isinstance(event, SubjectErased | CustomerMerged):
            return
        if isinstance(event, OrderPlaced | OrderAssigned):
            yield orders_of_merged, (event.customer_id,)
        if isinstance(event, OrderPlaced):
            day, placed = recorded.day, OrderStatus.PLACED
            yield order_days, (day, event.currency, str(placed), str(stage_of(placed, "")))
            yield order_activity, (day, "placed", event.currency)
            return
        yield orders, (event.order_id,)
        if isinstance(event, OrderShipped | OrderAssigned | OrderLinesChanged):
            yield order_texts, (event.order_id,)
        if isinstance(event, OrderTagAdded | OrderTagRemoved):
            yield order_tags, (event.order_id, event.tag)
        if isinstance(event, _OF_LINES):
            for line in event.lines:
                yield order_lines, (event.order_id, line.line_no)

    def order_placed(self, event: OrderPlaced, recorded: Recorded, rows: Rows) -> None:
        row_id, day = recorded.stored.position or 0, recorded.day
        row: Row = dict(
            row_id=row_id,
            order_id=event.order_id,
            status=str(OrderStatus.PLACED),
            step="",
            stage=str(stage_of(OrderStatus.PLACED, "")),
            stage_since=recorded.occurred_at,
            decision="",
            customer_id=kept(orders_of_merged, event.customer_id, rows),
            customer_name=event.customer_name,
            country=country_name(event.country),
            currency=event.currency,
            total=event.total,
            **sums_of(event.lines, event.adjustments),
            adjustments=stored_adjustments(event.adjustments),
            tags="[]",
            line_count=len(event.lines),
            last_line=len(event.lines),
            units=sum(line.quantity for line in event.lines),
            shipped_units=0,
            returned_units=0,
            placed_at=recorded.occurred_at,
            placed_day=day,
            assignee="",
            team="",
            hold_reason="",
            exchange_for=event.exchange_for,
            flags=0,
            imported=recorded.stored.operator == IMPORTER,
            carrier="",
            tracking="",
            **_address("ship", event.shipping_address),
            **_address("bill", event.billing_address),
            **_applied(recorded),
        )
        rows.put(orders, **row)
        count_order(rows, row, 1)
        add_lines(event.order_id, event.lines, 1, rows)
        rows.put(order_texts, row_id=row_id, order_id=event.order_id, search=words_of(event))
        count_activity(rows, recorded, "placed", event.currency, event.total)

    def order_approved(self, event: OrderApproved, recorded: Recorded, rows: Rows) -> None:
        row = self._mark(event.order_id, recorded, rows)
        if self.fulfilled and not recorded.is_history:
            row["step"] = str(BEGINNING)
        self._advance(row, OrderStatus.APPROVED, recorded, rows)
        count_activity(rows, recorded, "approved", row["currency"], row["total"])

    def order_rejected(self, event: OrderRejected, recorded: Recorded, rows: Rows) -> None:
        self._move(event.order_id, OrderStatus.REJECTED, recorded, rows)
        count_activity(rows, recorded, "rejected", event.currency, event.total)

    def order_held(self, event: OrderHeld, recorded: Recorded, rows: Rows) -> None:
        row = self._move(event.order_id, OrderStatus.ON_HOLD, recorded, rows)
        if row["status"] == OrderStatus.ON_HOLD:
            row["hold_reason"] = event.reason
        count_activity(rows, recorded, "held", row["currency"], row["total"])

    def order_released(self, event: OrderReleased, recorded: Recorded, rows: Rows) -> None:
        row = self._mark(event.order_id, recorded, rows)
        enter(rows, row, OrderStatus(event.status), recorded)
        count_activity(rows, recorded, "released", row["currency"], row["total"])

    def order_assigned(self, event: OrderAssigned, recorded: Recorded, rows: Rows) -> None:
        row = self._mark(event.order_id, recorded, rows)
        words = rows.change(order_texts, event.order_id)
        gone = index_words([row["customer_name"]], [row["customer_id"]])
        customer_id = kept(orders_of_merged, event.customer_id, rows)
        row |= {"customer_id": customer_id, "customer_name": event.customer_name}
        row |= _address("ship", event.shipping_address) | _address("bill", event.billing_address)
        left = without(words["search"], gone, lasting_words(row, lines_of(row, rows)))
        name = event.customer_name if event.customer_name != ERASED else ""
        words["search"] = with_more(left, index_words([name], [customer_id]))

    def customer_merged(self, event: CustomerMerged, recorded: Recorded, rows: Rows) -> None:
        merge(orders_of_merged, event, rows)
        found = rows.where(orders, customer_id=event.customer_id)
        preload_words(found, rows)
        position = recorded.stored.position or 0
        for row in found:
            row |= {"updated_at": recorded.recorded_at, "applied_position": position}
            words = rows.change(order_texts, row["order_id"])
            row["customer_id"] = event.into
            name = "" if row["customer_name"] == ERASED else row["customer_name"]
            others = [*lasting_words(row, lines_of(row, rows)), *index_words([name])]
            left = without(words["search"], index_words(numbers=[event.customer_id]), others)
            words["search"] = with_more(left, index_words(numbers=[event.into]))

    def assignee_changed(self, event: AssigneeChanged, recorded: Recorded, rows: Rows) -> None:
        self._assign(event.order_id, event.operator, event.team, recorded, rows)

    def assignee_removed(self, event: AssigneeRemoved, recorded: Recorded, rows: Rows) -> None:
        self._assign(event.order_id, "", "", recorded, rows)

    def _assign(
        self, order_id: str, operator: str, team: str, recorded: Recorded, rows: Rows
    ) -> None:
        row = rows.change(orders, order_id)
        row.update(_seen(recorded), assignee=operator, team=team)

    def order_tag_added(self, event: OrderTagAdded, recorded: Recorded, rows: Rows) -> None:
        row = self._mark(event.order_id, recorded, rows)
        _tag(row, event.tag, rows, present=True)

    def order_tag_removed(self, event: OrderTagRemoved, recorded: Recorded, rows: Rows) -> None:
        row = self._mark(event.order_id, recorded, rows)
        _tag(row, event.tag, rows, present=False)

    def shipping_address_changed(
        self, event: ShippingAddressChanged, recorded: Recorded, rows: Rows
    ) -> None:
        self._mark(event.order_id, recorded, rows).update(_address("ship", event.address))

    def billing_address_changed(
        self, event: BillingAddressChanged, recorded: Recorded, rows: Rows
    ) -> None:
        self._mark(event.order_id, recorded, rows).update(_address("bill", event.address))

    def order_lines_changed(self, event: OrderLinesChanged, recorded: Recorded, rows: Rows) -> None:
        row = self._mark(event.order_id, recorded, rows)
        before = lines_of(row, rows) if event.added else []
        count_order(rows, row, -1)
        change_lines(event, row, rows)
        count_order(rows, row, 1)
        if event.added:
            index_lines(event, impersonal_words(row, before), rows)

    def return_requested(self, event: ReturnRequested, recorded: Recorded, rows: Rows) -> None:
        self._mark(event.order_id, recorded, rows)
        open_return(event, recorded, rows)

    def return_received(self, event: ReturnReceived, recorded: Recorded, rows: Rows) -> None:
        row = self._mark(event.order_id, recorded, rows)
        row["returned_units"] += receive_return(event, recorded, rows)
        enter(rows, row, OrderStatus(row["status"]), recorded)

    def return_cancelled(self, event: ReturnCancelled, recorded: Recorded, rows: Rows) -> None:
        self._mark(event.order_id, recorded, rows)
        cancel_return(event, recorded, rows)

    def order_shipped(self, event: OrderShipped, recorded: Recorded, rows: Rows) -> None:
        value = Decimal(0)
        for sent in event.lines:
            line = rows.change(order_lines, event.order_id, sent.line_no)
            line["shipped_quantity"] += sent.quantity
            value += part_of(line["amount"], sent.quantity, line["quantity"])
        status = OrderStatus.SHIPPED if event.complete else OrderStatus.PART_SHIPPED
        row = self._mark(event.order_id, recorded, rows)
        row["shipped_units"] += sum(sent.quantity for sent in event.lines)
        self._advance(row, status, recorded, rows)
        row["carrier"] = event.carrier or row["carrier"]
        row["tracking"] = event.tracking or row["tracking"]
        if event.tracking:
            words = rows.change(order_texts, event.order_id)
            more = index_words(numbers=[event.tracking])
            words["search"] = with_more(words["search"], more)
        count_activity(rows, recorded, "shipped", row["currency"], value)

    def order_delivered(self, event: OrderDelivered, recorded: Recorded, rows: Rows) -> None:
        row = self._move(event.order_id, OrderStatus.DELIVERED, recorded, rows)
        count_activity(rows, recorded, "delivered", row["currency"], row["total"])

    def order_cancelled(self, event: OrderCancelled, recorded: Recorded, rows: Rows) -> None:
        self._move(event.order_id, OrderStatus.CANCELLED, recorded, rows)
        count_activity(rows, recorded, "cancelled", event.currency, event.total)

    def remaining_items_cancelled(
        self, event: RemainingItemsCancelled, recorded: Recorded, rows: Rows
    ) -> None:
        """From now on `total` and `units` are those of the shipped items."""
        for cancelled in event.lines:
            line = rows.change(order_lines, event.order_id, cancelled.line_no)
            line["cancelled_quantity"] += cancelled.quantity
        row = self._move(event.order_id, OrderStatus.SHIPPED, recorded, rows)
        count_order(rows, row, -1)
        row["total"] -= event.amount
        count_order(rows, row, 1)
        row["units"] -= sum(line.quantity for line in event.lines)

    def order_flagged(self, event: OrderFlagged, recorded: Recorded, rows: Rows) -> None:
        self._mark(event.order_id, recorded, rows)["flags"] += 1
        rows.put(
            order_flags,
            order_id=event.order_id,
            version=recorded.version,
            task=event.task,
            code=event.code,
            sentence=event.sentence,
            at=recorded.occurred_at,
        )

    def fulfilment_moved(self, event: FulfilmentMoved, recorded: Recorded, rows: Rows) -> None:
        """A payment may be for an order that does not exist."""
        known = rows.get(orders, event.order_id)
        if known is None or not self.fulfilled:
            return
        step = event.stage if event.stage in STEPS else known["step"]
        decision = event.sentence if event.stage == Step.STUCK else ""
        if (step, decision) == (known["step"], known["decision"]):
            return
        row = rows.change(orders, event.order_id)
        row.update(_seen(recorded), step=step, decision=decision)
        enter(rows, row, OrderStatus(row["status"]), recorded)

    def subject_erased(self, event: SubjectErased, recorded: Recorded, rows: Rows) -> None:
        if not event.subject.startswith(PERSON):
            # A guest's order now belongs to a customer: its texts are sealed with the customer's
            # key.
            return
        found = rows.where(orders, customer_id=event.subject.removeprefix(PERSON))
        preload_words(found, rows)
        for row in found:
            lines = lines_of(row, rows)
            text, named = rows.change(order_texts, row["order_id"]), row["customer_name"]
            text["search"] = without(
                text["search"], index_words([named]), lasting_words(row, lines)
            )
            for name in ("customer_name", *_PERSONAL):
                row[name] = erased(row[name])

    def _move(self, order_id: str, entered: OrderStatus, recorded: Recorded, rows: Rows) -> Row:
        row = self._mark(order_id, recorded, rows)
        self._advance(row, entered, recorded, rows)
        return row

    def _advance(self, row: Row, entered: OrderStatus, recorded: Recorded, rows: Rows) -> None:
        enter(rows, row, advance_status(OrderStatus(row["status"]), entered), recorded)

    def _mark(self, order_id: str, recorded: Recorded, rows: Rows) -> Row:
        row = rows.change(orders, order_id)
        row.update(_applied(recorded))
        if row["imported"] and recorded.stored.operator != IMPORTER:
            count_order(rows, row, -1)
            row["imported"] = False
            count_order(rows, row, 1)
        return row


class UnfulfilledOrdersProjection(OrdersProjection):
    """The projection with fulfilment off: every approved order is ready to ship. Its rows differ,
    so switching fulfilment on or off asks for a rebuild.
    """

    version: ClassVar[int] = 1_000 + OrdersProjection.version
    fulfilled: ClassVar[bool] = False


def _applied(recorded: Recorded) -> Row:
    return {"applied_version": recorded.version} | _seen(recorded)


def _seen(recorded: Recorded) -> Row:
    """What an event of any stream changes."""
    position = recorded.stored.position or 0
    return {"updated_at": recorded.recorded_at, "applied_position": position}


def _tag(row: Row, tag: str, rows: Rows, *, present: bool) -> None:
    tags = [each for each in msgspec.json.decode(row["tags"]) if each != tag]
    row["tags"] = msgspec.json.encode(sorted([*tags, tag] if present else tags)).decode()
    rows.put(order_tags, order_id=row["order_id"], tag=tag, present=present)


def _address(prefix: str, address: Address) -> Row:
    country = address.country
    return {
        f"{prefix}_name": address.name,
        f"{prefix}_line1": address.line1,
        f"{prefix}_line2": address.line2,
        f"{prefix}_city": address.city,
        f"{prefix}_postal_code": address.postal_code,
        f"{prefix}_country": country if country == ERASED else country_name(country),
    }


_PERSONAL = (*_address("ship", Address()), *_address("bill", Address()))
