"""Which process imports which file: one at a time, in order, and again after a crash."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.exc import OperationalError

from cqrs_app.areas.desk.read_models import orders
from cqrs_app.installed_areas import ROLES
from cqrs_app.interfaces.cli import uploads
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context, new_id
from cqrs_app.kernel.errors import NotAllowed, Refused, Unavailable
from cqrs_app.platform.transfer.imports import background, task
from cqrs_app.platform.transfer.imports.importer import import_file
from cqrs_app.platform.transfer.uploads.receiving import SET_ASIDE, UPLOAD, Files
from cqrs_app.platform.transfer.uploads.tables import imports
from cqrs_app.platform.transfer.uploads.work import COMMAND_ENDED, GIVEN_UP, MAX_ATTEMPTS, Work
from cqrs_app.services import services_of
from tests.leases import end_leases
from tests.platform.transfer.uploads.conftest import DAY, kept, row_of, take_in, work_of

MIA = Actor("mia", ROLES["supervisor"])
LIMIT = 10_000_000


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def after(self, span: timedelta) -> None:
        self.now += span


@pytest.fixture
def clock(kernel: Kernel) -> Clock:
    return Clock(kernel.clock())


@pytest.fixture
def files(kernel: Kernel, clock: Clock) -> Files:
    return Files(kernel.engines.write, clock)


@pytest.fixture
def work(kernel: Kernel, clock: Clock) -> Work:
    return Work(kernel.engines.write, clock)


@pytest.fixture
def sent(kernel: Kernel, files: Files, clock: Clock) -> Callable[..., str]:
    """`sent(content)`: the id of a file that mia sent and started."""

    def send(content: bytes = DAY, *, started: bool = True) -> str:
        import_id = new_id()
        source = io.BytesIO(content)
        task = files.receive(import_id, "online-retail", "day.csv", source, "mia", LIMIT).task
        if started:
            kernel.commands.execute(task, Context(actor=MIA, channel="form"))
        clock.after(timedelta(seconds=1))
        return import_id

    return send


def test_a_large_file_is_kept_in_pieces_and_comes_back_whole(
    sent: Callable[..., str], files: Files
) -> None:
    content = bytes(range(256)) * 10_000
    import_id = sent(content)
    assert [len(each) for each in files.chunks(import_id, UPLOAD)] == [1024**2, 1024**2, 462_848]
    assert b"".join(files.chunks(import_id, UPLOAD)) == content


def test_nothing_is_taken_up_before_its_task_is_accepted(
    sent: Callable[..., str], work: Work
) -> None:
    import_id = sent(started=False)
    assert work.due() is None
    assert work.take(import_id) is None


def test_a_task_that_names_another_file_is_refused(
    kernel: Kernel, sent: Callable[..., str], files: Files
) -> None:
    task = files.task_of(sent(started=False))
    assert task is not None
    other = dataclasses.replace(task, file_name="other.csv")
    with pytest.raises(Refused, match="No such file"):
        kernel.commands.execute(other, Context(actor=MIA, channel="form"))
    with pytest.raises(NotAllowed):
        kernel.commands.execute(
            task, Context(actor=Actor("eve", ROLES["operator"]), channel="form")
        )
    assert kernel.store.head() == 0


def test_one_import_at_a_time_in_the_order_they_came(sent: Callable[..., str], work: Work) -> None:
    first, second = sent(), sent()
    assert work.due() == first
    assert work.take(first) == 1
    assert work.take(first) is None
    assert work.due() is None
    assert work.take(second) is None
    work.fail(first, 1, "It did not work.")
    assert work.due() == second
    assert work.take(second) == 1


def test_a_silent_process_loses_its_import_and_can_write_no_more(
    console: Flask, kernel: Kernel, sent: Callable[..., str], work: Work
) -> None:
    import_id = sent()
    assert work.take(import_id) == 1
    end_leases(kernel.engines.write, imports.c.lease_until)
    assert work.report(import_id, 1, 5, 10)
    assert work.due() is None
    end_leases(kernel.engines.write, imports.c.lease_until)
    assert work.due() == import_id
    assert work.take(import_id) == 2
    assert not work.report(import_id, 1, 6, 10)
    work.fail(import_id, 1, "I am late.")
    work.finish(import_id, 1, "{}", 1, b"late", "")
    row = row_of(console, import_id)
    assert (row.state, row.sentence, row.report, row.done) == ("running", None, None, 5)


def test_a_process_that_ended_is_followed_at_once(sent: Callable[..., str], work: Work) -> None:
    import_id = sent()
    work.take(import_id)
    work.release(import_id, 1)
    assert work.due() == import_id


def test_a_process_that_takes_longer_to_start_than_a_lease_keeps_its_import(
    kernel: Kernel, sent: Callable[..., str], work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = "import time; time.sleep(0.5)"
    popen = subprocess.Popen
    monkeypatch.setattr(task, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: popen([sys.executable, "-c", slow]))
    import_id = sent()
    attempt = work.take(import_id)
    assert attempt == 1
    end_leases(kernel.engines.write, imports.c.lease_until)
    assert work.due() == import_id
    task._supervise(work, import_id, attempt)
    assert work.due() is None


def test_a_file_that_ends_every_process_is_given_up_with_a_sentence(
    console: Flask, sent: Callable[..., str], work: Work
) -> None:
    import_id, other = sent(), sent()
    for attempt in range(1, MAX_ATTEMPTS + 1):
        work.give_up()
        assert work.take(import_id) == attempt
        work.give_up()
        assert row_of(console, import_id).state == "running"
        work.release(import_id, attempt)
    assert work.due() == other
    work.give_up()
    row = row_of(console, import_id)
    assert (row.state, row.sentence) == ("failed", GIVEN_UP)
    assert row_of(console, other).state == "waiting"


def test_an_import_from_the_command_line_is_listed_until_its_process_is_gone(
    console: Flask, kernel: Kernel, sent: Callable[..., str], work: Work
) -> None:
    import_id = work.begin("online-retail", "year.csv", 5, "0" * 64)
    other = sent()
    work.give_up()
    assert (row_of(console, import_id).state, work.due()) == ("running", None)
    end_leases(kernel.engines.write, imports.c.lease_until)
    assert work.due() == other
    work.give_up()
    row = row_of(console, import_id)
    assert (row.state, row.sentence, row.uploaded_by) == ("failed", COMMAND_ENDED, "command line")


def test_a_process_that_was_overtaken_stops(
    console: Flask, sent: Callable[..., str], work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "REPORT_SECONDS", 0.0)
    import_id = sent()
    task = Files(services_of(console).kernel.engines.write).task_of(import_id)
    assert task is not None
    assert work.take(import_id) == 1
    with pytest.raises(background.Superseded):
        background.carry_out(services_of(console).kernel, task, attempt=0)
    assert row_of(console, import_id).state == "running"


def test_a_fault_of_the_console_is_told_with_a_number(
    console: Flask, sent: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(background, "import_file", break_down)
    row = take_in(console, sent())
    assert row.state == "failed"
    assert "Something went wrong" in row.sentence
    assert "send the file again" in row.sentence


@pytest.mark.parametrize(
    "away",
    [OperationalError("SELECT", None, Exception("no route")), Unavailable("It is away.")],
    ids=["write store", "read store"],
)
def test_while_a_database_is_away_an_import_waits_and_uses_up_no_attempt(
    console: Flask, sent: Callable[..., str], monkeypatch: pytest.MonkeyPatch, away: Exception
) -> None:
    outages = iter([away] * (MAX_ATTEMPTS + 1))

    def flaky(*arguments: Any) -> Any:
        for outage in outages:
            raise outage
        return import_file(*arguments)

    monkeypatch.setattr(background, "import_file", flaky)
    monkeypatch.setattr(background, "WAIT_SECONDS", 0.0)
    import_id = sent()
    assert work_of(console).take(import_id) == 1
    result = console.test_cli_runner().invoke(args=["run-import", import_id, "1"])
    assert result.exit_code == 0, result.output
    row = row_of(console, import_id)
    assert (row.state, row.attempts) == ("done", 1)


def test_a_database_that_stays_away_ends_the_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def away() -> None:
        tries.append(len(tries))
        raise Unavailable("It is away.")

    monkeypatch.setattr(background, "WAIT_SECONDS", 0.0)
    with pytest.raises(Unavailable):
        background.patiently(away)
    assert len(tries) == background.MAX_WAITS + 1


def test_a_process_that_lost_its_worker_ends_also_while_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Ended(BaseException):
        """In the place of the end of a process."""

    class Away:
        def release(self, *_: object) -> None:
            raise OperationalError("UPDATE", None, Exception("no route"))

    def end(status: int) -> None:
        raise Ended(status)

    parents = iter([1, 2])
    monkeypatch.setattr(uploads.os, "getppid", lambda: next(parents))
    monkeypatch.setattr(uploads.os, "_exit", end)
    with pytest.raises(Ended):
        uploads._live(cast(Work, Away()), "one", 1, threading.Event())


def test_while_tasks_are_switched_off_an_import_says_so(
    console: Flask, make_console: Callable[..., Flask], sent: Callable[..., str]
) -> None:
    import_id = sent()
    row = take_in(make_console(cqrs_enabled=False), import_id)
    assert row.state == "failed"
    assert "maintenance mode" in row.sentence


def test_rows_that_the_read_models_do_not_show_make_it_fail_with_its_report(
    console: Flask, sent: Callable[..., str]
) -> None:
    assert take_in(console, sent()).state == "done"
    with services_of(console).kernel.engines.read.begin() as connection:
        connection.execute(delete(orders))
    row = take_in(console, sent())
    assert (row.state, row.sentence) == ("failed", background.NOT_SHOWN)
    assert json.loads(row.report)["rows"] == 10


def test_files_are_dropped_after_a_month_and_what_was_never_started_after_a_day(
    console: Flask, kernel: Kernel, sent: Callable[..., str], files: Files, clock: Clock
) -> None:
    done = sent()
    assert take_in(console, done).state == "done"
    stray, waiting = sent(started=False), sent()
    clock.after(timedelta(hours=25))
    files.forget_strays()
    assert files.forget_before(clock() - timedelta(days=30)) == 0
    assert row_of(console, stray) is None
    assert row_of(console, waiting).state == "waiting"
    assert list(files.chunks(done, UPLOAD)) == [DAY]
    assert b"write_off" in b"".join(files.chunks(done, SET_ASIDE))
    assert json.loads(row_of(console, done).report)["set_aside_examples"]
    clock.after(timedelta(days=30))
    assert files.forget_before(clock() - timedelta(days=30)) == 1
    assert files.forget_before(clock() - timedelta(days=30)) == 0
    assert list(files.chunks(done, UPLOAD)) == list(files.chunks(done, SET_ASIDE)) == []
    assert list(files.chunks(waiting, UPLOAD)) == [DAY]
    report = json.loads(row_of(console, done).report)
    assert report["set_aside_examples"] == []
    assert report["rows"] == 10
    assert kept(console) == (2, 1)


def test_a_file_being_received_is_not_received_twice(kernel: Kernel, files: Files) -> None:
    import_id = new_id()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            with pytest.raises(Refused, match="being received already"):
                files.receive(import_id, "online-retail", "a.csv", io.BytesIO(), "mia", LIMIT)
            return super().read(size)

    files.receive(import_id, "online-retail", "day.csv", Slow(DAY), "mia", LIMIT)
    with kernel.engines.write.connect() as connection:
        assert connection.execute(select(imports.c.file_name)).scalars().all() == ["day.csv"]
