"""Failed commands, deliveries, jobs and pages as failures. What failed is never broken by it."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError

from cqrs_app import create_app
from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.commands.handling import Handler
from cqrs_app.kernel.errors import Busy, SwitchedOff
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.failures import recorder, records
from cqrs_app.platform.failures.commands import ResolveFailure
from cqrs_app.platform.failures.queries import FailureRow, GetFailure, ListFailures
from cqrs_app.platform.failures.recorder import Recorder
from cqrs_app.platform.failures.tables import failure_hours, failure_occurrences, failures
from cqrs_app.platform.runtime.command_log import GetCommand
from cqrs_app.processes.sweep import Sweep
from cqrs_app.services import services_of
from tests.console import close
from tests.interfaces.web.pages.conftest import client_in
from tests.platform.failures.conftest import ADA, Console

CONTEXT = {"actor": ADA, "channel": "test"}


@pytest.fixture
def broken(console: Console, monkeypatch: pytest.MonkeyPatch) -> Console:
    """A console that fails to register customers, naming each."""

    def run(handler: Handler, aggregate: Any, command: Any, **rest: Any) -> Any:
        if type(command) is not RegisterCustomer:
            return whole(handler, aggregate, command, **rest)
        raise RuntimeError(f"no room for {command.name} <{command.email}> at {command.phone}")

    whole = Handler.run
    monkeypatch.setattr(Handler, "run", run)
    return console


def register(console: Console, customer_id: str) -> str:
    """The id of a command that fails."""
    context = Context(**CONTEXT)
    command = RegisterCustomer(
        customer_id=customer_id, name="Maria Lopez", email="maria@example.org", phone="+34 600"
    )
    with pytest.raises(RuntimeError):
        console.kernel.commands.execute(command, context)
    return context.command_id


def reported(console: Console, kind: str) -> FailureRow:
    services_of(console.app).failures.flush()
    [found] = console.failures(kind=kind)
    return found


def test_commands_that_fail_alike_are_one_failure_without_anybodys_data(broken: Console) -> None:
    register(broken, "C1")
    last = register(broken, "C2")
    found = reported(broken, "command")
    assert (found.place, found.error, found.count) == ("RegisterCustomer", "RuntimeError", 2)
    assert found.subjects == ("customer-C1", "customer-C2")
    view = broken.ask(GetFailure(failure_id=found.failure_id))
    assert view.occurrences[0].reference == last
    assert broken.ask(GetCommand(command_id=last)).entry.outcome == "failed"
    assert view.sample["fields"]["customer_id"] == "C2"
    assert view.sample["fields"]["name"] == "erased"
    kept = f"{view.sample} {view.traceback} {found.message}"
    for value in ("Maria", "maria@", "+34"):
        assert value not in kept


def test_a_page_that_fails_is_kept_without_what_was_entered(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**values: Any) -> Any:
        raise ValueError(f"cannot show {values['order_id']} to someone")

    monkeypatch.setitem(console.app.view_functions, "web.order", fail)
    client = client_in(console.app, "operator")
    answer = client.get("/orders/Maria-Lopez")
    assert answer.status_code == 500
    found = reported(console, "page")
    assert (found.place, found.error) == ("GET /orders/<order_id>", "ValueError")
    view = console.ask(GetFailure(failure_id=found.failure_id))
    assert view.occurrences[0].reference in answer.get_data(as_text=True)
    assert "Maria" not in f"{view}"


def test_a_command_that_fails_on_a_page_is_counted_once(broken: Console) -> None:
    client = client_in(broken.app, "admin")
    broken.app.config["WTF_CSRF_ENABLED"] = False
    secret = services_of(broken.app).tokens.create("writer", "admin", made_by="test")
    answer = client.post(
        "/api/v1/commands/RegisterCustomer",
        json={"customer_id": "C1", "name": "Maria Lopez"},
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 500
    services_of(broken.app).failures.flush()
    assert [(each.kind, each.count) for each in broken.failures(kind=None)] == [("command", 1)]


def test_a_job_that_crashes_is_kept_and_repeated(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def due(self: BackgroundTask, kernel: Any) -> list[str]:
        calls.append("due")
        raise RuntimeError("cannot be counted")

    monkeypatch.setattr(type(console.kernel.tasks["webhooks"].task), "due", due)
    other = create_app(services_of(console.app).settings, pages=False)
    sweep = Sweep(services_of(other).kernel)
    sweep.once()
    sweep.once()
    close(other)
    [found] = console.failures(kind="job")
    assert (found.place, found.error, found.count) == ("webhooks", "RuntimeError", 2)
    assert len(calls) >= 2


def test_nothing_is_written_while_nothing_fails(console: Console) -> None:
    console.order(1)
    console.follow()
    for error in (Busy("commands"), SwitchedOff()):
        services_of(console.app).failures.report(error, kind="job", place="webhooks")
    with console.kernel.engines.write.connect() as connection:
        for table in (failures, failure_occurrences, failure_hours):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0
    assert services_of(console.app).failures._background._thread is None


class Gate:
    """An engine whose transactions can fail."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.shut = engine, True

    def begin(self) -> Any:
        if self.shut:
            raise OperationalError("BEGIN", {}, Exception("the server is gone"))
        return self.engine.begin()


def report_some(made: Recorder, *messages: str) -> None:
    for message in messages:
        made.report(ValueError(message), kind="page", place="GET /", subject="order-1")


def test_what_could_not_be_written_is_written_once_the_store_is_back(console: Console) -> None:
    gate = Gate(console.kernel.engines.write)
    made = Recorder(gate, "r1", console.kernel.clock)  # type: ignore[arg-type]
    report_some(made, "one", "one", "other")
    made.flush()
    assert console.failures(kind="page") == ()
    report_some(made, "one")
    gate.shut = False
    made.flush()
    made.close()
    found = {each.message: each.count for each in console.failures(kind="page")}
    assert found == {"one": 3, "other": 1}


def test_what_happened_before_it_was_resolved_opens_nothing_when_it_is_written_later(
    console: Console,
) -> None:
    made = Recorder(console.kernel.engines.write, "r2", console.kernel.clock)
    late = Recorder(console.kernel.engines.write, "r1", console.kernel.clock)
    late._background.nudge = lambda: None  # type: ignore[method-assign]
    report_some(late, "one")
    report_some(made, "one")
    made.flush()
    [found] = console.failures(kind="page")
    console.act(ResolveFailure(failure_id=found.failure_id))
    late.flush()
    [found] = console.failures(kind="page", state="all")
    assert (found.count, found.state, found.regressed_in) == (2, "resolved", None)
    report_some(made, "one")
    made.close()
    [found] = console.failures(kind="page")
    assert (found.count, found.state, found.regressed_in) == (3, "open", "r2")


def test_a_failure_that_cannot_be_kept_raises_nothing(
    console: Console, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("no cause")

    monkeypatch.setattr(recorder, "cause_of", fail)
    with caplog.at_level(logging.ERROR):
        report_some(services_of(console.app).failures, "one")
    assert "could not be kept" in caplog.text


def test_the_rows_of_a_failure_are_bounded(console: Console) -> None:
    made = services_of(console.app).failures
    report_some(made, *(["one"] * (records.KEPT_OCCURRENCES + 5)))
    made.flush()
    report_some(made, *(["one"] * 5))
    made.flush()
    [found] = console.failures(kind="page")
    view = console.ask(GetFailure(failure_id=found.failure_id))
    assert (found.count, len(view.occurrences)) == (60, records.KEPT_OCCURRENCES)


def test_a_process_keeps_so_many_causes_and_no_more(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "MOST_PENDING", 2)
    made = Recorder(console.kernel.engines.write, "r1", console.kernel.clock)
    made._background.nudge = lambda: None  # type: ignore[method-assign]
    report_some(made, "one", "two", "three", "one")
    made.flush()
    assert {each.message: each.count for each in console.failures(kind="page")} == {
        "one": 2,
        "two": 1,
    }


def test_old_failures_hours_and_those_beyond_the_limit_are_forgotten(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MOST_FAILURES", 2)
    engine, now = console.kernel.engines.write, console.kernel.clock()
    for days, text in ((200, "ancient"), (8, "old"), (1, "new"), (0, "newest")):
        made = Recorder(engine, "r1", lambda days=days: now - timedelta(days=days))  # type: ignore[misc]
        report_some(made, text)
        made.flush()
        made.close()
    console.kernel.tasks["failures"].task.housekeep(console.kernel)
    assert {each.message for each in console.ask(ListFailures(state="all"))} == {"new", "newest"}
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(failure_hours)).scalar() == 2
        kept = select(func.count()).select_from(failure_occurrences)
        assert connection.execute(kept).scalar() == 2
