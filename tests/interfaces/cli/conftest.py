"""The command line of a real console."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from click.testing import Result
from flask import Flask

from tests.messages import COMMANDS

Run = Callable[..., Result]
PASSWORD = "nine grey geese on a lake"


@pytest.fixture
def flask(console: Flask) -> Run:
    """`flask("command", "ApproveOrder", ..., typed="")`: the result that a shell would get."""

    def run(*words: str, typed: str = "") -> Result:
        return console.test_cli_runner().invoke(args=list(words), input=typed)

    return run


@pytest.fixture
def do(flask: Run) -> Callable[..., Any]:
    """`do("PlaceOrder")`: run the example in tests/messages.py; returns the receipt."""

    def carry_out(name: str, *words: str) -> Any:
        typed = msgspec.json.encode(COMMANDS[name]).decode()
        result = flask("command", name, "--fields", "-", "--json", *words, typed=typed)
        assert result.exit_code == 0, result.output
        return msgspec.json.decode(result.stdout)

    return carry_out
