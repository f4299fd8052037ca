"""The commands on a customer and their events."""

from __future__ import annotations

import pytest

from cqrs_app.areas.customers import CUSTOMERS
from cqrs_app.areas.customers import commands as do
from cqrs_app.areas.customers import events as was
from cqrs_app.areas.customers.customer import Customer
from cqrs_app.kernel.commands.actions import possible
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.messages.sentences import NEEDED
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.testing import Scenarios
from tests.areas.customers.history import START

WHY = "Asked for it in writing."
REGISTER = do.RegisterCustomer(customer_id="C1", name="Ana Lima", email="Ana@Example.org")
DEACTIVATE = do.DeactivateCustomer(customer_id="C1", reason=WHY)
ERASE = do.EraseCustomer(customer_id="C1", reason=WHY)


given = Scenarios(CUSTOMERS, at=START).given


def test_registering_claims_the_address_without_its_capitals() -> None:
    outcome = given().when(REGISTER)
    assert [(claim.kind, claim.value) for claim in outcome.claims] == [
        ("customer_email", "ana@example.org")
    ]
    outcome.then(
        was.CustomerRegistered(
            customer_id="C1", name="Ana Lima", email="Ana@example.org", phone="", country=""
        )
    )


def test_erasing_gives_the_address_up_and_carries_nothing_personal() -> None:
    outcome = given(REGISTER).when(ERASE)
    assert [claim.value for claim in outcome.claims] == [""]
    outcome.then(
        SubjectErased(subject="customer-C1"), was.CustomerErased(customer_id="C1", reason=WHY)
    )


@pytest.mark.parametrize(
    ("before", "command", "expected"),
    [
        ((REGISTER,), REGISTER, "customer_exists"),
        ((), DEACTIVATE, "no_such_customer"),
        ((), ERASE, "no_such_customer"),
        ((REGISTER, DEACTIVATE), DEACTIVATE, "already_deactivated"),
        ((REGISTER,), do.ReactivateCustomer(customer_id="C1"), "not_deactivated"),
        ((REGISTER, ERASE), ERASE, "customer_erased"),
        ((REGISTER, ERASE), REGISTER, "customer_erased"),
        ((REGISTER, ERASE), do.ReactivateCustomer(customer_id="C1"), "customer_erased"),
    ],
)
def test_what_is_refused(before: tuple[Command, ...], command: Command, expected: str) -> None:
    given(*before).when(command).refused(expected)


def test_a_deactivated_customer_can_be_corrected_and_come_back() -> None:
    rename = do.UpdateCustomerProfile(customer_id="C1", name="Ana M. Lima")
    move = do.ChangeCustomerEmail(customer_id="C1", email="ana@example.com")
    reactivate = do.ReactivateCustomer(customer_id="C1")
    assert given(REGISTER, DEACTIVATE, rename, move).when(reactivate).names == [
        "CustomerReactivated"
    ]


@pytest.mark.parametrize("reason", ["too short", "          x", " " * 12])
def test_a_reason_has_ten_characters(reason: str) -> None:
    with pytest.raises(Invalid) as invalid:
        do.DeactivateCustomer(customer_id="C1", reason=reason)
    assert "10 characters" in invalid.value.problems["reason"]


@pytest.mark.parametrize("email", ["ana", "@example.org", "ana@", "a na@example.org", "a@b@c"])
def test_an_address_has_one_at_and_no_blank(email: str) -> None:
    with pytest.raises(Invalid):
        do.ChangeCustomerEmail(customer_id="C1", email=email)


def test_a_customer_moves_and_an_address_has_street_and_city() -> None:
    moved = do.ChangeCustomerAddress(customer_id="C1", line1="Rue Haute 5", city="Lille")
    given(REGISTER).when(moved).then(
        was.CustomerAddressChanged(
            customer_id="C1", line1="Rue Haute 5", line2="", postal_code="", city="Lille"
        )
    )
    given().when(moved).refused("no_such_customer")
    do.ChangeCustomerAddress(customer_id="C1")
    with pytest.raises(Invalid) as caught:
        do.ChangeCustomerAddress(customer_id="C1", postal_code="59000")
    assert caught.value.problems == {"line1": NEEDED, "city": NEEDED}


def test_the_page_offers_what_the_task_would_do() -> None:
    customer = given(REGISTER, DEACTIVATE).state(Customer)
    offered = {
        each.command: each.allowed
        for each in possible(CUSTOMERS.handlers, customer, "C1", 2).actions
    }
    assert offered == {
        "RegisterCustomer": False,
        "UpdateCustomerProfile": True,
        "ChangeCustomerEmail": True,
        "ChangeCustomerAddress": True,
        "ReactivateCustomer": True,
        "DeactivateCustomer": False,
        "MergeCustomers": True,
        "EraseCustomer": True,
    }


@pytest.mark.parametrize(
    "spelling",
    [
        "ANA@example.ORG",
        "\uff41\uff4e\uff41@example.org",
        "ana@\uff45\uff58ample.org",
        " ana@example.org ",
    ],
)
def test_no_spelling_of_an_address_makes_two_of_it(spelling: str) -> None:
    command = do.RegisterCustomer(customer_id="C2", email=spelling)
    assert [claim.value for claim in given().when(command).claims] == ["ana@example.org"]


@pytest.mark.parametrize("unseen", ["\u200b", "\u00ad", "\u202e"])
def test_no_character_that_shows_nothing_is_in_an_address_or_a_name(unseen: str) -> None:
    for name, text in (("email", f"an{unseen}a@example.org"), ("name", f"An{unseen}a")):
        with pytest.raises(Invalid) as refused:
            do.RegisterCustomer(customer_id="C2", **{name: text})
        assert set(refused.value.problems) == {name}


def test_what_is_no_country_is_refused_now_and_kept_of_history() -> None:
    unknown = do.RegisterCustomer(customer_id="C2", country="Unspecified")
    given().when(unknown).refused("unknown_country")
    [event] = given().when(unknown, history=True).events
    assert isinstance(event, was.CustomerRegistered)
    assert event.country == "Unspecified"
