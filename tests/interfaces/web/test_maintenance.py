"""Maintenance mode (CQRS_ENABLED=false): everything can be viewed, nothing is offered or done."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from flask import Flask

from cqrs_app.areas.orders.commands import ApproveOrder
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Context
from cqrs_app.processes.sweep import Sweep
from cqrs_app.services import services_of
from tests.interfaces.web.conftest import token_in
from tests.interfaces.web.pages.conftest import PASSWORD, client_in
from tests.performance.plenty import ADA, do, one_more, settle

BANNER = "Maintenance mode: you can view everything, and nothing can be changed."


@pytest.fixture
def consoles(make_console: Callable[..., Flask]) -> tuple[Flask, Flask]:
    """A console with an order, and the same stores in maintenance mode."""
    app = make_console()
    do(app, one_more(0))
    client_in(app, "admin")  # nobody is invited in maintenance mode
    settle(app)
    return app, make_console(cqrs_enabled=False)


def kernel_of(app: Flask) -> Kernel:
    kernel: Kernel = services_of(app).kernel
    return kernel


def test_pages_say_so_and_offer_no_action(consoles: tuple[Flask, Flask]) -> None:
    running, resting = consoles
    assert "/commands/" in client_in(running, "admin").get("/orders/O0").text
    client = client_in(resting, "admin")
    for path in ("/", "/orders", "/orders/O0", "/customers", "/products", "/payments", "/webhooks"):
        page = client.get(path)
        assert (page.status_code, BANNER in page.text) == (200, True), path
        assert "/commands/" not in page.text, path
        assert BANNER not in client_in(running, "admin").get(path).text


def test_a_form_that_was_open_gets_the_sentence(consoles: tuple[Flask, Flask]) -> None:
    client = client_in(consoles[1], "admin")
    page = client.get("/commands/ApproveOrder?order_id=O0")
    assert page.status_code == 503
    assert "The console is in maintenance mode. Nothing was changed." in page.text


def test_a_password_is_not_changed_and_the_form_says_why(consoles: tuple[Flask, Flask]) -> None:
    client = client_in(consoles[1], "admin")
    new = "lamplight gravel tuba"
    values = {"current": PASSWORD, "new": new, "again": new}
    token = token_in(client.get("/account/password").text)
    page = client.post("/account/password", data={"csrf_token": token, **values})
    assert page.status_code == 422
    assert "maintenance mode. Nothing was changed." in page.text


def test_what_is_queued_waits_without_a_word_in_the_log(
    consoles: tuple[Flask, Flask], caplog: pytest.LogCaptureFixture
) -> None:
    running, resting = map(kernel_of, consoles)
    context = Context(actor=ADA, channel="test", command_id="waits")
    running.commands.enqueue(ApproveOrder(order_id="O0"), context)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            Sweep(resting).once()
    assert caplog.records == []
    entry = running.log.find("waits")
    assert entry is not None and (entry.outcome, entry.attempts) == ("queued", 1)


@pytest.mark.parametrize(
    "setting", ["command_authorization_enabled", "query_authorization_enabled"]
)
def test_every_page_says_that_permissions_are_not_checked(
    make_console: Callable[..., Flask], setting: str
) -> None:
    client = client_in(make_console(**{setting: False}), "viewer")
    assert f"Permissions are not checked ({setting.upper()}=false)" in client.get("/orders").text
