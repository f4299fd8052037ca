"""What a console records of sign-ins, denials, tokens, exports and changes of access."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import select, update

from cqrs_app.kernel.privacy.personal import TOKEN
from cqrs_app.kernel.signing import new_secret, require_genuine
from cqrs_app.kernel.store.tables import command_log, events, seals
from cqrs_app.platform.audit.commands import RECORD
from cqrs_app.platform.audit.entries import AuditEntry
from cqrs_app.platform.audit.queries import ListSecurityEvents
from cqrs_app.platform.audit.settings_record import record_settings
from cqrs_app.platform.operators.commands import ChangeOperatorTeam
from cqrs_app.platform.operators.roles import system_actor
from cqrs_app.services import Services, services_of
from tests.console import MakeConsole
from tests.interfaces.web.conftest import sign_in, token_in
from tests.interfaces.web.pages.conftest import PASSWORD, client_in
from tests.platform.audit.authority import authority
from tests.platform.webhooks.receiver import listening
from tests.services.statements import statements

HOME = {"REMOTE_ADDR": "203.0.113.7"}


@pytest.fixture
def console(make_console: MakeConsole) -> Flask:
    made = make_console(audit_events=True)
    accounts = services_of(made).accounts
    accounts.create("admin", "admin", PASSWORD)
    accounts.create("mia", "viewer", PASSWORD)
    return made


def entries(app: Flask) -> list[AuditEntry]:
    """All that was recorded, the oldest first."""
    services = services_of(app)
    services.audit.flush()
    catch_up(services)
    from cqrs_app.kernel.queries.context import QueryContext

    asker = QueryContext(actor=services.accounts.get("admin").actor, cached=False)
    rows = services.kernel.queries.ask(ListSecurityEvents(limit=500), asker).value.rows
    return list(reversed(rows))


def catch_up(services: Services) -> None:
    for name in ("audit", "audit_stream"):
        services.kernel.runner.advance(name)


def told(app: Flask) -> list[tuple[str, bool, str, str, int]]:
    return [(each.kind, each.success, each.who, each.about, each.count) for each in entries(app)]


def test_signing_in_and_out_is_recorded_with_address_and_session(console: Flask) -> None:
    client = console.test_client()
    sign_in(client, "mia", "wrong goose", environ_overrides=HOME)
    sign_in(client, "mia", "wrong goose", environ_overrides=HOME)
    sign_in(client, "my secret goose", "mia", environ_overrides=HOME)
    assert sign_in(client, "mia", PASSWORD, environ_overrides=HOME).status_code == 303
    page = client.get("/account", environ_overrides=HOME).text
    client.post("/sign-out", data={"csrf_token": token_in(page)}, environ_overrides=HOME)
    found = [each for each in entries(console) if each.kind.startswith("sign")]
    assert [(each.kind, each.who, each.account, each.count) for each in found] == [
        ("sign_in_refused", "", "mia", 1),
        ("sign_in_refused", "", "", 1),
        ("signed_in", "mia", "mia", 1),
        ("signed_out", "mia", "mia", 1),
        ("sign_in_refused", "", "mia", 1),
    ]
    assert {each.address for each in found} == {"203.0.113.7"}
    sessions = [each.session for each in found]
    assert sessions[2] == sessions[3] != ""
    assert "goose" not in str(entries(console))


def test_the_log_holds_no_address(console: Flask) -> None:
    sign_in(console.test_client(), "mia", PASSWORD, environ_overrides=HOME)
    services_of(console).audit.flush()
    found = select(events.c.payload).where(events.c.type == "SecurityEventRecorded")
    with services_of(console).kernel.engines.write.connect() as connection:
        payloads = connection.execute(found).scalars().all()
    assert payloads
    for payload in payloads:
        assert "203.0.113.7" not in payload
        assert TOKEN.search(payload)


def test_denied_pages_questions_and_commands_are_counted(console: Flask) -> None:
    mia = client_in(console, "viewer")
    for _ in range(3):
        assert mia.get("/products").status_code == 200
        assert mia.get("/operators").status_code == 403
    page = mia.get("/orders").text
    denied = mia.post("/commands/ApproveOrder", data={"csrf_token": token_in(page)})
    assert denied.status_code == 403
    secret = services_of(console).tokens.create("till", "viewer", made_by="mia")
    headers = {"Authorization": f"Bearer {secret}"}
    program = console.test_client()
    for _ in range(2):
        assert program.get("/api/v1/queries/ListOperators", headers=headers).status_code == 403
    wrong = {"Authorization": "Bearer cs_guess"}
    assert program.get("/api/v1/queries/ListOperators", headers=wrong).status_code == 401
    assert program.get("/api/v1/queries/ListOperators").status_code == 401
    ignored = ("personal_data_seen", "administration")
    found = sorted(each for each in told(console) if each[0] not in ignored)
    assert found == [
        ("denied", False, "token:till", "api.ask ListOperators", 1),
        ("denied", False, "token:till", "api.ask ListOperators", 1),
        ("denied", False, "viewer", "web.command_submit ApproveOrder", 1),
        ("denied", False, "viewer", "web.operators", 1),
        ("denied", False, "viewer", "web.operators", 2),
        ("token_first_used", True, "token:till", "token:till", 1),
        ("token_refused", False, "", "api.ask ListOperators", 1),
    ]


def test_personal_data_seen_is_counted_and_costs_a_page_no_statement(console: Flask) -> None:
    client = client_in(console, "admin")
    client.get("/customers")
    services = services_of(console)
    services.audit._background.close()
    services.audit._background.nudge = lambda: None  # type: ignore[method-assign]
    with statements() as with_audit:
        client.get("/customers")
    services.kernel.queries.seen = lambda query, actor: None
    with statements() as without:
        client.get("/customers")
    assert len(with_audit) == len(without)
    found = [each for each in told(console) if each[0] == "personal_data_seen"]
    assert {(who, about) for _, _, who, about, _ in found} == {("admin", "ListRegisteredCustomers")}
    assert sum(count for *_, count in found) == 2


def test_tokens_exports_and_sensitive_commands_are_recorded(console: Flask) -> None:
    admin = client_in(console, "admin")
    form = BeautifulSoup(admin.get("/tokens/new").text, "html.parser")
    csrf = str(form.select("input[name=csrf_token]")[0]["value"])
    made = admin.post("/tokens/new", data={"csrf_token": csrf, "name": "till", "role": "viewer"})
    assert "cs_" in made.text
    admin.post("/tokens/till/revoke", data={"csrf_token": csrf})
    assert admin.get("/exports/ListOrders.csv").status_code == 200
    services = services_of(console)
    actor = services.accounts.get("admin").actor
    services.accounts.send(ChangeOperatorTeam(operator="mia", team="returns"), actor)
    with pytest.raises(Exception, match="already"):
        services.accounts.send(ChangeOperatorTeam(operator="mia", team="returns"), actor)
    found = [each for each in told(console) if each[0] != "personal_data_seen"]
    assert [each for each in found if each[2] == "admin"] == [
        ("token_created", True, "admin", "token:till", 1),
        ("token_revoked", True, "admin", "token:till", 1),
        ("exported", True, "admin", "orders", 1),
        ("administration", True, "admin", "ChangeOperatorTeam operator-mia", 1),
        ("administration", False, "admin", "ChangeOperatorTeam operator-mia", 1),
    ]
    page = BeautifulSoup(admin.get("/audit?who=admin&kind=administration").text, "html.parser")
    [logged] = page.select("tbody th a")
    assert logged.text == "Log entry"
    assert admin.get(str(logged["href"])).status_code == 200


def test_the_page_finds_by_who_kind_outcome_and_time(console: Flask) -> None:
    sign_in(console.test_client(), "mia", "wrong goose")
    sign_in(console.test_client(), "mia", PASSWORD)
    entries(console)
    admin = client_in(console, "admin")

    def rows(address: str) -> list[str]:
        page = BeautifulSoup(admin.get(address).text, "html.parser")
        return [each.text.strip() for each in page.select("tbody th span:first-child")]

    assert rows("/audit?who=Mia&kind=signed_in") == ["Signed in"]
    assert rows("/audit?who=mia&outcome=refused") == ["Sign-in refused"]
    assert rows("/audit?until=2020-01-01T00:00:00Z") == []
    assert "Sign-in refused" in rows("/audit?since=2020-01-01T00:00:00Z")
    assert admin.get("/audit?kind=nonsense").status_code == 422
    export = admin.get("/exports/ListSecurityEvents.csv?who=mia").text.splitlines()
    assert len(export) == 3
    assert client_in(console, "supervisor").get("/audit").status_code == 403


def test_times_are_typed_and_shown_in_one_zone(console: Flask) -> None:
    admin = client_in(console, "admin")
    services_of(console).accounts.set_timezone("admin", "Asia/Tokyo")
    page = BeautifulSoup(admin.get("/audit?since=2026-03-31T12:30").text, "html.parser")
    [field] = page.select("input[name=since]")
    assert field["value"] == "2026-03-31T12:30"
    assert "Since (Asia/Tokyo)" in page.get_text()
    [chip] = page.select(".chip")
    assert "12:30" in chip.text
    exact = BeautifulSoup(admin.get("/audit?since=2026-03-31T03:30:00Z").text, "html.parser")
    assert exact.select("input[name=since]") == [field]
    log = BeautifulSoup(admin.get("/log?since=2026-03-31T12:30").text, "html.parser")
    assert any("12:30" in each.text for each in log.select(".chip"))
    assert admin.get("/audit?since=yesterday").status_code == 422


def test_changed_settings_are_recorded_by_name(make_console: MakeConsole, console: Flask) -> None:
    actor = system_actor("system", RECORD)
    services = services_of(console)
    for minutes in (10, 10, 20):
        changed = services_of(make_console(audit_events=True, step_up_minutes=minutes))
        record_settings(changed.settings, services.kernel, actor)
    found = [each for each in entries(console) if each.kind == "settings_changed"]
    assert [each.detail for each in found] == ["First start with this log", "STEP_UP_MINUTES"]
    with services.kernel.engines.write.connect() as connection:
        sent = select(command_log.c.outcome).where(command_log.c.type == "RecordSettings")
        assert connection.execute(sent).scalars().all() == ["succeeded"] * 2


def send_all(app: Flask) -> str:
    services = services_of(app)
    services.audit.flush()
    catch_up(services)
    task = services.kernel.tasks["audit_stream"].task
    for key in task.due(services.kernel):
        task.work(services.kernel, key)
    return ""


def test_events_go_to_a_webhook_in_order_and_again_until_they_are_taken(
    make_console: MakeConsole, clock_free: Callable[[Flask], None]
) -> None:
    secret = new_secret()
    with listening() as receiver:
        console = make_console(
            audit_events=True,
            audit_stream=receiver.url,
            audit_stream_secret=secret,
            webhook_allowed_networks="127.0.0.0/8",
        )
        services_of(console).accounts.create("mia", "viewer", PASSWORD)
        receiver.answer = lambda received: 503
        sign_in(console.test_client(), "mia", "wrong goose")
        sign_in(console.test_client(), "mia", PASSWORD)
        send_all(console)
        receiver.answer = lambda received: 204
        clock_free(console)
        send_all(console)
        clock_free(console)
        send_all(console)
    assert len(receiver.received) == 2
    refused, taken = receiver.received
    assert refused.body == taken.body
    lines = [json.loads(line) for line in taken.body.splitlines()]
    assert [each["unmapped"]["kind"] for each in lines][-2:] == ["sign_in_refused", "signed_in"]
    at = int(taken.headers["webhook-timestamp"])
    assert require_genuine(secret, taken.headers, taken.body, at)[0] == lines[0]["metadata"]["uid"]


@pytest.fixture
def clock_free() -> Callable[[Flask], None]:
    """Makes the next turn due now."""
    from cqrs_app.platform.alerts.tables import alert_tasks

    def free(app: Flask) -> None:
        services = services_of(app)
        with services.kernel.engines.write.begin() as connection:
            connection.execute(update(alert_tasks).values(due_at=services.kernel.clock()))

    return free


def test_events_go_to_a_syslog_server_framed_by_length(make_console: MakeConsole) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        received: list[bytes] = []

        def read() -> None:
            connection, _ = server.accept()
            with connection:
                while some := connection.recv(65_536):
                    received.append(some)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        port = server.getsockname()[1]
        console = make_console(audit_events=True, audit_stream=f"syslog+tcp://127.0.0.1:{port}")
        services_of(console).accounts.create("mia", "viewer", PASSWORD)
        sign_in(console.test_client(), "mia", PASSWORD)
        send_all(console)
        reader.join(60)
    data, messages = b"".join(received), []
    while data:
        length, _, data = data.partition(b" ")
        messages.append(data[: int(length)])
        data = data[int(length) :]
    assert messages[-1].startswith(b"<110>1 ")
    assert json.loads(messages[-1].partition(b"\xef\xbb\xbf")[2])["message"] == "Signed in"


def test_events_go_to_standard_output_a_line_each(
    make_console: MakeConsole, capsys: pytest.CaptureFixture[str]
) -> None:
    console = make_console(audit_events=True, audit_stream="stdout")
    services_of(console).accounts.create("mia", "viewer", PASSWORD)
    sign_in(console.test_client(), "mia", PASSWORD)
    capsys.readouterr()
    send_all(console)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1]["message"] == "Signed in"


def anchor(app: Flask) -> None:
    services = services_of(app)
    services.kernel.seals.extend()
    task = services.kernel.tasks["seal_anchors"].task
    for key in task.due(services.kernel):
        task.work(services.kernel, key)


def test_seals_are_anchored_outside_and_what_differs_from_them_is_found(
    make_console: MakeConsole, tmp_path: Path, clock_free: Callable[[Flask], None]
) -> None:
    file = tmp_path / "outside" / "seals.jsonl"
    file.parent.mkdir()
    with listening() as receiver:
        console = make_console(
            seal_anchor_file=str(file),
            seal_anchor_url=receiver.url,
            webhook_allowed_networks="127.0.0.0/8",
        )
        services = services_of(console)
        services.accounts.create("mia", "viewer", PASSWORD)
        anchor(console)
        services.accounts.create("ben", "viewer", PASSWORD)
        clock_free(console)
        anchor(console)
    lines = file.read_bytes().splitlines()
    assert [each.body for each in receiver.received] == lines
    assert len(lines) == 2
    assert file.stat().st_mode & 0o777 == 0o600

    file.write_bytes(b"\n".join([*lines, lines[0][:50]]))
    clock_free(console)
    anchor(console)
    assert file.read_bytes().splitlines()[:-1] == [*lines, lines[0][:50]]

    def verify() -> Any:
        return console.test_cli_runner().invoke(args=["events", "verify", "--anchors", str(file)])

    assert verify().exit_code == 0, verify().output
    with services.kernel.engines.write.begin() as connection:
        connection.execute(update(seals).where(seals.c.number == 2).values(digest="00" * 32))
    assert verify().exit_code == 1
    file.write_text("{}\n{}\n")
    assert "cannot be used" in verify().output


def test_the_newest_anchor_has_the_time_stamp_of_an_authority(
    make_console: MakeConsole, tmp_path: Path
) -> None:
    file = tmp_path / "seals.jsonl"
    with authority(tmp_path / "authority") as stamping:
        console = make_console(
            seal_anchor_file=str(file),
            seal_timestamp_url=stamping.url,
            webhook_allowed_networks="127.0.0.0/8",
        )
        services_of(console).accounts.create("mia", "viewer", PASSWORD)
        anchor(console)

    def verify() -> Any:
        root = str(tmp_path / "authority" / "root.pem")
        arguments = ["events", "verify", "--anchors", str(file), "--authority", root]
        return console.test_cli_runner().invoke(args=arguments)

    assert "The newest anchor was stamped at " in verify().output
    assert verify().exit_code == 0
    stamped = json.loads(file.read_bytes())
    file.write_text(json.dumps(stamped | {"at": "2020-01-01T00:00:00Z"}))
    assert "does not hold" in verify().output
    assert verify().exit_code == 1
    del stamped["timestamp"]
    file.write_text(json.dumps(stamped))
    assert "has no time stamp" in verify().output
