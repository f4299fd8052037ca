"""Notifications by e-mail, through a real mail server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update

from cqrs_app import database
from cqrs_app.areas.orders.commands import AddOrderNote
from cqrs_app.platform.notifications import mails
from cqrs_app.platform.notifications.addresses import MailAddress
from cqrs_app.platform.notifications.sending import GIVEN_UP_AFTER
from cqrs_app.platform.notifications.subscription import mail_at
from cqrs_app.platform.notifications.tables import notification_mails, notifications
from cqrs_app.platform.notifications.words import NotificationKind
from cqrs_app.platform.operators.commands import ChangeOperatorDetails
from cqrs_app.platform.operators.tables import operators, sessions
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import PASSWORD
from tests.interfaces.web.pages.test_without_scripts import page
from tests.leases import end_leases
from tests.platform.alerts.conftest import OnCall
from tests.platform.alerts.smtp import MailServer, receiving
from tests.platform.batches.conftest import MARIA, Shop
from tests.platform.notifications.test_notifications import signed_in

ADDRESS = "ana@shop.example"


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with receiving() as server:
        yield server


@pytest.fixture
def on_call(make_console: Callable[..., Flask], mail: MailServer) -> OnCall:
    url = f"smtp://127.0.0.1:{mail.port}"
    app = make_console(smtp_url=url, alert_emails="ops@shop.example", shop_name="Lamps")
    Shop(app).place("A-1", "A-2")
    services_of(app).accounts.create("ana", "operator", PASSWORD)
    return OnCall(app)


def note(on_call: OnCall, order_id: str = "A-1") -> None:
    Shop(on_call.app).run(AddOrderNote(order_id=order_id, note="@ana please"), MARIA)
    on_call.follow()


def work(on_call: OnCall, after: float = 61) -> None:
    """What workers do after so many seconds: put in a mail what is due, and send it."""
    on_call.clock.move(seconds=after)
    on_call.work("notification_mails")
    on_call.work("notification_mails")


def choose(client: FlaskClient, address: str = ADDRESS, **kinds: str) -> Any:
    token = page(client, "/account").select_one("#mail input[name=csrf_token]")
    assert token is not None
    others = {kind.value: "" for kind in NotificationKind}
    sent = {"csrf_token": token["value"], "address": address, **others, **kinds}
    return client.post("/account/mail", data=sent)


def confirmed(on_call: OnCall, mail: MailServer, **kinds: str) -> FlaskClient:
    """Ana, with a confirmed address."""
    client = signed_in(Shop(on_call.app), "ana")
    assert choose(client, **kinds).status_code == 303
    work(on_call)
    confirm(client, link_in(mail))
    mail.messages.clear()
    return client


def link_in(mail: MailServer) -> str:
    """The link of the newest mail that asks for a confirmation."""
    found = re.search(r"http://localhost(/account/mail/confirm\?token=\S+)", body_of(mail))
    assert found is not None
    return found[1]


def confirm(client: FlaskClient, link: str) -> None:
    form = page(client, link).select_one("main form")
    assert form is not None
    token = form.select_one("input[name=csrf_token]")["value"]  # type: ignore[index]
    assert client.post(link, data={"csrf_token": token}).status_code == 303


def body_of(mail: MailServer) -> str:
    return str(mail.messages[-1].get_content())


def test_nothing_but_the_link_is_mailed_before_the_address_is_confirmed(
    on_call: OnCall, mail: MailServer
) -> None:
    client = signed_in(Shop(on_call.app), "ana")
    choose(client, mention="at_once")
    note(on_call)
    work(on_call)
    work(on_call)
    assert [each["Subject"] for each in mail.messages] == ["[Lamps] Confirm your e-mail address"]
    assert mail.messages[0]["To"] == ADDRESS
    assert f"{ADDRESS} is not confirmed." in page(client, "/account").get_text(" ", strip=True)


def test_a_notification_is_mailed_at_once_and_once(on_call: OnCall, mail: MailServer) -> None:
    confirmed(on_call, mail, mention="at_once")
    note(on_call)
    work(on_call)
    work(on_call)
    [message] = mail.messages
    assert message["Subject"] == "[Lamps] maria mentioned you in a note on order A-1."
    assert message["From"] == "ops@shop.example"
    assert "http://localhost/notifications" in body_of(mail)


def test_what_comes_within_a_minute_is_in_one_mail(on_call: OnCall, mail: MailServer) -> None:
    confirmed(on_call, mail, mention="at_once")
    note(on_call)
    work(on_call)
    note(on_call, "A-2")
    note(on_call)
    work(on_call, after=1)
    assert len(mail.messages) == 1
    work(on_call)
    assert len(mail.messages) == 2
    assert mail.messages[1]["Subject"] == "[Lamps] 2 notifications"
    assert body_of(mail).splitlines()[0] == "maria mentioned you in a note on order A-2."


def test_a_kind_that_is_not_chosen_or_was_read_is_not_mailed(
    on_call: OnCall, mail: MailServer
) -> None:
    confirmed(on_call, mail, mention="at_once")
    note(on_call)
    services_of(on_call.app).inbox.mark_read("ana")
    work(on_call)
    assert mail.messages == []
    confirmed_client = signed_in(Shop(on_call.app), "ana")
    choose(confirmed_client, batch="at_once")
    note(on_call)
    work(on_call)
    assert mail.messages == []


def test_daily_ones_wait_for_the_morning_of_the_operator() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    early = datetime(2026, 3, 2, 5, tzinfo=UTC)
    assert mail_at("daily", noon, berlin) == datetime(2026, 3, 3, 7, tzinfo=UTC)
    assert mail_at("daily", early, berlin) == datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert mail_at("at_once", noon, berlin) == noon
    assert mail_at("", noon, berlin) is None


def test_the_daily_mail_has_all_of_the_day(on_call: OnCall, mail: MailServer) -> None:
    confirmed(on_call, mail, mention="daily")
    note(on_call)
    note(on_call, "A-2")
    work(on_call)
    assert mail.messages == []
    work(on_call, after=86_400)
    [message] = mail.messages
    assert message["Subject"] == "[Lamps] 2 notifications"


def test_a_mail_is_tried_again_under_the_same_id_until_it_is_given_up(
    on_call: OnCall, mail: MailServer
) -> None:
    confirmed(on_call, mail, mention="at_once")
    mail.answer = "451 Try later"
    note(on_call)
    work(on_call)
    assert [each.error for each in rows(on_call)] == ["The mail server answered 451: Try later"]
    mail.answer = "250 OK"
    work(on_call, after=3_600)
    work(on_call, after=3_600)
    [message] = mail.messages
    assert message["Message-ID"] == f"<notification-{rows(on_call)[0].mail_id}@shop.example>"
    mail.answer = "550 No"
    note(on_call)
    work(on_call)
    work(on_call, after=GIVEN_UP_AFTER.total_seconds())
    assert sorted(each.state for each in rows(on_call)) == ["failed", "sent"]


def test_a_process_that_dies_after_sending_sends_the_same_mail_again(
    on_call: OnCall, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmed(on_call, mail, mention="at_once")
    note(on_call)

    def die(*args: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(mails, "finish", die)
        with pytest.raises(SystemExit):
            work(on_call)
    assert len(mail.messages) == 1
    note(on_call, "A-2")
    work(on_call, after=1)
    assert len(mail.messages) == 1
    end_leases(on_call.kernel.engines.write, notification_mails.c.taken_until)
    work(on_call, after=1)
    first, again = mail.messages
    assert first["Message-ID"] == again["Message-ID"]
    assert first.get_content() == again.get_content()


def test_a_mail_that_the_server_accepted_is_sent_whatever_it_answers_to_quit(
    on_call: OnCall, mail: MailServer
) -> None:
    confirmed(on_call, mail, mention="at_once")
    mail.goodbye = "421 Too busy"
    note(on_call)
    work(on_call)
    assert [each.state for each in rows(on_call)] == ["sent"]
    work(on_call, after=3_600)
    assert len(mail.messages) == 1


def test_a_process_whose_lease_has_ended_does_not_have_a_mail_sent_again(
    on_call: OnCall, mail: MailServer
) -> None:
    confirmed(on_call, mail, mention="at_once")
    note(on_call)
    engine, now = on_call.kernel.engines.write, on_call.clock() + timedelta(seconds=61)
    mails.collect(engine, "ana", now)
    [mail_id] = mails.due(engine, now)
    slow = mails.take(engine, mail_id, now)
    end_leases(engine, notification_mails.c.taken_until)
    quick = mails.take(engine, mail_id, now)
    assert slow and quick
    mails.finish(engine, quick, "sent", "", now)
    mails.finish(engine, slow, "waiting", "The mail server did not answer.", now)
    assert [each.state for each in rows(on_call)] == ["sent"]
    assert mails.due(engine, now) == []


@pytest.mark.parametrize("gone", ["address removed", "another address", "account disabled"])
def test_what_waits_does_not_go_to_an_address_that_is_no_longer_the_operators(
    on_call: OnCall, mail: MailServer, gone: str
) -> None:
    client = confirmed(on_call, mail, mention="at_once")
    mail.answer = "451 Try later"
    note(on_call)
    work(on_call)
    mail.answer = "250 OK"
    mailed_long_ago(on_call)
    if gone == "account disabled":
        services_of(on_call.app).accounts.disable("ana")
    else:
        chosen = "" if gone == "address removed" else "new@shop.example"
        assert choose(client, chosen, mention="at_once").status_code == 303
        if chosen:
            services_of(on_call.app).mail_addresses.confirm("ana")
    work(on_call, after=3_600)
    assert [each["To"] for each in mail.messages if each["To"] == ADDRESS] == []


def test_a_process_that_dies_before_sending_loses_nothing(
    on_call: OnCall, mail: MailServer
) -> None:
    confirmed(on_call, mail, mention="at_once")
    note(on_call)
    on_call.clock.move(seconds=61)
    mails.collect(on_call.kernel.engines.write, "ana", on_call.clock())
    mails.collect(on_call.kernel.engines.write, "ana", on_call.clock())
    work(on_call)
    assert len(mail.messages) == 1


def test_a_mail_has_so_many_lines_at_most(
    on_call: OnCall, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mails, "MOST_LINES", 1)
    confirmed(on_call, mail, mention="at_once")
    note(on_call)
    note(on_call, "A-2")
    work(on_call)
    assert "And 1 more." in body_of(mail)


def mailed_long_ago(on_call: OnCall) -> None:
    """Another address can be chosen again."""
    with on_call.kernel.engines.write.begin() as connection:
        ago = datetime.now(UTC) - timedelta(minutes=2)
        connection.execute(update(notification_mails).values(created_at=ago))


def test_another_address_has_to_be_confirmed_anew(on_call: OnCall, mail: MailServer) -> None:
    client = confirmed(on_call, mail, mention="at_once")
    mailed_long_ago(on_call)
    assert choose(client, "ana@elsewhere.example", mention="at_once").status_code == 303
    refused = choose(client, "third@elsewhere.example", mention="at_once")
    assert refused.status_code == 422
    assert "A mail was sent to you just now." in refused.text
    work(on_call)
    assert [each["To"] for each in mail.messages] == ["ana@elsewhere.example"]
    link = link_in(mail)
    note(on_call)
    work(on_call)
    assert mail.messages[-1]["To"] == ADDRESS, "it is used until the other is confirmed"
    confirm(client, link)
    note(on_call)
    work(on_call)
    assert mail.messages[-1]["To"] == "ana@elsewhere.example"
    assert (
        "The e-mail address was changed"
        in services_of(on_call.app).accounts.take_notices("ana")[-1]
    )
    assert choose(client, "no address").status_code == 422
    assert choose(client, "").status_code == 303
    assert services_of(on_call.app).mail_addresses.of("ana").address == ""


def test_the_address_of_an_invitation_is_the_operators_and_is_confirmed_by_them(
    on_call: OnCall, mail: MailServer
) -> None:
    services = services_of(on_call.app)
    invited = ChangeOperatorDetails(operator="ana", email=ADDRESS)
    services.accounts.send(invited)
    assert services.mail_addresses.of("ana") == MailAddress(ADDRESS, "", None)
    client = signed_in(Shop(on_call.app), "ana")
    field = page(client, "/account").select_one("#mail input[name=address]")
    assert field is not None
    assert field["value"] == ADDRESS
    note(on_call)
    work(on_call)
    assert mail.messages == [], "not before it is confirmed"
    confirmed(on_call, mail, mention="at_once")
    assert services.mail_addresses.of("ana").confirmed_at
    services.accounts.send(invited)
    assert services.mail_addresses.of("ana").confirmed_at, "the same address stays confirmed"
    services.accounts.send(ChangeOperatorDetails(operator="ana", email="a@shop.example"))
    assert services.mail_addresses.of("ana") == MailAddress("a@shop.example", "", None)


def test_another_address_takes_a_proof_of_who_chooses_it(on_call: OnCall) -> None:
    client = signed_in(Shop(on_call.app), "ana")
    with on_call.kernel.engines.write.begin() as connection:
        connection.execute(update(sessions).values(verified_at=None))
    asked = choose(client)
    assert asked.status_code == 422
    assert "current-password" in asked.text
    assert services_of(on_call.app).mail_addresses.of("ana") == MailAddress("", "", None)


def test_addresses_of_an_earlier_release_are_carried_over(on_call: OnCall) -> None:
    """Of the account, which is sealed in its history, and the one confirmed for notifications."""
    services = services_of(on_call.app)
    services.accounts.create("ben", "operator", PASSWORD)
    services.accounts.send(ChangeOperatorDetails(operator="ben", email="ben@shop.example"))
    services.accounts.send(ChangeOperatorDetails(operator="ana", email="old@shop.example"))
    chosen = {"email_chosen": ADDRESS, "email_confirmed_at": on_call.clock()}
    with on_call.kernel.engines.write.begin() as connection:
        connection.execute(update(operators).values(email=None))
        connection.execute(update(operators).where(operators.c.name == "ana").values(**chosen))
    for _ in range(2):
        services.mail_addresses.carry_over()
    assert services.mail_addresses.of("ben") == MailAddress("ben@shop.example", "", None)
    ana = services.mail_addresses.of("ana")
    assert (ana.address, ana.chosen, bool(ana.confirmed_at)) == (ADDRESS, "", True)
    types = [each.type for each in on_call.kernel.store.events_of("operator-ana")]
    assert types == ["OperatorInvited", "OperatorDetailsChanged", "EmailRecorded"]


def test_the_migration_keeps_addresses_both_ways(on_call: OnCall) -> None:
    services = services_of(on_call.app)
    settings, engine = services.settings, on_call.kernel.engines.write
    services.accounts.create("ben", "operator", PASSWORD)
    database.downgrade(settings, "write", "write_0045")
    rows = [("ana", ADDRESS, datetime(2026, 3, 2, 12)), ("ben", "ben@shop.example", None)]  # noqa: DTZ001 - as it is stored
    with engine.begin() as connection:
        for operator, address, confirmed_at in rows:
            connection.execute(
                text(
                    "INSERT INTO notification_addresses (operator, address, console, confirmed_at)"
                    " VALUES (:operator, :address, 'http://shop.example/', :at)"
                ),
                {"operator": operator, "address": address, "at": confirmed_at},
            )
    database.upgrade(settings)
    services.mail_addresses.carry_over()
    assert services.mail_addresses.of("ana").address == ADDRESS
    assert services.mail_addresses.of("ana").confirmed_at
    assert services.mail_addresses.of("ben") == MailAddress("", "ben@shop.example", None)
    assert services.accounts.get("ana").preferences.console == "http://shop.example/"
    database.downgrade(settings, "write", "write_0045")
    with engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM notification_addresses ORDER BY operator"))
        kept = [(row.operator, row.address, bool(row.confirmed_at)) for row in found]
    database.upgrade(settings)
    assert kept == [("ana", ADDRESS, True), ("ben", "ben@shop.example", False)]


def test_a_link_confirms_only_the_address_of_who_it_was_sent_to(
    on_call: OnCall, mail: MailServer
) -> None:
    client = signed_in(Shop(on_call.app), "ana")
    choose(client, mention="at_once")
    work(on_call)
    link = link_in(mail)
    services_of(on_call.app).accounts.create("ben", "operator", PASSWORD)
    assert signed_in(Shop(on_call.app), "ben").get(link).status_code == 404
    assert client.get(link + "x").status_code == 404
    known = services_of(on_call.app).mail_addresses.of("ana")
    assert known == MailAddress("", ADDRESS, None)


def test_without_a_mail_server_nothing_is_offered_or_collected(
    make_console: Callable[..., Flask],
) -> None:
    app = make_console()
    services_of(app).accounts.create("ana", "operator", PASSWORD)
    client = signed_in(Shop(app), "ana")
    assert page(client, "/account").select_one("#mail") is None
    kernel = services_of(app).kernel
    assert kernel.tasks["notification_mails"].task.due(kernel) == []


def test_old_mails_are_deleted(on_call: OnCall, mail: MailServer) -> None:
    confirmed(on_call, mail)
    assert mails.forget_before(on_call.kernel.engines.write, on_call.clock() - timedelta(1)) == 0
    assert mails.forget_before(on_call.kernel.engines.write, on_call.clock()) > 0
    with on_call.kernel.engines.write.connect() as connection:
        assert connection.execute(select(notification_mails)).all() == []
        assert connection.execute(select(notifications)).all() == []


def rows(on_call: OnCall) -> list[Any]:
    found = select(notification_mails).where(notification_mails.c.subject.not_like("Confirm%"))
    with on_call.kernel.engines.write.connect() as connection:
        return list(connection.execute(found.order_by(notification_mails.c.created_at)))
