"""With one damaged event in one stream, everything that follows the log continues for all
others."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from flask import Flask
from sqlalchemy import bindparam, select, text, update

from cqrs_app.areas.payments.commands import AuthorisePayment
from cqrs_app.areas.payments.tables import gateway_requests
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.events.recorded import StoredEvent
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.store.tables import events
from cqrs_app.kernel.subscriptions.parking import parking_in
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.platform.runtime.commands import RetryParkedEvents, SkipParkedEvent
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import client_in
from tests.performance.plenty import ADA, do, one_more

DAMAGED = '{"damaged'
CONTROLS = ("projection_control", "subscription_control")


def authorise(number: int) -> Command:
    return AuthorisePayment(
        payment_id=f"A{number}",
        order_id=f"O{number}",
        amount=Decimal("1.00"),
        currency="EUR",
        method="tok_visa",
    )


@pytest.fixture
def app(make_console: Callable[..., Flask]) -> Flask:
    """Two of everything, before any subscription has processed the log."""
    app = make_console(payment_gateway="sandbox")
    for number in range(2):
        do(app, one_more(number))
        do(app, [authorise(number)])
    return app


@pytest.fixture
def kernel(app: Flask) -> Kernel:
    kernel: Kernel = services_of(app).kernel
    kernel.store.place()
    return kernel


def followed(kernel: Kernel) -> list[Subscription]:
    """Every subscription that can be paused, retried and skipped."""
    return [each for name, each in kernel.registry.subscriptions.items() if name not in CONTROLS]


def in_log(kernel: Kernel) -> tuple[StoredEvent, ...]:
    return kernel.store.follow(0, 1_000)


def damage(kernel: Kernel, damaged: list[StoredEvent], payload: str | None = DAMAGED) -> None:
    """Break the payloads of these events; or put them right, without a `payload`."""
    changed = (
        update(events).where(events.c.position == bindparam("at")).values(payload=bindparam("with"))
    )
    rows = [{"at": each.position, "with": payload or each.payload} for each in damaged]
    with kernel.engines.write.begin() as connection:
        connection.execute(changed, rows)


def first_of_each_category(kernel: Kernel) -> list[StoredEvent]:
    """The first event of the first order, payment, product, ...: each has a neighbour."""
    found: dict[str, StoredEvent] = {}
    for each in in_log(kernel):
        found.setdefault(each.stream.split("-")[0], each)
    return list(found.values())


def parked(kernel: Kernel, subscription: Subscription) -> dict[str, list[int]]:
    """Stream -> positions of its parked events."""
    engine = kernel.engines.read if subscription.store == "read" else kernel.engines.write
    parking = parking_in(subscription.store)
    with engine.connect() as connection:
        held = {
            stream: parking.positions_of(connection, subscription.name, stream)
            for stream in {each.stream for each in in_log(kernel)}
        }
    return {stream: positions for stream, positions in held.items() if positions}


def catch_up(kernel: Kernel) -> None:
    """Fulfilment appends its own events, which the others must then process."""
    for _ in range(3):
        for name in kernel.registry.subscriptions:
            kernel.runner.advance(name)


def act(kernel: Kernel, *commands: Command) -> None:
    for command in commands:
        kernel.commands.execute(command, Context(actor=ADA, channel="test"))
    for name in CONTROLS:
        kernel.runner.advance(name)


def test_every_subscription_goes_on_and_retries_once_it_is_mended(kernel: Kernel) -> None:
    damaged = first_of_each_category(kernel)
    whole = in_log(kernel)
    damage(kernel, damaged)
    catch_up(kernel)
    head = kernel.store.head()
    for subscription in followed(kernel):
        cursor = kernel.runner.cursors()[subscription.name]
        assert (cursor.position, cursor.state) == (head, "running"), subscription.name
        # The streams whose damaged event it wants; and of others none that is whole. Fulfilment
        # wants no OrderPlaced, and reads it all the same once the order is approved, and when money
        # arrives for it: so that order's payment waits with it.
        held = parked(kernel, subscription)
        for stream in (each.stream for each in damaged if subscription.wants(each.type)):
            behind = [
                e.position for e in whole if e.stream == stream and subscription.wants(e.type)
            ]
            assert held[stream] == behind, subscription.name
        concerned = {each.stream for each in damaged}
        if subscription.name == "fulfilment_process":
            concerned.add("payment-A0")
        assert held.keys() <= concerned, subscription.name
    damage(kernel, damaged, payload=None)
    act(
        kernel,
        *(
            RetryParkedEvents(projection=subscription.name, stream=stream)
            for subscription in followed(kernel)
            for stream in parked(kernel, subscription)
        ),
    )
    for subscription in followed(kernel):
        assert parked(kernel, subscription) == {}, subscription.name


def test_skipping_leaves_out_the_damaged_event_and_takes_in_what_waits_behind_it(
    kernel: Kernel,
) -> None:
    """The second of three events of an order is damaged."""
    approved = next(each for each in in_log(kernel) if each.type == "OrderApproved")
    damage(kernel, [approved])
    catch_up(kernel)
    holding = [each for each in followed(kernel) if parked(kernel, each)]
    assert "order_timeline" in {each.name for each in holding}
    for subscription in holding:
        assert list(parked(kernel, subscription)) == [approved.stream]
        reason = "The event is damaged."
        act(
            kernel,
            SkipParkedEvent(projection=subscription.name, stream=approved.stream, reason=reason),
        )
        assert approved.position not in parked(kernel, subscription).get(approved.stream, [])


def test_payment_requests_are_written_for_every_other_payment(kernel: Kernel) -> None:
    requested = [each for each in in_log(kernel) if each.type == "PaymentAuthorisationRequested"]
    damage(kernel, requested[:1])
    catch_up(kernel)
    asked = select(gateway_requests.c.payment_id)
    with kernel.engines.write.connect() as connection:
        assert list(connection.execute(asked).scalars()) == ["A1"]
    damage(kernel, requested[:1], payload=None)
    retry = RetryParkedEvents(projection="payment_requests", stream="payment-A0")
    act(kernel, retry)
    act(kernel, retry)
    with kernel.engines.write.connect() as connection:
        assert sorted(connection.execute(asked).scalars()) == ["A0", "A1"]


def test_feed_tail_and_exports_go_on_and_say_what_cannot_be_read(
    app: Flask, kernel: Kernel, tmp_path: Path
) -> None:
    placed = next(each for each in in_log(kernel) if each.type == "OrderPlaced")
    damage(kernel, [placed])
    catch_up(kernel)
    secret = services_of(app).tokens.create("reader", "admin", made_by="test")
    headers = {"Authorization": f"Bearer {secret}"}
    feed = app.test_client().get("/api/v1/events?limit=1000", headers=headers).json
    assert feed is not None
    assert [each["position"] for each in feed["events"]] == list(range(1, len(in_log(kernel)) + 1))
    [unreadable] = [each for each in feed["events"] if "unreadable" in each]
    assert (unreadable["position"], unreadable["data"]) == (placed.position, None)
    assert (
        unreadable["unreadable"] == "The payload of OrderPlaced, version 1 of order-O0, is damaged."
    )

    run = app.test_cli_runner()
    lines = run.invoke(args=["events", "tail", "--after", "0", "--json"]).stdout.splitlines()
    tail = [msgspec.json.decode(line) for line in lines]
    assert len(tail) == len(feed["events"])
    assert [each["position"] for each in tail if "unreadable" in each] == [placed.position]

    file = tmp_path / "orders.jsonl"
    export = run.invoke(args=["export", "canonical", "--out", str(file)])
    assert (export.exit_code, "version 1 of order-O0, is damaged" in export.stderr) == (0, True)
    assert len(file.read_text().splitlines()) == len({"O1", "N0", "N1", "K0", "K1"})
    listed = client_in(app, "supervisor").get("/exports/ListOrders.csv").get_data(as_text=True)
    assert ("O1," in listed, "O0," in listed) == (True, False)


def failures_in(page: str) -> set[str]:
    """The addresses of failures in a page."""
    return set(re.findall(r"/failures/[0-9a-f]{12}", page))


def test_pages_and_doctor_name_subscription_position_and_stream(app: Flask, kernel: Kernel) -> None:
    requested = next(
        each for each in in_log(kernel) if each.type == "PaymentAuthorisationRequested"
    )
    damage(kernel, [requested])
    catch_up(kernel)
    task = kernel.tasks["failures"].task
    for store in task.due(kernel):
        task.work(kernel, store)
    client = client_in(app, "admin")
    listed = client.get("/failures?kind=event").get_data(as_text=True)
    pages = [client.get(each).get_data(as_text=True) for each in failures_in(listed)]
    for subscription in ("payment_requests", "payments"):
        [page] = [each for each in pages if f"in {subscription}<" in each]
        assert f"projection={subscription}&amp;stream=payment-A0" in page
        assert f"position {requested.position:,}" in page
    rows = client_in(app, "admin").get("/system/projections").get_data(as_text=True)
    assert all(name in rows for name in kernel.registry.subscriptions)

    found = msgspec.json.decode(app.test_cli_runner().invoke(args=["doctor", "--json"]).stdout)
    said = [each["sentence"] for each in found["findings"] if each["name"] == "Parked events"]
    where = f"has not taken in 1 of payment-A0, from position {requested.position:,}"
    assert any(f"payment_requests {where}" in each for each in said), said
    assert "Subscription payment_requests" in {each["name"] for each in found["findings"]}


def test_a_log_that_was_restored_is_noticed_by_every_subscription(kernel: Kernel) -> None:
    catch_up(kernel)
    last = kernel.store.head()
    with kernel.engines.write.begin() as connection:
        connection.execute(text("DELETE FROM events WHERE position = :last"), {"last": last})
    catch_up(kernel)
    controls = {
        name for name, each in kernel.registry.subscriptions.items() if each.accepts_restored_log
    }
    for name, cursor in kernel.runner.cursors().items():
        if name in controls:
            # They carry out what mends the others.
            assert (cursor.state, cursor.position) == ("running", last - 1), name
        else:
            assert cursor.state == "failed", name
            assert f"at position {last} there is no event" in (cursor.error or "")
    assert set(kernel.runner.behind()) == set(kernel.registry.subscriptions) - controls
