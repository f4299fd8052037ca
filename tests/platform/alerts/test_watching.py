"""Each alert is raised by a real fault, and resolved once the fault is gone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, create_engine, update

from cqrs_app.areas.desk.read_models import orders as order_rows
from cqrs_app.areas.fulfilment.commands import CancelFulfilment
from cqrs_app.areas.orders.commands import ApproveOrder
from cqrs_app.areas.orders.order import Order
from cqrs_app.composition.outside import problem_sources
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.store.tables import checkpoints
from cqrs_app.kernel.subscriptions.presence import SWEEP, Presence
from cqrs_app.kernel.subscriptions.tasks import WORKER
from cqrs_app.platform.alerts import watching
from cqrs_app.platform.alerts.commands import (
    AcknowledgeAlert,
    ChangeAlertRule,
    ResolveAlert,
    SilenceAlert,
    SilenceAlertRule,
)
from cqrs_app.platform.alerts.queries import GetAlert, ListAlertRules, ListAlertTasks
from cqrs_app.platform.alerts.rules import RULES
from cqrs_app.platform.alerts.watching import KEY
from cqrs_app.platform.approvals.types import ApprovalStage
from cqrs_app.platform.audit.streaming import TURNS
from cqrs_app.platform.failures.commands import ResolveFailure
from cqrs_app.platform.failures.queries import ListFailures
from cqrs_app.platform.runtime.commands import PauseProjection, ResumeProjection, RetryParkedEvents
from cqrs_app.platform.webhooks import commands as webhooks
from cqrs_app.services import services_of
from tests.console import NO_REDIS
from tests.interfaces.api.conftest import Program
from tests.interfaces.web.pages.conftest import client_in
from tests.platform.alerts.conftest import ADA, OnCall
from tests.platform.approvals.conftest import Shop
from tests.platform.approvals.conftest import make_people as make_people  # noqa: PLC0414
from tests.platform.approvals.test_overrides import override, review
from tests.platform.webhooks.conftest import Clock
from tests.platform.webhooks.conftest import receiver as receiver  # noqa: PLC0414 - a fixture
from tests.platform.webhooks.receiver import Receiver


def is_raised(on_call: OnCall, rule: str, alert_id: str = "") -> None:
    """Wait until the fault is an alert, and no other one is."""
    before = on_call.on()
    on_call.wait(rule)
    assert [each for each in on_call.on() if each not in before] == [alert_id or rule]
    assert on_call.alert(alert_id or rule).state == "raised"


def is_resolved(on_call: OnCall, alert_id: str) -> None:
    on_call.look()
    assert on_call.alert(alert_id).state == "resolved"
    assert alert_id not in on_call.on()


def test_a_console_that_works_raises_nothing(on_call: OnCall) -> None:
    on_call.look()
    on_call.look()
    assert (on_call.on(), on_call.pending()) == ([], [])


@pytest.mark.parametrize(("kind", "rule"), [(WORKER, "no_worker"), (SWEEP, "no_sweep")])
def test_a_process_that_is_gone(on_call: OnCall, kind: str, rule: str) -> None:
    on_call.alive.remove(kind)
    is_raised(on_call, rule)
    on_call.alive.add(kind)
    is_resolved(on_call, rule)


def test_a_subscription_that_is_behind(on_call: OnCall) -> None:
    on_call.stopped.add("orders")
    on_call.do(on_call.place("O1"))
    on_call.look(61)
    is_raised(on_call, "behind", "behind.orders")
    assert "missing" in on_call.alert("behind.orders").cost
    on_call.stopped.clear()
    on_call.follow()
    is_resolved(on_call, "behind.orders")


def test_a_subscription_that_is_paused(on_call: OnCall) -> None:
    on_call.do(PauseProjection(projection="orders"))
    is_raised(on_call, "paused", "paused.orders")
    on_call.do(ResumeProjection(projection="orders"))
    is_resolved(on_call, "paused.orders")


def test_a_subscription_that_has_stopped(on_call: OnCall) -> None:
    def set_version(by: int) -> None:
        mine = checkpoints.c.subscription == "orders"
        changed = update(checkpoints).where(mine).values(version=checkpoints.c.version + by)
        with on_call.kernel.engines.read.begin() as connection:
            connection.execute(changed)
        on_call.do(on_call.place(f"O{by}"))

    set_version(-1)
    is_raised(on_call, "stopped", "stopped.orders")
    set_version(1)
    is_resolved(on_call, "stopped.orders")


def test_an_event_that_is_parked(on_call: OnCall, monkeypatch: pytest.MonkeyPatch) -> None:
    handlers = on_call.kernel.registry.projections["orders"].handlers
    with monkeypatch.context() as broken:
        broken.setitem(handlers, "OrderPlaced", _raise)
        on_call.do(on_call.place("O1"))
    is_raised(on_call, "parked", "parked.orders")
    parked = on_call.alert("parked.orders")
    assert (parked.value, parked.title) == (1, "Orders could not apply an event")
    assert parked.cost.endswith(": 1 record is out of date.")
    on_call.do(RetryParkedEvents(projection="orders", stream="order-O1"))
    is_resolved(on_call, "parked.orders")


def _raise(*_: Any) -> None:
    raise KeyError("broken")


def test_an_action_that_failed(on_call: OnCall, monkeypatch: pytest.MonkeyPatch) -> None:
    on_call.do(on_call.place("O1"))
    with monkeypatch.context() as broken:
        broken.setattr(Order, "evolve", _raise)
        with pytest.raises(KeyError):
            on_call.send(ApproveOrder(order_id="O1"))
    is_raised(on_call, "failed_actions")
    on_call.clock.move(hours=1)
    is_resolved(on_call, "failed_actions")


def test_a_failure_that_nobody_looks_into(on_call: OnCall, monkeypatch: pytest.MonkeyPatch) -> None:
    on_call.do(on_call.place("O1"))
    with monkeypatch.context() as broken:
        broken.setattr(Order, "evolve", _raise)
        with pytest.raises(KeyError):
            on_call.send(ApproveOrder(order_id="O1"))
    services_of(on_call.app).failures.flush()
    on_call.look()
    on_call.look(RULES["open_failures"].pending_seconds + 11)
    assert "open_failures.command" in on_call.on()
    [failure] = on_call.ask(ListFailures())
    on_call.do(ResolveFailure(failure_id=failure.failure_id))
    is_resolved(on_call, "open_failures.command")


def test_queued_actions_that_nobody_carries_out(on_call: OnCall) -> None:
    queued = Context(actor=ADA, channel="test")
    on_call.kernel.commands.enqueue(on_call.place("O1"), queued)
    on_call.look(61)
    is_raised(on_call, "queued_actions")
    on_call.kernel.commands.run_queued(queued.command_id)
    on_call.follow()
    is_resolved(on_call, "queued_actions")


def test_redis_that_is_down(on_call: OnCall, make_console: Callable[..., Flask]) -> None:
    """Seen by a process that cannot reach it, then by one that can."""
    without = OnCall(make_console(redis_url=NO_REDIS))
    is_raised(without, "redis_down")
    on_call.clock = without.clock
    on_call.kernel = replace(on_call.kernel, clock=without.clock)
    is_resolved(on_call, "redis_down")


def test_a_read_store_that_is_down(on_call: OnCall) -> None:
    on_call.do(PauseProjection(projection="orders"))
    is_raised(on_call, "paused", "paused.orders")
    whole = on_call.kernel
    nowhere = create_engine("sqlite:////nowhere/read.sqlite3")
    on_call.kernel = replace(whole, engines=replace(whole.engines, read=nowhere, query=nowhere))
    is_raised(on_call, "read_store_down")
    assert "paused.orders" in on_call.on(), "what cannot be looked at is not resolved"
    on_call.kernel = whole
    is_resolved(on_call, "read_store_down")


def test_a_row_that_differs_from_the_log(on_call: OnCall) -> None:
    on_call.do(on_call.place("O1"))
    with on_call.kernel.engines.read.begin() as connection:
        connection.execute(update(order_rows).values(customer_name="Eve"))
    on_call.kernel.reconciler.compare("orders")
    on_call.look()
    assert on_call.on() == ["drift.orders"]
    found = on_call.kernel.reconciler.prove(["orders"])["orders"]
    on_call.kernel.reconciler.repair("orders", found)
    is_resolved(on_call, "drift.orders")


def test_read_models_that_were_not_compared(on_call: OnCall) -> None:
    on_call.kernel.reconciler.compare("orders")
    on_call.clock.move(days=2)
    is_raised(on_call, "not_reconciled", "not_reconciled.orders")
    on_call.clock.ahead = timedelta()
    on_call.kernel.reconciler.compare("orders")
    is_resolved(on_call, "not_reconciled.orders")


def test_a_webhook_that_fails_and_one_that_is_paused(on_call: OnCall, receiver: Receiver) -> None:
    receiver.answer = lambda received: 500
    on_call.do(webhooks.AddWebhook(webhook_id="stock", url=receiver.url), on_call.place("O1"))
    on_call.work("webhooks")
    on_call.look(3_601)
    assert on_call.on() == ["webhook_failing.stock"]
    receiver.answer = lambda received: 204
    on_call.work("webhooks")
    is_resolved(on_call, "webhook_failing.stock")
    on_call.do(webhooks.PauseWebhook(webhook_id="stock", reason="It moves house."))
    on_call.wait("webhook_paused")
    assert "webhook_paused.stock" in on_call.on()
    assert on_call.alert("webhook_paused.stock").remedy == "It moves house."
    on_call.do(webhooks.ResumeWebhook(webhook_id="stock"))
    is_resolved(on_call, "webhook_paused.stock")


def test_seals_that_cannot_be_kept_outside(
    make_console: Callable[..., Flask], tmp_path: Path
) -> None:
    folder = tmp_path / "outside"
    on_call = OnCall(make_console(seal_anchor_file=str(folder / "seals.jsonl")))
    task = on_call.kernel.tasks["seal_anchors"].task
    task.work(on_call.kernel, "all")
    is_raised(on_call, "audit_not_sent", "audit_not_sent.seal_anchors")
    assert "No such file" in on_call.alert("audit_not_sent.seal_anchors").remedy
    with TURNS.taken(on_call.kernel) as turn:
        assert turn
        turn.error = "The syslog server could not be reached."
    without = replace(services_of(on_call.app).settings, seal_anchor_file="")
    assert problem_sources(without).problems(on_call.kernel) == []
    sending = problem_sources(replace(without, audit_stream="syslog+tcp://logs.example"))
    assert [each.title for each in sending.problems(on_call.kernel)] == [
        "Security events are not sent"
    ]
    folder.mkdir()
    task.work(on_call.kernel, "all")
    is_resolved(on_call, "audit_not_sent.seal_anchors")


def test_requests_that_fail(on_call: OnCall, monkeypatch: pytest.MonkeyPatch) -> None:
    # The clock stays: measurements are of the last minute.
    on_call.do(_at_once("failed_requests"))
    client = client_in(on_call.app, "admin")
    with monkeypatch.context() as broken:
        broken.setitem(on_call.app.view_functions, "web.orders", _raise)
        for _ in range(25):
            assert client.get("/orders").status_code == 500
    services_of(on_call.app).kernel.recorder.flush()
    on_call.look(0)
    assert on_call.on() == ["failed_requests"]
    on_call.look(120)
    assert on_call.alert("failed_requests").state == "resolved"


def _at_once(rule: str) -> ChangeAlertRule:
    same = RULES[rule]
    return ChangeAlertRule(
        rule=rule,
        raise_at=same.raise_at,
        clear_at=same.clear_at,
        pending_seconds=0,
        severity=same.severity,
    )


def test_queries_that_fail(on_call: OnCall, monkeypatch: pytest.MonkeyPatch) -> None:
    on_call.do(_at_once("failed_queries"))
    with monkeypatch.context() as broken:
        broken.setattr("cqrs_app.platform.alerts.queries.rules_in", _raise)
        for _ in range(25):
            with pytest.raises(KeyError):
                on_call.ask(ListAlertRules())
    services_of(on_call.app).kernel.recorder.flush()
    on_call.look(0)
    assert "failed_queries" in on_call.on()
    on_call.look(120)
    assert on_call.alert("failed_queries").state == "resolved"


def test_a_disk_that_fills_up(on_call: OnCall, monkeypatch: pytest.MonkeyPatch) -> None:
    def used(percent: int) -> None:
        usage = shutil._ntuple_diskusage(100, percent, 100 - percent)
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)

    used(91)
    is_raised(on_call, "disk")
    used(87)
    on_call.look()
    assert on_call.on() == ["disk"], "it ends below 85 %"
    used(84)
    is_resolved(on_call, "disk")


def test_what_somebody_resolves_during_a_look_is_raised_again_if_it_goes_on(
    on_call: OnCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    percent = 91
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100, percent, 100 - percent)
    )
    is_raised(on_call, "disk")
    known = watching._known

    def resolved_meanwhile(connection: Connection) -> Any:
        before = known(connection)
        on_call.do(ResolveAlert(alert_id="disk"))
        return before

    with monkeypatch.context() as patched:
        patched.setattr(watching, "_known", resolved_meanwhile)
        percent = 92
        on_call.look()
    assert on_call.on() == []
    on_call.wait("disk")
    assert on_call.on() == ["disk"]


def test_an_order_that_waits_too_long(on_call: OnCall) -> None:
    on_call.do(on_call.place("O1"))
    on_call.clock.move(days=8)
    is_raised(on_call, "oldest_order", "oldest_order.needs_approval")
    on_call.do(ApproveOrder(order_id="O1"))
    is_resolved(on_call, "oldest_order.needs_approval")


def test_an_order_that_fulfilment_cannot_go_on_with(make_console: Callable[..., Flask]) -> None:
    """A method of payment that is no token but a card's number."""
    settings = {"payment_gateway": "sandbox", "fulfilment_payment_method": "4242424242424242"}
    on_call = OnCall(make_console(**settings))
    on_call.do(on_call.place("O1"), ApproveOrder(order_id="O1"))
    for _ in range(3):
        on_call.work("fulfilment")
    is_raised(on_call, "stuck_orders")
    on_call.do(CancelFulfilment(order_id="O1", reason="Agreed with the customer."))
    for _ in range(3):
        on_call.work("fulfilment")
    is_resolved(on_call, "stuck_orders")


def test_a_signature_that_is_overdue(make_people: Callable[..., Flask]) -> None:
    app = make_people()
    shop, on_call = Shop(app), OnCall(app)
    shop.policy(stages=(ApprovalStage(hours=72),))
    request_id = shop.ask()
    on_call.look()
    assert on_call.on() == []
    on_call.clock.move(hours=24)
    is_raised(on_call, "signatures_overdue")
    assert on_call.alert("signatures_overdue").title == "1 request waits too long for a signature"
    shop.sign(request_id)
    on_call.follow()
    is_resolved(on_call, "signatures_overdue")


def test_a_signature_that_is_due_within_the_hour(make_people: Callable[..., Flask]) -> None:
    app = make_people()
    shop, on_call = Shop(app), OnCall(app)
    shop.policy(stages=(ApprovalStage(hours=4),))
    shop.ask()
    on_call.clock.move(hours=3)
    is_raised(on_call, "signatures_overdue")
    on_call.clock.move(hours=1)
    on_call.work("approvals")
    is_resolved(on_call, "signatures_overdue")


def test_an_override_and_its_review_that_is_overdue(make_people: Callable[..., Flask]) -> None:
    app = make_people()
    shop, on_call = Shop(app), OnCall(app)
    request_id = override(shop)
    on_call.follow()
    is_raised(on_call, "override", f"override.{request_id}")
    on_call.clock.move(hours=2)
    is_raised(on_call, "override_overdue", f"override_overdue.{request_id}")
    review(shop, request_id, "tina")
    on_call.follow()
    is_resolved(on_call, f"override_overdue.{request_id}")
    assert on_call.on() == []


def test_an_alert_that_cannot_be_raised_is_recorded_and_stops_no_other(
    on_call: OnCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_call.alive.remove(WORKER)
    on_call.do(PauseProjection(projection="orders"))
    raising = watching._raising
    with monkeypatch.context() as broken:
        broken.setattr(
            watching,
            "_raising",
            lambda alert_id, *rest: (
                _raise() if alert_id == "no_worker" else raising(alert_id, *rest)
            ),
        )
        on_call.look(21)
        on_call.look(RULES["paused"].pending_seconds)
    assert on_call.on() == ["paused.orders"]
    [task] = [each for each in on_call.ask(ListAlertTasks()) if each.name == "watch"]
    assert task.error == "Could not be raised or resolved: no_worker."
    services_of(on_call.app).failures.flush()
    [failure] = on_call.ask(ListFailures())
    assert (failure.kind, failure.place) == ("job", "alerts")
    on_call.look()
    assert sorted(on_call.on()) == ["no_worker", "paused.orders"]


def test_answers_that_are_not_as_fresh_as_a_client_asked_for_are_no_failures(
    on_call: OnCall,
) -> None:
    on_call.do(_at_once("failed_requests"))
    on_call.stopped.add("orders")
    on_call.do(on_call.place("O1"))
    secret = services_of(on_call.app).tokens.create("robot", "admin", made_by="test")
    admin = Program(on_call.app.test_client(), secret)
    head = str(on_call.kernel.store.head())
    for _ in range(25):
        answer = admin.get("/queries/ListOrders", min_position=head, wait_ms="0")
        assert answer.json["code"] == "too_stale"
    services_of(on_call.app).kernel.recorder.flush()
    on_call.look(0)
    assert on_call.on() == []
    services_of(on_call.app).kernel.statistics.flush()
    metrics = on_call.app.test_client().get("/metrics").text
    assert re.search(r'requests_total\{route="[^"]*",status="too_stale"\} 25\.0', metrics)


def test_metrics_have_the_alerts_of_each_rule(on_call: OnCall) -> None:
    def count() -> str:
        metrics = on_call.app.test_client().get("/metrics").text
        [found] = re.findall(
            r'^countersign_alerts\{rule="no_worker",severity="warning"\} (.*)$', metrics, re.M
        )
        return str(found)

    assert count() == "0.0"
    on_call.alive.remove(WORKER)
    on_call.wait("no_worker")
    on_call.do(AcknowledgeAlert(alert_id="no_worker"))
    assert count() == "1.0"
    on_call.alive.add(WORKER)
    on_call.look()
    assert count() == "0.0"


def test_each_rule_is_raised_by_a_fault_in_a_test() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")
    )
    assert [name for name in RULES if f'"{name}' not in sources] == []


@contextmanager
def off(on_call: OnCall) -> Iterator[None]:
    """Maintenance mode."""
    whole = on_call.kernel
    commands = replace_options(whole.commands)
    on_call.kernel = replace(whole, commands=commands)
    yield
    on_call.kernel = whole


def replace_options(commands: Any) -> Any:
    class Off:
        enabled = False

        def execute(self, *_: Any) -> None:
            raise AssertionError("no command is sent in maintenance mode")

    return Off()


def test_in_maintenance_mode_it_watches_and_raises_afterwards(on_call: OnCall) -> None:
    on_call.alive.remove(WORKER)
    with off(on_call):
        on_call.wait("no_worker")
    assert on_call.on() == []
    on_call.look()
    assert on_call.on() == ["no_worker"]


def test_what_is_pending_says_when_it_becomes_active(on_call: OnCall) -> None:
    on_call.alive.remove(WORKER)
    on_call.look(21)
    assert (on_call.on(), on_call.pending()) == ([], ["no_worker"])
    on_call.alive.add(WORKER)
    on_call.look()
    assert on_call.pending() == []


def test_pending_time_survives_a_restart(
    on_call: OnCall, make_console: Callable[..., Flask]
) -> None:
    on_call.alive.remove(WORKER)
    on_call.look(21)
    restarted = OnCall(make_console())
    restarted.clock.ahead = on_call.clock.ahead
    restarted.alive.remove(WORKER)
    restarted.look(RULES["no_worker"].pending_seconds)
    assert restarted.on() == ["no_worker"]


class StoppedClock(Clock):
    """However long a look takes, only a test moves it on."""

    def __init__(self) -> None:
        self._started = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self._started + self.ahead


def test_two_hosts_raise_it_once(on_call: OnCall, make_console: Callable[..., Flask]) -> None:
    """The second one's turn comes after ten seconds, and then the alert is raised already."""
    other, clock = OnCall(make_console()), StoppedClock()
    for each in (on_call, other):
        each.clock = clock
        each.kernel = replace(each.kernel, clock=clock)
    task = other.kernel.tasks["alerts"].task
    on_call.alive.remove(WORKER)
    on_call.wait("no_worker")
    assert task.due(other.kernel) == []
    other.alive.remove(WORKER)
    other.look()
    view = on_call.ask(GetAlert(alert_id="no_worker"))
    assert [each.type for each in view.entries] == ["AlertRaised"]
    assert view.alert.times == 1


def test_a_look_that_fails_is_made_again(on_call: OnCall, monkeypatch: pytest.MonkeyPatch) -> None:
    task = on_call.kernel.tasks["alerts"].task
    with monkeypatch.context() as broken:
        broken.setattr("cqrs_app.platform.alerts.sources.measured", _raise)
        with pytest.raises(KeyError):
            task.work(on_call.kernel, KEY)
    assert task.due(on_call.kernel) == [KEY]
    task.work(on_call.kernel, KEY)
    assert task.due(on_call.kernel) == []


def test_people_acknowledge_and_resolve_and_it_is_raised_again_if_it_goes_on(
    on_call: OnCall,
) -> None:
    on_call.alive.remove(WORKER)
    on_call.wait("no_worker")
    on_call.do(AcknowledgeAlert(alert_id="no_worker", note="Looking."))
    row = on_call.alert("no_worker")
    assert (row.state, row.acknowledged_by) == ("acknowledged", "ada")
    on_call.do(ResolveAlert(alert_id="no_worker", note="Restarted."))
    assert on_call.on() == []
    on_call.wait("no_worker")
    assert (on_call.on(), on_call.alert("no_worker").times) == (["no_worker"], 2)
    view = on_call.ask(GetAlert(alert_id="no_worker"))
    assert [(each.type, each.operator, each.text) for each in view.entries][1:] == [
        ("AlertResolved", "ada", "Restarted."),
        ("AlertAcknowledged", "ada", "Looking."),
        ("AlertRaised", "alerts", "No worker is running"),
    ]


def test_a_silence_that_would_be_over_is_refused(on_call: OnCall) -> None:
    on_call.alive.remove(WORKER)
    on_call.wait("no_worker")
    past = on_call.clock() - timedelta(days=1)
    with pytest.raises(Refused, match="That moment has passed"):
        on_call.send(SilenceAlert(alert_id="no_worker", until=past, reason="Known."))
    with pytest.raises(Refused, match="That moment has passed"):
        on_call.send(SilenceAlertRule(rule="no_worker", until=past, reason="Known."))


def test_a_rule_that_is_switched_off_ends_its_alert(on_call: OnCall) -> None:
    on_call.alive.remove(WORKER)
    on_call.wait("no_worker")
    on_call.do(replace(_at_once("no_worker"), enabled=False))
    is_resolved(on_call, "no_worker")
    on_call.wait("no_worker")
    assert on_call.on() == []


def test_the_sweep_watches_by_itself(on_call: OnCall) -> None:
    """As one of its tasks, here without Redis, so that it does the work itself."""
    dispatcher = on_call.kernel.tasks["alerts"]
    Presence(on_call.kernel.engines.write).beat(SWEEP)
    assert dispatcher.task.due(on_call.kernel) == [KEY]
    dispatcher.look_after(0)
    dispatcher.join(60)
    assert dispatcher.task.due(on_call.kernel) == []
