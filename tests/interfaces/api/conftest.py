"""A console, and API clients with tokens of every role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.installed_areas import ROLES
from cqrs_app.services import services_of

API = "/api/v1"


class Program:
    """An API client that sends JSON with its token."""

    def __init__(self, client: FlaskClient, secret: str = "") -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return self.client.get(
            f"{API}{path}", query_string=query, headers=self.headers | (headers or {})
        )

    def post(
        self, path: str, body: Any, headers: dict[str, str] | None = None, **query: Any
    ) -> Any:
        return self.client.post(
            f"{API}{path}", json=body, query_string=query, headers=self.headers | (headers or {})
        )

    def do(self, name: str, /, headers: dict[str, str] | None = None, **fields: Any) -> Any:
        return self.post(f"/commands/{name}", fields, headers)


@pytest.fixture
def program_of(console: Flask) -> Callable[[str], Program]:
    """`program_of(role)`: a client with a token of that role; the role "nobody" has none."""
    made: dict[str, Program] = {}

    def program(role: str) -> Program:
        if role not in made:
            secret = ""
            if role in ROLES:
                secret = services_of(console).tokens.create(role, role, made_by="test")
            made[role] = Program(console.test_client(), secret)
        return made[role]

    return program


@pytest.fixture
def admin(program_of: Callable[[str], Program]) -> Program:
    return program_of("admin")


@pytest.fixture(scope="module")
def reader(shared_console: Flask) -> Program:
    """A program with a token of every permission, in front of a console that stays empty."""
    secret = services_of(shared_console).tokens.create("reader", "admin", made_by="test")
    return Program(shared_console.test_client(), secret)


def order(order_id: str = "A1", **changes: Any) -> dict[str, Any]:
    """The fields of PlaceOrder."""
    line = {"sku": "85123A", "quantity": 6, "unit_price": "2.55"}
    given = {"order_id": order_id, "country": "France", "currency": "EUR", "lines": [line]}
    return given | changes
