"""`flask command`: tasks from a shell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from sqlalchemy import text

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.services import services_of
from tests.interfaces.cli.conftest import PASSWORD, Run
from tests.messages import COMMANDS, THE


def test_a_task_is_carried_out_and_its_receipt_printed(
    flask: Run, kernel: Kernel, do: Callable[..., Any]
) -> None:
    do("PlaceOrder")
    result = flask("command", "ApproveOrder", "--order-id", THE)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("ApproveOrder succeeded in ")
    assert f"  stream   order-{THE}\n  version  2\n  events   OrderApproved\n" in result.stdout
    entry = kernel.log.find(result.stdout.split()[result.stdout.split().index("command") + 1])
    assert entry is not None
    assert entry.channel == "cli"
    assert entry.operator.startswith("shell:")


def test_the_receipt_as_json(do: Callable[..., Any]) -> None:
    receipt = do("PlaceOrder", "--command-id", "order-from-the-till")
    assert list(receipt) == [
        "command_id",
        "status",
        "stream",
        "version",
        "events",
        "duration_ms",
        "repeated",
    ]
    assert receipt["command_id"] == "order-from-the-till"
    assert (receipt["status"], receipt["version"]) == ("succeeded", 1)
    assert receipt["events"] == ["OrderPlaced"]


def test_a_repeated_id_is_answered_and_done_once(kernel: Kernel, do: Callable[..., Any]) -> None:
    first = do("PlaceOrder", "--command-id", "order-from-the-till")
    again = do("PlaceOrder", "--command-id", "order-from-the-till")
    assert again == {**first, "repeated": True}
    assert len(kernel.store.events_of(f"order-{THE}")) == 1


def test_a_refusal_is_a_sentence_with_its_code_and_status_1(
    flask: Run, kernel: Kernel, do: Callable[..., Any]
) -> None:
    do("PlaceOrder")
    do("ApproveOrder")
    result = flask("command", "ApproveOrder", "--order-id", THE)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: Order {THE} was approved on ")
    assert result.stderr.endswith("[already_approved]\n")
    as_json = flask("command", "ApproveOrder", "--order-id", THE, "--json")
    told = msgspec.json.decode(as_json.stdout)
    assert (told["status"], told["code"]) == ("refused", "already_approved")
    assert as_json.exit_code == 1
    assert kernel.store.head() == 2


def test_an_old_version_is_refused(flask: Run, do: Callable[..., Any]) -> None:
    do("PlaceOrder")
    words = ("command", "ApproveOrder", "--order-id", THE, "--expected-version")
    old = flask(*words, "0")
    assert old.exit_code == 1
    assert "[changed_meanwhile]" in old.stderr
    assert flask(*words, "1").exit_code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("ApproveOder",), "There is no command called ApproveOder. Did you mean ApproveOrder?"),
        (("Zzz",), "There is no command called Zzz. `flask command` lists them."),
        (("ApproveOrder",), "--order-id: Required."),
        (("ApproveOrder", "--order", "1"), "No such option"),
        (("ApproveOrder", "--order-id", "1", "--command-id", "x"), "Write 8 to 64 letters"),
        (("ApproveOrder", "--fields", "/no/such/file"), "No such file"),
    ],
)
def test_what_cannot_be_understood_is_status_2_and_does_nothing(
    flask: Run, kernel: Kernel, words: tuple[str, ...], sentence: str
) -> None:
    result = flask("command", *words)
    assert result.exit_code == 2
    assert sentence in result.stderr
    with kernel.engines.write.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM command_log")).scalar() == 0


def test_a_dry_run_prints_the_events_and_changes_nothing(
    flask: Run, kernel: Kernel, do: Callable[..., Any]
) -> None:
    do("PlaceOrder")
    result = flask("command", "ApproveOrder", "--order-id", THE, "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.startswith("Nothing was changed.")
    assert f'OrderApproved {{"order_id":"{THE}"}}' in result.stdout
    as_json = flask("command", "ApproveOrder", "--order-id", THE, "--dry-run", "--json")
    told = msgspec.json.decode(as_json.stdout)
    assert told["events"] == [{"type": "OrderApproved", "payload": {"order_id": THE}}]
    for effect in told["effects"]:
        assert effect["sentence"] in result.stdout
    assert len(kernel.store.events_of(f"order-{THE}")) == 1
    refused = flask("command", "DeliverOrder", "--order-id", THE, "--dry-run")
    assert refused.exit_code == 1


def test_an_enqueued_task_waits_for_a_worker(
    flask: Run, kernel: Kernel, do: Callable[..., Any]
) -> None:
    receipt = do("PlaceOrder", "--enqueue")
    assert (receipt["status"], receipt["repeated"]) == ("queued", False)
    assert kernel.store.head() == 0
    done = kernel.commands.run_queued(receipt["command_id"])
    assert done is not None
    assert len(kernel.store.events_of(f"order-{THE}")) == 1


def test_where_tasks_are_queued_so_are_those_of_the_shell(
    make_console: Callable[..., Flask],
) -> None:
    runner = make_console(command_bus_type="asynchronous").test_cli_runner()
    typed = msgspec.json.encode(COMMANDS["PlaceOrder"]).decode()
    result = runner.invoke(args=["command", "PlaceOrder", "--fields", "-"], input=typed)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("PlaceOrder queued in ")


def test_options_go_on_top_of_a_file(flask: Run, kernel: Kernel, tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    file.write_bytes(msgspec.json.encode(COMMANDS["PlaceOrder"]))
    words = ("command", "PlaceOrder", "--fields", str(file), "--order-id", "CS-2")
    result = flask(*words, "--shipping-address.city", "York")
    assert result.exit_code == 0, result.output
    placed: Any = kernel.registry.codec.decode(kernel.store.events_of("order-CS-2")[0]).event
    assert placed.shipping_address.city == "York"
    assert placed.shipping_address.line1 == "1 High Street"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("[]", "--fields: Enter an object with named values."),
        ("{", "--fields: This is not usable JSON"),
        ('{"order_id": "1", "colour": "red"}', "colour: There is no such field."),
    ],
)
def test_a_file_that_cannot_be_used_says_why(flask: Run, typed: str, sentence: str) -> None:
    result = flask("command", "ApproveOrder", "--fields", "-", typed=typed)
    assert result.exit_code == 2
    assert sentence in result.stderr


@pytest.mark.parametrize("role", [*ROLES, None])
def test_each_task_is_done_with_its_permission_and_not_without(
    console: Flask, flask: Run, role: str | None
) -> None:
    accounts: Accounts = services_of(console).accounts
    if role:
        accounts.create(role, role, PASSWORD)
    rights = ROLES[role or "admin"]
    for name, fields in COMMANDS.items():
        cls = services_of(console).kernel.registry.commands[name]
        typed = msgspec.json.encode(fields).decode()
        who = ("--as", role) if role else ()
        result = flask("command", name, "--fields", "-", *who, typed=typed)
        assert result.exit_code in (0, 1), (name, result.output)
        refused = result.stderr.endswith("[not_allowed]\n")
        assert refused == (cls.declaration.permission not in rights), (name, result.output)
        assert result.exit_code == 1 or not refused, name


def test_permission_is_judged_before_the_fields(console: Flask, flask: Run) -> None:
    services_of(console).accounts.create("vic", "viewer", PASSWORD)
    for words in (
        ("command", "PlaceOrder", "--currency", "no such"),
        ("query", "ListCommands", "--outcome", "no such"),
    ):
        result = flask(*words, "--as", "vic")
        assert result.exit_code == 1, result.output
        assert result.stderr.endswith("[not_allowed]\n"), result.output


def test_one_acts_with_the_role_and_under_the_name_of_an_operator(
    console: Flask, flask: Run, kernel: Kernel, do: Callable[..., Any]
) -> None:
    accounts: Accounts = services_of(console).accounts
    accounts.create("mia", "operator", PASSWORD)
    do("PlaceOrder", "--as", "Mia")
    assert kernel.store.events_of(f"order-{THE}")[0].operator == "mia"
    accounts.create("zoe", "admin", PASSWORD)
    accounts.disable("mia")
    for name, sentence in (("mia", "is disabled"), ("eve", "no operator called eve")):
        result = flask("command", "ApproveOrder", "--order-id", THE, "--as", name)
        assert result.exit_code == 1
        assert sentence in result.stderr
    assert len(kernel.store.events_of(f"order-{THE}")) == 1


def test_nobody_records_history_from_a_shell(flask: Run) -> None:
    result = flask("query", "ImportTotals")
    assert result.exit_code == 1
    assert result.stderr.endswith("[not_allowed]\n")


def test_a_store_without_tables_is_a_sentence(flask: Run, kernel: Kernel) -> None:
    with kernel.engines.write.begin() as connection:
        connection.execute(text("DROP TABLE command_log"))
        connection.execute(text("DROP TABLE streams"))
    result = flask("command", "ApproveOrder", "--order-id", THE)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The database cannot be used: ")
    assert "`flask doctor` says more. [database_away]" in result.stderr
