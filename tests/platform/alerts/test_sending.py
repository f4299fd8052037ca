"""Notices reach their channels, are tried again, and wait while an alert is silenced."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from cqrs_app.environment import SettingsError
from cqrs_app.kernel.subscriptions.presence import SWEEP
from cqrs_app.kernel.subscriptions.tasks import WORKER
from cqrs_app.platform.alerts import notices as rows
from cqrs_app.platform.alerts.channels import MISSING, AppriseUrl
from cqrs_app.platform.alerts.commands import (
    EndAlertRuleSilence,
    EndSilence,
    SendTestAlert,
    SilenceAlert,
    SilenceAlertRule,
)
from cqrs_app.platform.alerts.email import Email
from cqrs_app.platform.alerts.queries import ListAlertTasks, ListNotices, NoticeRow
from cqrs_app.platform.alerts.sending import GIVEN_UP_AFTER, NEVER_ENDED
from cqrs_app.platform.alerts.tables import alert_notices
from cqrs_app.platform.mail import Mailer
from cqrs_app.platform.runtime.commands import PauseProjection
from cqrs_app.platform.webhooks.commands import AddWebhook
from cqrs_app.settings import Settings
from tests.leases import end_leases
from tests.platform.alerts.conftest import OnCall
from tests.platform.alerts.smtp import MailServer, receiving
from tests.platform.webhooks.conftest import receiver as receiver  # noqa: PLC0414 - a fixture
from tests.platform.webhooks.receiver import Receiver

HOUR = timedelta(hours=1)

IMGHDR = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")
"""Apprise loads it where Python still has it."""


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with receiving() as server:
        yield server


@pytest.fixture
def on_call(make_console: Callable[..., Flask], mail: MailServer) -> OnCall:
    """A console whose notices are mailed."""
    url = f"smtp://127.0.0.1:{mail.port}"
    settings = {"smtp_url": url, "alert_emails": "ops@shop.example, ana@shop.example"}
    return OnCall(make_console(**settings, webhook_allowed_networks="127.0.0.0/8"))


def notices(on_call: OnCall) -> list[NoticeRow]:
    return list(on_call.ask(ListNotices()))


def subjects(mail: MailServer) -> list[str]:
    return [str(each["Subject"]) for each in mail.messages]


def stop_worker(on_call: OnCall) -> None:
    on_call.alive.remove(WORKER)
    on_call.wait("no_worker")


def start_worker(on_call: OnCall) -> None:
    on_call.alive.add(WORKER)
    on_call.look()


def test_an_alert_is_mailed_when_it_is_raised_and_when_it_is_resolved(
    on_call: OnCall, mail: MailServer
) -> None:
    stop_worker(on_call)
    on_call.work("alert_notices")
    [message] = mail.messages
    assert message["Subject"] == "[Countersign] Warning: No worker is running"
    assert message["To"] == "ops@shop.example, ana@shop.example"
    body = message.get_content()
    assert "The sweep does the work" in body
    assert "Start a worker" in body
    start_worker(on_call)
    on_call.work("alert_notices")
    assert subjects(mail)[1:] == ["[Countersign] Resolved: No worker is running"]
    on_call.work("alert_notices")
    assert len(mail.messages) == 2
    assert [each.state for each in notices(on_call)] == ["sent", "sent"]


def test_a_test_alert_goes_to_every_channel_and_to_webhooks(
    on_call: OnCall, mail: MailServer, receiver: Receiver
) -> None:
    on_call.do(AddWebhook(webhook_id="pager", url=receiver.url, event_types=("TestAlertSent",)))
    on_call.do(SendTestAlert(message="Hello."))
    on_call.work("alert_notices")
    on_call.work("webhooks")
    assert subjects(mail) == ["[Countersign] Test alert"]
    assert receiver.types == ["TestAlertSent"]


def test_webhooks_receive_alerts(on_call: OnCall, receiver: Receiver) -> None:
    types = ("AlertRaised", "AlertResolved")
    on_call.do(AddWebhook(webhook_id="pager", url=receiver.url, event_types=types))
    stop_worker(on_call)
    start_worker(on_call)
    on_call.work("webhooks")
    assert receiver.types == ["AlertRaised", "AlertResolved"]
    assert receiver.received[0].json["data"]["title"] == "No worker is running"


def test_a_notice_that_is_refused_is_tried_again_with_the_reason(
    on_call: OnCall, mail: MailServer
) -> None:
    mail.answer = "451 Try later"
    on_call.do(SendTestAlert(message="Hello."))
    on_call.work("alert_notices")
    [notice] = notices(on_call)
    assert (notice.state, notice.attempts) == ("waiting", 1)
    assert notice.error == "The mail server answered 451: Try later"
    on_call.work("alert_notices")
    assert notices(on_call)[0].attempts == 1, "only after a pause"
    mail.answer = "250 OK"
    on_call.clock.move(seconds=2)
    on_call.work("alert_notices")
    [notice] = notices(on_call)
    assert (notice.state, notice.attempts, notice.error) == ("sent", 2, "")


def test_a_notice_is_given_up_after_a_day(on_call: OnCall, mail: MailServer) -> None:
    mail.answer = "550 No"
    on_call.do(SendTestAlert(message="Hello."))
    on_call.clock.move(seconds=GIVEN_UP_AFTER.total_seconds() + 1)
    on_call.work("alert_notices")
    assert notices(on_call)[0].state == "failed"
    on_call.work("alert_notices")
    assert notices(on_call)[0].attempts == 1


def test_a_server_that_is_away_is_named_in_the_error(on_call: OnCall, mail: MailServer) -> None:
    channel = on_call.kernel.tasks["alert_notices"].task._channels["email"]
    object.__setattr__(channel, "url", "smtp://127.0.0.1:1")
    on_call.do(SendTestAlert(message="Hello."))
    on_call.work("alert_notices")
    assert notices(on_call)[0].error.startswith("The mail server could not be reached")


def test_a_password_is_not_sent_without_tls(on_call: OnCall, mail: MailServer) -> None:
    channel = on_call.kernel.tasks["alert_notices"].task._channels["email"]
    object.__setattr__(channel, "url", f"smtp://ana:secret@127.0.0.1:{mail.port}")
    on_call.do(SendTestAlert(message="Hello."))
    on_call.work("alert_notices")
    error = notices(on_call)[0].error
    assert error == "The server offers no TLS, so the password was not sent."
    assert mail.messages == []


def silence(on_call: OnCall, hours: int = 1) -> None:
    until = on_call.clock() + hours * HOUR
    on_call.do(SilenceAlert(alert_id="no_worker", until=until, reason="We move."))


def test_nothing_is_sent_of_an_alert_that_is_silenced_until_it_is_over(
    on_call: OnCall, mail: MailServer
) -> None:
    stop_worker(on_call)
    on_call.work("alert_notices")
    start_worker(on_call)
    on_call.work("alert_notices")
    assert len(mail.messages) == 2
    silence(on_call)
    stop_worker(on_call)
    on_call.work("alert_notices")
    start_worker(on_call)
    on_call.clock.move(hours=2)
    on_call.work("alert_notices")
    assert len(mail.messages) == 2
    assert notices(on_call)[0].state == "dropped"


def test_who_was_told_that_it_is_raised_hears_the_rest_once_the_silence_is_over(
    on_call: OnCall, mail: MailServer
) -> None:
    stop_worker(on_call)
    on_call.work("alert_notices")
    silence(on_call)
    start_worker(on_call)
    on_call.work("alert_notices")
    assert subjects(mail) == ["[Countersign] Warning: No worker is running"]
    stop_worker(on_call)
    on_call.clock.move(hours=1, seconds=1)
    on_call.work("alert_notices")
    assert len(mail.messages) == 1, "they take it for raised, as it is"
    silence(on_call)
    start_worker(on_call)
    on_call.clock.move(hours=1, seconds=1)
    on_call.work("alert_notices")
    assert subjects(mail)[1:] == ["[Countersign] Resolved: No worker is running"]


def test_what_is_tried_again_is_dropped_once_the_opposite_is_so(
    on_call: OnCall, mail: MailServer
) -> None:
    mail.answer = "451 Try later"
    stop_worker(on_call)
    on_call.work("alert_notices")
    start_worker(on_call)
    mail.answer = "250 OK"
    on_call.work("alert_notices")
    on_call.clock.move(hours=1)
    on_call.work("alert_notices")
    assert subjects(mail) == ["[Countersign] Resolved: No worker is running"]
    stop_worker(on_call)
    on_call.work("alert_notices")
    mail.answer = "451 Try later"
    start_worker(on_call)
    on_call.work("alert_notices")
    mail.answer = "250 OK"
    stop_worker(on_call)
    on_call.work("alert_notices")
    on_call.clock.move(hours=1)
    on_call.work("alert_notices")
    assert subjects(mail)[1:] == ["[Countersign] Warning: No worker is running"] * 2


def test_a_notice_is_sent_once_the_silence_ends(on_call: OnCall, mail: MailServer) -> None:
    stop_worker(on_call)
    silence(on_call)
    on_call.work("alert_notices")
    assert mail.messages == []
    on_call.do(EndSilence(alert_id="no_worker"))
    on_call.work("alert_notices")
    assert len(mail.messages) == 1


def test_a_notice_is_sent_when_the_time_of_the_silence_is_over(
    on_call: OnCall, mail: MailServer
) -> None:
    stop_worker(on_call)
    silence(on_call)
    on_call.clock.move(hours=1, seconds=1)
    on_call.work("alert_notices")
    assert len(mail.messages) == 1


@pytest.mark.parametrize("whole_rule", [False, True])
def test_a_silence_that_begins_during_an_attempt_counts_for_the_next_one(
    on_call: OnCall, mail: MailServer, whole_rule: bool
) -> None:
    stop_worker(on_call)
    engine, now = on_call.kernel.engines.write, on_call.clock()
    [each] = rows.due(engine, now)
    notice = rows.take(engine, each, now)
    assert notice
    if whole_rule:
        on_call.do(SilenceAlertRule(rule="no_worker", until=now + HOUR, reason="We move."))
    else:
        silence(on_call)
    rows.finish(engine, notice, "waiting", "no answer", now, now + timedelta(seconds=5))
    on_call.clock.move(minutes=30)
    on_call.work("alert_notices")
    assert mail.messages == []
    on_call.clock.move(minutes=31)
    on_call.work("alert_notices")
    assert len(mail.messages) == 1


def test_nothing_is_sent_of_any_alert_of_a_rule_that_is_silenced_until_both_silences_end(
    on_call: OnCall, mail: MailServer
) -> None:
    until = on_call.clock() + 3 * HOUR
    on_call.do(SilenceAlertRule(rule="no_worker", until=until, reason="We move."))
    stop_worker(on_call)
    silence(on_call)
    on_call.work("alert_notices")
    assert mail.messages == []
    on_call.do(EndSilence(alert_id="no_worker"))
    on_call.work("alert_notices")
    assert mail.messages == []
    silence(on_call)
    on_call.do(EndAlertRuleSilence(rule="no_worker"))
    on_call.work("alert_notices")
    assert mail.messages == []
    on_call.clock.move(hours=1, seconds=1)
    on_call.work("alert_notices")
    assert len(mail.messages) == 1


@pytest.mark.parametrize("longer", ["alert", "rule"])
def test_of_two_silences_the_one_that_ends_later_counts(
    on_call: OnCall, mail: MailServer, longer: str
) -> None:
    until = on_call.clock() + (3 if longer == "rule" else 1) * HOUR
    on_call.do(SilenceAlertRule(rule="no_worker", until=until, reason="We move."))
    stop_worker(on_call)
    silence(on_call, hours=3 if longer == "alert" else 1)
    on_call.clock.move(hours=2)
    on_call.work("alert_notices")
    assert mail.messages == []
    on_call.clock.move(hours=1, seconds=1)
    on_call.work("alert_notices")
    assert len(mail.messages) == 1


def test_the_silence_of_a_rule_ends_by_itself_and_is_of_no_other_rule(
    on_call: OnCall, mail: MailServer
) -> None:
    stop_worker(on_call)
    until = on_call.clock() + HOUR
    on_call.do(SilenceAlertRule(rule="no_worker", until=until, reason="We move."))
    on_call.do(PauseProjection(projection="orders"))
    on_call.wait("paused")
    on_call.work("alert_notices")
    assert subjects(mail) == ["[Countersign] Warning: Orders is paused"]
    on_call.clock.move(hours=1, seconds=1)
    on_call.work("alert_notices")
    assert len(mail.messages) == 2


def test_a_program_of_a_channel_that_fails_is_tried_again_ever_later_and_given_up(
    on_call: OnCall, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise AttributeError("smtp://ops:secret@mail")

    monkeypatch.setattr(Mailer, "send", broken)
    on_call.do(SendTestAlert(message="Hello."))
    on_call.work("alert_notices")
    [notice] = notices(on_call)
    assert (notice.state, notice.attempts) == ("waiting", 1)
    assert notice.error == "The program of this channel failed with AttributeError."
    on_call.clock.move(minutes=5)
    on_call.work("alert_notices")
    [second] = notices(on_call)
    assert second.attempts == 2
    assert second.next_attempt_at - on_call.clock() > notice.next_attempt_at - notice.created_at
    on_call.clock.move(seconds=GIVEN_UP_AFTER.total_seconds())
    on_call.work("alert_notices")
    assert notices(on_call)[0].state == "failed"


def test_a_notice_whose_process_always_dies_is_given_up(
    on_call: OnCall, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As if the process ended in the middle."""

    def die(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(Email, "send", die)
    on_call.do(SendTestAlert(message="Hello."))
    with pytest.raises(Killed):
        on_call.work("alert_notices")
    assert notices(on_call)[0].attempts == 1
    on_call.clock.move(seconds=GIVEN_UP_AFTER.total_seconds() + 1)
    end_leases(on_call.kernel.engines.write, alert_notices.c.taken_until)
    on_call.work("alert_notices")
    [notice] = notices(on_call)
    assert (notice.state, notice.error) == ("failed", NEVER_ENDED)


@IMGHDR
def test_a_service_is_reached_through_apprise(
    make_console: Callable[..., Flask], receiver: Receiver
) -> None:
    pytest.importorskip("apprise")
    url = f"json://ops:secret@127.0.0.1:{receiver.port}/alerts"
    on_call = OnCall(make_console(alert_urls=url))
    on_call.do(SendTestAlert(message="Hello."))
    on_call.work("alert_notices")
    [received] = receiver.received
    assert (received.json["title"], received.json["type"]) == ("Test alert", "info")
    [notice] = notices(on_call)
    assert notice.state == "sent"
    assert "secret" not in notice.channel
    assert notice.channel.startswith("json-")


@IMGHDR
def test_a_service_that_refuses_is_an_error_without_its_address(
    make_console: Callable[..., Flask], receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("apprise")
    receiver.answer = lambda received: 500
    url = f"json://ops:secret@127.0.0.1:{receiver.port}/alerts"
    on_call = OnCall(make_console(alert_urls=url))
    on_call.do(SendTestAlert(message="Hello."))
    caplog.set_level("DEBUG")
    on_call.work("alert_notices")
    assert notices(on_call)[0].error == "The service did not accept it, or could not be reached."
    assert "secret" not in caplog.text


def test_without_apprise_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    notice: Any = None
    assert AppriseUrl("ntfy://ops").send(notice) == MISSING


def beat(on_call: OnCall) -> str:
    """Send what is due; the error that is kept."""
    on_call.work("heartbeat")
    tasks = {each.name: each for each in on_call.ask(ListAlertTasks())}
    return str(tasks["heartbeat"].error)


@pytest.fixture
def beating(make_console: Callable[..., Flask], receiver: Receiver) -> OnCall:
    settings = {"heartbeat_url": receiver.url, "webhook_allowed_networks": "127.0.0.0/8"}
    return OnCall(make_console(**settings))


def test_a_heartbeat_is_sent_each_minute(beating: OnCall, receiver: Receiver) -> None:
    beating.look()
    assert beat(beating) == ""
    assert beat(beating) == ""
    assert len(receiver.received) == 1
    beating.look(61)
    assert beat(beating) == ""
    assert len(receiver.received) == 2
    assert set(receiver.received[0].json) == {"console", "at"}


@pytest.mark.parametrize("kind", [WORKER, SWEEP])
def test_no_heartbeat_is_sent_without_a_worker_or_a_sweep(
    beating: OnCall, receiver: Receiver, kind: str
) -> None:
    beating.alive.remove(kind)
    beating.look()
    assert beat(beating) == f"No {kind} is running."
    assert receiver.received == []


def test_a_heartbeat_is_sent_soon_after_what_kept_it_is_gone(
    beating: OnCall, receiver: Receiver
) -> None:
    beating.alive.remove(WORKER)
    beating.look()
    assert beat(beating)
    beating.alive.add(WORKER)
    beating.look()
    assert beat(beating) == ""
    assert len(receiver.received) == 1


def test_no_heartbeat_is_sent_while_nobody_looks_for_problems(
    beating: OnCall, receiver: Receiver
) -> None:
    beating.look()
    task = beating.kernel.tasks["alerts"].task
    beating.clock.move(seconds=70)
    beating.alive = {WORKER, SWEEP}
    look, task.work = task.work, lambda *_: False
    beating.look()
    task.work = look
    assert beat(beating) == "Nobody looks for problems."
    assert receiver.received == []


def test_a_heartbeat_follows_the_rules_of_webhooks(
    make_console: Callable[..., Flask], receiver: Receiver
) -> None:
    """This machine is no public address."""
    on_call = OnCall(make_console(heartbeat_url=receiver.url))
    on_call.look()
    assert "is not a public address" in beat(on_call)
    assert receiver.received == []


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"smtp_url": "smtp://mail.example"}, "ALERT_EMAILS"),
        ({"alert_emails": "ops@shop.example"}, "SMTP_URL"),
        ({"smtp_url": "http://mail.example", "alert_emails": "ops@shop.example"}, "SMTP_URL"),
        ({"smtp_url": "smtp://mail.example", "alert_emails": "ops"}, "ALERT_EMAILS"),
        ({"alert_urls": "nothing"}, "ALERT_URLS"),
        ({"heartbeat_url": "ping.example"}, "HEARTBEAT_URL"),
        ({"certificate_hosts": "https://desk.example"}, "CERTIFICATE_HOSTS"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, str], name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings(**settings).resolved()
