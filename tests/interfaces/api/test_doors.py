"""Authentication of the API, and the answers to clients without access."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from cqrs_app.installed_areas import ROLES, build_registry
from cqrs_app.interfaces.api.limits import RequestLimits
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.tables import command_log
from cqrs_app.platform.catalogue.examples import example_of
from cqrs_app.platform.operators.errors import TokenError
from cqrs_app.services import services_of
from tests.interfaces.api.conftest import API, Program, order

REGISTRY = build_registry()


@pytest.mark.parametrize("role", ROLES)
def test_every_command_and_query_by_every_role(program_of: Any, role: str) -> None:
    program = program_of(role)
    for name, cls in REGISTRY.commands.items():
        answer = program.do(name, **example_of(cls))
        allowed = cls.declaration.permission in ROLES[role]
        assert (answer.status_code != 403) == allowed, (name, answer.json)
        assert answer.status_code < 500, (name, answer.json)
    for name, query in REGISTRY.queries.items():
        answer = program.get(f"/queries/{name}", **example_of(query, whole=False))
        allowed = query.declaration.permission in ROLES[role]
        # The thing that an example names is not there.
        assert answer.status_code in ((200, 404) if allowed else (403,)), (name, answer.json)


def test_permission_is_judged_before_what_is_asked(console: Flask) -> None:
    secret = services_of(console).tokens.create(
        "shop", "viewer", permissions=["views.view"], made_by="test"
    )
    program = Program(console.test_client(), secret)
    unusable = {"since": "x", "wait_ms": "x", "min_version": "x", "min_position": "x", "zz": "x"}
    for name, query in REGISTRY.queries.items():
        if query.declaration.permission != "views.view":
            assert program.get(f"/queries/{name}", **unusable).status_code == 403, name
    asked = {"query": "ListOrders", "fields": {"sort": "x"}, "min_version": "x"}
    [result] = program.post("/queries", {"queries": [asked]}).json["results"]
    assert result["status"] == 403
    assert program.get("/events", types=",").status_code == 403


@pytest.mark.parametrize("path", ["/queries/ListOrders", "/events", "/commands/x"])
def test_nothing_without_a_token(program_of: Any, path: str) -> None:
    answer = program_of("nobody").get(path)
    assert (answer.status_code, answer.json["code"]) == (401, "no_token")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "Set-Cookie" not in answer.headers


def test_a_token_that_is_revoked_is_over(admin: Program, console: Flask) -> None:
    assert admin.get("/queries/ListOrders").status_code == 200
    services_of(console).tokens.revoke("admin", by="test")
    answer = admin.get("/queries/ListOrders")
    assert (answer.status_code, answer.json["code"]) == (401, "unknown_token")


def test_a_narrowed_token_does_no_more(console: Flask) -> None:
    tokens = services_of(console).tokens
    secret = tokens.create("shop", "operator", permissions=["orders.place"], made_by="test")
    program = Program(console.test_client(), secret)
    assert program.do("PlaceOrder", **order()).status_code == 200
    assert program.do("ApproveOrder", order_id="A1").status_code == 403


PERSONAL = {"name": "Ada Lovelace", "email": "ada@shop.example", "country": "Germany"}


def narrowed(console: Flask, *permissions: str) -> Program:
    """A client with a token of an administrator that has only these."""
    tokens = services_of(console).tokens
    secret = tokens.create("narrow", "admin", permissions=permissions, made_by="test")
    return Program(console.test_client(), secret)


READS_OF_EVENTS = (
    ("/events", {}),
    ("/queries/RawEvents", {"stream": "customer-C7"}),
    ("/queries/StateDifference", {"stream": "customer-C7"}),
    ("/queries/ListCommands", {}),
)


@pytest.mark.parametrize(("path", "fields"), READS_OF_EVENTS)
def test_a_token_without_the_right_to_personal_data_reads_none_in_events(
    console: Flask, admin: Program, path: str, fields: dict[str, str]
) -> None:
    done = admin.do("RegisterCustomer", customer_id="C7", **PERSONAL)
    assert done.status_code == 200, done.json
    services_of(console).kernel.store.place()
    allowed = {"events.view", "commands.view", "customers.manage"}
    answer = narrowed(console, *allowed).get(path, **fields)
    assert answer.status_code == 200, answer.json
    assert not any(text in answer.text for text in ("Ada Lovelace", "ada@shop.example"))
    assert "hidden" in answer.text
    assert "Germany" in answer.text
    services_of(console).tokens.revoke("narrow", by="test")
    answer = narrowed(console, *allowed, "customers.view").get(path, **fields)
    assert "Ada Lovelace" in answer.text
    assert "hidden" not in answer.text


def test_the_command_log_shows_fields_to_whoever_may_see_what_they_are_about(
    console: Flask, admin: Program
) -> None:
    sent = {"order_id": "A1", "tag": "fragile"}
    admin.do("PlaceOrder", **order())
    tagged = admin.do("AddOrderTag", **sent).json["command_id"]
    paths = (("/queries/ListCommands", {}), ("/queries/GetCommand", {"command_id": tagged}))
    for permissions, shown in (
        (["commands.view"], False),
        (["commands.view", "customers.view"], False),
        (["commands.view", "orders.view"], True),
        (["commands.view", "orders.tag"], True),
    ):
        program = narrowed(console, *permissions)
        for path, fields in paths:
            answer = program.get(path, **fields)
            assert answer.status_code == 200
            assert "AddOrderTag" in answer.text
            assert ("fragile" in answer.text) is shown, (permissions, path)
        services_of(console).tokens.revoke("narrow", by="test")


def test_whoever_sent_a_command_reads_it_in_the_log(console: Flask, admin: Program) -> None:
    admin.do("PlaceOrder", **order())
    sent = narrowed(console, "orders.tag").do("AddOrderTag", order_id="A1", tag="fragile")
    assert sent.status_code == 200, sent.json
    services_of(console).tokens.revoke("narrow", by="test")
    answer = narrowed(console, "commands.view").get("/queries/ListCommands")
    assert "fragile" in answer.text
    assert '"order_id":"A1","customer' not in answer.text, "the administrator sent that"


def test_a_command_shows_the_fields_of_its_events_to_whoever_may_see_events(
    console: Flask, admin: Program
) -> None:
    admin.do("PlaceOrder", **order())
    tagged = admin.do("AddOrderTag", order_id="A1", tag="fragile").json["command_id"]
    for permissions, times in ((["orders.view"], 1), (["orders.view", "events.view"], 2)):
        program = narrowed(console, "commands.view", *permissions)
        answer = program.get("/queries/GetCommand", command_id=tagged)
        assert answer.text.count("fragile") == times
        services_of(console).tokens.revoke("narrow", by="test")


def test_a_token_works_from_its_networks_only(console: Flask) -> None:
    tokens = services_of(console).tokens
    secret = tokens.create("shop", "viewer", networks="10.1.0.0/16,fd12::/16", made_by="test")
    headers = {"Authorization": f"Bearer {secret}"}
    client = console.test_client()
    for address, status in (("10.1.9.9", 200), ("fd12::7", 200), ("10.2.0.1", 403)):
        place = {"REMOTE_ADDR": address}
        answer = client.get(f"{API}/queries/ListOrders", headers=headers, environ_overrides=place)
        assert answer.status_code == status
    assert answer.json
    assert answer.json["code"] == "wrong_network"
    (listed,) = tokens.list()
    assert listed.networks == "10.1.0.0/16, fd12::/16"
    for unusable in ("10.1.0.1/16", "here", "10.1.0.0/16; fd12::/16"):
        with pytest.raises(TokenError, match="The networks cannot be used"):
            tokens.create("other", "viewer", networks=unusable, made_by="test")


def test_a_session_cookie_opens_no_endpoint(console: Flask) -> None:
    from tests.interfaces.web.pages.conftest import client_in

    browser = client_in(console, "admin")
    assert browser.get("/").status_code == 200
    assert browser.get("/api/v1/queries/ListOrders").status_code == 401
    assert browser.post("/api/v1/commands/PlaceOrder", json=order()).status_code == 401


def test_a_token_opens_no_page(admin: Program) -> None:
    answer = admin.client.get("/orders", headers=admin.headers)
    assert answer.status_code == 303


def test_guessing_is_slowed_down(admin: Program) -> None:
    client = admin.client
    answers = [
        client.get("/api/v1/events", headers={"Authorization": f"Bearer cs_{number}"})
        for number in range(32)
    ]
    assert [each.status_code for each in answers[:30]] == [401] * 30
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert admin.get("/queries/ListOrders").status_code == 200


def test_a_token_has_its_rate(make_console: Any) -> None:
    console: Flask = make_console(api_requests_per_minute=3)
    secret = services_of(console).tokens.create("busy", "viewer", made_by="test")
    program = Program(console.test_client(), secret)
    statuses = [program.get("/queries/ListOrders").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]


def test_a_batch_counts_as_its_commands(make_console: Any) -> None:
    console: Flask = make_console(api_requests_per_minute=10)
    secret = services_of(console).tokens.create("busy", "operator", made_by="test")
    program = Program(console.test_client(), secret)

    def batch(size: int) -> Any:
        notes = [{"command": "AddOrderNote", "fields": {"order_id": "A1", "note": "x"}}] * size
        return program.post("/commands", {"commands": notes})

    assert [batch(6).status_code, batch(3).status_code] == [200, 200]
    late = batch(2)
    assert (late.status_code, late.json["code"]) == (429, "too_many_requests")
    assert int(late.headers["Retry-After"]) >= 1
    assert batch(1).status_code == 429
    too_large = Program(
        console.test_client(), services_of(console).tokens.create("new", "operator", made_by="test")
    ).post("/commands", {"commands": [{"command": "AddOrderNote", "fields": {}}] * 11})
    assert (too_large.status_code, too_large.json["code"]) == (413, "too_large")


def test_processes_count_in_portions_and_keep_the_rate_together(make_console: Any) -> None:
    redis = services_of(make_console()).kernel.redis
    processes = [RequestLimits(redis, 1_000) for _ in range(2)]
    allowed = [0, 0]
    for number in range(3_000):
        allowed[number % 2] += not processes[number % 2].wait_of("busy")
    assert allowed == [500, 500]
    assert not processes[0].wait_of("another")


def test_each_token_has_its_own_portions(make_console: Any) -> None:
    limits = RequestLimits(services_of(make_console()).kernel.redis, 1_000)
    allowed = {"one": 0, "two": 0}
    for _ in range(1_200):
        for token in allowed:
            allowed[token] += not limits.wait_of(token)
    assert allowed == {"one": 1_000, "two": 1_000}


def test_the_rate_is_kept_without_redis(make_console: Any) -> None:
    console: Flask = make_console(
        api_requests_per_minute=3, redis_url="redis://127.0.0.1:9", query_caching_enabled=False
    )
    secret = services_of(console).tokens.create("busy", "viewer", made_by="test")
    program = Program(console.test_client(), secret)
    statuses = [program.get("/queries/ListOrders").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/queries/Nothing", 404),
        ("POST", "/api/v1/commands/Nothing", 404),
        ("DELETE", "/api/v1/commands/x", 405),
        ("PUT", "/api/v1/queries/ListOrders", 405),
    ],
)
def test_what_is_not_there_is_a_problem_too(
    reader: Program, method: str, path: str, status: int
) -> None:
    answer = reader.client.open(path, method=method, headers=reader.headers, json={})
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["detail"]


def test_the_log_never_holds_a_token(admin: Program, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        admin.do("PlaceOrder", **order())
        admin.do("ShipOrder", order_id="A1")
    assert caplog.text
    assert admin.headers["Authorization"].split()[1] not in caplog.text


def test_permission_is_judged_before_the_fields(program_of: Any) -> None:
    viewer = program_of("viewer")
    answers = [
        viewer.do("PlaceOrder", order_id=7, nonsense=True),
        viewer.client.post(f"{API}/commands/PlaceOrder", data="{", headers=viewer.headers),
        viewer.get("/queries/ListCommands", nonsense="1"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 3
    batch = viewer.post("/commands", {"commands": [{"command": "PlaceOrder", "fields": {}}]})
    assert [result["status"] for result in batch.json["results"]] == [403]


def test_a_denial_is_in_the_log_without_what_was_sent(program_of: Any, kernel: Kernel) -> None:
    denied = program_of("viewer").do("AddOrderNote", order_id="A1", note="x" * 1_000)
    assert denied.status_code == 403
    columns = (command_log.c.type, command_log.c.payload, command_log.c.code)
    with kernel.engines.write.connect() as connection:
        assert connection.execute(select(*columns)).all() == [("AddOrderNote", "{}", "not_allowed")]
