"""One validator for texts, whichever door they come through."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from cqrs_app.areas.customers.read_models import customer_profiles
from cqrs_app.areas.inventory.read_models import products
from cqrs_app.installed_areas import build_registry
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.messages.description import fields_of
from cqrs_app.kernel.messages.normal import plain_text
from cqrs_app.platform.transfer.imports.importer import import_file
from cqrs_app.platform.transfer.imports.profiles import PROFILES
from cqrs_app.services import services_of
from tests.interfaces.api.conftest import Program
from tests.interfaces.web.pages.conftest import catch_up, client_in

Door = Callable[[Flask, str, dict[str, str]], bool]
"""Sends a command with these fields; whether it was accepted."""

NAMES_OF_WHAT_IS_THERE = {
    *("StartImport.file_name", "AddWebhook.event_types", "ChangeWebhook.event_types"),
    *("RetryParkedEvents.stream", "SkipParkedEvent.stream"),
    *("SetApprovalPolicy.commands", "SetApprovalPolicy.statuses", "SetApprovalPolicy.countries"),
    *("SetApprovalPolicy.stages.people", "SetApprovalPolicy.stages.teams", "SaveMacro.steps"),
    *(
        f"{command}.{name}"
        for command in ("DefineRole", "ChangeRole")
        for name in ("permissions", "countries", "teams")
    ),
}
"""Texts that must equal one that is known already."""


def form(app: Flask, name: str, fields: dict[str, str]) -> bool:
    app.config["WTF_CSRF_ENABLED"] = False
    return client_in(app, "admin").post(f"/commands/{name}", data=fields).status_code == 303


def program(app: Flask) -> Program:
    tokens = services_of(app).tokens
    secret = tokens.create(f"p{len(tokens.list())}", "admin", made_by="test")
    return Program(app.test_client(), secret)


def api(app: Flask, name: str, fields: dict[str, str]) -> bool:
    return bool(program(app).do(name, **fields).status_code == 200)


def batch(app: Flask, name: str, fields: dict[str, str]) -> bool:
    answer = program(app).post("/commands", {"commands": [{"command": name, "fields": fields}]})
    return bool(answer.json["results"][0]["status"] == 200)


def options(app: Flask, name: str, fields: dict[str, str]) -> bool:
    words = [word for key, text in fields.items() for word in (f"--{key.replace('_', '-')}", text)]
    return app.test_cli_runner().invoke(args=["command", name, *words]).exit_code == 0


def fields_of_a_file(app: Flask, name: str, fields: dict[str, str]) -> bool:
    args = ["command", name, "--fields", "-"]
    return app.test_cli_runner().invoke(args=args, input=json.dumps(fields)).exit_code == 0


DOORS: tuple[Door, ...] = (form, api, batch, options, fields_of_a_file)

COMPOSED, TAKEN_APART = "Ren\u00e9", " Rene\u0301 "
WIDE = "\uff21\uff4e\uff41@B\u00dcCHER.example"
HIDDEN = ("A\u200bna", "A\u202ena", "A\u0007na", "\u3164")


def customers(kernel: Kernel) -> dict[str, tuple[str, str]]:
    columns = customer_profiles.c
    with kernel.engines.read.connect() as connection:
        rows = connection.execute(select(columns.customer_id, columns.name, columns.email)).all()
    return {row[0]: (row[1], row[2]) for row in rows}


def skus(kernel: Kernel) -> set[str]:
    with kernel.engines.read.connect() as connection:
        return set(connection.execute(select(products.c.sku)).scalars())


def test_every_door_keeps_the_same_text(console: Flask) -> None:
    kernel = services_of(console).kernel
    for door in DOORS:
        number = f"C-{door.__name__.replace('_', '-')}"
        address = WIDE.replace("@", f"{DOORS.index(door)}@")
        sent = {"customer_id": number, "name": TAKEN_APART, "email": address}
        assert door(console, "RegisterCustomer", sent)
        assert door(console, "AddProduct", {"sku": f"{TAKEN_APART.rstrip()} {number} "})
    catch_up(console)
    assert set(customers(kernel).values()) == {
        (COMPOSED, f"Ana{index}@b\u00fccher.example") for index in range(len(DOORS))
    }
    numbers = (door.__name__.replace("_", "-") for door in DOORS)
    assert skus(kernel) == {f"{COMPOSED} C-{number}" for number in numbers}


def test_no_door_lets_two_spellings_be_two(console: Flask) -> None:
    assert api(
        console, "RegisterCustomer", {"customer_id": "C1", "email": "ana@b\u00fccher.example"}
    )
    for door in DOORS:
        fields = {"customer_id": "C2", "email": "Ana@xn--bcher-kva.example"}
        assert not door(console, "RegisterCustomer", fields), door.__name__


def test_no_door_lets_in_what_nobody_sees(console: Flask) -> None:
    client_in(console, "admin")  # whose account is an event
    head = services_of(console).kernel.store.head()
    for door in DOORS:
        for hidden in HIDDEN:
            if plain_text(hidden):
                sent = {"customer_id": "C1", "name": hidden}
                assert not door(console, "RegisterCustomer", sent), (door.__name__, hidden)
            assert not door(console, "AddProduct", {"sku": hidden}), (door.__name__, hidden)
        for address in ("ana@exam\u200bple.org", "ana@", "a b@example.org", "ana@-.org"):
            sent = {"customer_id": "C1", "email": address}
            assert not door(console, "RegisterCustomer", sent), (door.__name__, address)
    assert services_of(console).kernel.store.head() == head


def test_an_import_keeps_the_same_text_and_sets_aside_what_nobody_sees(
    console: Flask, tmp_path: Path
) -> None:
    kernel = services_of(console).kernel

    def order(number: str, name: str, sku: str) -> str:
        line = {"sku": sku, "quantity": 1, "unit_price": "1"}
        made = {"document": "order", "at": "2026-03-02T09:00:00Z", "order_id": number}
        made |= {"customer_id": f"C{number.strip()}", "customer_name": name, "country": "DK"}
        return json.dumps({**made, "currency": "DKK", "lines": [line]})

    path = tmp_path / "own.jsonl"
    documents = [order(" 1 ", TAKEN_APART, f" {TAKEN_APART}")]
    documents += [order(str(2 + number), "Ana", hidden) for number, hidden in enumerate(HIDDEN)]
    # A name that shows nothing at all is none.
    partly = [hidden for hidden in HIDDEN if plain_text(hidden)]
    documents += [order(str(9 + number), hidden, "CUP") for number, hidden in enumerate(partly)]
    path.write_text("\n".join(documents), encoding="utf-8")
    imported = import_file(kernel, PROFILES["countersign"], path, lambda done, of: None)
    assert imported.report.adds_up
    assert (imported.report.orders, imported.report.taken) == (1, 1)
    assert imported.report.set_aside_by_reason == {
        "unreadable": len(HIDDEN) + len(partly),
        "repeated_document": 0,
    }
    assert customers(kernel) == {"C1": (COMPOSED, "")}
    assert skus(kernel) == {COMPOSED}


def texts_without_a_pattern(cls: type, place: str) -> Iterator[str]:
    """The texts in a message, and in the values it is made of, that take any character."""
    for field in fields_of(cls):
        where = f"{place}.{field.name}"
        if field.holds_values:
            yield from texts_without_a_pattern(field.kind, where)
        elif field.kind is str and not any(meta.pattern for meta in field.metas):
            yield where


def test_every_text_of_a_command_says_which_characters_it_takes() -> None:
    commands = build_registry().commands
    found = {each for name, cls in commands.items() for each in texts_without_a_pattern(cls, name)}
    assert found == NAMES_OF_WHAT_IS_THERE
