"""A payment that does not fit its order is refused or flagged, and there is a way out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cqrs_app.areas.fulfilment.events import FulfilmentMoved
from cqrs_app.areas.fulfilment.types import Stage
from cqrs_app.areas.orders.commands import ApproveOrder, PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.areas.payments.commands import (
    RECORD,
    AuthorisePayment,
    CapturePayment,
    ClearFlaggedAnswers,
    MovePayment,
    RecordPayment,
    RefundPayment,
)
from cqrs_app.areas.payments.gateway_commands import RecordRefund
from cqrs_app.areas.payments.queries.lists import ListPayments
from cqrs_app.areas.payments.rules import waits_for
from cqrs_app.areas.types import WaitsFor
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Context, Receipt, new_id
from cqrs_app.kernel.commands.middleware import HISTORY, Proceed
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.operators.roles import system_actor
from tests.areas.fulfilment.conftest import LAMP, THE, Follower, MakeDesk, OrderDesk
from tests.areas.payments.conftest import ADA
from tests.interfaces.web.pages.conftest import client_in
from tests.interfaces.web.pages.test_without_scripts import page, send

STRICT = {"unmatched_payments": "refuse"}
LENIENT = {"unmatched_payments": "flag"}


def record(payment_id: str = "bank-1", amount: str = "10", **rest: str) -> RecordPayment:
    values = {"order_id": THE, "currency": "GBP", "reference": payment_id} | rest
    return RecordPayment(
        payment_id=payment_id, amount=Decimal(amount), method="bank transfer", **values
    )


def authorise(payment_id: str = "till", amount: str = "10", **rest: str) -> AuthorisePayment:
    values = {"order_id": THE, "currency": "GBP", "method": "tok_fine"} | rest
    return AuthorisePayment(payment_id=payment_id, amount=Decimal(amount), **values)


def moved(payment_id: str) -> MovePayment:
    return MovePayment(payment_id=payment_id, order_id=THE, reason="A digit was missing.")


@pytest.fixture
def strict(make_desk: MakeDesk) -> OrderDesk:
    """Where people record payments; an order of four lamps for GBP 10.00 waits for one."""
    return begun(make_desk(method="", **STRICT))


def begun(desk: OrderDesk) -> OrderDesk:
    desk.stock(LAMP, 10)
    desk.approve((LAMP, 4))
    desk.settle_all()
    return desk


@pytest.mark.parametrize(
    ("command", "code", "why"),
    [
        (record(order_id="99"), "no_such_order", "There is no order 99."),
        (authorise(order_id="99"), "no_such_order", "There is no order 99."),
        (record(currency="EUR"), "other_currency", "Order 1001 is in GBP, not in EUR."),
        (authorise(currency="EUR"), "other_currency", "Order 1001 is in GBP, not in EUR."),
        (record(amount="11.01"), "beyond_order", "Order 1001 costs GBP 10.00; GBP 11.01 more"),
        (authorise(amount="11.01"), "beyond_order", "Order 1001 costs GBP 10.00; GBP 11.01 more"),
    ],
)
def test_a_payment_that_does_not_fit_its_order_is_refused(
    strict: OrderDesk, command: Any, code: str, why: str
) -> None:
    with pytest.raises(Refused) as refused:
        strict.do(command)
    assert refused.value.code == code
    assert refused.value.sentence.startswith(why)
    assert "Nothing was changed." in refused.value.sentence
    assert strict.paid(command.payment_id).started_at is None


def test_what_a_bank_rounded_up_is_not_too_much(strict: OrderDesk) -> None:
    strict.do(record(amount="10.99"))
    strict.settle_all()
    assert strict.stage() is Stage.TO_SHIP


def test_money_is_not_taken_twice(strict: OrderDesk) -> None:
    strict.do(record())
    strict.settle_all()
    with pytest.raises(
        Refused, match=r"costs GBP 10.00 and GBP 10.00 of it is paid or being captured"
    ) as refused:
        strict.do(record("bank-2"))
    assert refused.value.code == "beyond_order"


def test_money_is_not_taken_twice_while_fulfilment_is_behind(strict: OrderDesk) -> None:
    strict.do(record(amount="4"), record("bank-2", "6"))
    with pytest.raises(Refused, match=r"GBP 10.00 of it is paid or being captured") as refused:
        strict.do(record("bank-3", "2"))
    assert refused.value.code == "beyond_order"


def test_a_second_capture_is_refused_before_the_first_is_answered(make_desk: MakeDesk) -> None:
    desk = make_desk(method="", **LENIENT)
    desk.place((LAMP, 4))
    desk.do(authorise("till-1", "10"), authorise("till-2", "10"))
    desk.ask_gateway()
    desk.settle_all()
    desk.do(CapturePayment(payment_id="till-1"))
    with pytest.raises(Refused, match=r"GBP 10.00 of it is paid or being captured") as refused:
        desk.do(CapturePayment(payment_id="till-2"))
    assert refused.value.code == "beyond_order"


@pytest.mark.parametrize("unmatched", ["refuse", "flag"])
def test_nothing_is_captured_for_an_order_that_is_paid(make_desk: MakeDesk, unmatched: str) -> None:
    desk = make_desk(method="", unmatched_payments=unmatched)
    desk.place((LAMP, 4))
    desk.do(authorise("till", "10"))
    desk.ask_gateway()
    desk.do(record())
    desk.settle_all()
    with pytest.raises(Refused, match=r"GBP 10.00 of it is paid or being captured") as refused:
        desk.do(CapturePayment(payment_id="till"))
    assert refused.value.code == "beyond_order"


@pytest.mark.parametrize("again", ["bank-1", "BANK-1", " bank -1"])
def test_a_reference_is_recorded_once(strict: OrderDesk, again: str) -> None:
    strict.do(record(amount="5"))
    strict.settle_all()
    with pytest.raises(Refused, match="recorded with this reference") as refused:
        strict.do(record("bank-2", "5", reference=again))
    assert refused.value.code == "reference_used"
    strict.do(record("bank-2", "5", reference="bank-1 second half"))
    strict.settle_all()
    assert strict.stage() is Stage.TO_SHIP


def test_an_order_and_its_payment_fit_within_one_batch(strict: OrderDesk) -> None:
    line = OrderLine(sku=LAMP, description="", quantity=1, unit_price=Decimal(3))
    placed = PlaceOrder(order_id="7", country="Peru", currency="GBP", lines=(line,))
    commands: list[Command] = [
        placed,
        record("b-7", "3", order_id="7"),
        record("b-8", "3", order_id="8"),
    ]
    outcomes = strict.kernel.commands.execute_batch(
        [(each, Context(actor=ADA, channel="test", command_id=new_id())) for each in commands]
    )
    assert [outcome.error.code if outcome.error else "" for outcome in outcomes] == [
        "",
        "",
        "no_such_order",
    ]


@pytest.mark.parametrize("unmatched", ["refuse", "flag"])
def test_of_two_payments_in_one_batch_the_second_is_too_much(
    make_desk: MakeDesk, unmatched: str
) -> None:
    desk = begun(make_desk(method="", unmatched_payments=unmatched))
    commands = [record(), record("bank-2", order_id="1002"), record("bank-3")]
    desk.place((LAMP, 4), order_id="1002")
    outcomes = desk.kernel.commands.execute_batch(
        [(each, Context(actor=ADA, channel="test", command_id=new_id())) for each in commands]
    )
    refused = [outcome.error.code if outcome.error else "" for outcome in outcomes]
    assert refused == ["", "", "beyond_order" if unmatched == "refuse" else ""]
    assert [bool(desk.paid(each.payment_id).flags) for each in commands] == [
        False,
        False,
        unmatched == "flag",
    ]


@pytest.mark.parametrize(
    "act", [record("bank-2"), CapturePayment(payment_id="till"), moved("bank-3")]
)
def test_a_payment_that_another_overtakes_is_compared_with_it(
    make_desk: MakeDesk, act: Any
) -> None:
    desk = make_desk(method="", **LENIENT)
    desk.place((LAMP, 4))
    desk.do(authorise("till"), record("bank-3", order_id="1002"))
    desk.ask_gateway()
    desk.settle_all()
    overtaking: list[Command] = [record()]

    def overtake(call: Call, proceed: Proceed) -> Receipt:
        while overtaking:
            desk.do(overtaking.pop())
        return proceed(call)

    bus = desk.bus(overtake)
    context = Context(actor=ADA, channel="test", command_id=new_id())
    if isinstance(act, CapturePayment):
        with pytest.raises(Refused, match=r"GBP 10.00 of it is paid or being captured"):
            bus.execute(act, context)
    else:
        bus.execute(act, context)
        assert desk.paid(act.payment_id).flags[-1:] == ["beyond_order"]


@pytest.mark.parametrize(
    ("unmatched", "charge", "amount", "asked"),
    [
        ("refuse", AuthorisePayment, "10", []),
        ("flag", CapturePayment, "10", ["authorisation", "void"]),
        ("refuse", CapturePayment, "4", ["authorisation", "capture", "void"]),
    ],
)
def test_fulfilment_charges_nothing_that_somebody_pays_in_the_same_instant(
    make_desk: MakeDesk, unmatched: str, charge: type[Command], amount: str, asked: list[str]
) -> None:
    desk = make_desk(unmatched_payments=unmatched)
    paying: list[Command] = [record(amount=amount)]

    def overtake(call: Call, proceed: Proceed) -> Receipt:
        while paying and isinstance(call.command, charge) and call.context.channel == "process":
            desk.do(paying.pop())
        return proceed(call)

    desk.follower = Follower(
        replace(desk.kernel, commands=desk.bus(overtake)), desk.actor, desk.policy
    )
    begun(desk)
    assert paying == []
    process = desk.process()
    assert process.status.stage == Stage.TO_SHIP
    assert sum(each.kept for each in process.payments.values()) == 10
    assert all(waits_for(desk.paid(each)) is WaitsFor.NOBODY for each in process.payments)
    assert [each for each, _ in desk.booked] == asked
    assert Stage.STUCK not in stages_of(desk)


def stages_of(desk: OrderDesk) -> list[str]:
    """Those that the order went through."""
    found = desk.kernel.store.events_of(f"fulfilment-{THE}")
    events = [desk.kernel.registry.codec.decode(each).event for each in found]
    return [event.stage for event in events if isinstance(event, FulfilmentMoved)]


def test_history_is_not_asked(strict: OrderDesk) -> None:
    importer = system_actor("importer", RECORD, HISTORY)
    context = Context(actor=importer, channel="import", command_id=new_id())
    context = replace(context, occurred_at=strict.clock())
    strict.kernel.commands.execute(record(order_id="99"), context)
    assert strict.paid("bank-1").captured == 10


def test_what_is_accepted_all_the_same_is_flagged_until_it_is_cleared(make_desk: MakeDesk) -> None:
    desk = begun(make_desk(method="", **LENIENT))
    desk.do(record(order_id="99"))
    desk.settle_all()
    desk.catch_up()
    assert [row.payment_id for row in desk.ask(ListPayments(show="flagged")).rows] == ["bank-1"]
    supervisor = client_in(desk.app, "supervisor")
    shown = " ".join(page(supervisor, "/payments/bank-1").get_text(" ").split())
    assert "There is no order 99." in shown
    assert "Waiting for A person" in shown
    assert desk.stage("99") is Stage.STUCK
    desk.do(ClearFlaggedAnswers(payment_id="bank-1", note="It is for the order of tomorrow."))
    desk.catch_up()
    assert desk.ask(ListPayments(show="flagged")).rows == ()


def test_money_of_an_unknown_order_is_moved_to_the_right_one(make_desk: MakeDesk) -> None:
    desk = begun(make_desk(method="", **LENIENT))
    desk.do(record(order_id="99"))
    desk.settle_all()
    desk.catch_up()
    supervisor = client_in(desk.app, "supervisor")
    link = page(supervisor, "/payments/bank-1").find(id="do-MovePayment")
    assert link is not None
    answer = send(supervisor, str(link["href"]), order_id=THE, reason="A digit was missing.")
    assert answer.status_code == 303
    desk.settle_all()
    assert (desk.stage("99"), desk.stage()) == (Stage.UNDONE, Stage.TO_SHIP)
    desk.catch_up()
    [row] = desk.ask(ListPayments(order_id=THE)).rows
    assert row.payment_id == "bank-1"


def test_money_of_an_unknown_order_is_given_back(make_desk: MakeDesk) -> None:
    desk = begun(make_desk(method="", **LENIENT))
    desk.do(record(order_id="99"))
    desk.settle_all()
    desk.do(
        RefundPayment(payment_id="bank-1", reason="Not ours."),
        RecordRefund(payment_id="bank-1", request_no=1, reference="T1"),
    )
    desk.settle_all()
    assert desk.stage("99") is Stage.UNDONE


def test_money_is_not_moved_to_an_order_that_it_does_not_fit(strict: OrderDesk) -> None:
    strict.do(record())
    strict.settle_all()
    strict.approve((LAMP, 1), order_id="1002")
    for to, code in (("99", "no_such_order"), ("1002", "beyond_order")):
        with pytest.raises(Refused) as refused:
            strict.do(MovePayment(payment_id="bank-1", order_id=to, reason="Wrong order."))
        assert refused.value.code == code


def test_an_order_paid_in_another_currency_is_not_charged_beside_it(make_desk: MakeDesk) -> None:
    desk = make_desk(**LENIENT)
    desk.stock(LAMP, 4)
    desk.place((LAMP, 4))
    desk.do(record(currency="EUR"), ApproveOrder(order_id=THE))
    desk.settle_all()
    assert desk.stage() is Stage.STUCK
    assert "Payment bank-1 is in EUR, the order in GBP" in desk.process().status.sentence
    assert desk.booked == []
    desk.do(record("bank-2", "4"))
    assert desk.paid("bank-2").flags == []
    desk.do(
        RefundPayment(payment_id="bank-1", reason="Paid in the wrong currency."),
        RecordRefund(payment_id="bank-1", request_no=1, reference="T1"),
    )
    desk.settle_all()
    assert desk.stage() is Stage.TO_SHIP
