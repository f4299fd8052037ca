"""The Approvals pages: what is asked for, and signing it on a phone, by keyboard, without
scripts."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from cqrs_app.areas.orders.commands import AddOrderNote, CancelOrder, PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.areas.orders.words import CancelReason
from cqrs_app.areas.payments.commands import RecordPayment, RefundPayment
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.approvals.commands import SetApprovalPolicy, UseRecommendedPolicies
from cqrs_app.platform.approvals.gate import request_id_of
from cqrs_app.services import services_of
from tests.console import MakeConsole
from tests.interfaces.web.pages.conftest import catch_up, client_in
from tests.interfaces.web.pages.test_without_scripts import fields, page
from tests.services.browser import COLOURS, Violations
from tests.services.stores import on_one_database

PHONE = {"width": 390, "height": 844}
RECOMMENDED = UseRecommendedPolicies(over=Decimal(500), currency="EUR")
REFUND = RefundPayment(payment_id="P-1", amount=Decimal(12), reason="Scratched.")


def run(app: Flask, command: Command, role: str, command_id: str = "") -> str:
    kernel: Kernel = services_of(app).kernel
    given = {"command_id": command_id} if command_id else {}
    context = Context(actor=Actor(role, ROLES[role]), channel="form", **given)
    return kernel.commands.execute(command, context).status


def with_people(app: Flask) -> None:
    """Accounts named like their roles, and a paid order."""
    for role in ROLES:
        client_in(app, role)
    line = OrderLine(sku="LAMP", quantity=1, unit_price=Decimal(40))
    run(app, PlaceOrder(order_id="A-1", country="FR", currency="EUR", lines=(line,)), "admin")
    paid = RecordPayment(
        payment_id="P-1",
        order_id="A-1",
        amount=Decimal(40),
        currency="EUR",
        method="Cash",
        reference="R-1",
    )
    run(app, paid, "admin")


def requested(app: Flask) -> str:
    """The id of a request of the admin that waits for the supervisor."""
    with_people(app)
    run(app, SetApprovalPolicy(policy="refunds", commands=("RefundPayment",)), "admin")
    command_id = str(uuid.uuid4())
    assert run(app, REFUND, "admin", command_id) == "requested"
    catch_up(app)
    return request_id_of(command_id)


def state_of(app: Flask, client: FlaskClient, request_id: str) -> str:
    catch_up(app)
    page = client.get(f"/approvals/{request_id}").text
    found = re.search(r"<dt>State</dt><dd[^>]*>(.*?)</dd>", page, re.DOTALL)
    assert found
    return re.sub("<[^>]*>", "", found[1]).strip()


def test_a_request_is_signed_without_scripts_on_what_was_shown(shop: Flask) -> None:
    request_id = requested(shop)
    supervisor = client_in(shop, "supervisor")
    listed = supervisor.get("/approvals").text
    assert f"/approvals/{request_id}" in listed
    page = supervisor.get(f"/approvals/{request_id}").text
    assert "must be refunded by hand" in page
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    form = {name: fields[name] for name in ("csrf_token", "command_id", "request_id", "digest")}
    url = f"/commands/SignRequest?request_id={request_id}"
    answer = supervisor.post(url, data=form | {"decision": "approve", "comment": ""})
    assert answer.status_code == 303
    assert state_of(shop, supervisor, request_id) == "Approved"


def test_a_signature_after_a_change_says_that_nothing_was_approved(shop: Flask) -> None:
    with_people(shop)
    run(shop, SetApprovalPolicy(policy="orders", commands=("CancelOrder",)), "admin")
    command_id = str(uuid.uuid4())
    run(shop, CancelOrder(order_id="A-1", reason=CancelReason.DUPLICATE), "admin", command_id)
    catch_up(shop)
    request_id = request_id_of(command_id)
    supervisor = client_in(shop, "supervisor")
    page = supervisor.get(f"/approvals/{request_id}").text
    run(shop, AddOrderNote(order_id="A-1", note="The customer called."), "admin")
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    form = {name: fields[name] for name in ("csrf_token", "command_id", "request_id", "digest")}
    url = f"/commands/SignRequest?request_id={request_id}"
    supervisor.post(url, data=form | {"decision": "approve", "comment": ""})
    page = supervisor.get(f"/approvals/{request_id}").text
    assert "notice-warn" in page
    assert "Not approved: something has changed since this was requested." in page
    catch_up(shop)
    page = client_in(shop, "admin").get(f"/approvals/{request_id}").text
    assert "Request it again or withdraw it." in page


def test_a_form_about_a_request_does_not_name_its_uuid(shop: Flask) -> None:
    request_id = requested(shop)
    page = client_in(shop, "admin").get(f"/commands/WithdrawRequest?request_id={request_id}").text
    assert ">Withdraw request</h1>" in page
    page = client_in(shop, "admin").get("/commands/RemoveApprovalPolicy?policy=refunds").text
    assert ">Remove approval policy refunds</h1>" in page


def test_the_payment_shows_what_waits_on_it_and_offers_it_no_more(shop: Flask) -> None:
    request_id = requested(shop)
    page = client_in(shop, "supervisor").get("/payments/P-1").text
    assert f'href="/approvals/{request_id}"' in page
    assert 'id="do-RefundPayment"' not in page
    assert "Requested by admin: awaiting approval." in page


def test_whoever_asked_is_not_offered_to_sign(shop: Flask) -> None:
    request_id = requested(shop)
    page = client_in(shop, "admin").get(f"/approvals/{request_id}").text
    assert 'value="approve"' not in page
    assert "somebody else has to approve it" in page
    assert 'value="approve"' not in client_in(shop, "viewer").get(f"/approvals/{request_id}").text


def test_the_form_says_before_it_is_sent_that_it_needs_approval(shop: Flask) -> None:
    requested(shop)
    admin = client_in(shop, "admin")
    url = "/commands/RefundPayment?payment_id=P-1&amount=5"
    assert "Already <a" in admin.get(url).text
    run(shop, SetApprovalPolicy(policy="notes", commands=("AddOrderNote",)), "admin")
    page = admin.get("/commands/AddOrderNote?order_id=A-1&note=Hello").text
    assert "Needs approval by 1 supervisor before it is carried out." in page
    assert ">Request approval</button>" in page


@pytest.mark.parametrize(
    ("amount", "label", "risky"),
    [("0", "Refund payment P-1", True), ("5", "Request approval", False)],
)
def test_the_button_says_what_it_does_as_soon_as_that_is_known(
    shop: Flask, amount: str, label: str, risky: bool
) -> None:
    requested(shop)
    admin, url = client_in(shop, "admin"), "/commands/RefundPayment?payment_id=P-1"
    values = fields(page(admin, url)) | {"amount": amount}
    answer = admin.post(url.replace("?", "/effects?"), data=values)
    soup = BeautifulSoup(answer.text, "html.parser")
    [button] = soup.select("button#command-submit[hx-swap-oob]")
    assert button.get_text() == label
    assert ("btn-risky" in button["class"]) == risky


def test_the_order_shows_what_waits_on_it_and_why_an_action_is_not_possible(shop: Flask) -> None:
    request_id = requested(shop)
    run(shop, SetApprovalPolicy(policy="orders", commands=("CancelOrder",)), "admin")
    cancel = CancelOrder(order_id="A-1", reason=CancelReason.DUPLICATE)
    assert run(shop, cancel, "admin") == "requested"
    catch_up(shop)
    page = client_in(shop, "admin").get("/orders/A-1").text
    assert f'href="/approvals/{request_id}"' in page
    assert page.count("View request") == 2
    assert 'id="do-CancelOrder"' not in page
    assert "Requested by admin: awaiting approval." in page


def test_an_action_that_could_be_undone_becomes_a_request_at_once(
    make_shop: MakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = make_shop(undo_seconds=50)
    monkeypatch.setitem(shop.config, "WTF_CSRF_ENABLED", False)
    with_people(shop)
    admin, approve = client_in(shop, "admin"), {"order_id": "A-1", "expected_version": "1"}
    run(shop, SetApprovalPolicy(policy="orders", commands=("ApproveOrder",)), "admin")
    catch_up(shop)
    admin.post("/commands/ApproveOrder", data=approve | {"command_id": str(uuid.uuid4())})
    catch_up(shop)
    page = admin.get("/orders/A-1").text
    assert "View request" in page
    assert "data-undo>" not in page


def test_one_button_switches_the_recommended_policies_on(shop: Flask) -> None:
    with_people(shop)
    admin = client_in(shop, "admin")
    assert "Use recommended policies" in admin.get("/approvals/-/policies").text
    form = admin.get("/commands/UseRecommendedPolicies").text
    assert "Three letters, such as GBP." in form
    fields = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', form))
    sent = {name: fields[name] for name in ("csrf_token", "command_id")}
    sent |= {"policy": "recommended", "over": "500", "currency": "EUR"}
    admin.post("/commands/UseRecommendedPolicies", data=sent)
    page = admin.get("/approvals/-/policies").text
    assert "4 approval policies set." in page
    assert "Refund payment, Record credit note" in page
    assert "Use recommended policies" not in page
    assert "May be signed in bulk" not in page
    run(shop, SetApprovalPolicy(policy="orders", commands=("ApproveOrder",), bulk=True), "admin")
    assert "May be signed in bulk" in admin.get("/approvals/-/policies").text
    assert run(shop, REFUND, "admin") == "requested"


def test_a_request_is_signed_on_a_phone_in_three_taps(
    shop: Flask, signed_in: Callable[..., Page]
) -> None:
    request_id = requested(shop)
    page = signed_in("supervisor", viewport=PHONE, has_touch=True)
    page.goto("/")
    page.get_by_role("link", name="1 waiting").tap()
    page.get_by_role("link", name="Refund payment").first.tap()
    page.get_by_role("button", name="Approve").tap()
    expect(page.locator("#approval")).to_contain_text("Approved by")
    assert state_of(shop, client_in(shop, "admin"), request_id) == "Approved"


@on_one_database
def test_the_comment_is_asked_for_where_the_decision_is_made(
    shop: Flask, signed_in: Callable[..., Page]
) -> None:
    request_id = requested(shop)
    page = signed_in("supervisor")
    page.goto(f"/approvals/{request_id}")
    for name in ("Return", "Refuse"):
        page.get_by_role("button", name=name).click()
        expect(page.get_by_label("Comment")).to_be_focused()
        expect(page).to_have_url(re.compile(f"/approvals/{request_id}$"))
    page.get_by_label("Comment").fill("Where is the receipt?")
    page.get_by_role("button", name="Return").click()
    expect(page.locator("#approval")).to_contain_text("Returned")


@on_one_database
def test_what_is_typed_stays_while_the_page_updates(
    shop: Flask, signed_in: Callable[..., Page]
) -> None:
    request_id = requested(shop)
    page = signed_in("supervisor")
    page.goto(f"/approvals/{request_id}")
    page.get_by_label("Comment").fill("Where is the receipt?")
    with page.expect_response("**/banners"):
        pass
    expect(page.get_by_label("Comment")).to_have_value("Where is the receipt?")
    page.get_by_role("button", name="Return").press("Enter")
    expect(page.locator("#approval")).to_contain_text("Returned")


@on_one_database
@pytest.mark.parametrize("width", [390, 1440])
def test_the_pages_fit_and_are_accessible(
    shop: Flask,
    signed_in: Callable[..., Page],
    accessibility_violations: Violations,
    page_problems: list[str],
    width: int,
) -> None:
    one = f"/approvals/{requested(shop)}"
    run(shop, RECOMMENDED, "admin")
    page = signed_in("supervisor", viewport={"width": width, "height": 900})
    policy = "/commands/SetApprovalPolicy?policy=holds"
    faults: list[str] = []
    for address in ("/approvals", "/approvals?view=decided", one, "/approvals/-/policies"):
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
    form = client_in(shop, "admin").get(policy).text
    assert 'value="500' in form
