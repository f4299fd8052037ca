"""`flask query`: questions from a shell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.services import services_of
from tests.interfaces.cli.conftest import PASSWORD, Run
from tests.interfaces.web.pages.conftest import catch_up
from tests.messages import QUERIES, THE
from tests.processes.running import run_flask


def ask(flask: Run, *words: str) -> Any:
    result = flask("query", *words)
    assert result.exit_code == 0, result.output
    return msgspec.json.decode(result.stdout)


def test_an_answer_is_json_and_says_how_fresh_it_is(
    flask: Run, kernel: Kernel, do: Callable[..., Any]
) -> None:
    do("PlaceOrder")
    behind = ask(flask, "ListOrders")
    assert {"value", "as_of", "position", "lag_events", "lag_seconds", "stale"} <= behind.keys()
    assert (behind["value"]["rows"], behind["lag_events"]) == ([], 1)
    catch_up(kernel)
    answer = ask(flask, "ListOrders", "--status", "placed", "--limit", "5")
    (row,) = answer["value"]["rows"]
    assert (row["order_id"], row["total"]) == (THE, "33.30")
    assert (answer["position"], answer["lag_events"], answer["stale"]) == (1, 0, False)


def test_an_answer_waits_for_ones_own_write_or_says_that_it_is_stale(
    flask: Run, kernel: Kernel, do: Callable[..., Any]
) -> None:
    do("PlaceOrder")
    words = ("GetOrder", "--order-id", THE, "--min-version", f"order-{THE}:1", "--wait-ms", "50")
    assert ask(flask, *words)["stale"] is True
    catch_up(kernel)
    answer = ask(flask, *words)
    assert (answer["stale"], answer["value"]["order_id"]) == (False, THE)


def test_an_answer_outside_of_its_bounds_is_status_1(
    flask: Run, kernel: Kernel, do: Callable[..., Any]
) -> None:
    do("PlaceOrder")
    for bound in (("--min-position", "1"), ("--max-staleness", "0")):
        words = ("GetOrder", "--order-id", THE, *bound, "--wait-ms", "20")
        late = flask("query", *words)
        assert late.exit_code == 1
        assert late.stderr.endswith("[too_stale]\n")
    catch_up(kernel)
    assert ask(flask, *words)["value"]["order_id"] == THE


def test_a_strong_answer_comes_from_the_events(flask: Run, do: Callable[..., Any]) -> None:
    do("PlaceOrder")
    assert ask(flask, "GetOrder", "--order-id", THE)["value"] is None
    assert ask(flask, "GetOrder", "--order-id", THE, "--strong")["value"]["status"] == "placed"
    refused = flask("query", "ListOrders", "--strong")
    assert refused.exit_code == 1
    assert refused.stderr.endswith("[no_strong_answer]\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("GetOder",), "There is no query called GetOder. Did you mean GetOrder?"),
        (("GetOrder",), "--order-id: Required."),
        (("GetOrder", "--order-id", "1", "--min-version", "2"), "such as order-10042:3"),
        (("GetOrder", "--order-id", "1", "--wait-ms", "-1"), "not in the range"),
        (("GetOrder", "--order-id", "1", "--min-position", "-1"), "not in the range"),
        (("GetOrder", "--order-id", "1", "--max-staleness", "nan"), "not a number"),
    ],
)
def test_what_cannot_be_understood_is_status_2(
    flask: Run, words: tuple[str, ...], sentence: str
) -> None:
    result = flask("query", *words)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_a_database_that_is_away_is_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    away = {"DATA_DIR": str(tmp_path), "DATABASE_URL": "postgresql://127.0.0.1:1/none"}
    result = run_flask("query", "OrdersByStatus", **away)
    assert result.returncode == 1
    assert "Error: The database cannot be used: " in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("role", [*ROLES, None])
def test_each_question_is_answered_with_its_permission_and_not_without(
    console: Flask, flask: Run, role: str | None, do: Callable[..., Any]
) -> None:
    do("PlaceOrder")
    accounts: Accounts = services_of(console).accounts
    if role:
        accounts.create(role, role, PASSWORD)
    for name, fields in QUERIES.items():
        cls = services_of(console).kernel.registry.queries[name]
        typed = msgspec.json.encode(fields).decode()
        who = ("--as", role) if role else ()
        result = flask("query", name, "--fields", "-", *who, typed=typed)
        if cls.declaration.permission in ROLES[role or "admin"]:
            assert result.exit_code == 0, (name, result.output)
            assert "value" in msgspec.json.decode(result.stdout)
        else:
            assert result.exit_code == 1, name
            assert result.stderr.endswith("[not_allowed]\n"), name
