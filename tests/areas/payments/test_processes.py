"""Gateways called by real processes: killed in the middle, without Redis, and with a gateway that
lost a request."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from flask import Flask
from sqlalchemy import text

from cqrs_app.areas.payments.tasks import AskGateways
from cqrs_app.areas.payments.words import PaymentStatus
from cqrs_app.kernel.subscriptions import presence
from tests.areas.payments.conftest import SECRET, Desk
from tests.areas.payments.given import authorise, capture, refund
from tests.console import environment_of
from tests.interfaces.web.pages.conftest import wait_until
from tests.platform.webhooks.conftest import Clock
from tests.processes.running import start

# A worker that stops just after the sandbox has carried out a request, or just after the answer was
# written: the worst times to be killed.
HANGING = """
import sys, time
from cqrs_app import create_app
from cqrs_app.areas.payments.requested import GatewayRequestStore
from cqrs_app.areas.payments.sandbox import Sandbox

def hang(*arguments, **options):
    print("hanging", flush=True)
    time.sleep(60)

if sys.argv[1] == "asked":
    ask = Sandbox.ask
    Sandbox.ask = lambda self, order: (ask(self, order), hang())
else:
    GatewayRequestStore.save = hang
app = create_app()
kernel = app.extensions["services"].kernel
with app.app_context():
    kernel.runner.advance("payment_requests")
    for key in kernel.tasks["gateway_requests"]._due():
        kernel.tasks["gateway_requests"].answer(key)
    kernel.tasks["gateway_requests"].join(60)
"""


# Captures and refunds all it can.
RACING = """
from decimal import Decimal
from cqrs_app import create_app
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import BusError
from cqrs_app.installed_areas import ROLES
from cqrs_app.areas.payments.commands import CapturePayment, RefundPayment
app = create_app()
kernel = app.extensions["services"].kernel
payments = kernel.tasks["gateway_requests"]
with app.app_context():
    for _ in range(12):
        for command in (CapturePayment(payment_id="P1", amount=Decimal(3)),
                        RefundPayment(payment_id="P1", amount=Decimal(2), reason="r")):
            try:
                kernel.commands.execute(
                    command, Context(actor=Actor("ada", ROLES["admin"]), channel="test"))
            except BusError:
                pass
        kernel.runner.advance("payment_requests")
        for key in payments._due():
            payments.answer(key)
        payments.join(60)
"""


def environment(desk: Desk) -> dict[str, str]:
    return environment_of(desk.app, PAYMENT_GATEWAY="sandbox", PAYMENT_CALLBACK_SECRET=SECRET)


@contextmanager
def process(desk: Desk, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A real process of the console, which is killed at the end."""
    made = start(sys.executable, *command, environment=environment(desk), stdout=subprocess.PIPE)
    try:
        yield made
    finally:
        made.kill()
        made.wait()
        assert made.stdout is not None
        made.stdout.close()


def flask(desk: Desk, name: str) -> AbstractContextManager[subprocess.Popen[str]]:
    return process(desk, "-m", "flask", "--app", "app", name)


def has_worker(desk: Desk) -> bool:
    with desk.kernel.engines.write.connect() as connection:
        found = presence.seen(connection, desk.kernel.clock())
    return any(each.alive and each.kind == AskGateways.worker for each in found)


def test_a_task_reaches_the_gateway_through_the_workers(desk: Desk) -> None:
    with flask(desk, "worker"), flask(desk, "payment-worker"):
        desk.do(authorise())
        wait_until(lambda: desk.payment.status == PaymentStatus.AUTHORISED)
        desk.do(capture())
        wait_until(lambda: desk.payment.status == PaymentStatus.CAPTURED)
    assert desk.booked == [("authorisation", 1), ("capture", 1)]


@pytest.mark.parametrize("moment", ["asked", "written"])
def test_a_worker_killed_in_mid_request_captures_once(desk: Desk, moment: str) -> None:
    desk.settle(authorise())
    desk.do(capture())
    with process(desk, "-c", HANGING, moment) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "hanging\n"
        worker.kill()
        worker.wait()
    written = moment == "written"
    assert (desk.payment.captured == 10) is written
    assert desk.booked == [("authorisation", 1), ("capture", 1)]
    assert desk.ask_gateway() == 0
    desk.end_leases()
    assert desk.ask_gateway() == 1
    assert desk.payment.captured == 10
    assert desk.booked == [("authorisation", 1), ("capture", 1 if written else 2)]
    assert desk.events().count("PaymentCaptured") == 1
    assert {each.state for each in desk.requests} == {"closed"}


def test_without_redis_the_sweep_asks(make_console: Callable[..., Flask]) -> None:
    away = {"redis_url": "unix:///nowhere/redis.sock", "payment_callback_secret": SECRET}
    desk = Desk(make_console(payment_gateway="sandbox", **away), Clock())
    desk.do(authorise(method="tok_late"))
    with flask(desk, "sweep"):
        wait_until(lambda: desk.payment.status == PaymentStatus.AUTHORISED)
        desk.do(capture())
        wait_until(lambda: desk.payment.status == PaymentStatus.CAPTURED)


def test_a_redis_that_forgot_everything_loses_no_request(desk: Desk) -> None:
    with flask(desk, "payment-worker"):
        wait_until(lambda: has_worker(desk))
        desk.do(authorise())
        desk.kernel.wake_ups.flush()
        desk.kernel.redis.flushall()
        with flask(desk, "sweep"):
            wait_until(lambda: desk.payment.status == PaymentStatus.AUTHORISED)


def test_a_job_that_comes_too_often_asks_once(desk: Desk) -> None:
    desk.do(authorise())
    [key] = desk.due()
    for _ in range(3):
        desk.dispatcher.answer(key)
    desk.dispatcher.join(60)
    assert desk.booked == [("authorisation", 1)]
    desk.dispatcher.answer("evt_none")


def test_many_wake_ups_for_one_request_are_one_job(desk: Desk) -> None:
    desk.do(authorise())
    assert len(desk.due()) == 1
    desk.kernel.close()
    desk.kernel.redis.flushall()
    for _ in range(3):
        desk.dispatcher.wake()
    assert desk.kernel.redis.llen("rq:queue:countersign-payment-worker") == 1


def test_many_people_at_once_capture_and_refund_no_more_than_there_is(desk: Desk) -> None:
    """Real processes that do all they can on one payment at the same time."""
    desk.settle(authorise())
    with process(desk, "-c", RACING) as one, process(desk, "-c", RACING) as other:
        assert (one.wait(100), other.wait(100)) == (0, 0)
    desk.end_leases()
    desk.ask_gateway()
    payment = desk.payment
    assert payment.captured == 9
    assert payment.refunded == 8
    with desk.kernel.engines.write.connect() as connection:
        asked = connection.execute(
            text("SELECT asked, count(*), sum(amount) FROM sandbox_requests GROUP BY asked")
        ).all()
    assert {row[0]: (row[1], int(row[2])) for row in asked} == {
        "authorisation": (1, 100_000),
        "capture": (3, 90_000),
        "refund": (4, 80_000),
    }
    assert desk.payment.requests[-1].request_no == 8
    assert desk.settle(refund()).refunded == 9
