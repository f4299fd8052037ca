"""The pages of expense claims in a browser: accessible, as wide as the screen, by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from cqrs_app.areas.expenses.commands import SubmitExpenseClaim
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.platform.transfer.imports.importer import import_file
from cqrs_app.platform.transfer.imports.profiles.bpi2020 import PROFILE
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up, client_in
from tests.platform.transfer.imports.test_bpi2020 import FEW
from tests.services.browser import COLOURS, Violations

PAGES = (
    "/expenses",
    "/expenses?status=denied",
    "/expenses/-/flow",
    "/expenses/E1",
    "/expenses/declaration-5",
    "/commands/SubmitExpenseClaim",
    "/commands/ApproveExpenseClaim?claim_id=E1",
)


@pytest.fixture
def kind() -> str:
    """How a page looks does not depend on its database."""
    return "sqlite"


@pytest.fixture
def filled(console: Flask, tmp_path: Path) -> Flask:
    """A console with an imported log and a claim that waits for the administration."""
    kernel: Kernel = services_of(console).kernel
    log = tmp_path / "few.xes"
    log.write_bytes(FEW)
    import_file(kernel, PROFILE, log, lambda done, total: None)
    claim = SubmitExpenseClaim(
        claim_id="E1", purpose="Train to Lyon", amount=Decimal(900), currency="EUR"
    )
    kernel.commands.execute(claim, Context(actor=Actor("olga", ROLES["operator"]), channel="test"))
    catch_up(console)
    return console


@pytest.fixture
def open_page(
    filled: Flask, serve: Callable[[Flask], str], new_page: Callable[..., Page]
) -> Callable[[int], Page]:
    """`open_page(width)`: an administrator's browser."""
    address = serve(filled)

    def made(width: int) -> Page:
        page = new_page(
            base_url=address,
            viewport={"width": width, "height": 900},
            reduced_motion="reduce",
            color_scheme="light",
        )
        name = filled.config["SESSION_COOKIE_NAME"]
        cookie = client_in(filled, "admin").get_cookie(name)
        assert cookie
        page.context.add_cookies([{"name": name, "value": cookie.value, "url": address}])
        return page

    return made


@pytest.mark.parametrize("width", [390, 1440])
def test_every_page_fits_and_is_accessible(
    open_page: Callable[[int], Page],
    accessibility_violations: Violations,
    page_problems: list[str],
    width: int,
) -> None:
    page, faults = open_page(width), []
    for address in PAGES:
        page.emulate_media(color_scheme="light")
        page.goto(address)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        faults += [f"{address}: {wide} px wider than the screen"] if wide > 0 else []
        found = (*page_problems, *accessibility_violations(page))
        faults += [f"{address}: {each}" for each in found]
        page.emulate_media(color_scheme="dark")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        faults += [f"{address}: {each}" for each in accessibility_violations(page, COLOURS)]
        page_problems.clear()
    assert not faults, "\n".join(faults)


def test_a_claim_is_approved_by_keyboard(open_page: Callable[[int], Page]) -> None:
    page = open_page(390)
    page.goto("/expenses?show=open&stage=administration")
    link = page.get_by_role("link", name="E1", exact=True)
    link.focus()
    page.keyboard.press("Enter")
    action = page.locator("#do-ApproveExpenseClaim")
    expect(action).to_be_visible()
    action.focus()
    page.keyboard.press("Enter")
    form = page.locator("#dialog-body form")
    expect(form.locator("[name=stage]")).to_have_value("administration")
    form.get_by_role("button", name="Approve claim").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#expense_claim")).to_contain_text("waits for the budget owner")
