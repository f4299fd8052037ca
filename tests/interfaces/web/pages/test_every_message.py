"""Every command and every query by its form, as every role."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from bs4 import BeautifulSoup, SoupStrainer
from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.installed_areas import ROLES, build_registry
from cqrs_app.platform.catalogue.examples import example_of
from cqrs_app.services import services_of

REGISTRY = build_registry()
FORM = SoupStrainer("form", id="command")


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The values as a form sends them: `lines-0-sku`."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}-")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for number, row in enumerate(value):
                yield from flat(row, f"{prefix}{name}-{number}-")
        elif isinstance(value, list):
            yield f"{prefix}{name}", "\n".join(map(str, value))
        else:
            yield f"{prefix}{name}", str(value)


@pytest.mark.parametrize("role", ROLES)
def test_every_command_by_its_form(
    client_of: Callable[[str], FlaskClient], shop: Flask, role: str
) -> None:
    client = client_of(role)
    for name, cls in REGISTRY.commands.items():
        page = client.get(f"/commands/{name}")
        allowed = cls.declaration.permission in ROLES[role]
        assert page.status_code == (200 if allowed else 403), name
        if not allowed:
            continue
        form = BeautifulSoup(page.text, "html.parser", parse_only=FORM).form
        assert form is not None
        hidden = {
            str(each["name"]): str(each.get("value", ""))
            for each in form.find_all("input", type="hidden")
        }
        sent = client.post(f"/commands/{name}", data=hidden | dict(flat(example_of(cls))))
        assert sent.status_code in (303, 422), (name, sent.text)
        entry = services_of(shop).kernel.log.find(hidden["command_id"])
        assert entry is not None, (name, sent.text)
        assert entry.operator == role


@pytest.mark.parametrize("role", ROLES)
def test_every_query_by_its_form(client_of: Callable[[str], FlaskClient], role: str) -> None:
    client = client_of(role)
    for name, cls in REGISTRY.queries.items():
        example = dict(flat(example_of(cls, whole=False)))
        answer = client.get(f"/queries/{name}", query_string=example)
        allowed = cls.declaration.permission in ROLES[role]
        assert answer.status_code == (200 if allowed else 403), (name, answer.text)
        if allowed:
            assert "Answer" in answer.text


def test_an_unusable_question_says_where(client_of: Callable[[str], FlaskClient]) -> None:
    answer = client_of("viewer").get("/queries/ListOrders?limit=many&placed_from=yesterday")
    assert answer.status_code == 422
    assert "Enter a whole number." in answer.text
    assert "Enter a date, e.g. 2026-03-31." in answer.text


def test_the_catalogue_shows_everything(client_of: Callable[[str], FlaskClient]) -> None:
    client = client_of("viewer")
    listed = client.get("/catalogue").text
    for name in (*REGISTRY.commands, *REGISTRY.queries, *REGISTRY.events):
        assert f"/catalogue/{name}" in listed
        assert client.get(f"/catalogue/{name}").status_code == 200, name
    found = client.get("/catalogue?q=credit note").text
    assert "RecordCreditNote" in found
    assert "/catalogue/ApproveOrder" not in found
    assert "no_token" in client.get("/catalogue/problems").text
    assert client.get("/catalogue/Nothing").status_code == 404
