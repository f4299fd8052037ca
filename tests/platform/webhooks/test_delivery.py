"""Deliveries to a real receiver: in order, until taken, never left out, on every database."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from cqrs_app.areas.customers.commands import EraseCustomer, RegisterCustomer
from cqrs_app.kernel.errors import Refused
from cqrs_app.platform.failures.queries import ListFailures
from cqrs_app.platform.runtime.commands import RetryParkedEvents
from cqrs_app.platform.runtime.status import ParkedSubscriptionStreams
from cqrs_app.platform.webhooks import attempts
from cqrs_app.platform.webhooks import commands as do
from cqrs_app.platform.webhooks.queries import (
    GetWebhook,
    GetWebhookSecret,
    ListWebhooks,
    WebhookView,
)
from cqrs_app.platform.webhooks.tables import webhook_deliveries, webhook_secrets
from cqrs_app.services import services_of
from tests.platform.webhooks.conftest import Clock, Shop
from tests.platform.webhooks.receiver import Received, Receiver
from tests.platform.webhooks.test_sending import resolving


def verified(received: Received, secret: str) -> list[bool]:
    """For each signature of a message whether this secret made it."""
    head = received.headers
    content = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + received.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return [each == made for each in head["webhook-signature"].split(" ")]


def test_events_come_signed_in_order_and_once_each(shop: Shop, receiver: Receiver) -> None:
    before = shop.place()
    shop.add(receiver)
    first, second = shop.place(), shop.place()
    shop.approve(first)
    shop.approve(before)
    assert not shop.deliver()
    streams = [each.json["stream"] for each in receiver.received]
    assert streams == [f"order-{each}" for each in (first, second, first, before)]
    assert receiver.positions == sorted(set(receiver.positions))
    secret = shop.ask(GetWebhookSecret(webhook_id="warehouse"))
    assert all(verified(each, secret) == [True] for each in receiver.received)
    assert not shop.deliver()
    assert len(receiver.received) == 4
    state = shop.state()
    assert state.delivery is not None
    assert (state.delivery.behind, state.delivery.cursor.delivered) == (0, 4)
    assert [each.status for each in state.attempts] == [204] * 4


def test_a_message_says_what_happened_and_when(shop: Shop, receiver: Receiver) -> None:
    shop.add(receiver, "OrderPlaced")
    order_id = shop.place()
    shop.deliver()
    [message] = receiver.received
    said = message.json
    assert said["id"] == message.headers["webhook-id"]
    assert (said["type"], said["stream"], said["version"]) == (
        "OrderPlaced",
        f"order-{order_id}",
        1,
    )
    assert said["data"]["order_id"] == order_id
    assert said["data"]["total"] == "2.50"
    assert datetime.fromisoformat(said["timestamp"]).utcoffset() == timedelta(0)
    assert said["position"] == shop.kernel.store.head()


def test_only_chosen_types_are_sent_and_the_others_do_not_count_as_lag(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver, "OrderApproved")
    for _ in range(3):
        shop.approve(shop.place())
    shop.place()
    shop.deliver()
    assert receiver.types == ["OrderApproved"] * 3
    delivery = shop.state().delivery
    assert delivery is not None
    assert delivery.behind == 0


def test_all_types_are_those_of_the_shop_and_never_those_of_webhooks(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    shop.do(do.AddWebhook(webhook_id="other", url=receiver.url))
    shop.place()
    shop.deliver()
    assert receiver.types == ["OrderPlaced"]


def test_whoever_was_sent_somebodys_data_hears_that_they_are_erased(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    shop.do(RegisterCustomer(customer_id="C1", name="Ada", country="United Kingdom"))
    shop.do(EraseCustomer(customer_id="C1", reason="She asked us to on the phone."))
    while shop.deliver():
        pass
    assert receiver.types[0] == "CustomerRegistered"
    erased = receiver.received[receiver.types.index("SubjectErased")]
    assert erased.json["data"] == {"subject": "customer-C1"}


def test_an_unknown_event_type_is_refused_with_those_there_are(
    shop: Shop, receiver: Receiver
) -> None:
    with pytest.raises(Refused) as refused:
        shop.add(receiver, "OrderPlaced", "OrderEaten")
    assert refused.value.code == "unknown_event_type"
    assert refused.value.sentence.startswith("There is no event type OrderEaten that is sent")
    assert "OrderShipped" in refused.value.sentence


def test_an_address_inside_is_refused_when_it_is_added_and_when_it_is_reached(
    make_console: Callable[..., Flask], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(make_console(), Clock())
    with pytest.raises(Refused, match="not a public address"):
        shop.add(receiver)
    resolving(monkeypatch, "127.0.0.1")
    url = f"https://receiver.example.org:{receiver.port}/"
    shop.do(do.AddWebhook(webhook_id="warehouse", url=url))
    shop.place()
    shop.deliver()
    assert receiver.received == []
    [attempt] = shop.state().attempts
    assert "not a public address" in (attempt.error or "")


def test_an_event_that_is_not_taken_is_tried_again_after_a_growing_pause(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    shop.place()
    shop.place()
    receiver.answer = lambda received: 500
    for count, pause in enumerate((1, 5, 30), start=1):
        shop.deliver()
        shop.deliver()
        assert len(receiver.received) == count
        assert shop.due() == []
        shop.clock.move(seconds=pause - 1)
        shop.deliver()
        assert len(receiver.received) == count
        shop.clock.move(seconds=2)
        assert shop.due() == ["warehouse"]
    cursor = shop.state().delivery.cursor  # type: ignore[union-attr]
    assert (cursor.failures, cursor.last_status, cursor.failed) == (3, 500, 3)
    assert cursor.failing_since is not None
    receiver.answer = lambda received: 200
    shop.deliver()
    first, *_, last = receiver.received
    assert len({each.headers["webhook-id"] for each in receiver.received[:4]}) == 1
    assert first.json["stream"] == "order-W1"
    assert last.json["stream"] == "order-W2"
    cursor = shop.state().delivery.cursor  # type: ignore[union-attr]
    assert (cursor.failures, cursor.failing_since, cursor.last_error) == (0, None, None)


def test_what_a_receiver_does_not_accept_is_one_failure_per_webhook_and_reason(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    shop.place()
    receiver.answer = lambda received: 500
    for _ in range(2):
        shop.deliver()
        shop.clock.move(hours=1)
    services_of(shop.app).failures.flush()
    [failure] = shop.ask(ListFailures(kind="delivery"))
    assert (failure.place, failure.error, failure.count) == ("warehouse", "NotDelivered", 2)
    assert failure.subjects == ("order-W1",)


def test_after_days_of_failure_it_is_paused_by_the_system_and_goes_on_when_resumed(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    shop.place()
    receiver.answer = lambda received: 503
    shop.deliver()
    shop.clock.move(hours=71)
    shop.deliver()
    assert not shop.ask(GetWebhook(webhook_id="warehouse")).paused
    shop.clock.move(hours=2)
    shop.deliver()
    paused: WebhookView = shop.ask(GetWebhook(webhook_id="warehouse"))
    assert paused.paused
    assert paused.pause_reason.startswith("It has failed for 72 hours.")
    assert "503" in paused.pause_reason
    [event] = shop.kernel.store.events_of("webhook-warehouse", 1)
    assert (event.type, event.operator) == ("WebhookPaused", "webhooks")
    assert shop.due() == []
    shop.clock.move(hours=3)
    sent = len(receiver.received)
    shop.deliver()
    assert len(receiver.received) == sent
    receiver.answer = lambda received: 200
    shop.do(do.ResumeWebhook(webhook_id="warehouse"))
    shop.deliver()
    assert len(receiver.received) == sent + 1
    assert shop.state().delivery.behind == 0  # type: ignore[union-attr]


def test_410_pauses_at_once(shop: Shop, receiver: Receiver) -> None:
    shop.add(receiver)
    shop.place()
    receiver.answer = lambda received: 410
    shop.deliver()
    paused = shop.ask(GetWebhook(webhook_id="warehouse"))
    assert paused.paused
    assert "410 Gone" in paused.pause_reason
    assert len(receiver.received) == 1


def test_what_happens_during_a_pause_is_sent_afterwards(shop: Shop, receiver: Receiver) -> None:
    shop.add(receiver)
    shop.do(do.PauseWebhook(webhook_id="warehouse", reason="They move house."))
    shop.place()
    shop.deliver()
    assert receiver.received == []
    shop.do(do.ResumeWebhook(webhook_id="warehouse"))
    shop.deliver()
    assert receiver.types == ["OrderPlaced"]


def test_a_replay_sends_earlier_events_again_under_their_old_ids(
    shop: Shop, receiver: Receiver
) -> None:
    shop.place()
    shop.add(receiver)
    shop.place()
    shop.deliver()
    shop.do(do.ReplayWebhook(webhook_id="warehouse", after_position=0))
    assert shop.due() == ["warehouse"]
    shop.deliver()
    shop.deliver()
    assert [each.json["stream"] for each in receiver.received] == [
        "order-W2",
        "order-W1",
        "order-W2",
    ]
    assert receiver.received[0].headers["webhook-id"] == receiver.received[2].headers["webhook-id"]


def test_a_replay_from_further_on_leaves_nothing_out_of_one_that_is_not_through(
    shop: Shop, receiver: Receiver
) -> None:
    for _ in range(3):
        shop.place()
    shop.add(receiver)
    for after in (1, 2):
        shop.do(do.ReplayWebhook(webhook_id="warehouse", after_position=after))
    while shop.deliver():
        pass
    assert [each.json["stream"] for each in receiver.received] == ["order-W2", "order-W3"]


def test_a_replay_never_leaves_anything_out(shop: Shop, receiver: Receiver) -> None:
    shop.add(receiver)
    shop.place()
    shop.do(do.ReplayWebhook(webhook_id="warehouse", after_position=10_000))
    shop.deliver()
    shop.place()
    shop.deliver()
    assert receiver.types == ["OrderPlaced"] * 2


def test_the_test_button_sends_one_message_also_while_paused(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver, "OrderApproved")
    shop.do(do.PauseWebhook(webhook_id="warehouse", reason="They move house."))
    receiver.answer = lambda received: 500
    shop.do(do.TestWebhook(webhook_id="warehouse"))
    shop.deliver()
    shop.clock.move(hours=1)
    shop.deliver()
    assert receiver.types == ["WebhookTestRequested"]
    [attempt] = shop.state().attempts
    assert (attempt.type, attempt.status) == ("WebhookTestRequested", 500)
    cursor = shop.state().delivery.cursor  # type: ignore[union-attr]
    assert (cursor.failures, cursor.state) == (0, "paused")


def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    shop.place()
    shop.deliver()
    old = shop.ask(GetWebhookSecret(webhook_id="warehouse"))
    shop.do(do.RotateWebhookSecret(webhook_id="warehouse"))
    shop.place()
    shop.deliver()
    new = shop.ask(GetWebhookSecret(webhook_id="warehouse"))
    assert new != old
    assert verified(receiver.received[-1], old) == [False, True]
    assert verified(receiver.received[-1], new) == [True, False]
    shop.clock.move(hours=25)
    shop.place()
    shop.deliver()
    assert verified(receiver.received[-1], new) == [True]
    with shop.kernel.engines.write.connect() as connection:
        [kept] = connection.execute(select(webhook_secrets.c.secret)).scalars().all()
    assert new.removeprefix("whsec_") not in kept
    assert shop.kernel.vault.open_credential(kept, "warehouse") == new


def test_a_secret_stored_in_clear_by_an_earlier_release_is_sealed(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    shop.place()
    shop.follow()
    secret = "whsec_" + "A" * 43 + "="
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(update(webhook_secrets).values(secret=secret))
    for _ in range(2):
        shop.dispatcher.task.housekeep(shop.kernel)
        with shop.kernel.engines.write.connect() as connection:
            [kept] = connection.execute(select(webhook_secrets.c.secret)).scalars().all()
        assert secret.removeprefix("whsec_") not in kept
    assert shop.ask(GetWebhookSecret(webhook_id="warehouse")) == secret
    shop.deliver()
    assert verified(receiver.received[-1], secret) == [True]


def test_no_secret_stands_in_an_event_or_in_the_command_log(shop: Shop, receiver: Receiver) -> None:
    shop.add(receiver)
    shop.do(do.RotateWebhookSecret(webhook_id="warehouse"))
    shop.deliver()
    secret = shop.ask(GetWebhookSecret(webhook_id="warehouse")).removeprefix("whsec_")
    with shop.kernel.engines.write.connect() as connection:
        for table, columns in (("events", "payload"), ("command_log", "payload || events")):
            kept = connection.execute(text(f"SELECT {columns} FROM {table}")).scalars()
            assert not any(secret in each for each in kept)


def test_a_removed_webhook_gets_nothing_and_its_secret_is_forgotten(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    shop.deliver()
    shop.place()
    shop.do(do.TestWebhook(webhook_id="warehouse"))
    shop.do(do.RemoveWebhook(webhook_id="warehouse"))
    shop.deliver()
    assert receiver.received == []
    assert shop.ask(GetWebhookSecret(webhook_id="warehouse")) is None
    assert shop.due() == []
    shop.place()
    shop.catch_up()
    assert shop.ask(ListWebhooks()) == ()
    assert shop.due() == []
    for name in ("shipping", "billing"):
        shop.add(receiver, "OrderApproved", name=name)
    shop.catch_up()
    listed = [
        [each.webhook_id for each in shop.ask(ListWebhooks(removed=removed))]
        for removed in (False, True)
    ]
    assert listed == [["billing", "shipping"], ["billing", "shipping", "warehouse"]]
    with shop.kernel.engines.write.connect() as connection:
        assert connection.execute(select(webhook_deliveries)).all() == []


def test_a_process_that_dies_while_it_takes_in_events_leaves_nothing_half_done(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.add(receiver)
    shop.do(do.PauseWebhook(webhook_id="warehouse", reason="They move house."))
    shop.place()
    shop.deliver()
    shop.place()
    shop.do(do.ResumeWebhook(webhook_id="warehouse"))

    def dies(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("cqrs_app.platform.webhooks.deliveries.retry_now", dies)
        with pytest.raises(KeyboardInterrupt):
            shop.follow()
    assert shop.due(follow=False) == []
    assert shop.due() == ["warehouse"]
    shop.deliver()
    assert [each.json["stream"] for each in receiver.received] == ["order-W1", "order-W2"]


def test_a_changed_address_is_used_at_once(shop: Shop, receiver: Receiver) -> None:
    shop.do(do.AddWebhook(webhook_id="warehouse", url="http://127.0.0.1:9/"))
    shop.place()
    shop.deliver()
    assert shop.state().delivery.cursor.failures == 1  # type: ignore[union-attr]
    shop.do(do.ChangeWebhook(webhook_id="warehouse", url=receiver.url))
    shop.deliver()
    assert receiver.types == ["OrderPlaced"]


def test_of_two_deliverers_one_finds_the_webhook_taken(shop: Shop, receiver: Receiver) -> None:
    shop.add(receiver)
    shop.place()
    arrived, go_on = threading.Event(), threading.Event()

    def hang(received: Received) -> int:
        arrived.set()
        go_on.wait(60)
        return 200

    receiver.answer = hang
    first = threading.Thread(target=shop.deliver)
    first.start()
    assert arrived.wait(60)
    assert shop.due() == []
    assert not shop.deliver()
    go_on.set()
    first.join(60)
    assert len(receiver.received) == 1


def test_whoever_has_lost_the_lease_moves_nothing(shop: Shop, receiver: Receiver) -> None:
    shop.add(receiver)
    shop.place()
    shop.place()
    others: list[bool] = []

    def meanwhile(received: Received) -> int:
        if not others:
            others.append(True)
            shop.let_leases_end()
            shop.deliver()
        return 200

    receiver.answer = meanwhile
    shop.deliver()
    streams = [each.json["stream"] for each in receiver.received]
    assert streams == ["order-W1", "order-W1", "order-W2"]
    cursor = shop.state().delivery.cursor  # type: ignore[union-attr]
    assert (cursor.delivered, cursor.taken_by) == (2, None)


def test_rebuilding_every_projection_sends_nothing(shop: Shop, receiver: Receiver) -> None:
    shop.add(receiver)
    shop.place()
    shop.do(do.TestWebhook(webhook_id="warehouse"))
    shop.do(do.ReplayWebhook(webhook_id="warehouse", after_position=0))
    shop.catch_up()
    shop.deliver()
    sent = list(receiver.received)
    for name in shop.kernel.registry.projections:
        shop.kernel.runner.rebuild(name, lambda done, total: None)
    assert shop.due() == []
    shop.deliver()
    assert receiver.received == sent


def test_only_the_last_attempts_are_kept(shop: Shop, receiver: Receiver) -> None:
    shop.add(receiver)
    for _ in range(70):
        shop.place()
    while shop.deliver():
        continue
    with shop.kernel.engines.write.connect() as connection:
        kept = connection.execute(text("SELECT count(*) FROM webhook_attempts")).scalar_one()
    assert 50 <= kept < 70
    assert receiver.positions == sorted(receiver.positions)


def test_a_busy_webhook_leaves_the_attempts_of_a_quiet_one_alone(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "KEPT_ATTEMPTS", 3)
    monkeypatch.setattr(attempts, "PRUNED_EVERY", 1)
    shop.add(receiver, "OrderPlaced")
    shop.add(receiver, "OrderApproved", name="quiet")
    for _ in range(2):
        shop.approve(shop.place())
        shop.deliver("quiet")
        for _ in range(4):
            shop.place()
        shop.deliver()
    shop.approve(shop.place())
    shop.deliver("quiet")
    shop.deliver()
    assert [len(shop.state(name).attempts) for name in ("warehouse", "quiet")] == [3, 3]


def test_a_webhook_is_due_as_soon_as_its_row_is_there_and_something_happens(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    shop.place()
    shop.catch_up()
    assert shop.due() == ["warehouse"]
    shop.deliver()
    assert shop.due() == []
    shop.place()
    assert shop.due() == ["warehouse"]


def test_an_event_of_a_newer_release_is_waited_for_and_not_left_out(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    first, second = shop.place(), shop.place()
    shop.approve(first)
    shop.follow()
    rename = "UPDATE events SET type = '{}' WHERE stream = 'order-W1' AND version = 1"
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(text(rename.format("OrderSung")))
    shop.deliver()
    assert [each.json["stream"] for each in receiver.received] == [f"order-{second}"]
    assert "OrderSung" in (shop.state().attempts[-1].error or "")
    assert shop.due() == []
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(text(rename.format("OrderPlaced")))
    shop.clock.move(minutes=11)
    assert shop.due() == ["warehouse"]
    shop.deliver()
    assert receiver.types == ["OrderPlaced", "OrderPlaced", "OrderApproved"]
    assert [each.json["stream"] for each in receiver.received[1:]] == [f"order-{first}"] * 2
    cursor = shop.state().delivery.cursor  # type: ignore[union-attr]
    assert (cursor.state, cursor.failing_since, cursor.failed) == ("running", None, 1)


def test_an_event_that_cannot_be_read_holds_up_its_own_stream_only(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    shop.add(receiver, name="other")
    first = shop.place()
    shop.follow()
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(text("UPDATE events SET payload = '{{' WHERE stream = 'order-W1'"))
    shop.deliver()
    second = shop.place()
    shop.deliver()
    assert [each.json["stream"] for each in receiver.received] == [f"order-{second}"]
    assert shop.state().delivery.behind == 1  # type: ignore[union-attr]
    assert "is damaged" in (shop.state().attempts[-1].error or "")
    payload = shop.kernel.store.events_of(f"order-{second}")[0].payload
    repaired = payload.replace(second, first)
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(
            text("UPDATE events SET payload = :p WHERE stream = 'order-W1'"), {"p": repaired}
        )
    assert shop.due() == ["other"]
    shop.do(do.ReplayWebhook(webhook_id="warehouse", after_position=10_000))
    shop.deliver()
    assert receiver.received[-1].json["data"]["order_id"] == first


def test_a_stream_that_one_webhook_sets_aside_goes_on_to_another(
    shop: Shop, receiver: Receiver
) -> None:
    for name in ("warehouse", "other", "third"):
        shop.add(receiver, name=name)
    first = shop.place()
    shop.follow()
    payload = shop.kernel.store.events_of(f"order-{first}")[0].payload
    changed = text("UPDATE events SET payload = :payload WHERE stream = 'order-W1'")
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(changed, {"payload": "{"})
    shop.deliver()
    shop.deliver("third")
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(changed, {"payload": payload})
    shop.deliver("other")
    assert [each.json["stream"] for each in receiver.received] == [f"order-{first}"]
    shop.do(do.ReplayWebhook(webhook_id="warehouse", after_position=10_000))
    assert shop.due() == ["warehouse"]
    shop.deliver()
    assert len(receiver.received) == 2
    behind = [shop.state(name).delivery for name in ("warehouse", "other", "third")]
    assert [each.behind for each in behind if each] == [0, 0, 1]


def test_a_replay_that_takes_several_turns_comes_in_order_before_what_is_new(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqrs_app.platform.webhooks.deliveries.SLICE", 2)
    shop.place()
    shop.add(receiver)
    shop.add(receiver, name="other")
    shop.place()
    shop.place()
    shop.deliver()
    shop.do(do.ReplayWebhook(webhook_id="warehouse", after_position=0))
    shop.place()
    assert shop.due() == ["other", "warehouse"]
    assert shop.state().delivery.behind >= 4  # type: ignore[union-attr]
    shop.deliver()
    again = [each.json["stream"] for each in receiver.received[2:]]
    assert again == ["order-W1", "order-W2", "order-W3", "order-W4"]
    assert shop.state().delivery.behind == 0  # type: ignore[union-attr]
    assert shop.state("other").delivery.behind == 3  # type: ignore[union-attr]
    assert not shop.deliver()


def test_other_types_are_sent_from_where_the_webhook_is(shop: Shop, receiver: Receiver) -> None:
    shop.add(receiver, "OrderPlaced")
    shop.approve(shop.place())
    shop.deliver()
    receiver.answer = lambda received: 500
    shop.approve(shop.place())
    shop.deliver()
    receiver.answer = lambda received: 200
    sent = len(receiver.received)
    types = ("OrderApproved",)
    shop.do(do.ChangeWebhook(webhook_id="warehouse", url=receiver.url, event_types=types))
    shop.approve(shop.place())
    shop.deliver()
    assert receiver.types[sent:] == ["OrderApproved"] * 2
    assert [each.json["stream"] for each in receiver.received[sent:]] == ["order-W2", "order-W3"]


def test_a_change_repeats_nothing_of_what_was_sent_beside_an_event_that_is_set_aside(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    shop.place()
    shop.follow()
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(text("UPDATE events SET payload = '{{' WHERE stream = 'order-W1'"))
    shop.place()
    shop.deliver()
    shop.do(do.ChangeWebhook(webhook_id="warehouse", url=receiver.url))
    shop.place()
    shop.deliver()
    assert [each.json["stream"] for each in receiver.received] == ["order-W2", "order-W3"]
    assert len([each for each in shop.state().attempts if each.error]) == 2


def test_a_stream_that_another_webhook_has_set_aside_is_taken_back_with_the_others(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    shop.add(receiver, name="other")
    first = shop.place()
    shop.follow()
    payload = shop.kernel.store.events_of(f"order-{first}")[0].payload
    changed = text("UPDATE events SET payload = :payload WHERE stream = 'order-W1'")
    for written in ("{", payload):
        with shop.kernel.engines.write.begin() as connection:
            connection.execute(changed, {"payload": written})
        if written == "{":
            shop.deliver("other")
    types = ("OrderApproved",)
    shop.do(do.ChangeWebhook(webhook_id="warehouse", url=receiver.url, event_types=types))
    shop.approve(first)
    shop.deliver()
    assert receiver.types == ["OrderApproved"]


def test_a_failure_that_was_on_its_way_does_not_bring_back_the_long_pause(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    shop.place()
    receiver.answer = lambda received: 500
    for _ in range(5):
        shop.deliver()
        shop.clock.move(hours=3)

    def changed_meanwhile(received: Received) -> int:
        shop.do(do.ChangeWebhook(webhook_id="warehouse", url=receiver.url))
        shop.follow()
        return 500

    receiver.answer = changed_meanwhile
    shop.deliver()
    cursor = shop.state().delivery.cursor  # type: ignore[union-attr]
    assert (cursor.failures, cursor.failed) == (1, 6)
    shop.clock.move(seconds=6)
    assert shop.due() == ["warehouse"]


def test_a_webhook_that_is_removed_in_the_middle_leaves_nothing_but_its_neighbour(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver)
    shop.add(receiver, name="other")
    shop.place()
    shop.place()

    def removed_meanwhile(received: Received) -> int:
        shop.do(do.RemoveWebhook(webhook_id="warehouse"))
        shop.follow()
        return 200

    receiver.answer = removed_meanwhile
    assert not shop.deliver()
    assert len(receiver.received) == 1
    with shop.kernel.engines.write.connect() as connection:
        for table in (webhook_secrets, webhook_deliveries):
            kept = connection.execute(select(table.c.webhook_id).distinct()).scalars().all()
            assert kept == ["other"]
    receiver.answer = lambda received: 200
    shop.deliver("other")
    assert len(receiver.received) == 3


def test_an_event_that_cannot_be_taken_in_is_parked_until_it_is_retried(
    shop: Shop, receiver: Receiver
) -> None:
    shop.add(receiver, "OrderPlaced")
    first, second = shop.place(), shop.place()
    payload = shop.kernel.store.events_of(f"order-{first}")[0].payload
    changed = text("UPDATE events SET payload = :payload WHERE stream = 'order-W1'")
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(changed, {"payload": "{"})
    shop.deliver()
    assert [each.json["stream"] for each in receiver.received] == [f"order-{second}"]
    [parked] = shop.ask(ParkedSubscriptionStreams())
    assert (parked.projection, parked.stream) == ("webhook_deliveries", f"order-{first}")
    with shop.kernel.engines.write.begin() as connection:
        connection.execute(changed, {"payload": payload})
    retry = RetryParkedEvents(projection="webhook_deliveries", stream=f"order-{first}")
    shop.do(retry)
    shop.catch_up()
    shop.deliver()
    assert [each.json["stream"] for each in receiver.received][1:] == [f"order-{first}"]
