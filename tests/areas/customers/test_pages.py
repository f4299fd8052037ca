"""The pages of customers: the list, one customer, the tasks, the receipt."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.areas.customers.commands import EraseCustomer
from cqrs_app.kernel.assembly import Kernel
from tests.areas.customers.test_erasure import WHY, order, run
from tests.interfaces.web.pages.conftest import catch_up, client_in
from tests.interfaces.web.pages.test_without_scripts import page


@pytest.fixture
def client(console: Flask) -> FlaskClient:
    console.config["WTF_CSRF_ENABLED"] = False
    return client_in(console, "admin")


def send(client: FlaskClient, task: str, **values: str) -> int:
    return client.post(f"/commands/{task}", data=values).status_code


def text_of(client: FlaskClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    main = BeautifulSoup(answer.get_data().replace(b"<wbr>", b""), "html.parser").main
    return " ".join(main.get_text(" ").split())


def register(client: FlaskClient, app: Flask, number: str, **values: str) -> None:
    assert send(client, "RegisterCustomer", customer_id=number, **values) == 303
    catch_up(app)


def test_the_page_of_a_customer_has_one_primary_button(client: FlaskClient, console: Flask) -> None:
    register(client, console, "C1", name="Ana Lima")
    buttons = page(client, "/customers/C1").select("main .btn-main")
    assert [each.get_text() for each in buttons] == ["Place order"]


def test_a_customer_is_registered_found_and_counted(client: FlaskClient, console: Flask) -> None:
    assert "No customers yet" in text_of(client, "/customers")
    register(client, console, "C1", name="Ana Lima", email="Ana@example.org")
    register(client, console, "C2", name="Ben Hope")
    for wanted in ("ana", "lima", "ana@exa", "C1"):
        shown = text_of(client, f"/customers?q={wanted}")
        assert "Ana@example.org" in shown, wanted
        assert "Ben Hope" not in shown, wanted
    assert send(client, "DeactivateCustomer", customer_id="C2", reason=WHY) == 303
    catch_up(console)
    shown = text_of(client, "/customers?status=deactivated")
    assert "Ben Hope" in shown
    assert "Ana Lima" not in shown
    assert "Active 1 Deactivated 1 Erased 0" in shown
    assert "No customers match" in text_of(client, "/customers?q=nobody")


def test_a_taken_address_is_refused_with_a_sentence(client: FlaskClient, console: Flask) -> None:
    register(client, console, "C1", email="ana@example.org")
    values = {"customer_id": "C2", "email": "ANA@example.org"}
    answer = client.post("/commands/RegisterCustomer", data=values)
    assert answer.status_code == 422
    assert "Another customer has this e-mail address." in answer.get_data(as_text=True)


def test_a_customer_is_found_by_parts_of_an_address_and_by_numbers_however_written(
    client: FlaskClient, console: Flask
) -> None:
    address = "anna-lena.lima+news@my-shop.example"
    values = {"email": address, "phone": "+33 320 44 55 66"}
    register(client, console, "C-1007", name="Ana", **values)
    register(client, console, "C2", name="Ben", email="ben@other.org", phone="+33 1 22")
    for written in (
        *("anna-lena", "annalena", "lima+news", "my-shop", "myshop", "my-shop.example", "example"),
        *(address, "LIMA@", "@my-shop.example", "lima my-shop"),
        *("+33 320", "320-44-55", "33320445566", "c-1007", "C 1007", "c1007"),
    ):
        shown = text_of(client, f"/customers?{urlencode({'q': written})}")
        assert "C-1007" in shown, written
        assert "ben@other.org" not in shown, written
    orders = BeautifulSoup(client.get(f"/orders?q={address}").get_data(), "html.parser")
    link = orders.find("a", string="Search customers by e-mail")
    assert link is not None
    assert "C-1007" in text_of(client, str(link["href"]))


def test_a_page_shows_the_profile_at_once(client: FlaskClient, kernel: Kernel) -> None:
    send(client, "RegisterCustomer", customer_id="C1", name="Ana Lima")
    shown = text_of(client, "/customers/C1")
    assert "Ana Lima" in shown
    assert "No orders and no credit notes yet." in shown
    form = client.get("/commands/UpdateCustomerProfile?customer_id=C1").get_data(as_text=True)
    assert 'value="Ana Lima"' in form


def test_one_known_from_orders_only_has_a_page_and_can_be_registered(
    client: FlaskClient, console: Flask, kernel: Kernel
) -> None:
    run(kernel, order("1", "C9"))
    catch_up(console)
    assert "Not registered" in text_of(client, "/customers/C9")
    assert "C9" in text_of(client, "/customers/-/accounts?q=zabriskie")
    form = client.get("/commands/RegisterCustomer?customer_id=C9").get_data(as_text=True)
    assert 'value="Quintessa Zabriskie"' in form


def test_an_erased_customers_page_shows_no_value_and_the_receipt(
    client: FlaskClient, console: Flask, kernel: Kernel
) -> None:
    register(client, console, "C1", name="Quintessa Zabriskie", email="q@zabriskie.example")
    run(kernel, order("1"))
    catch_up(console)
    run(kernel, EraseCustomer(customer_id="C1", reason=WHY))
    catch_up(console)
    for address in ("/customers/C1", "/customers", "/customers/-/accounts", "/orders/1"):
        shown = text_of(client, address).casefold()
        assert "zabriskie" not in shown, address
        assert "erased" in shown, address
    shown = text_of(client, "/customers/C1")
    assert "Receipt of the erasure" in shown
    assert "Keys left 0" in shown
    assert "Receipt" not in text_of(client_in(console, "supervisor"), "/customers/C1")


def test_the_tasks_are_those_of_the_role(client: FlaskClient, console: Flask) -> None:
    register(client, console, "C1", name="Ana Lima")
    offered = {
        role: {
            str(link["id"]).removeprefix("do-")
            for link in BeautifulSoup(
                client_in(console, role).get("/customers/C1").get_data(), "html.parser"
            ).select("[id^=do-]")
        }
        for role in ("viewer", "operator", "supervisor", "admin")
    }
    daily = {"UpdateCustomerProfile", "ChangeCustomerEmail", "ChangeCustomerAddress"}
    assert offered == {
        "viewer": set(),
        "operator": daily,
        "supervisor": daily | {"DeactivateCustomer", "MergeCustomers"},
        "admin": daily | {"DeactivateCustomer", "EraseCustomer", "MergeCustomers"},
    }
