"""A console with any number of orders in its read store."""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import Flask
from sqlalchemy import String, cast, func, insert, select

from cqrs_app.areas.desk.read_models import orders
from cqrs_app.services import services_of
from tests.console import environment_of
from tests.interfaces.web.pages.conftest import client_in
from tests.processes.running import eventually, free_port, start

Ask = Callable[[str], http.client.HTTPResponse]
START = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


def row(number: int, **changed: Any) -> dict[str, Any]:
    """A row of the read model, as a projection would write it."""
    at = START + timedelta(seconds=number)
    texts = dict.fromkeys(
        ("hold_reason", "carrier", "tracking", "ship_name", "ship_line1", "ship_line2"), ""
    )
    return {
        **texts,
        **dict.fromkeys(("ship_city", "ship_postal_code", "ship_country"), ""),
        "row_id": number,
        "order_id": f"T{number}",
        "status": "placed" if number % 2 else "shipped",
        "stage": "needs_approval" if number % 2 else "shipped",
        "stage_since": at,
        "customer_id": f"C{number % 97}",
        "customer_name": "Ada & Sons, Ltd",
        "country": "France",
        "currency": "EUR",
        "total": Decimal(number) + Decimal("0.1255"),
        "line_count": 1,
        "units": 2,
        "shipped_units": 0,
        "placed_at": at,
        "placed_day": at.date(),
        "updated_at": at,
        "applied_version": 1,
        "applied_position": number,
        **changed,
    }


def fill(app: Flask, count: int, first: int = 1, **changed: Any) -> None:
    """Insert orders into the read store without events: only for lists."""
    with services_of(app).kernel.engines.read.begin() as connection:
        for start in range(first, first + count, 5_000):
            until = min(start + 5_000, first + count)
            rows = [row(number, **changed) for number in range(start, until)]
            connection.execute(insert(orders), rows)


def multiply(app: Flask, times: int) -> None:
    """Double the orders so many times: for lists that are only long."""
    with services_of(app).kernel.engines.read.begin() as connection:
        for _ in range(times):
            more = connection.execute(select(func.max(orders.c.row_id))).scalar_one()
            number = orders.c.row_id + more
            values = {each.name: each for each in orders.c}
            values |= {"row_id": number, "order_id": "T" + cast(number, String)}
            connection.execute(insert(orders).from_select([*values], select(*values.values())))


@contextmanager
def serving(app: Flask) -> Iterator[Ask]:
    """The real web server on the console's stores: `ask(path)` returns the response for an
    administrator."""
    port = free_port()
    client = client_in(app, "admin")
    with client.session_transaction() as session:
        signed = app.session_interface.get_signing_serializer(app).dumps(dict(session))  # type: ignore[attr-defined]
    connections: list[http.client.HTTPConnection] = []

    def ask(address: str) -> http.client.HTTPResponse:
        connections.append(http.client.HTTPConnection("127.0.0.1", port, timeout=30))
        headers = {"Cookie": f"{app.config['SESSION_COOKIE_NAME']}={signed}"}
        connections[-1].request("GET", address, headers=headers)
        return connections[-1].getresponse()

    def answers() -> bool:
        try:
            return ask("/healthz").status == 200
        except OSError:
            return False

    server = start(
        *(
            sys.executable,
            "-m",
            "gunicorn",
            "-c",
            "python:cqrs_app.processes.gunicorn_conf",
            "app:app",
        ),
        environment=environment_of(app, PORT=str(port), WEB_WORKERS="1"),
        stderr=subprocess.DEVNULL,
    )
    try:
        assert eventually(answers)
        yield ask
    finally:
        for connection in connections:
            connection.close()
        server.terminate()
        server.wait()
