"""What the processes write to stderr: lines with ids, as text or JSON, never thousands alike."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from cqrs_app import logs
from cqrs_app.processes.sweep import Sweep
from cqrs_app.services import services_of
from cqrs_app.settings import Settings
from tests.interfaces.web.pages.conftest import client_in
from tests.performance.plenty import do, one_more

KNOWN = logging.getLogger("countersign")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The test run's own logging comes back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in logs.OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def as_json(stream: io.StringIO) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in stream.getvalue().splitlines()]


def test_a_command_writes_its_line_with_request_and_command_id(
    make_console: Callable[..., Flask], stream: io.StringIO
) -> None:
    app = make_console()
    logs.configure(replace(services_of(app).settings, log_format="json"), stream)
    secret = services_of(app).tokens.create("shop", "admin", made_by="test")
    do(app, one_more(0))
    stream.truncate(0)
    stream.seek(0)
    answer = app.test_client().post(
        "/api/v1/commands/AddOrderNote",
        json={"order_id": "O0", "note": "Mind the dog."},
        headers={
            "Authorization": f"Bearer {secret}",
            "X-Request-Id": "from-the-proxy",
            "traceparent": f"00-{'4b' * 16}-{'0f' * 8}-01",
        },
    )
    assert answer.headers["X-Request-Id"] == "from-the-proxy"
    [line] = [each for each in as_json(stream) if "AddOrderNote" in each["message"]]
    assert (line["level"], line["request_id"]) == ("info", "from-the-proxy")
    assert line["trace_id"] == "4b" * 16
    assert line["command_id"] == answer.json["command_id"]  # type: ignore[index]
    assert re.fullmatch(
        r"AddOrderNote succeeded by token:shop via api in [0-9.]+ ms", line["message"]
    )
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert "dog" not in stream.getvalue()


@pytest.mark.parametrize("given", ["", "x" * 101, "with blank", "<b>"])
def test_a_request_id_that_cannot_be_used_is_replaced(
    make_console: Callable[..., Flask], given: str
) -> None:
    answer = make_console().test_client().get("/healthz", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] not in ("", given)


@pytest.mark.parametrize("access_log", [True, False])
def test_requests_are_written_where_the_setting_says_so_without_parameters(
    make_console: Callable[..., Flask], stream: io.StringIO, access_log: bool
) -> None:
    app = make_console(access_log=access_log)
    logs.configure(services_of(app).settings, stream)
    client_in(app, "admin").get("/orders?q=ada@example.org")
    assert ("GET /orders 200 in " in stream.getvalue()) is access_log
    assert "ada@" not in stream.getvalue()


def test_the_secret_of_a_sign_in_link_is_in_no_line(
    make_console: Callable[..., Flask], stream: io.StringIO
) -> None:
    app = make_console(access_log=True)
    logs.configure(services_of(app).settings, stream)
    app.test_client().get("/sign-in/link/mia/c2VjcmV0")
    assert "GET /sign-in/link/mia/<secret> 404" in stream.getvalue()
    assert "c2VjcmV0" not in stream.getvalue()


def test_below_its_level_nothing_is_written(stream: io.StringIO) -> None:
    logs.configure(Settings(log_level="error"), stream)
    KNOWN.warning("quiet")
    KNOWN.error("loud")
    [line] = stream.getvalue().splitlines()
    assert line.endswith("countersign: loud")


def test_libraries_write_warnings_only(stream: io.StringIO) -> None:
    logs.configure(Settings(log_level="debug"), stream)
    logging.getLogger("urllib3").info("chatter")
    logging.getLogger("gunicorn.error").warning("a worker ended")
    assert [line.split(": ", 1)[1] for line in stream.getvalue().splitlines()] == ["a worker ended"]


def test_a_record_is_one_line_and_cannot_forge_another(stream: io.StringIO) -> None:
    logs.configure(Settings(), stream)
    KNOWN.warning("from %s", "a\n2026-01-01T00:00:00.000Z error forged")
    assert len(stream.getvalue().splitlines()) == 1


def test_an_outage_writes_a_few_lines_and_then_how_many_more_there_were(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now[0])
    logs.configure(Settings(), stream)
    for number in range(1_000):
        KNOWN.warning("the database does not answer: attempt %d", number)
    KNOWN.error("something else")
    assert len(stream.getvalue().splitlines()) == logs.MAX_REPEATS + 1
    now[0] += logs.REPEATS_SECONDS + 1
    KNOWN.warning("the database does not answer: attempt %d", 1_000)
    last = stream.getvalue().splitlines()[-1]
    assert last.endswith("attempt 1000 (995 more like it before)")


def test_of_two_faults_at_once_each_says_how_many_were_left_out(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now[0])
    logs.configure(Settings(), stream)
    for _ in range(2):
        for sentence in ("the database is away", "Redis is away"):
            for _ in range(8):
                KNOWN.warning(sentence)
        now[0] += logs.REPEATS_SECONDS + 1
    more = [line for line in stream.getvalue().splitlines() if "(3 more like it before)" in line]
    assert [line.split(": ")[1].split(" (")[0] for line in more] == [
        "the database is away",
        "Redis is away",
    ]


def test_a_sweep_without_its_database_writes_a_few_lines(
    make_console: Callable[..., Flask], stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = services_of(make_console()).kernel

    def away(*_: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("server closed the connection"))

    monkeypatch.setattr(type(kernel.runner), "behind", away)
    monkeypatch.setattr(type(kernel.log), "waiting", away)
    logs.configure(Settings(), stream)
    sweep = Sweep(kernel)
    for _ in range(200):
        sweep.once()
    assert 0 < len(stream.getvalue().splitlines()) <= 2 * logs.MAX_REPEATS
