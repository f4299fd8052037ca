"""Everything that a page offers is permitted to the person it is offered to."""

from __future__ import annotations

import html
import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.areas.orders.commands import ApproveOrder
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up, order_in
from tests.interfaces.web.pages.test_accessibility import add_webhook

KINDS = ("panel", "ending", "show")
"""Parameters whose value makes another page."""


@pytest.fixture
def kind() -> str:
    """What a page offers does not depend on its database."""
    return "sqlite"


@pytest.fixture
def busy_shop(shop: Flask) -> Flask:
    """With a webhook, and an order that is seen through as far as it goes by itself."""
    add_webhook(shop)
    kernel: Kernel = services_of(shop).kernel
    command = ApproveOrder(order_id=order_in(shop, "placed"))
    kernel.commands.execute(command, Context(actor=Actor("ada", ROLES["admin"]), channel="test"))
    for _ in range(5):
        catch_up(shop)
        for task in kernel.registry.tasks.values():
            for key in task.due(kernel):
                task.work(kernel, key)
    catch_up(shop)
    return shop


@pytest.mark.parametrize("role", ROLES)
def test_every_link_leads_somewhere_for_whoever_sees_it(
    busy_shop: Flask, client_of: Callable[[str], FlaskClient], role: str
) -> None:
    visited = dict(walk(busy_shop, client_of(role)))
    assert len(visited) > 30, visited
    wrong = [f"{address}: {status}" for address, status in visited.items() if status >= 400]
    assert not wrong, "\n".join(wrong)


def test_the_command_log_leads_to_what_each_action_was_about(
    busy_shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    shown = client_of("admin").get("/log").text
    order_id = order_in(busy_shop, "approved")
    assert f'<a href="/orders/{order_id}">Order {order_id}</a>' in shown
    assert f'<a href="/fulfilment/{order_id}">Fulfilment {order_id}</a>' in shown
    assert '<a href="/webhooks/warehouse">Webhook warehouse</a>' in shown


def test_a_place_that_is_not_open_to_a_role_is_not_in_its_navigation(
    client_of: Callable[[str], FlaskClient],
) -> None:
    home = client_of("viewer").get("/").text
    assert "/system" not in home
    assert "/log" not in home
    assert "Command log, System" not in home
    assert 'href="/log"' in client_of("operator").get("/").text


def walk(app: Flask, client: FlaskClient) -> Iterator[tuple[str, int]]:
    """One of every kind of page that can be reached from Home by links, with its status."""
    waiting, seen = deque(["/"]), set[Any]()
    while waiting:
        address = waiting.popleft()
        kind = kind_of(app, address)
        if kind in seen:
            continue
        seen.add(kind)
        answer = client.get(address)
        yield address, answer.status_code
        if answer.mimetype == "text/html":
            waiting.extend(links_in(answer.text))


def kind_of(app: Flask, address: str) -> Any:
    """The same for addresses that differ in nothing but which thing of a kind they are about."""
    parts = urlsplit(address)
    endpoint, arguments = app.url_map.bind("localhost").match(parts.path)
    given = dict(parse_qsl(parts.query)) | arguments
    if endpoint == "web.command_form":
        return endpoint, given["name"]
    if endpoint == "web.past":
        given["show"] = given.get("stream", "").partition("-")[0]
    return endpoint, tuple(sorted((name, given[name] if name in KINDS else "") for name in given))


def links_in(page: str) -> Iterator[str]:
    """The addresses of this console that a person or the page itself asks for."""
    for address in re.findall(r'(?:href|hx-get)="(/[^"#]*)', page):
        if not address.startswith("/static/"):
            yield html.unescape(address)
