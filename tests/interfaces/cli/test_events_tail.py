"""`flask events tail`: the log as it grows, in real processes."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from flask import Flask

from cqrs_app.kernel.privacy.personal import ERASED
from cqrs_app.services import services_of
from tests.console import environment_of
from tests.interfaces.cli.conftest import Run
from tests.messages import COMMANDS, THE
from tests.processes.running import FLASK, start
from tests.services.postgres import PostgresServer


@contextmanager
def following(app: Flask, *words: str) -> Iterator[subprocess.Popen[str]]:
    """`flask events tail --follow` beside the application."""
    process = start(
        *(*FLASK, "events", "tail", "--follow", *words),
        environment=environment_of(app),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def payloads(flask: Run) -> list[dict[str, Any]]:
    lines = flask("events", "tail", "--json").stdout.splitlines()
    return [msgspec.json.decode(line)["payload"] for line in lines]


def test_events_are_told_in_order_and_from_a_position(flask: Run, do: Callable[..., Any]) -> None:
    do("PlaceOrder")
    do("ApproveOrder")
    first, second = flask("events", "tail").stdout.splitlines()
    assert "OrderPlaced" in first
    assert f"order-{THE} version 1 by shell:" in first
    assert "OrderApproved" in second
    assert flask("events", "tail", "--after", "1").stdout.splitlines() == [second]
    assert flask("events", "tail", "--after", "2").stdout == ""


@pytest.mark.parametrize("words", [(), ("--follow",), ("--types", "OrderPlaced")])
def test_a_position_beyond_the_log_is_an_error(
    flask: Run, do: Callable[..., Any], words: tuple[str, ...]
) -> None:
    do("PlaceOrder")
    result = flask("events", "tail", "--after", "2", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "There is no position 2: the log ends at 1." in result.stderr


def test_without_a_position_the_last_ones_are_told(flask: Run, do: Callable[..., Any]) -> None:
    do("PlaceOrder")
    for _ in range(21):
        do("AddOrderNote")
    told = flask("events", "tail").stdout.splitlines()
    assert len(told) == 20
    assert "version 22" in told[-1]
    assert len(flask("events", "tail", "--after", "0").stdout.splitlines()) == 22


def test_an_empty_log_tells_nothing(flask: Run) -> None:
    result = flask("events", "tail")
    assert (result.exit_code, result.stdout) == (0, "")


def test_types_are_chosen_and_json_holds_the_payload(flask: Run, do: Callable[..., Any]) -> None:
    do("PlaceOrder")
    do("ApproveOrder")
    result = flask("events", "tail", "--types", "OrderApproved,OrderShipped", "--json")
    event = msgspec.json.decode(result.stdout)
    assert (event["position"], event["type"]) == (2, "OrderApproved")
    assert event["payload"] == {"order_id": THE}
    unknown = flask("events", "tail", "--types", "OrderBurnt")
    assert unknown.exit_code == 2
    assert "There is no event type OrderBurnt. There are: " in unknown.stderr


def test_personal_values_are_in_the_json_only_and_gone_for_whoever_was_erased(
    flask: Run, do: Callable[..., Any]
) -> None:
    ben = {"customer_id": "C-ben", "name": "Ben", "email": "ben@example.org"}
    do("RegisterCustomer")
    flask("command", "RegisterCustomer", "--fields", "-", typed=msgspec.json.encode(ben).decode())
    ana = COMMANDS["RegisterCustomer"]
    told = flask("events", "tail").stdout
    assert len(told.splitlines()) == 2
    assert not any(each["email"] in told for each in (ana, ben))
    assert [each["email"] for each in payloads(flask)] == [ana["email"], ben["email"]]
    do("EraseCustomer")
    assert [each["email"] for each in payloads(flask)[:2]] == [ERASED, ben["email"]]


def test_new_events_are_followed_until_ctrl_c(console: Flask, do: Callable[..., Any]) -> None:
    do("PlaceOrder")
    with following(console) as process:
        assert "OrderPlaced" in line_of(process)
        do("ApproveOrder")
        assert "OrderApproved" in line_of(process)
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=20)
    assert (process.returncode, rest, said) == (130, "", "")


def test_a_closed_pipe_ends_it_without_a_traceback(console: Flask, do: Callable[..., Any]) -> None:
    do("PlaceOrder")
    with following(console) as process:
        line_of(process)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(timeout=20) in (0, 1)
        assert process.stderr.read() == ""
        process.stdout = None


@pytest.mark.parametrize("kind", ["postgresql"])
def test_it_waits_for_a_server_that_is_away_and_misses_nothing(
    console: Flask, do: Callable[..., Any], postgres_server: PostgresServer
) -> None:
    address = services_of(console).settings.database_url
    do("PlaceOrder")
    with following(console) as process:
        line_of(process)
        assert process.stderr is not None
        postgres_server.admit(address, sessions=False)
        postgres_server.disconnect(address)
        assert "The database cannot be used" in process.stderr.readline()
        time.sleep(1)
        postgres_server.admit(address, sessions=True)
        assert process.stderr.readline() == "The database answers again. No event was missed.\n"
        do("ApproveOrder")
        assert "OrderApproved" in line_of(process)
