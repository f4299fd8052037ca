"""The page on which projections are rebuilt beside their live rows."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page
from sqlalchemy import text

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import wait_until


def test_an_admin_rebuilds_compares_swaps_and_goes_back_without_scripts(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    kernel: Kernel = services_of(shop).kernel
    admin = client_of("admin")
    with kernel.engines.read.begin() as connection:
        connection.execute(text("UPDATE orders SET total = 0 WHERE order_id = 'CS-10001'"))

    def send(name: str, **fields: str) -> str:
        form = admin.get(f"/commands/{name}?projection=orders").text
        hidden = dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', form))
        answer = admin.post(f"/commands/{name}", data=hidden | {"projection": "orders"} | fields)
        kernel.runner.advance("projection_control")
        while kernel.builder.work(10):
            pass
        return answer.text if answer.status_code != 303 else admin.get("/system/rebuilds").text

    assert "No projection is being rebuilt" in admin.get("/system/rebuilds").text
    built = send("RebuildBeside")
    assert "Ready to swap in" in built
    assert "1 row of" in built
    assert "orders CS-10001: total" in built
    assert "1 row of orders differs" in send("SwapProjection")
    assert "Rows from before the swap" in send("SwapProjection", accept_differences="1")
    assert "Not compared yet" in send("SwitchBack")
    assert "No projection is being rebuilt" in send("DropGeneration")


def test_a_supervisor_sees_rebuilds_and_can_change_nothing(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    assert "Rebuild beside" in client_of("admin").get("/system/rebuilds").text
    seen = client_of("supervisor").get("/system/rebuilds")
    assert seen.status_code == 200
    assert "Rebuild beside" not in seen.text
    assert client_of("viewer").get("/system/rebuilds").status_code == 403


def test_the_panel_follows_a_rebuild(shop: Flask, signed_in: Callable[..., Page]) -> None:
    kernel: Kernel = services_of(shop).kernel
    page = signed_in("admin")
    page.goto("/system/rebuilds")
    page.get_by_role("link", name="customers customers").click()
    page.locator("#dialog-body").get_by_role("button", name="Rebuild beside").click()

    def begun() -> bool:
        kernel.runner.advance("projection_control")
        return "customers" in kernel.builder.rows()

    wait_until(begun)
    while kernel.builder.work(10):
        pass
    page.get_by_text("Ready to swap in").wait_for()
