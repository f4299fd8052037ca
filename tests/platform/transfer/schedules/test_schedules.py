"""Scheduled exports: when they are due, what they hold, who gets them, and how they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import func, select

from cqrs_app.areas.customers.commands import EraseCustomer, RegisterCustomer
from cqrs_app.installed_areas import LISTS, ROLES
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import NotAllowed, Refused
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.testing import Scenarios
from cqrs_app.platform.audit.events import SecurityEventRecorded
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.audit.queries import ListSecurityEvents
from cqrs_app.platform.operators.commands import ChangeOperatorRole
from cqrs_app.platform.transfer.schedules import exports_area, task
from cqrs_app.platform.transfer.schedules.commands import (
    DeleteScheduledExport,
    ExportFormat,
    ScheduleExport,
)
from cqrs_app.platform.transfer.schedules.events import ExportScheduled, ScheduledExportDeleted
from cqrs_app.platform.transfer.schedules.files import KEPT, MOST_FILES, ExportFiles
from cqrs_app.platform.transfer.schedules.queries import (
    ExportFile,
    ListExportFiles,
    ListScheduledExports,
    ScheduledExport,
)
from cqrs_app.platform.transfer.schedules.schedule import next_time
from cqrs_app.platform.transfer.schedules.tables import export_chunks, export_files
from cqrs_app.platform.transfer.schedules.task import MOST_FAILURES, MakeExports
from cqrs_app.platform.views.commands import DeleteView, SaveView
from cqrs_app.platform.webhooks.commands import PauseWebhook, RotateWebhookSecret
from cqrs_app.platform.webhooks.queries import GetWebhookSecret
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import client_in
from tests.platform.webhooks.conftest import Clock, Shop
from tests.platform.webhooks.receiver import Received, listening
from tests.platform.webhooks.test_delivery import verified

SCHEDULES = Scenarios(exports_area(LISTS, UTC), at=datetime(2026, 3, 2, 12, tzinfo=UTC))
LEAD = Actor("supervisor", ROLES["supervisor"])
DAILY = ExportScheduled(
    schedule="open", list="orders", view="", format="csv", days="daily", at="06:00", webhook_id=""
)


class Exports(Shop):
    """Test operations on a console with a supervisor who schedules exports."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app, Clock())
        self.client = client_in(app, "supervisor")
        self.task = self.kernel.tasks["exports"].task

    def as_lead(self, command: Command) -> None:
        self.kernel.commands.execute(command, Context(actor=LEAD, channel="test"))
        self.catch_up()

    def schedule(self, **fields: str) -> None:
        format_ = ExportFormat(fields.pop("format", "csv"))
        self.as_lead(ScheduleExport(schedule="open", list="orders", format=format_, **fields))

    def make(self) -> None:
        """Let a day pass, and make what is due."""
        self.clock.move(days=1)
        for name in self.kernel.registry.projections:
            self.kernel.runner.advance(name)
        for key in self.task.due(self.kernel):
            self.task.work(self.kernel, key)

    @property
    def row(self) -> ScheduledExport:
        found: ScheduledExport = self.ask(ListScheduledExports())[0]
        return found

    @property
    def files(self) -> tuple[ExportFile, ...]:
        found: tuple[ExportFile, ...] = self.ask(ListExportFiles(operator="supervisor"))
        return found

    def content(self) -> str:
        address = f"/scheduled-exports/files/{self.files[0].file_id}"
        answer = self.client.get(address)
        assert answer.status_code == 200
        return answer.text


def exported(exports: Exports) -> list[tuple[str, str, str]]:
    """Who exported what as what, as the security events have it."""
    services_of(exports.app).audit.flush()
    exports.kernel.store.place()
    stored = exports.kernel.store.follow(0, 500)
    found = [exports.kernel.registry.codec.decode(each).event for each in stored]
    return [
        (each.who, each.about, each.detail)
        for each in found
        if isinstance(each, SecurityEventRecorded) and each.kind == Kind.EXPORTED
    ]


@pytest.fixture
def exports(make_console: Callable[..., Flask]) -> Exports:
    return Exports(make_console(webhook_allowed_networks="127.0.0.0/8", audit_events=True))


@pytest.mark.parametrize(
    ("days", "at", "after", "expected"),
    [
        ("daily", "06:00", "2026-03-02T04:00", "2026-03-02T05:00"),
        ("daily", "06:00", "2026-03-02T05:00", "2026-03-03T05:00"),
        ("weekdays", "06:00", "2026-03-06T12:00", "2026-03-09T05:00"),
        ("sundays", "06:00", "2026-03-02T12:00", "2026-03-08T05:00"),
        ("mondays", "00:30", "2026-03-02T12:00", "2026-03-08T23:30"),
        ("monthly", "06:00", "2026-03-02T12:00", "2026-04-01T04:00"),
        # Clocks go forward at two o'clock on this day.
        ("daily", "02:30", "2026-03-28T12:00", "2026-03-29T01:30"),
    ],
)
def test_it_is_due_at_its_time_in_the_zone_of_the_shop(
    days: str, at: str, after: str, expected: str
) -> None:
    found = next_time(days, at, datetime.fromisoformat(f"{after}Z"), ZoneInfo("Europe/Berlin"))
    assert found == datetime.fromisoformat(f"{expected}Z")


def test_a_name_is_used_once_and_can_be_used_again() -> None:
    command = ScheduleExport(schedule="open", list="orders")
    SCHEDULES.given().when(command).then(DAILY)
    SCHEDULES.given(DAILY).when(command).refused("schedule_exists")
    deleted = ScheduledExportDeleted(schedule="open")
    SCHEDULES.given(DAILY).when(DeleteScheduledExport(schedule="open")).then(deleted)
    SCHEDULES.given(DAILY, deleted).when(command).then(DAILY)
    SCHEDULES.given().when(DeleteScheduledExport(schedule="open")).refused("no_such_schedule")


def test_what_cannot_be_exported_is_not_scheduled(exports: Exports) -> None:
    for fields, sentence in (
        ({"list": "secrets"}, "There is no list secrets. Nothing was scheduled."),
        ({"list": "orders", "view": "Late"}, "There is no view Late of orders"),
        ({"list": "orders", "webhook_id": "nowhere"}, "There is no webhook nowhere."),
    ):
        with pytest.raises(Refused, match=sentence):
            exports.as_lead(ScheduleExport(schedule="open", **fields))
    poor = replace(LEAD, permissions=frozenset({"exports.run"}))
    command = ScheduleExport(schedule="open", list="orders")
    with pytest.raises(NotAllowed):
        exports.kernel.commands.execute(command, Context(actor=poor, channel="test"))
    assert ScheduleExport.declaration.step_up


def test_a_view_is_made_into_a_file_for_its_owner_alone(exports: Exports) -> None:
    first, second = exports.place(), exports.place()
    exports.approve(second)
    view = SaveView(view="New", owner="supervisor", list="orders", query="status=placed")
    exports.as_lead(view)
    exports.schedule(view="New", at="00:00")
    assert exports.task.due(exports.kernel) == []
    exports.make()
    [file] = exports.files
    assert (file.rows, file.sent_at) == (1, None)
    text = exports.content()
    assert first in text
    assert second not in text
    assert exports.row.sentence == ""
    assert exports.row.next_at > exports.clock()
    assert exported(exports) == [
        ("supervisor", "orders", "csv, scheduled"),
        ("supervisor", "orders", "csv"),
    ]
    other = client_in(exports.app, "admin").get(f"/scheduled-exports/files/{file.file_id}")
    assert other.status_code == 404
    page = exports.client.get("/scheduled-exports").text
    assert file.name in page
    exports.as_lead(DeleteView(view="New", owner="supervisor", list="orders"))
    exports.make()
    assert "There is no view New of orders any more." in exports.row.sentence
    assert len(exports.files) == 1


def test_it_is_exported_with_the_permissions_of_now(exports: Exports) -> None:
    exports.schedule()
    accounts = services_of(exports.app).accounts
    accounts.send(ChangeOperatorRole(operator="supervisor", role="viewer"))
    exports.make()
    assert (exports.files, exported(exports)) == ((), [])
    assert "exports.run" in exports.row.sentence
    accounts.disable("supervisor")
    exports.make()
    assert exports.row.sentence == "supervisor may not act any more, so nothing was exported."


def test_it_is_sent_signed_and_tried_again(exports: Exports) -> None:
    order_id = exports.place()
    with listening() as receiver:
        exports.add(receiver)
        exports.schedule(webhook_id="warehouse", format="jsonl")
        answers = iter([500, 204])
        receiver.answer = lambda received: next(answers)
        exports.make()
        assert (exports.row.failures, len(receiver.received)) == (1, 1)
        assert "500" in exports.row.sentence
        exports.make()
        first, second = receiver.received
        assert first.body == second.body
        assert order_id.encode() in second.body
        assert second.headers["content-type"].startswith("application/jsonl")
        assert ".jsonl" in second.headers["content-disposition"]
        secret = exports.ask(GetWebhookSecret(webhook_id="warehouse"))
        assert verified(second, secret) == [True]
        assert exports.row.sentence == ""
        [file] = exports.files
        assert file.sent_at is not None


def test_a_receiver_that_never_takes_it_leaves_the_file_for_download(exports: Exports) -> None:
    with listening() as receiver:
        exports.add(receiver)
        exports.schedule(webhook_id="warehouse")
    exports.do(PauseWebhook(webhook_id="warehouse", reason="Moving."))
    for _ in range(MOST_FAILURES):
        exports.make()
    assert exports.row.failures == 0
    assert "The webhook warehouse is paused." in exports.row.sentence
    assert "kept for download" in exports.row.sentence
    [file] = exports.files
    assert file.sent_at is None


def test_a_file_that_is_too_large_to_be_sent_is_kept_and_not_tried_again(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "MOST_SENT", 10)
    with listening() as receiver:
        exports.add(receiver)
        exports.schedule(webhook_id="warehouse")
        exports.make()
        assert receiver.received == []
    assert exports.row.failures == 0
    assert "that can be sent, so it is only kept for download." in exports.row.sentence
    assert exports.row.next_at > exports.clock()
    assert [file.sent_at for file in exports.files] == [None]


def test_files_are_kept_for_a_while_and_not_beyond_an_erasure(exports: Exports) -> None:
    exports.schedule()
    for _ in range(MOST_FILES + 1):
        exports.make()
    assert len(exports.files) == MOST_FILES
    store = ExportFiles(exports.kernel.engines.write)
    store.forget_old(exports.clock() + KEPT - timedelta(hours=1))
    assert len(exports.files) == 1
    exports.do(RegisterCustomer(customer_id="C1", name="Ana Lima"))
    exports.do(EraseCustomer(customer_id="C1", reason="Asked for it in writing."))
    exports.catch_up()
    assert exports.files == ()
    exports.as_lead(DeleteScheduledExport(schedule="open"))
    assert exports.ask(ListScheduledExports()) == ()


def test_of_many_files_of_a_schedule_the_oldest_go_and_none_of_another(exports: Exports) -> None:
    store = ExportFiles(exports.kernel.engines.write)
    for number, schedule in enumerate(["rare", *["open"] * (MOST_FILES + 1)]):
        store.keep(
            [b"1"],
            10,
            schedule=schedule,
            owner="supervisor",
            list="orders",
            format="csv",
            name=f"{number}.csv",
            made_at=exports.clock() + timedelta(hours=number),
        )
    kept = {each.name for each in exports.files}
    assert kept == {"0.csv", *(f"{number}.csv" for number in range(2, MOST_FILES + 2))}


def test_an_erasure_while_a_file_is_made_leaves_nothing_of_it(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports.do(RegisterCustomer(customer_id="C1", name="Ana Lima"))
    exports.schedule()
    read = task.pages

    def erase_first(*given: Any) -> Iterator[Any]:
        monkeypatch.setattr(task, "pages", read)
        portions = list(read(*given))
        exports.do(EraseCustomer(customer_id="C1", reason="Asked for it in writing."))
        exports.catch_up()
        yield from portions

    monkeypatch.setattr(task, "pages", erase_first)
    exports.make()
    assert exports.files == ()
    with exports.kernel.engines.write.connect() as connection:
        for table in (export_files, export_chunks):
            assert connection.execute(select(func.count()).select_from(table)).scalar() == 0
    # It is due at once, and made of what there is now.
    assert exports.task.due(exports.kernel) == ["open"]
    exports.task.work(exports.kernel, "open")
    assert len(exports.files) == 1
    assert exports.row.sentence == ""


def test_a_file_made_of_rows_that_had_not_followed_the_erasure_goes_too(exports: Exports) -> None:
    exports.do(RegisterCustomer(customer_id="C1", name="Ana Lima"))
    exports.schedule()
    exports.catch_up()
    exports.do(EraseCustomer(customer_id="C1", reason="Asked for it in writing."))
    exports.kernel.runner.advance("export_schedules")
    exports.make()
    erasure = exports.kernel.tasks["erasure"].task
    erasure.housekeep(exports.kernel)
    assert len(exports.files) == 1
    exports.catch_up()
    exports.clock.move(minutes=1)
    erasure.housekeep(exports.kernel)
    assert len(exports.files) == 0
    exports.make()
    erasure.housekeep(exports.kernel)
    assert len(exports.files) == 1, "made after the rows had followed"


def test_a_download_is_a_security_event(make_console: Callable[..., Flask]) -> None:
    exports = Exports(make_console(audit_events=True))
    exports.schedule()
    exports.make()
    exports.content()
    services_of(exports.app).audit.flush()
    exports.catch_up()
    exports.kernel.runner.advance("audit")
    recorded = exports.ask(ListSecurityEvents(kind=Kind.EXPORTED)).rows
    assert {(each.who, each.about, each.detail) for each in recorded} == {
        ("supervisor", "orders", "csv, scheduled"),
        ("supervisor", "orders", "csv"),
    }


def test_a_file_that_is_too_large_is_not_kept(exports: Exports) -> None:
    exports.place()
    assert isinstance(exports.task, MakeExports)
    exports.task = MakeExports(replace(exports.task._rules, most_bytes=10))
    exports.schedule()
    exports.make()
    assert exports.files == ()
    assert exports.row.sentence.startswith("The file would be larger than")


def test_nobody_else_takes_what_is_leased(exports: Exports) -> None:
    exports.schedule()
    exports.clock.move(days=1)
    [key] = exports.task.due(exports.kernel)
    seen: list[list[str]] = []

    def busy(received: Received) -> int:
        seen.append(exports.task.due(exports.kernel))
        return 204

    with listening() as receiver:
        receiver.answer = busy
        exports.add(receiver)
        exports.as_lead(DeleteScheduledExport(schedule="open"))
        exports.schedule(webhook_id="warehouse")
        exports.do(RotateWebhookSecret(webhook_id="warehouse"))
        exports.clock.move(days=1)
        exports.task.work(exports.kernel, key)
    assert seen == [[]]


def test_its_page_is_for_those_who_may_export(exports: Exports) -> None:
    assert client_in(exports.app, "viewer").get("/scheduled-exports").status_code == 403
    form = exports.client.get("/commands/ScheduleExport").text
    assert 'value="orders"' in form
