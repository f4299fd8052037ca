"""A store of an earlier release: orders in progress continue from where they were, and nothing is
done twice."""

from __future__ import annotations

import base64
import dataclasses
import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from alembic import command
from sqlalchemy import (
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    insert,
    select,
    update,
)

from cqrs_app import database
from cqrs_app.areas.fulfilment.process import FulfilmentProcess
from cqrs_app.areas.fulfilment.queries import GetFulfilmentSteps, StepView
from cqrs_app.areas.fulfilment.store import read_process
from cqrs_app.areas.fulfilment.subscription import FulfilmentSubscription
from cqrs_app.areas.fulfilment.tables import fulfilments
from cqrs_app.areas.fulfilment.types import Stage
from cqrs_app.areas.orders.commands import ReleaseOrder, ShipOrder
from cqrs_app.areas.payments.commands import RecordPayment
from cqrs_app.kernel.store import tables
from cqrs_app.kernel.store.columns import Amount, UtcDateTime
from cqrs_app.kernel.store.tables import subscription_cursors
from cqrs_app.services import services_of
from tests.areas.fulfilment.conftest import MakeDesk, OrderDesk

STORE: dict[str, Any] = msgspec.json.decode(
    (Path(__file__).parent / "store_of_1ec1426.json").read_bytes()
)
"""Made by the last release whose process was an aggregate: its tables, and what it answered. Its
follower was killed after it had told the order "told" of an answer and begun "sent"; "capture" was
cancelled since."""

ORDERS: list[str] = [*STORE["states"]]
MOMENTS = ("began_at", "since", "due_at")


def set_back(desk: OrderDesk, revision: str = "write_0007") -> None:
    """Give the write store the tables of 1ec1426, or of a release before."""
    desk.kernel.engines.write.dispose()
    with database._migrating(services_of(desk.app).settings, "write") as config:
        command.downgrade(config, revision)


TABLES_OF_THEN = MetaData()
Table(
    "fulfilment_deadlines",
    TABLES_OF_THEN,
    Column("order_id", String),
    Column("move_no", Integer),
    Column("due_at", UtcDateTime),
)
for cursor in ("fulfilment_cursor", "gateway_cursor"):
    Table(cursor, TABLES_OF_THEN, Column("name", String), Column("position", Integer))


def fill(desk: OrderDesk) -> None:
    """Put the rows of the stored release into the tables, as its own statements would have."""
    with desk.kernel.engines.write.begin() as connection:
        for name, rows in STORE["tables"].items():
            table = {**tables.write_tables.tables, **TABLES_OF_THEN.tables}[name]
            connection.execute(table.delete())
            for row in rows:
                # Ids are counted by the database.
                names = [each for each in row if each != "id"]
                values = {name: value_of(table.c[name].type, row[name]) for name in names}
                connection.execute(insert(table).values(values))


def value_of(kind: Any, stored: Any) -> Any:
    if stored is None:
        return None
    match kind:
        case LargeBinary():
            return base64.b64decode(stored["b"])
        case UtcDateTime():
            return datetime.fromisoformat(stored)
        case Amount():
            return Decimal(stored)
    return stored


@pytest.fixture
def upgraded(make_desk: MakeDesk) -> OrderDesk:
    """A desk on the stored release, at the time when it was stopped."""
    desk: OrderDesk = make_desk()
    stopped = datetime.fromisoformat(STORE["at"])
    desk.clock.move(seconds=(stopped - desk.clock()).total_seconds())
    set_back(desk)
    fill(desk)
    database.upgrade(services_of(desk.app).settings)
    desk.catch_up()
    return desk


RENAMED = {"wanted_cancelled": "cancel_reason", "left": "shipped"}
GONE = {"order_id", "policy", "lines", "tasks_sent", "moves", "late", "stand", "open"}


def remembered(process: FulfilmentProcess) -> dict[str, Any]:
    """What the state says, in the words of then."""
    then = {RENAMED.get(name, name): name for name in STORE["states"]["ready"].keys() - GONE}
    plain = {old: _plain(getattr(process, new)) for new, old in then.items()}
    for kind in ("goods", "payments"):
        plain[kind] = {
            key: {name: _plain(getattr(each, name)) for name in each.__struct_fields__}
            for key, each in getattr(process, kind).items()
        }
    plain["open"] = sorted([each.name, each.subject] for each in process.open.values())
    status = process.status
    # Not its sentence, which later releases word in another way.
    return plain | {"stand": [status.stage, status.late]}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else msgspec.to_builtins(value)


def then(order_id: str) -> dict[str, Any]:
    state = STORE["states"][order_id]
    kept = {name: value for name, value in state.items() if name not in GONE}
    # What is new since then: whether stock arrived during a reservation, and what was returned.
    new = {"arrived": False, "restock": 0}
    kept["goods"] = {sku: goods | new for sku, goods in state["goods"].items()}
    kept["open"] = sorted([each["task"], each["subject"]] for each in state["open"].values())
    stand = state["stand"]
    return kept | {"stand": [stand["stage"], stand["late"]]}


@pytest.mark.parametrize("kind", ["sqlite"])
def test_histories_fold_to_the_state_of_then(upgraded: OrderDesk) -> None:
    with upgraded.kernel.engines.write.connect() as connection:
        found = {each: read_process(connection, each).process for each in ORDERS}
    for order_id, process in found.items():
        assert remembered(process) == then(order_id), order_id


def test_the_projection_of_such_a_log_has_the_rows_of_then(upgraded: OrderDesk) -> None:
    with upgraded.kernel.engines.read.connect() as connection:
        rows = connection.execute(select(fulfilments).order_by(fulfilments.c.order_id)).mappings()
        found = [dict(row) for row in rows]
    expected = [
        row | {name: row[name] and datetime.fromisoformat(row[name]) for name in MOMENTS}
        for row in STORE["rows"]
    ]
    assert found == expected


@pytest.mark.parametrize("kind", ["sqlite"])
def test_steps_are_those_of_then_before_and_after_the_row_is_made(upgraded: OrderDesk) -> None:
    expected = {each: steps_of_then(each) for each in ORDERS}
    assert {each: steps_of(upgraded, each) for each in ORDERS} == expected
    upgraded.settle_all()
    upgraded.do(ReleaseOrder(order_id="paused"))
    upgraded.clock.move(days=20)
    upgraded.settle_all()
    for order_id, before in expected.items():
        open_then = {each.version for each in before if each.outcome == "sent"}
        now = {each.version: each for each in steps_of(upgraded, order_id)}
        assert {each.version: each for each in before if each.version not in open_then}.items() <= (
            now.items()
        )
        assert all(now[each].outcome == "done" for each in open_then)


Steps = tuple[StepView, ...]

RENAMED_STEPS = {
    "Begun": "Started",
    "Waits for payment": "Awaiting payment",
    "Payment declined, tried again": "Payment declined, retrying",
    "Paused": "On hold",
    "Ready to ship": "Waiting for shipment",
    "On its way": "Waiting for delivery",
    "Shipped": "Waiting for delivery",
    "Delivered": "Complete",
    "Being undone": "Reversing",
    "Undone": "Reversed",
}


def steps_of_then(order_id: str) -> Steps:
    """With the words of the first step, the labels of stages and the digits of amounts that are of
    today; other sentences
    stay as they were stored."""
    steps = msgspec.convert(STORE["steps"][order_id], Steps)
    return tuple(
        dataclasses.replace(
            step,
            what=label_of_today(step),
            text=text_of_today(step),
        )
        for step in steps
    )


def text_of_today(step: StepView) -> str:
    text = step.text
    if step.what == "Begun":
        text = re.sub(r"\b1 (line|unit)s\b", r"1 \1", text)
    return re.sub("GBP ([0-9.]+)(?= ·|$)", lambda found: f"GBP {Decimal(found[1]):.2f}", text)


def label_of_today(step: StepView) -> str:
    # The event of the same name names its payment.
    if step.what == "Payment declined" and " · " not in step.text:
        return "Payment failed"
    return RENAMED_STEPS.get(step.what, step.what)


def steps_of(desk: OrderDesk, order_id: str) -> Steps:
    found: Steps = desk.ask(GetFulfilmentSteps(order_id=order_id))
    return found


def test_orders_under_way_go_on_from_where_they_were(upgraded: OrderDesk) -> None:
    """The same happens as happened then, under the release that made the store."""
    desk = upgraded
    desk.settle_all()
    desk.receive("RARE", 40)
    desk.settle_all()
    desk.clock.move(hours=2)
    desk.settle_all()
    desk.do(
        RecordPayment(
            payment_id="bank-1", order_id="unpaid", amount=Decimal(5), currency="GBP",
            method="bank transfer", reference="17",
        ),
        ReleaseOrder(order_id="paused"),
        ShipOrder(order_id="ready", carrier="By hand"),
        ShipOrder(order_id="partly", carrier="By hand"),
    )  # fmt: skip
    desk.settle_all()
    final = STORE["final"]
    for each in final["orders"].values():
        for payment in each["paid"].values():
            payment[:3] = [_digits(Decimal(amount)) for amount in payment[:3]]
    assert {each: outcome(desk, each) for each in final["orders"]} == final["orders"]
    stock = {sku: desk.item(sku) for sku in final["stock"]}
    assert {
        sku: {"on_hand": item.on_hand, "reserved": item.reserved} for sku, item in stock.items()
    } == final["stock"]
    assert len(desk.booked) == final["booked"]
    with desk.kernel.engines.read.connect() as connection:
        before = connection.execute(select(fulfilments)).all()
    desk.catch_up()
    with desk.kernel.engines.read.connect() as connection:
        after = set(connection.execute(select(fulfilments)).all())
    assert after != set(before)
    desk.kernel.runner.rebuild("fulfilment", lambda done, total: None)
    with desk.kernel.engines.read.connect() as connection:
        assert set(connection.execute(select(fulfilments)).all()) == after


def outcome(desk: OrderDesk, order_id: str) -> dict[str, Any]:
    process = desk.process(order_id)
    paid = {each: desk.paid(each) for each in process.payments}
    return {
        "stage": process.status.stage,
        "status": str(desk.order(order_id).status),
        "paid": {
            name: [
                *(_digits(x) for x in (each.authorised, each.captured, each.refunded)),
                each.voided,
            ]
            for name, each in paid.items()
        },
    }


def _digits(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def test_a_decision_before_the_first_look_counts(upgraded: OrderDesk) -> None:
    upgraded.cancel_fulfilment("ready")
    assert upgraded.stage("ready") is Stage.UNDOING
    upgraded.settle_all()
    assert upgraded.stage("ready") is Stage.UNDONE
    assert "ready" not in upgraded.item("LAMP").reserved


def test_every_event_is_taken_in_once(upgraded: OrderDesk) -> None:
    """Also for an order whose row was made from its events: a repeated event is not counted
    twice."""
    upgraded.settle_all()
    states = {each: upgraded.process(each).payments for each in ORDERS}
    with upgraded.kernel.engines.write.begin() as connection:
        mine = subscription_cursors.c.subscription == FulfilmentSubscription.name
        connection.execute(update(subscription_cursors).where(mine).values(position=0, hash=None))
    upgraded.settle_all()
    assert {each: upgraded.process(each).payments for each in ORDERS} == states


def test_orders_of_before_there_was_fulfilment_are_left_alone(make_desk: MakeDesk) -> None:
    desk: OrderDesk = make_desk()
    desk.stock("LAMP", 9)
    desk.approve(("LAMP", 4), order_id="before")
    desk.kernel.store.place()
    set_back(desk, "write_0005")
    database.upgrade(services_of(desk.app).settings)
    desk.settle_all()
    assert desk.process("before").begun is False
    assert desk.item("LAMP").reserved == {}
    desk.approve(("LAMP", 4), order_id="after")
    desk.settle_all()
    assert desk.item("LAMP").reserved == {"after": 4}
