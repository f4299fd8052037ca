"""The Alerts pages: what a supervisor sees and clicks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from cqrs_app.kernel.subscriptions.tasks import WORKER
from cqrs_app.platform.alerts.commands import SendTestAlert
from tests.interfaces.web.pages.conftest import client_in
from tests.platform.alerts.conftest import OnCall
from tests.services.browser import COLOURS, Violations
from tests.services.stores import on_one_database


def with_an_alert(app: Flask) -> OnCall:
    """No worker runs, which is an alert by now."""
    on_call = OnCall(app)
    on_call.alive.remove(WORKER)
    on_call.wait("no_worker")
    return on_call


@on_one_database
def test_a_supervisor_acknowledges_silences_and_resolves_an_alert(
    shop: Flask, signed_in: Callable[..., Page]
) -> None:
    on_call = with_an_alert(shop)
    page = signed_in("supervisor", viewport={"width": 1440, "height": 900})
    page.goto("/")
    link = page.locator(".side nav").get_by_role("link", name="Alerts")
    expect(link).to_contain_text("1")
    link.click()
    page.get_by_role("link", name="No worker is running").click()
    alert = page.locator("#alert")
    expect(alert).to_contain_text("The sweep does the work")
    for task, state in (("Acknowledge", "Acknowledged"), ("Silence", "until"), ("Resolve", "")):
        alert.get_by_role("link", name=task, exact=True).click()
        dialog = page.locator("#dialog")
        if task == "Silence":
            dialog.get_by_label("Reason").fill("We move.")
        dialog.locator("button.submit").click()
        expect(dialog).to_be_hidden()
        on_call.follow()
        expect(alert).to_contain_text(state)
    expect(alert).to_contain_text("Resolved")
    expect(alert.get_by_role("row", name="We move.")).to_be_visible()


@on_one_database
def test_an_administrator_changes_a_rule_and_sends_a_test(
    shop: Flask, signed_in: Callable[..., Page]
) -> None:
    on_call = with_an_alert(shop)
    page = signed_in("admin", viewport={"width": 1440, "height": 900})
    page.goto("/alerts/-/rules")
    lag = page.get_by_role("row", name="Lag of a subscription")
    expect(lag).to_contain_text("1 min")
    lag.get_by_role("link", name="Change").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Raise at").fill("30")
    dialog.get_by_label("Owner").fill("Platform team")
    dialog.locator("button.submit").click()
    expect(dialog).to_be_hidden()
    on_call.follow()
    expect(lag).to_contain_text("30 s")
    expect(lag).to_contain_text("Platform team")
    page.get_by_role("link", name="Send test alert").click()
    dialog.locator("button.submit").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Test alert sent.")).to_be_visible()
    expect(page.get_by_role("heading", name="Alert rules")).to_be_visible()


@on_one_database
def test_a_supervisor_silences_a_rule_and_ends_its_silence(
    shop: Flask, signed_in: Callable[..., Page]
) -> None:
    on_call = with_an_alert(shop)
    page = signed_in("supervisor", viewport={"width": 390, "height": 800})
    page.goto("/alerts/-/rules")
    worker = page.get_by_role("row", name="No worker")
    expect(worker).to_contain_text("On")
    worker.get_by_role("link", name="Silence").click()
    dialog = page.locator("#dialog")
    expect(dialog.locator(".order-summary")).to_have_text("No worker")
    dialog.get_by_label("Reason").fill("We move.")
    dialog.locator("button.submit").click()
    expect(dialog).to_be_hidden()
    on_call.follow()
    expect(worker).to_contain_text("Silenced")
    assert "Rule silenced" in client_in(shop, "supervisor").get("/alerts/no_worker").text
    worker.get_by_role("link", name="End silence").click()
    dialog.locator("button.submit").click()
    expect(dialog).to_be_hidden()
    on_call.follow()
    expect(worker).not_to_contain_text("Silenced")


def test_a_limit_that_makes_no_sense_is_refused_beside_its_field(shop: Flask) -> None:
    client = client_in(shop, "admin")
    shop.config["WTF_CSRF_ENABLED"] = False
    wrong = {
        "rule": "behind",
        "enabled": "y",
        "raise_at": "5",
        "clear_at": "60",
        "pending_seconds": "0",
        "severity": "warning",
    }
    answer = client.post("/commands/ChangeAlertRule?rule=behind", data=wrong)
    assert answer.status_code == 422
    assert "Must be at most 5." in answer.text


def test_the_runbook_of_a_rule_is_shown(shop: Flask) -> None:
    client = client_in(shop, "supervisor")
    page = client.get("/alerts/-/runbook/drift").text
    assert "Rows differ from the log" in page
    assert "flask reconcile" in page
    assert client.get("/alerts/-/runbook/nothing").status_code == 404


@on_one_database
@pytest.mark.parametrize("width", [390, 1440])
def test_the_pages_fit_and_are_accessible(
    shop: Flask,
    signed_in: Callable[..., Page],
    accessibility_violations: Violations,
    page_problems: list[str],
    width: int,
) -> None:
    on_call = with_an_alert(shop)
    on_call.do(SendTestAlert(message="Hello."))
    page = signed_in("admin", viewport={"width": width, "height": 900}, reduced_motion="reduce")
    form = "/commands/ChangeAlertRule?rule=behind"
    faults: list[str] = []
    for address in (
        *("/alerts", "/alerts?state=resolved", "/alerts/no_worker", "/alerts/-/rules"),
        *("/alerts/-/runbook/drift", form),
    ):
        page.emulate_media(color_scheme="light")
        page.goto(address)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        faults += [f"{address}: {wide} px wider than the screen"] if wide > 0 else []
        faults += page_problems
        faults += [f"{address}: {each}" for each in accessibility_violations(page)]
        page.emulate_media(color_scheme="dark")
        faults += [f"{address}: {each}" for each in accessibility_violations(page, COLOURS)]
        page_problems.clear()
    assert not faults, "\n".join(faults)
