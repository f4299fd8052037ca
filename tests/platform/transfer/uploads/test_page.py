"""The Imports page: upload a file, follow its progress, download the report; permissions and
refusals."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable
from unittest.mock import patch

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import select

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.bus import CommandBus
from cqrs_app.kernel.errors import BusError, Busy, SwitchedOff, TimedOut, Unavailable
from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.kernel.store.tables import command_log
from cqrs_app.platform.operators.commands import DefineRole
from cqrs_app.platform.transfer.imports.priority import LOWER_BY
from cqrs_app.platform.transfer.uploads.receiving import Files
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import PASSWORD, client_in
from tests.interfaces.web.pages.test_without_scripts import fields, page
from tests.platform.transfer.imports.test_online_retail import BAD_FILES
from tests.platform.transfer.uploads.conftest import (
    DAY,
    files_of,
    id_in,
    kept,
    post,
    row_of,
    send,
    take_in,
    upload_fields,
    work_of,
)

FIGURES = {"orders": 2, "credit_notes": 1, "gross": "39.252", "rows": 10, "taken": 6}


def words(client: object, address: str) -> str:
    return " ".join(page(client, address).get_text(" ").split())  # type: ignore[arg-type]


def test_a_file_is_sent_followed_and_its_report_fetched(console: Flask) -> None:
    client = client_in(console, "supervisor")
    import_id = id_in(send(client))
    address = f"/imports/{import_id}"
    waiting = page(client, address)
    assert "Waiting" in waiting.get_text()
    assert waiting.select_one("#import[hx-trigger]")
    assert client.get(f"{address}/report.json").status_code == 404
    take_in(console, import_id)
    shown = page(client, address)
    assert not shown.select_one("#import[hx-trigger]")
    text = " ".join(shown.get_text(" ").split())
    assert "Done" in text
    assert "by supervisor" in text
    assert "of these: write off 1" in text
    assert "11 Quantity many This is not a whole number." in text
    report = client.get(f"{address}/report.json")
    assert report.headers["Content-Disposition"] == "attachment; filename=day-report.json"
    assert FIGURES.items() <= json.loads(report.get_data()).items()
    aside = client.get(f"{address}/set-aside.csv").get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(aside, newline="")))
    assert [(row["Line"], row["Reason"], row["Quantity"]) for row in rows] == [
        ("8", "zero_price", "56"),
        ("9", "write_off", "-10"),
        ("10", "adjustment", "1"),
        ("11", "unreadable", "many"),
    ]
    listed = words(client, "/imports")
    assert "day.csv" in listed
    assert "4 rows" in listed


def test_a_running_import_shows_how_far_it_is(console: Flask) -> None:
    client = client_in(console, "admin")
    import_id = id_in(send(client))
    attempt = work_of(console).take(import_id)
    assert attempt == 1
    assert not page(client, "/imports").select_one("progress[value]")
    assert work_of(console).report(import_id, attempt, 400, 1_600)
    for address in ("/imports", "/imports/panel", f"/imports/{import_id}/now"):
        bar = page(client, address).select_one("progress")
        assert bar is not None
        assert (bar["value"], bar["max"]) == ("400", "1600")
    shown = words(client, "/imports")
    assert re.search(r"400 of 1,600 documents, [\d,]+ per second, .+ left", shown)
    assert work_of(console).report(import_id, attempt, 1_600, 1_600)
    assert "all 1,600 documents are in; completing customers" in words(client, "/imports")


def test_it_gives_way_to_pages(console: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    changes: list[int] = []
    monkeypatch.setattr(os, "setpriority", lambda which, who, nice: changes.append(nice))
    take_in(console, id_in(send(client_in(console, "supervisor"))))
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert changes == [min(before + LOWER_BY, 19), before]


def test_the_log_says_who_started_it_and_the_importer_did_the_rest(console: Flask) -> None:
    client = client_in(console, "supervisor")
    take_in(console, id_in(send(client)))
    with services_of(console).kernel.engines.write.connect() as connection:
        found = select(command_log.c.type, command_log.c.operator).distinct()
        assert {tuple(row) for row in connection.execute(found)} == {
            ("InviteOperator", "system"),
            ("StartImport", "supervisor"),
            ("RegisterCustomer", "importer"),
            ("AddProduct", "importer"),
            ("PlaceOrder", "importer"),
            ("RecordCreditNote", "importer"),
        }
    assert "Start import" in words(client, "/log?type=StartImport")


@pytest.mark.parametrize("role", ["nobody", *ROLES])
def test_only_those_with_the_right_send_files_and_see_imports(console: Flask, role: str) -> None:
    console.config["WTF_CSRF_ENABLED"] = False
    client = client_in(console, role)
    status = post(client, {"import_id": "5c7b3a52-93ab-4d5f-8a43-5a0f6a1f9d11"}, DAY, "d.csv")
    may = role in ("supervisor", "admin")
    assert status.status_code == (401 if role == "nobody" else 303 if may else 403)
    assert kept(console) == ((1, 1) if may else (0, 0))
    if role != "nobody":
        linked = page(client, "/").select_one('nav a[href="/imports"]')
        assert bool(linked) == may


def test_a_form_from_elsewhere_is_refused(console: Flask) -> None:
    client = client_in(console, "admin")
    values = upload_fields(client) | {"csrf_token": "forged"}
    answer = post(client, values, DAY, "day.csv")
    assert answer.status_code == 422
    assert "earlier session" in answer.text
    assert "Choose the file again" in answer.text
    assert kept(console) == (0, 0)


@pytest.mark.parametrize("size", [len(DAY), 100_000])
def test_a_file_sent_after_the_session_ended_must_be_chosen_again(
    make_console: Callable[..., Flask], size: int
) -> None:
    console = make_console(max_request_bytes=20_000)
    client = client_in(console, "admin")
    values = upload_fields(client)
    with client.session_transaction() as cookie:
        services_of(console).sessions.revoke(cookie["token"])
    answer = post(client, values, DAY.ljust(size), "day.csv")
    assert answer.status_code == 401
    text = " ".join(answer.text.split())
    assert "nothing was uploaded. Sign in, then choose the file again." in text
    sign_in = fields(BeautifulSoup(answer.get_data(), "html.parser"))
    signed_in = client.post("/sign-in", data=sign_in | {"name": "admin", "password": PASSWORD})
    assert (signed_in.status_code, signed_in.location) == (303, "/imports")
    assert kept(console) == (0, 0)


def test_a_form_that_comes_back_without_its_file_says_so(console: Flask) -> None:
    client = client_in(console, "admin")
    refused = send(client, profile="none-such")
    assert refused.status_code == 422
    assert "Choose the file again" in refused.text
    with patch.object(CommandBus, "dispatch", side_effect=RuntimeError("x")):
        failed = send(client)
    assert failed.status_code == 500
    assert "Choose the file again" in failed.text
    assert "Choose the file again" not in client.get("/imports").text


@pytest.mark.parametrize(
    ("changed", "name", "sentence"),
    [
        ({}, "", "Choose a file."),
        ({}, "..", "Choose a file."),
        ({"profile": "none-such"}, "day.csv", "Not a valid choice"),
        ({"import_id": "../../etc"}, "day.csv", "cannot be used"),
        ({"import_id": ""}, "day.csv", "cannot be used"),
    ],
)
def test_a_form_that_cannot_be_used_comes_back_with_a_sentence(
    console: Flask, changed: dict[str, str], name: str, sentence: str
) -> None:
    answer = send(client_in(console, "admin"), name=name, **changed)
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert kept(console) == (0, 0)


def test_a_form_sent_twice_starts_one_import(console: Flask) -> None:
    client = client_in(console, "admin")
    values = upload_fields(client)
    first, second = (post(client, values, DAY, "day.csv") for _ in range(2))
    assert id_in(first) == id_in(second)
    assert kept(console) == (1, 1)


def test_another_file_sent_with_an_old_form_is_another_import(console: Flask) -> None:
    client = client_in(console, "admin")
    values = upload_fields(client)
    first = id_in(post(client, values, DAY, "day.csv"))
    for _ in range(2):
        second = id_in(post(client, values, DAY + b"\n", "next.csv"))
        assert second != first
    third = id_in(post(client, values | {"profile": "olist"}, DAY, "day.csv"))
    assert kept(console) == (3, 3)
    assert row_of(console, second).size == len(DAY) + 1
    assert row_of(console, third).profile == "olist"
    assert "was received before" in words(client, f"/imports/{second}")
    assert take_in(console, first).state == take_in(console, second).state == "done"


@pytest.mark.parametrize(
    "error", [SwitchedOff(), Busy("tasks"), TimedOut("Start import", 3), Unavailable("Away.")]
)
def test_a_file_whose_import_could_not_start_says_so_and_starts_when_sent_again(
    console: Flask, monkeypatch: pytest.MonkeyPatch, error: BusError
) -> None:
    def fail(*_: object) -> None:
        raise error

    client = client_in(console, "admin")
    with monkeypatch.context() as patch:
        # Inside the bus, which looks there whether the file was received.
        patch.setattr(Files, "task_of", fail)
        values = upload_fields(client)
        answer = post(client, values, DAY, "day.csv")
    text = " ".join(answer.get_data(as_text=True).split())
    assert answer.status_code == 503
    assert "its import was not started" in text
    assert error.sentence.split("(")[0] in text
    listed = words(client, "/imports")
    assert "Not started" in listed
    assert "Waiting" not in listed
    again = re.search(r'name="import_id"[^>]*value="([^"]+)"', text)
    assert again is not None
    import_id = id_in(send(client, import_id=again[1]))
    assert import_id == values["import_id"]
    assert kept(console) == (1, 1)
    assert take_in(console, import_id).state == "done"


def test_a_file_that_was_imported_before_changes_nothing(console: Flask) -> None:
    client, store = client_in(console, "admin"), services_of(console).kernel.store
    first = take_in(console, id_in(send(client)))
    head = store.head()
    second = take_in(console, id_in(send(client)))
    assert store.head() == head + 1  # that it was started
    timeless = {"commands_per_second": 0, "seconds": 0}
    assert json.loads(second.report) | timeless == json.loads(first.report) | timeless


@pytest.mark.parametrize(
    ("kind", "content"), [each for each in BAD_FILES.items() if each[1] is not None]
)
def test_a_bad_file_fails_with_one_sentence_and_changes_nothing(
    console: Flask, kind: str, content: bytes
) -> None:
    client = client_in(console, "admin")
    import_id = id_in(send(client, content, name="bad file.csv"))
    head = services_of(console).kernel.store.head()
    row = take_in(console, import_id)
    assert (row.state, row.report) == ("failed", None)
    assert row.sentence.endswith("Nothing was imported.")
    assert "/" not in row.sentence.replace("CSV/", ""), kind
    assert row.sentence in words(client, f"/imports/{import_id}")
    assert services_of(console).kernel.store.head() == head
    assert client.get(f"/imports/{import_id}/set-aside.csv").status_code == 404


@pytest.mark.parametrize("size", [2_001, 200_000])
def test_a_file_that_is_too_large_gets_a_sentence_and_nothing_is_kept(
    make_console: Callable[..., Flask], size: int
) -> None:
    app = make_console(max_import_bytes=2_000)
    answer = send(client_in(app, "admin"), b"x" * size)
    assert answer.status_code in (413, 422)
    text = answer.get_data(as_text=True)
    assert "is larger than" in text
    assert "MAX_IMPORT_BYTES" in text
    assert kept(app) == (0, 0)


def test_only_this_page_takes_more_than_other_forms(make_console: Callable[..., Flask]) -> None:
    app = make_console(max_request_bytes=20_000)
    client = client_in(app, "admin")
    content = DAY + b"\n" * 30_000
    assert row_of(app, id_in(send(client, content))).size == len(content)
    answer = client.post(
        "/commands/PlaceOrder",
        data={"note": "x", "file": (io.BytesIO(content), "f")},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 413
    # Whoever may not import gets no more room here than anywhere else.
    post(client_in(app, "viewer"), {}, content, "day.csv")
    assert kept(app) == (1, 1)
    assert post(client_in(app, "operator"), {}, content, "day.csv").status_code == 413


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("C:\\\\Users\\\\mia\\\\d\u00e9cembre.csv", "d\u00e9cembre.csv"),
        ("../../etc/passwd", "passwd"),
        ("<b>bold\x00\u202e.csv", "<b>bold.csv"),
        ("\u4e2d" * 300 + ".csv", "\u4e2d" * 65 + ".csv"),
    ],
)
def test_a_name_is_kept_without_folders_and_shown_as_it_is(
    console: Flask, name: str, shown: str
) -> None:
    client = client_in(console, "admin")
    import_id = id_in(send(client, name=name))
    assert row_of(console, import_id).file_name == shown
    assert take_in(console, import_id).state == "done"
    assert "<b>" not in client.get("/imports").get_data(as_text=True)
    assert client.get(f"/imports/{import_id}/set-aside.csv").status_code == 200


def test_what_was_never_received_cannot_be_started(console: Flask) -> None:
    client = client_in(console, "admin")
    values = fields(page(client, "/commands/StartImport"))
    values |= {
        "import_id": "5c7b3a52-93ab-4d5f-8a43-5a0f6a1f9d11",
        "profile": "online-retail",
        "file_name": "day.csv",
        "sha256": "0" * 64,
    }
    answer = client.post("/commands/StartImport", data=values)
    assert answer.status_code == 422
    assert "No such file was received" in answer.get_data(as_text=True)
    assert files_of(console).task_of(values["import_id"]) is None


def test_rows_of_anothers_file_need_the_right_to_export(console: Flask) -> None:
    import_id = id_in(send(client_in(console, "admin")))
    take_in(console, import_id)
    services = services_of(console)
    rights = ("imports.run", "orders.view")
    services.accounts.send(DefineRole(role="intake", based_on=Role.SUPERVISOR, permissions=rights))
    services.accounts.create("ines", "intake", PASSWORD)
    client = console.test_client()
    with client.session_transaction() as cookie:
        cookie["token"] = services.sessions.open("ines", "127.0.0.1", "test")
    assert client.get(f"/imports/{import_id}/set-aside.csv").status_code == 403
    assert client.get(f"/imports/{import_id}/report.json").get_json()["set_aside_examples"] == []
    sentence = "This is not a whole number."
    assert sentence not in client.get(f"/imports/{import_id}").text
    asked = client.get("/queries/GetImport", query_string={"import_id": import_id})
    assert (asked.status_code, sentence in asked.text) == (200, False)
    for address in ("columns", "import"):
        assert client.post(f"/imports/{import_id}/{address}").status_code == 403
    assert client.get(f"/imports/{import_id}/columns").status_code == 403
    owner = client_in(console, "admin")
    assert sentence in owner.get(f"/imports/{import_id}").text
    assert sentence in owner.get(f"/imports/{import_id}/set-aside.csv").text


def test_rows_set_aside_are_no_formulas(console: Flask) -> None:
    client = client_in(console, "admin")
    hostile = DAY + b"\nX1,A,\"=cmd|'/C calc'!A0\",1,2010-12-01 08:26:00,1,,UK"
    import_id = id_in(send(client, hostile))
    take_in(console, import_id)
    aside = client.get(f"/imports/{import_id}/set-aside.csv").get_data(as_text=True)
    assert ",'=cmd|" in aside
