"""Attachments on an order's page: attached, downloaded, removed, erased; limits and refusals."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from cqrs_app.areas.customers import commands as customers
from cqrs_app.areas.orders.commands import AssignOrderToCustomer, AttachFile, PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.store.tables import events
from cqrs_app.platform.transfer.attachments.files import STRAYS_KEPT, OrderFiles
from cqrs_app.platform.transfer.attachments.subscription import ForgetStrays
from cqrs_app.platform.transfer.attachments.tables import order_files
from cqrs_app.services import services_of
from tests.areas.customers.test_erasure import WHY, run
from tests.interfaces.web.pages.conftest import catch_up, client_in
from tests.interfaces.web.pages.test_without_scripts import page
from tests.interfaces.web.pages.test_without_scripts import send as send_command

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
HTML = b"<html><script>alert(1)</script></html>"
ADDRESS = "/orders/W-1/attachments"
ID = "00000000-0000-4000-8000-00000000000"


@pytest.fixture
def shop(console: Flask) -> Flask:
    place(console, "W-1")
    return console


def kernel_of(app: Flask) -> Kernel:
    kernel: Kernel = services_of(app).kernel
    return kernel


def place(app: Flask, order_id: str, customer_id: str = "") -> None:
    line = OrderLine(sku="LAMP", quantity=1, unit_price=5)  # type: ignore[arg-type]
    command = PlaceOrder(
        order_id=order_id, customer_id=customer_id, country="FR", currency="EUR", lines=(line,)
    )
    run(kernel_of(app), command)
    catch_up(app)


def form_of(client: FlaskClient, address: str = ADDRESS) -> dict[str, Any]:
    form = page(client, address).select_one('form[enctype="multipart/form-data"]')
    assert form is not None
    return {str(each["name"]): each.get("value", "") for each in form.select("input[type=hidden]")}


def attach(
    client: FlaskClient,
    content: bytes = PNG,
    name: str = "damage.png",
    address: str = ADDRESS,
    **changed: str,
) -> TestResponse:
    """Fill in and send the form, like a browser without scripts."""
    data = form_of(client, address) | changed | {"file": (io.BytesIO(content), name)}
    return client.post(address, data=data, content_type="multipart/form-data")


def stored(app: Flask) -> int:
    with kernel_of(app).engines.write.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(order_files)).scalar_one())


def test_a_file_is_attached_downloaded_and_removed(shop: Flask) -> None:
    client = client_in(shop, "operator")
    answer = attach(client)
    assert (answer.status_code, answer.location) == (303, "/orders/W-1")
    catch_up(shop)
    shown = page(client, "/orders/W-1")
    panel = shown.select_one("#attachments")
    assert panel
    text = " ".join(panel.get_text(" ").split())
    assert "damage.png" in text
    assert "264 bytes" in text
    assert "operator" in text
    assert "File attached" in shown.get_text()
    link = panel.select_one("a[download]")
    assert link
    file = client.get(str(link["href"]))
    assert file.data == PNG
    assert not panel.select("a[href*=RemoveAttachment]")

    supervisor = client_in(shop, "supervisor")
    panel = page(supervisor, "/orders/W-1").select_one("#attachments")
    assert panel
    remove = panel.select_one("a[href*=RemoveAttachment]")
    assert remove
    assert send_command(supervisor, str(remove["href"]), reason="Wrong order.").status_code == 303
    catch_up(shop)
    shown = page(client, "/orders/W-1")
    assert "No attachments yet." in shown.get_text()
    assert "Wrong order." in shown.get_text()
    assert client.get(str(link["href"])).status_code == 404
    assert stored(shop) == 0


def test_a_file_is_only_ever_saved_never_shown_in_the_console(shop: Flask) -> None:
    client = client_in(shop, "operator")
    attach(client, HTML, "page.txt")
    catch_up(shop)
    answer = client.get(f"{ADDRESS}/1")
    assert answer.headers["Content-Disposition"] == "attachment; filename=page.txt"
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox; default-src 'none'" in answer.headers.getlist("Content-Security-Policy")
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_file_of_another_kind_gets_a_sentence_and_nothing_is_kept(shop: Flask) -> None:
    client = client_in(shop, "operator")
    head = kernel_of(shop).store.head()
    answer = attach(client, HTML, "photo.png")
    assert answer.status_code == 422
    assert "photo.png is not a .png file, whatever its name says. The file was not kept." in (
        answer.text
    )
    assert "Choose the file again" in answer.text
    assert stored(shop) == 0
    assert kernel_of(shop).store.head() == head


@pytest.mark.parametrize("size", [20_001, 200_000])
def test_a_file_that_is_too_large_gets_a_sentence_and_nothing_is_kept(
    make_console: Callable[..., Flask], size: int
) -> None:
    app = make_console(max_attachment_bytes=20_000)
    place(app, "W-1")
    answer = attach(client_in(app, "operator"), b"x" * size, "a.txt")
    assert answer.status_code in (413, 422)
    assert "The file is larger than 0.0 MiB" in answer.text
    assert stored(app) == 0
    assert attach(client_in(app, "operator"), b"x" * 20_000, "a.txt").status_code == 303


@pytest.mark.parametrize("role", ["nobody", *ROLES])
def test_viewers_see_files_and_operators_attach_them(shop: Flask, role: str) -> None:
    attach(client_in(shop, "operator"))
    catch_up(shop)
    shop.config["WTF_CSRF_ENABLED"] = False
    client = client_in(shop, role)
    signed_in = role != "nobody"
    assert client.get(f"{ADDRESS}/1").status_code == (200 if signed_in else 303)
    if signed_in:
        offered = page(client, ADDRESS).select("form[enctype]")
        assert bool(offered) == (role != "viewer")
    data = {"file": (io.BytesIO(PNG), "second.png")}
    answer = client.post(ADDRESS, data=data, content_type="multipart/form-data")
    may = role not in ("nobody", "viewer")
    assert answer.status_code == (303 if may else 403 if signed_in else 401)
    assert stored(shop) == (2 if may else 1)


def test_a_form_that_is_sent_twice_attaches_one_file(shop: Flask) -> None:
    client = client_in(shop, "operator")
    form = form_of(client)
    for _ in range(2):
        assert attach(client, file_id=form["file_id"]).status_code == 303
    assert stored(shop) == 1
    # The Back button shows the form with its id, and another file is chosen.
    assert attach(client, PNG + b"2", file_id=form["file_id"]).status_code == 303
    catch_up(shop)
    assert len(page(client, "/orders/W-1").select("#attachments a[download]")) == 2


def test_an_id_that_somebody_made_up_gets_a_sentence(shop: Flask) -> None:
    assert attach(client_in(shop, "operator"), file_id="../etc").status_code == 422
    assert stored(shop) == 0


def test_a_file_for_no_order_is_not_kept(shop: Flask) -> None:
    client = client_in(shop, "operator")
    data = form_of(client) | {"file": (io.BytesIO(PNG), "a.png")}
    answer = client.post("/orders/W-9/attachments", data=data, content_type="multipart/form-data")
    assert answer.status_code == 404
    assert client.get("/orders/W-9/attachments").status_code == 404
    assert client.get(f"{ADDRESS}/1").status_code == 404
    assert stored(shop) == 0


def test_a_command_alone_attaches_nothing(shop: Flask) -> None:
    command = AttachFile(
        order_id="W-1",
        file_id=f"{ID}0",
        name="a.png",
        media_type="image/png",
        size=1,
        sha256="0" * 64,
    )
    with pytest.raises(Refused, match="No such file was received for order W-1"):
        run(kernel_of(shop), command)


def test_what_was_received_and_not_attached_is_deleted_after_a_day(shop: Flask) -> None:
    kernel = kernel_of(shop)
    old = OrderFiles(kernel.engines.write, lambda: datetime.now(UTC) - STRAYS_KEPT * 2)
    kept, stray = (old.receive(f"{ID}{number}", "W-1", "a.png", PNG) for number in (1, 2))
    OrderFiles(kernel.engines.write).receive(f"{ID}3", "W-1", "a.png", PNG)
    run(kernel, kept)
    catch_up(shop)
    task = ForgetStrays()
    assert task.due(kernel) == [stray.file_id]
    for file_id in (kept.file_id, stray.file_id):
        assert not task.work(kernel, file_id)
    assert stored(shop) == 2


@pytest.mark.parametrize("assigned", [False, True])
def test_erasing_a_customer_deletes_the_files_of_their_orders(shop: Flask, assigned: bool) -> None:
    """Also those from when an order was a guest's."""
    kernel, client = kernel_of(shop), client_in(shop, "operator")
    run(kernel, customers.RegisterCustomer(customer_id="C1", name="Ana"))
    place(shop, "W-2", "" if assigned else "C1")
    attach(client, name="ana lima.png", address="/orders/W-2/attachments")
    attach(client)
    if assigned:
        run(kernel, AssignOrderToCustomer(order_id="W-2", customer_id="C1"))
    catch_up(shop)
    assert stored(shop) == 2
    with kernel.engines.write.connect() as connection:
        payloads = connection.execute(select(events.c.payload)).scalars()
        assert "ana lima" not in "".join(payloads)
    run(kernel, customers.EraseCustomer(customer_id="C1", reason=WHY))
    catch_up(shop)
    assert stored(shop) == 1
    assert client.get("/orders/W-2/attachments/1").status_code == 404
    shown = page(client, "/orders/W-2").get_text()
    assert "File attached" in shown
    assert "ana lima" not in shown
    assert client.get(f"{ADDRESS}/1").status_code == 200
