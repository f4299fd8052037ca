"""Deliveries by real processes: killed in the middle, without Redis, with a Redis that forgot."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from flask import Flask

from cqrs_app.kernel.subscriptions import presence
from cqrs_app.platform.webhooks.tasks import Deliveries
from cqrs_app.services import services_of
from tests.console import environment_of
from tests.interfaces.web.pages.conftest import wait_until
from tests.platform.webhooks.conftest import Clock, Shop
from tests.platform.webhooks.receiver import Received, Receiver, listening
from tests.processes.running import FLASK, start

QUEUE = "rq:queue:countersign-webhook-worker"


@contextmanager
def process(shop: Shop, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A real process of the console: `flask ...`."""
    networks = services_of(shop.app).settings.webhook_allowed_networks
    environment = environment_of(shop.app, WEBHOOK_ALLOWED_NETWORKS=networks)
    made = start(*FLASK, *arguments, environment=environment)
    try:
        yield made
    finally:
        made.kill()
        made.wait()


def has_worker(shop: Shop) -> bool:
    with shop.kernel.engines.write.connect() as connection:
        found = presence.seen(connection, shop.kernel.clock())
    return any(each.alive and each.kind == Deliveries.worker for each in found)


def test_a_commit_reaches_the_receiver_through_the_workers(shop: Shop, receiver: Receiver) -> None:
    shop.add(receiver)
    with process(shop, "worker"), process(shop, "webhook-worker"):
        for _ in range(3):
            shop.place()
        wait_until(lambda: len(receiver.received) == 3)
    assert [each.json["stream"] for each in receiver.received] == [
        "order-W1",
        "order-W2",
        "order-W3",
    ]


def test_a_deliverer_killed_in_mid_delivery_leaves_nothing_out(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    for _ in range(3):
        shop.place()
    arrived = threading.Event()

    def hang_on_the_second(received: Received) -> int:
        if received.json["stream"] == "order-W2" and not arrived.is_set():
            arrived.set()
            threading.Event().wait(8)
        return 200

    receiver.answer = hang_on_the_second
    shop.follow()
    shop.dispatcher.wake()
    with process(shop, "webhook-worker") as worker:
        assert arrived.wait(60)
        worker.kill()
        worker.wait()
    cursor = shop.state().delivery.cursor  # type: ignore[union-attr]
    assert cursor.delivered == 1
    assert cursor.taken_by is not None
    assert not shop.deliver()
    assert len(receiver.received) == 2
    shop.let_leases_end()
    shop.deliver()
    assert [each.json["stream"] for each in receiver.received] == [
        "order-W1",
        "order-W2",
        "order-W2",
        "order-W3",
    ]


def test_a_redis_that_forgot_everything_loses_nothing(shop: Shop, receiver: Receiver) -> None:
    with process(shop, "webhook-worker"):
        wait_until(lambda: has_worker(shop))
        shop.add(receiver)
        shop.place()
        shop.kernel.wake_ups.flush()
        shop.kernel.redis.flushall()
        with process(shop, "sweep"):
            wait_until(lambda: len(receiver.received) == 1)
            shop.kernel.redis.flushall()
            shop.place()
            wait_until(lambda: len(receiver.received) == 2)
    assert receiver.positions == sorted(set(receiver.positions))


def test_without_redis_the_sweep_delivers_and_waits_for_no_receiver(
    make_console: Callable[..., Flask], receiver: Receiver
) -> None:
    away = {"redis_url": "unix:///nowhere/redis.sock", "webhook_allowed_networks": "127.0.0.0/8"}
    shop = Shop(make_console(**away), Clock())
    shop.add(receiver)
    shop.place()
    with process(shop, "sweep"):
        wait_until(lambda: len(receiver.received) == 1)


def test_looking_after_webhooks_does_not_wait_for_a_slow_receiver(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    shop.place()
    shop.catch_up()
    arrived, go_on = threading.Event(), threading.Event()

    def hang(received: Received) -> int:
        arrived.set()
        go_on.wait(60)
        return 200

    receiver.answer = hang
    dispatcher = shop.dispatcher
    dispatcher.look_after(0.0)
    assert arrived.wait(60)
    dispatcher.look_after(0.0)
    assert len(receiver.received) == 1
    go_on.set()
    dispatcher.join(60)
    assert shop.state().delivery.cursor.delivered == 1  # type: ignore[union-attr]


def test_a_slow_receiver_delays_no_other(shop: Shop) -> None:
    go_on = threading.Event()

    def hang(received: Received) -> int:
        go_on.wait(60)
        return 200

    with ExitStack() as stack, process(shop, "webhook-worker"):
        slow = [stack.enter_context(listening()) for _ in range(3)]
        swift = stack.enter_context(listening())
        for number, receiver in enumerate([*slow, swift]):
            shop.add(receiver, name=f"receiver-{number}")
        for receiver in slow:
            receiver.answer = hang
        for _ in range(3):
            shop.place()
        shop.follow()
        shop.dispatcher.wake()
        wait_until(lambda: all(len(each.received) == 1 for each in slow))
        wait_until(lambda: len(swift.received) == 3)
        # Each slow one still has the first of its messages only: it gets one after the other.
        assert [len(each.received) for each in slow] == [1, 1, 1]
        go_on.set()
        wait_until(lambda: all(len(each.received) == 3 for each in slow))
    for each in (*slow, swift):
        assert each.positions == sorted(set(each.positions))


def test_a_worker_that_is_stopped_lets_a_delivery_end(shop: Shop, receiver: Receiver) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def hang(received: Received) -> int:
        arrived.set()
        go_on.wait(60)
        return 200

    receiver.answer = hang
    shop.add(receiver)
    shop.place()
    shop.follow()
    with process(shop, "webhook-worker") as worker:
        wait_until(lambda: has_worker(shop))
        shop.dispatcher.wake()
        assert arrived.wait(60)
        worker.terminate()
        wait_until(lambda: not has_worker(shop))
        go_on.set()
        assert worker.wait(60) == 0
    cursor = shop.state().delivery.cursor  # type: ignore[union-attr]
    assert (cursor.delivered, cursor.taken_by) == (1, None)


def test_with_a_worker_alive_the_sweep_only_rings(shop: Shop, receiver: Receiver) -> None:
    shop.add(receiver)
    shop.place()
    shop.catch_up()
    shop.kernel.close()
    shop.kernel.redis.flushall()
    shop.kernel.presence.beat(Deliveries.worker)
    dispatcher = shop.dispatcher
    dispatcher.look_after(60.0)
    assert shop.kernel.redis.llen(QUEUE) == 0
    dispatcher.look_after(0.0)
    dispatcher.look_after(0.0)
    assert shop.kernel.redis.llen(QUEUE) == 1
    assert receiver.received == []


def test_many_wake_ups_are_one_job(shop: Shop, receiver: Receiver) -> None:
    shop.add(receiver)
    shop.catch_up()
    shop.kernel.close()
    for _ in range(3):
        shop.place()
        shop.catch_up()
        shop.kernel.close()
    assert shop.kernel.redis.llen(QUEUE) == 1


def test_a_turn_that_is_over_queues_up_again(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.add(receiver)
    shop.place()
    shop.follow()
    monkeypatch.setattr("cqrs_app.platform.webhooks.delivery.SLICE_SECONDS", 0.0)
    dispatcher = shop.dispatcher
    # What `follow` has announced in the background is not counted.
    dispatcher.close()
    shop.kernel.redis.delete(QUEUE)
    dispatcher.answer("warehouse")
    dispatcher.join(60)
    assert shop.kernel.redis.llen(QUEUE) == 1
