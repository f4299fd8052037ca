"""The requests in docs/api.md are answered as it says."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import pytest
from flask import Flask

from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up
from tests.processes.running import PROJECT

GUIDE = (PROJECT / "docs" / "api.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"
BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINES = [{"sku": "MUG", "quantity": 2, "unit_price": "12.50"}]


def blocks(kind: str, holding: str) -> list[str]:
    found = [text for each, text in BLOCK.findall(GUIDE) if each == kind and holding in text]
    assert found, f"no block of {kind} has {holding}"
    return found


@contextmanager
def placed(app: Flask, *order_ids: str) -> Iterator[str]:
    """With these orders; yields the secret of a token for everything."""
    token: str = services_of(app).tokens.create("shop", "admin", made_by="test")
    for order_id in order_ids:
        order = {"order_id": order_id, "country": "France", "currency": "EUR", "lines": LINES}
        answer = app.test_client().post(
            "/api/v1/commands/PlaceOrder", json=order, headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 200, answer.text
    catch_up(app)
    yield token


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_every_line_with_curl_is_answered(console: Flask, serve: Callable[[Flask], str]) -> None:
    with placed(console, "10042") as token:
        environment = {**os.environ, "TOKEN": token}
        address = serve(console)
        for block in blocks("sh", "-H"):
            line = block.replace(ADDRESS, address).replace("curl ", "curl --silent --fail ", 1)
            done = subprocess.run(
                ["bash", "-c", line], env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, (line, done.stderr)
            answer = msgspec.json.decode(done.stdout)
            if "ApproveOrder" in block:
                [example] = blocks("json", '"command_id"')
                assert answer.keys() >= msgspec.json.decode(example).keys()
                assert (answer["status"], answer["events"]) == ("succeeded", ["OrderApproved"])
                catch_up(console)
            else:
                assert answer["value"]["rows"] == []


@pytest.mark.parametrize(
    ("holding", "path"),
    [
        ('"commands"', "commands"),
        ('"queries"', "queries"),
    ],
)
def test_many_at_once_are_answered_one_by_one(console: Flask, holding: str, path: str) -> None:
    with placed(console, "10042", "10043") as token:
        [body] = blocks("json", holding)
        answer = console.test_client().post(
            f"/api/v1/{path}",
            data=body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
    assert [each["status"] for each in answer.json["results"]] == [200, 200]
