"""The guided shift is ticked off from what the operator really did, in a demo shop only."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, update

from cqrs_app.areas.orders.commands import AddOrderNote, ApproveOrder, HoldOrder, ShipOrder
from cqrs_app.areas.orders.types import ShippedLine
from cqrs_app.areas.orders.words import HoldReason
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import VersionConflict
from cqrs_app.kernel.store.tables import processes
from cqrs_app.kernel.subscriptions.presence import SWEEP
from cqrs_app.platform.approvals.commands import SetApprovalPolicy, SignRequest
from cqrs_app.platform.approvals.gate import request_id_of
from cqrs_app.platform.approvals.types import SignDecision
from cqrs_app.platform.operators.tables import sessions
from cqrs_app.platform.runtime.commands import SkipParkedEvent
from cqrs_app.processes import demo_removal
from cqrs_app.processes.preflight import claim_data_folder
from cqrs_app.services import services_of
from tests.areas.orders.given import line, place
from tests.console import MakeConsole
from tests.interfaces.web.pages.conftest import catch_up, client_in
from tests.interfaces.web.pages.test_approvals import REFUND, run, with_people
from tests.interfaces.web.pages.test_macros import token_in
from tests.interfaces.web.pages.test_without_scripts import page
from tests.platform.failures.conftest import Console

ORDER = "S-1"
NOTE = AddOrderNote(order_id=ORDER, note="Ring first.")


@pytest.fixture
def living(make_shop: MakeConsole) -> Flask:
    """A demo shop in which time may pass and orders ship without their stock being reserved, with
    an order of two lines, and people of every role."""
    app = make_shop(demo_seconds=30.0, fulfilment=False)
    with_people(app)
    run(app, place(ORDER, line(quantity=6), line("22423", 2)), "operator")
    catch_up(app)
    return app


def done(client: FlaskClient) -> set[str]:
    return {
        str(each["id"])
        for each in page(client, "/shift").select("ol.timeline > li")
        if each.select_one("time")
    }


def test_jobs_are_ticked_off_for_whoever_did_them(living: Flask) -> None:
    admin, other = client_in(living, "admin"), client_in(living, "supervisor")
    assert done(admin) == set()
    run(living, NOTE, "admin")
    run(living, ApproveOrder(order_id=ORDER), "admin")
    assert done(admin) == {"find", "approve"}
    rest = ShippedLine(line_no=1, quantity=4)
    run(living, ShipOrder(order_id=ORDER, lines=(ShippedLine(line_no=1, quantity=2),)), "admin")
    assert done(admin) == {"find", "approve", "ship"}
    run(living, ShipOrder(order_id=ORDER, lines=(rest,)), "admin")
    assert done(other) == set()


def test_a_shipment_of_all_is_none_in_part(living: Flask) -> None:
    run(living, ApproveOrder(order_id=ORDER), "admin")
    run(living, ShipOrder(order_id=ORDER), "admin")
    assert done(client_in(living, "admin")) == {"approve"}


def test_a_refund_counts_once_another_has_signed(living: Flask) -> None:
    admin = client_in(living, "admin")
    run(living, SetApprovalPolicy(policy="refunds", commands=("RefundPayment",)), "admin")
    command_id = str(uuid.uuid4())
    assert run(living, REFUND, "admin", command_id) == "requested"
    assert done(admin) == set()
    catch_up(living)
    request_id = request_id_of(command_id)
    shown = page(client_in(living, "supervisor"), f"/commands/SignRequest?request_id={request_id}")
    digest = shown.select_one("input[name=digest]")
    assert digest
    approval = SignRequest(
        request_id=request_id, decision=SignDecision.APPROVE, digest=str(digest["value"])
    )
    run(living, approval, "supervisor")
    assert done(admin) == {"refund"}
    assert done(client_in(living, "supervisor")) == set()


def test_a_conflict_counts_which_changed_nothing(living: Flask) -> None:
    kernel: Kernel = services_of(living).kernel
    hold = HoldOrder(order_id=ORDER, reason=HoldReason.OTHER)
    seen = kernel.store.versions_of([f"order-{ORDER}"])[f"order-{ORDER}"]
    run(living, hold, "supervisor")
    context = Context(actor=Actor("admin", ROLES["admin"]), channel="form", expected_version=seen)
    with pytest.raises(VersionConflict):
        kernel.commands.execute(hold, context)
    assert done(client_in(living, "admin")) == {"conflict"}


def test_poison_is_parked_alone_and_skipped(living: Flask) -> None:
    admin = client_in(living, "admin")
    run(living, AddOrderNote(order_id=ORDER, note="Poison"), "admin")
    run(living, AddOrderNote(order_id="A-1", note="Ring first."), "admin")
    Console(living).follow()
    assert done(admin) == {"find"}
    failure = page(admin, "/failures?kind=event").select_one("main table a")
    assert failure
    shown = page(admin, str(failure["href"]))
    assert [each["href"] for each in shown.select("a[href*=SkipParkedEvent]")] == [
        f"/commands/SkipParkedEvent?projection=demo_notes&stream=order-{ORDER}"
    ]
    skip = SkipParkedEvent(
        projection="demo_notes", stream=f"order-{ORDER}", reason="A poisoned note."
    )
    run(living, skip, "admin")
    Console(living).follow()
    assert done(admin) == {"find", "poison"}
    assert "demo_notes" not in page(admin, "/failures?kind=event").text


def test_a_worker_that_was_replaced_counts_unless_the_whole_console_was_killed(
    living: Flask,
) -> None:
    admin, kernel = client_in(living, "admin"), services_of(living).kernel
    now = kernel.clock()

    def started(name: str, ago: int, seen: int, kind: str = "worker") -> None:
        times = {
            "started_at": now - timedelta(seconds=ago),
            "seen_at": now - timedelta(seconds=seen),
        }
        row = {"process_id": name, "kind": kind, "host": "h", "pid": 1, **times}
        with kernel.engines.write.begin() as connection:
            connection.execute(insert(processes).values(**row))

    started("killed with its sweep", 900, 600)
    started("sweep of the killed console", 900, 602, SWEEP)
    started("of the next start", 580, 0)
    started("sweep of the next start", 580, 1, SWEEP)
    assert done(admin) == set()
    started("killed alone", 579, 60)
    assert done(admin) == set()
    started("its successor", 50, 0)
    assert done(admin) == {"worker"}


def test_it_is_dismissed_and_comes_back(living: Flask) -> None:
    client = client_in(living, "operator")
    assert page(client, "/").select_one("a[href='/shift']")
    token = token_in(page(client, "/shift"))
    assert client.post("/shift", data={"csrf_token": token}).location == "/"
    assert not page(client, "/").select_one("a[href='/shift']")
    assert page(client_in(living, "admin"), "/").select_one("a[href='/shift']")
    client.post("/shift", data={"csrf_token": token, "guided": "on"})
    assert page(client, "/").select_one("a[href='/shift']")


def test_steps_that_a_role_does_not_allow_say_so(living: Flask) -> None:
    shown = page(client_in(living, "operator"), "/shift")
    refused = [
        str(each["id"]) for each in shown.select("ol.timeline > li") if "Your role" in each.text
    ]
    assert refused == ["refund", "poison", "worker"]


def removal(client: FlaskClient) -> Any:
    """The answer to the button, whether the page shows it or not."""
    token = token_in(page(client, "/shift/remove"))
    return client.post("/shift/remove", data={"csrf_token": token})


@pytest.mark.parametrize("kind", ["sqlite"])
def test_one_button_asks_the_supervisor_to_remove_the_demo_shop(make_shop: MakeConsole) -> None:
    app = make_shop(demo_seconds=30.0, audit_events=True)
    folder, admin = services_of(app).settings.data_dir, client_in(app, "admin")
    assert page(admin, "/shift").select_one("a[href='/shift/remove']")
    assert not page(client_in(app, "supervisor"), "/shift").select_one("a[href='/shift/remove']")
    with claim_data_folder(folder):
        shown = page(admin, "/shift/remove")
        assert "Nothing is deleted: all of it is moved to" in shown.text
        assert "sign in as admin with the password that bin/run prints" in shown.text
        answer = removal(admin)
    assert answer.status_code == 200
    assert "starts again with an empty shop" in answer.text
    assert demo_removal.is_asked(folder)
    services_of(app).audit.flush()
    catch_up(app)
    assert "demo shop" in page(admin, "/audit").text


@pytest.mark.parametrize("kind", ["sqlite"])
def test_removal_asks_who_proved_it_long_ago_once_more(make_shop: MakeConsole) -> None:
    app = make_shop(demo_seconds=30.0)
    settings, admin = services_of(app).settings, client_in(app, "admin")
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with services_of(app).kernel.engines.write.begin() as connection:
        connection.execute(update(sessions).values(verified_at=long_ago))
    with claim_data_folder(settings.data_dir):
        assert "proof-password" in removal(admin).text
    assert not demo_removal.is_asked(settings.data_dir)


def test_the_page_says_why_the_demo_shop_cannot_be_removed_from_here(living: Flask) -> None:
    admin, folder = client_in(living, "admin"), services_of(living).settings.data_dir
    with claim_data_folder(folder):
        answer = removal(admin)
    assert answer.status_code == 422
    assert "There is more here than the demo shop: 2 orders" in answer.text
    assert "Remove demo shop</button>" not in answer.text
    assert not demo_removal.is_asked(folder)


def test_without_a_supervisor_or_with_a_database_server_it_says_what_to_do(
    make_shop: MakeConsole, kind: str
) -> None:
    shown = page(client_in(make_shop(demo_seconds=30.0), "admin"), "/shift/remove").text
    instead = "run .venv/bin/flask demo remove, and start it again"
    elsewhere = "name empty databases in DATABASE_URL and READ_DATABASE_URL"
    assert (instead if kind == "sqlite" else elsewhere) in shown


def test_only_a_demo_shop_has_one(shared_console: Flask) -> None:
    client = client_in(shared_console, "admin")
    assert client.get("/shift").status_code == 404
    assert client.get("/shift/remove").status_code == 404
    assert not page(client, "/").select_one("a[href='/shift']")
