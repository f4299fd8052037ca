from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.services import services_of
from tests.interfaces.api.conftest import Program, order


def events(kernel: Kernel) -> int:
    return kernel.store.head()


def test_a_receipt_comes_back(admin: Program, kernel: Kernel) -> None:
    answer = admin.do("PlaceOrder", **order())
    assert answer.status_code == 200
    receipt = answer.json
    assert receipt["status"] == "succeeded"
    assert (receipt["stream"], receipt["version"]) == ("order-A1", 1)
    assert receipt["events"] == ["OrderPlaced"]
    assert receipt["duration_ms"] > 0
    state = admin.get(f"/commands/{receipt['command_id']}")
    assert answer.headers["Location"].endswith(f"/commands/{receipt['command_id']}")
    assert state.json["operator"] == "token:admin"
    assert state.json["status"] == "succeeded"
    entry = kernel.log.find(receipt["command_id"])
    assert entry is not None
    assert entry.channel == "api"


def test_the_same_key_does_it_once(admin: Program, kernel: Kernel) -> None:
    key = {"Idempotency-Key": "order A1, first try"}
    first = admin.do("PlaceOrder", key, **order()).json
    again = admin.do("PlaceOrder", key, **order()).json
    assert again["repeated"]
    assert {**again, "repeated": False} == {**first, "duration_ms": again["duration_ms"]}
    assert events(kernel) == 1


def test_the_same_key_with_another_body_is_refused(admin: Program, kernel: Kernel) -> None:
    key = {"Idempotency-Key": "one"}
    admin.do("PlaceOrder", key, **order())
    other = admin.do("PlaceOrder", key, **order("A2"))
    assert (other.status_code, other.json["code"]) == (422, "command_id_reused")
    assert events(kernel) == 1


def test_two_tokens_may_choose_the_same_key(
    admin: Program, program_of: Any, kernel: Kernel
) -> None:
    key = {"Idempotency-Key": "one"}
    assert admin.do("PlaceOrder", key, **order("A1")).status_code == 200
    assert program_of("operator").do("PlaceOrder", key, **order("A2")).status_code == 200
    assert events(kernel) == 2


def test_a_number_is_as_exact_as_a_text(admin: Program, kernel: Kernel) -> None:
    body = (
        '{"order_id": "A1", "country": "France", "currency": "EUR", "lines":'
        ' [{"sku": "X", "quantity": 1, "unit_price": 12345678.1234}]}'
    )
    answer = admin.client.post(
        "/api/v1/commands/PlaceOrder",
        data=body,
        content_type="application/json",
        headers=admin.headers,
    )
    assert answer.status_code == 200
    assert '"total":"12345678.1234"' in kernel.store.events_of("order-A1")[0].payload


@pytest.mark.parametrize("price", ["1e-999999999", '"1E-300000000"', f'"0.{"0" * 39}1"', '"NaN"'])
def test_an_unbounded_number_is_refused_and_changes_nothing(
    admin: Program, kernel: Kernel, price: str
) -> None:
    line = f'{{"sku": "X", "quantity": 1, "unit_price": {price}}}'
    fields = f'{{"order_id": "A1", "country": "France", "currency": "EUR", "lines": [{line}]}}'
    bodies = {
        "/commands/PlaceOrder": fields,
        "/commands": f'{{"commands": [{{"command": "PlaceOrder", "fields": {fields}}}]}}',
    }
    for path, body in bodies.items():
        answer = admin.client.post(
            f"/api/v1{path}", data=body, content_type="application/json", headers=admin.headers
        )
        problem = answer.json if path != "/commands" else answer.json["results"][0]["problem"]
        assert (problem["status"], len(problem["errors"])) == (422, 1)
        assert problem["errors"][0]["field"] == "lines.0.unit_price"
    assert admin.get("/queries/ListOrders", min_total="1E-300000000").status_code == 422
    assert events(kernel) == 0


def test_an_unusable_field_is_named(admin: Program, kernel: Kernel) -> None:
    lines = [{"sku": "X", "quantity": 0, "unit_price": "1"}]
    answer = admin.do("PlaceOrder", **order(lines=lines, colour="red"))
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert answer.mimetype == "application/problem+json"
    assert {each["field"]: each["detail"] for each in answer.json["errors"]} == {
        "colour": "There is no such field.",
        "lines.0.quantity": "Must be 1 or more.",
    }
    assert events(kernel) == 0


def test_a_refusal_has_its_code_and_sentence(admin: Program) -> None:
    admin.do("PlaceOrder", **order())
    answer = admin.do("ShipOrder", order_id="A1")
    assert (answer.status_code, answer.json["code"]) == (422, "not_approved")
    assert "approve it before you ship it" in answer.json["detail"]


def test_a_conflict_tells_the_events_since(admin: Program, kernel: Kernel) -> None:
    admin.do("PlaceOrder", **order())
    admin.do("AddOrderNote", order_id="A1", note="Mind the dog.")
    approve = {"order_id": "A1"}
    answer = admin.post("/commands/ApproveOrder", approve, expected_version=1)
    assert (answer.status_code, answer.json["code"]) == (409, "changed_meanwhile")
    assert [each["type"] for each in answer.json["events"]] == ["OrderNoteAdded"]
    assert answer.json["version"] == 2
    assert events(kernel) == 2
    assert admin.post("/commands/ApproveOrder", approve, expected_version=2).status_code == 200


def test_a_conflict_tells_no_more_than_the_last_events(admin: Program) -> None:
    admin.do("PlaceOrder", **order())
    note = {"command": "AddOrderNote", "fields": {"order_id": "A1", "note": "Mind the dog."}}
    for _ in range(3):
        assert admin.post("/commands", {"commands": [note] * 70}).status_code == 200
    answer = admin.post("/commands/ApproveOrder", {"order_id": "A1"}, expected_version=1)
    versions = [each["version"] for each in answer.json["events"]]
    assert versions == [*range(12, 212)]
    assert answer.json["version"] == 211


def test_a_dry_run_changes_and_logs_nothing(admin: Program, kernel: Kernel) -> None:
    answer = admin.post("/commands/PlaceOrder", order(), dry_run="true")
    assert [each["type"] for each in answer.json["events"]] == ["OrderPlaced"]
    assert answer.json["events"][0]["data"]["total"] == "15.30"
    assert answer.json["effects"] == []
    refused = admin.post("/commands/ApproveOrder", {"order_id": "A1"}, dry_run="true")
    assert (refused.status_code, refused.json["code"]) == (422, "no_such_order")
    assert events(kernel) == 0


def test_a_dry_run_says_what_would_follow(admin: Program) -> None:
    admin.do("AddProduct", sku="LAMP")
    admin.do("ReceiveStock", sku="LAMP", quantity=9, reference="D1")
    lines = [{"sku": "LAMP", "quantity": 3, "unit_price": "2.50"}]
    admin.do("PlaceOrder", **order() | {"lines": lines})
    answer = admin.post("/commands/ApproveOrder", {"order_id": "A1"}, dry_run="true")
    assert answer.json["effects"][0] == {
        "command": "ReserveStock",
        "subject": "LAMP",
        "sentence": "3 units of LAMP will be reserved.",
        "certain": True,
        "quantities": [
            {"currency": "", "amount": "3", "verb": "will be reserved", "moves_money": False}
        ],
    }


def test_a_command_can_be_queued(admin: Program, kernel: Kernel) -> None:
    answer = admin.do("PlaceOrder", {"Prefer": "respond-async"}, **order())
    assert (answer.status_code, answer.json["status"]) == (202, "queued")
    place = answer.headers["Location"].removeprefix("/api/v1")
    assert admin.get(place).json["status"] == "queued"
    kernel.commands.run_queued(answer.json["command_id"])
    assert admin.get(place).json["status"] == "succeeded"


def test_a_batch_can_be_queued(admin: Program, kernel: Kernel) -> None:
    items = [
        {"command": "PlaceOrder", "fields": order()},
        {"command": "ApproveOrder", "fields": {"order_id": "A1"}},
        {"command": "ApproveOrder", "fields": {}},
    ]
    answer = admin.post("/commands", {"commands": items}, headers={"Prefer": "respond-async"})
    assert [each["status"] for each in answer.json["results"]] == [202, 202, 422]
    assert events(kernel) == 0
    approve = answer.json["results"][1]["receipt"]["command_id"]
    for _ in range(2):
        kernel.commands.run_queued(approve)
    assert admin.get(f"/commands/{approve}").json["status"] == "succeeded"


def test_a_batch_answers_for_each_item(admin: Program, kernel: Kernel) -> None:
    def item(command: str, **fields: Any) -> dict[str, Any]:
        return {"command": command, "fields": fields}

    answer = admin.post(
        "/commands",
        {
            "commands": [
                item("PlaceOrder", **order()),
                item("Approve", order_id="A1"),
                item("ApproveOrder"),
                item("ShipOrder", order_id="A1"),
                item("ApproveOrder", order_id="A1") | {"expected_version": 1},
                item("ShipOrder", order_id="A1") | {"expected_version": 1},
            ]
        },
    )
    results = answer.json["results"]
    assert [each["status"] for each in results] == [200, 404, 422, 422, 200, 409]
    assert results[4]["receipt"]["events"] == ["OrderApproved"]
    assert results[3]["problem"]["code"] == "not_approved"
    assert events(kernel) == 2


def test_a_batch_has_its_limit(admin: Program, kernel: Kernel) -> None:
    many = [{"command": "PlaceOrder", "fields": order(str(n))} for n in range(501)]
    answer = admin.post("/commands", {"commands": many})
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")
    assert "500" in answer.json["detail"]
    assert events(kernel) == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed"),
        (b"{", 400, "malformed"),
        (b"[]", 400, "malformed"),
        (b'"x"', 400, "malformed"),
        (b'{"order_id": "\xff"}', 400, "malformed"),
        (b"[" * 100_000, 400, "malformed"),
        (b'{"order_id": "a\\u0000"}', 422, "invalid"),
        (b'{"order_id": 1e999}', 422, "invalid"),
        (b'{"order_id": 1e99999999999999999999}', 400, "malformed"),
    ],
)
def test_what_cannot_be_read(reader: Program, body: bytes, status: int, code: str) -> None:
    answer = reader.client.post(
        "/api/v1/commands/ApproveOrder",
        data=body,
        content_type="application/json",
        headers=reader.headers,
    )
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_a_form_is_not_json(reader: Program) -> None:
    answer = reader.client.post(
        "/api/v1/commands/ApproveOrder", data={"order_id": "1"}, headers=reader.headers
    )
    assert answer.status_code == 415


def test_too_large_a_body(make_console: Any) -> None:
    console: Flask = make_console(max_request_bytes=1_000)
    secret = services_of(console).tokens.create("big", "admin", made_by="test")
    program = Program(console.test_client(), secret)
    answer = program.do("AddOrderNote", order_id="1", note="x" * 2_000)
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_one_sees_ones_own_commands_only(program_of: Any) -> None:
    receipt = program_of("admin").do("PlaceOrder", **order()).json
    path = f"/commands/{receipt['command_id']}"
    assert program_of("operator").get(path).status_code == 200
    assert program_of("viewer").get(path).status_code == 404
    assert program_of("viewer").get("/commands/nothing%00").status_code == 404


@pytest.mark.parametrize("version", ["-1", "1.5", "x", "9" * 20, "0" * 20 + "1", "4294967296"])
def test_a_version_is_a_whole_number_of_usual_size(reader: Program, version: str) -> None:
    answer = reader.post("/commands/ApproveOrder", {"order_id": "1"}, expected_version=version)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
def test_an_unusable_key_is_told_and_never_left_out(
    admin: Program, kernel: Kernel, key: str
) -> None:
    answer = admin.do("PlaceOrder", {"Idempotency-Key": key}, **order())
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    item = {"command": "PlaceOrder", "fields": order(), "idempotency_key": ""}
    results = admin.post("/commands", {"commands": [item]}).json["results"]
    assert results[0]["status"] == 422
    assert events(kernel) == 0


def test_a_dry_run_asks_the_areas_too(admin: Program) -> None:
    webhook = {"webhook_id": "inside", "url": "https://10.0.0.1/"}
    answer = admin.post("/commands/AddWebhook", webhook, dry_run="true")
    assert (answer.status_code, answer.json["code"]) == (422, "address_refused")


def test_a_database_that_goes_away_in_a_batch_is_told_item_by_item(
    admin: Program, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, calls = kernel.store.commit, []

    def away_after_the_first(changes: Any) -> None:
        calls.append(changes)
        if len(calls) > 1:
            raise OperationalError("commit", {}, Exception("gone"))
        commit(changes)

    monkeypatch.setattr(kernel.store, "commit", away_after_the_first)
    many = [{"command": "PlaceOrder", "fields": order(str(n))} for n in range(250)]
    answer = admin.post("/commands", {"commands": many})
    statuses = [each["status"] for each in answer.json["results"]]
    assert statuses == [200] * 200 + [503] * 50
    assert events(kernel) == 200


def test_a_name_given_again_is_another_token(console: Flask, kernel: Kernel) -> None:
    tokens, key = services_of(console).tokens, {"Idempotency-Key": "one"}
    first = Program(console.test_client(), tokens.create("shop", "operator", made_by="test"))
    receipt = first.do("PlaceOrder", key, **order()).json
    tokens.revoke("shop", by="test")
    second = Program(
        console.test_client(),
        tokens.create("shop", "operator", permissions=["orders.place"], made_by="test"),
    )
    assert second.get(f"/commands/{receipt['command_id']}").status_code == 404
    assert second.do("PlaceOrder", key, **order("A2")).status_code == 200
    assert events(kernel) == 2
