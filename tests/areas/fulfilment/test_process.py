"""The process itself, without a database: given what happened, these commands and this stage."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import Any

import pytest
from msgspec.structs import replace

from cqrs_app.areas.fulfilment.decide import Decision, decide
from cqrs_app.areas.fulfilment.events import (
    FulfilmentCancelled,
    FulfilmentRetried,
    FulfilmentStepSkipped,
)
from cqrs_app.areas.fulfilment.evolve import evolve
from cqrs_app.areas.fulfilment.evolve_order import US
from cqrs_app.areas.fulfilment.inputs import (
    Approved,
    CommandEnded,
    CommandsSent,
    DeadlinePassed,
    Input,
    Moved,
    OrderChanged,
    PaymentChanged,
    Returned,
    StockArrived,
)
from cqrs_app.areas.fulfilment.process import FulfilmentProcess
from cqrs_app.areas.fulfilment.stages import DAY, HOUR
from cqrs_app.areas.fulfilment.types import AfterDeclines, Line, Policy, Sent, Stage

ORDER, LAMP, CARD = "1001", "85123A", "CARD 1"
PAYMENT = f"{ORDER}-1"
POLICY = Policy(method="card", retry_after=(HOUR, DAY), after_declines=AfterDeclines.HOLD)


def approved(**policy: Any) -> Approved:
    """Four lamps and two cards for GBP 10."""
    return Approved(
        currency="GBP",
        total=Decimal(10),
        lines=(Line(sku=LAMP, quantity=4), Line(sku=CARD, quantity=2)),
        policy=dataclasses.replace(POLICY, **policy),
    )


def payment(what: str, amount: int = 10, *, asked: str = "", of: str = PAYMENT) -> PaymentChanged:
    return PaymentChanged(
        payment_id=of, type=f"Payment{what}", asked=asked, amount=Decimal(amount), currency="GBP"
    )


def order(what: str, by: str = "maria", *sent: Sent) -> OrderChanged:
    return OrderChanged(type=f"Order{what}", by=by, sent=sent)


@dataclass(frozen=True)
class Refusal:
    """Of the command with this key."""

    key: str
    code: str = "nope"


@dataclass(frozen=True)
class Done:
    key: str


Happening = Input | Done | Refusal


def given(*happenings: Happening) -> FulfilmentProcess:
    """The process after these inputs, with the commands sent and recorded that it decided."""
    return reduce(after, happenings, FulfilmentProcess(order_id=ORDER))


def after(process: FulfilmentProcess, happening: Happening) -> FulfilmentProcess:
    process = evolve(process, _input(process, happening))
    decision = decide(process)
    process = evolve(process, CommandsSent(decision.commands))
    process = replace(process, steps=process.steps + len(decision.commands))
    return evolve(process, Moved(decision.status, process.due_at))


def _input(process: FulfilmentProcess, happening: Happening) -> Input:
    if not isinstance(happening, Done | Refusal):
        return happening
    [no] = [no for no, command in process.open.items() if command.key == happening.key]
    if isinstance(happening, Done):
        return CommandEnded(no=no, outcome="done")
    return CommandEnded(no=no, outcome="refused", code=happening.code, sentence="Because.")


def when(process: FulfilmentProcess, happening: Happening) -> Decision:
    return decide(evolve(process, _input(process, happening)))


def sent(decision: Decision) -> list[str]:
    return [command.key for command in decision.commands]


RESERVED = (approved(), Done(f"ReserveStock {LAMP}"), Done(f"ReserveStock {CARD}"))
PAID = (
    *RESERVED,
    Done(f"AuthorisePayment {PAYMENT}"),
    payment("Authorised"),
    Done(f"CapturePayment {PAYMENT}"),
    payment("Captured"),
)
DECLINED = (
    *RESERVED,
    Done(f"AuthorisePayment {PAYMENT}"),
    payment("Declined", asked="authorisation"),
)


def test_an_approved_order_reserves_each_product() -> None:
    decision = when(given(), approved())
    assert sent(decision) == [f"ReserveStock {LAMP}", f"ReserveStock {CARD}"]
    assert [command.quantity for command in decision.commands] == [4, 2]
    assert (decision.status.stage, decision.within) == (Stage.RESERVING, HOUR)


def test_approved_again_nothing_changes() -> None:
    process = given(approved())
    assert evolve(process, approved()) is process


def test_with_everything_reserved_a_payment_is_begun() -> None:
    decision = when(given(*RESERVED[:-1]), RESERVED[-1])
    [authorise] = decision.commands
    assert authorise.key == f"AuthorisePayment {PAYMENT}"
    assert authorise.arguments["amount"] == "10.00"
    assert decision.status.stage == Stage.PAYING


def test_what_is_charged_is_the_exact_total_rounded_once() -> None:
    exact = dataclasses.replace(approved(), total=Decimal("12.345"))
    process = given(exact, Done(f"ReserveStock {LAMP}"))
    [authorise] = when(process, Done(f"ReserveStock {CARD}")).commands
    assert authorise.arguments["amount"] == "12.34"


def test_without_a_method_the_order_waits_for_a_payment() -> None:
    process = given(approved(method=""), Done(f"ReserveStock {LAMP}"), Done(f"ReserveStock {CARD}"))
    assert process.open == {}
    assert process.status.sentence == "GBP 10.00 outstanding."
    assert when(process, payment("Recorded")).status.stage == Stage.TO_SHIP


def test_what_is_authorised_is_captured_and_then_the_goods_may_be_shipped() -> None:
    assert sent(when(given(*PAID[:4]), PAID[4])) == [f"CapturePayment {PAYMENT}"]
    decision = when(given(*PAID[:-1]), PAID[-1])
    assert (sent(decision), decision.status.stage) == ([], Stage.TO_SHIP)


def test_nothing_is_sent_twice() -> None:
    assert sent(decide(given(approved()))) == []
    assert sent(when(given(*PAID[:4]), payment("AuthorisationRequested"))) == []


def test_shipped_goods_are_taken_from_the_stock() -> None:
    lamps = order("Shipped", "maria", Sent(line_no=1, quantity=3))
    decision = when(given(*PAID), lamps)
    [commit] = decision.commands
    assert (commit.key, commit.quantity) == (f"CommitStock {LAMP}", 3)
    assert decision.status.stage == Stage.TO_SHIP
    rest = order("Shipped", "maria", Sent(line_no=1, quantity=1), Sent(line_no=2, quantity=2))
    decision = when(given(*PAID, lamps, Done(f"CommitStock {LAMP}")), rest)
    assert [command.quantity for command in decision.commands] == [1, 2]
    assert decision.status.stage == Stage.SHIPPED


MISSING = (
    approved(),
    Done(f"ReserveStock {CARD}"),
    Refusal(f"ReserveStock {LAMP}", "out_of_stock"),
)


def test_missing_stock_holds_the_order() -> None:
    decision = when(given(*MISSING[:-1]), MISSING[-1])
    assert sent(decision) == [f"HoldOrder {ORDER}"]
    assert decision.status.stage == Stage.OUT_OF_STOCK
    assert given(*MISSING).wants == {LAMP}


def test_what_arrives_is_asked_for_and_the_hold_is_released() -> None:
    held = given(*MISSING, Done(f"HoldOrder {ORDER}"))
    assert sent(when(held, StockArrived(LAMP))) == [f"ReserveStock {LAMP}"]
    again = after(held, StockArrived(LAMP))
    assert again.status.stage == Stage.OUT_OF_STOCK
    decision = when(again, Done(f"ReserveStock {LAMP}"))
    assert sent(decision) == [f"ReleaseOrder {ORDER}", f"AuthorisePayment {PAYMENT}"]


def test_the_arrival_of_what_is_reserved_changes_nothing() -> None:
    held = given(*MISSING, Done(f"HoldOrder {ORDER}"))
    assert evolve(held, StockArrived(CARD)) is held


def test_what_arrives_while_a_reservation_is_under_way_is_not_lost() -> None:
    process = given(*MISSING[:-1], StockArrived(LAMP))
    decision = when(process, MISSING[-1])
    assert sent(decision) == [f"ReserveStock {LAMP}"]
    assert decision.status.stage == Stage.RESERVING


def test_a_product_without_stock_is_no_reason_to_wait() -> None:
    decision = when(given(*MISSING[:-1]), Refusal(f"ReserveStock {LAMP}", "not_tracked"))
    assert sent(decision) == [f"AuthorisePayment {PAYMENT}"]


def test_a_declined_payment_is_tried_again_after_a_pause() -> None:
    decision = when(given(*DECLINED[:-1]), DECLINED[-1])
    assert (sent(decision), decision.within) == ([], HOUR)
    assert decision.status.stage == Stage.PAYMENT_RETRY
    assert sent(when(given(*DECLINED), DeadlinePassed())) == [f"AuthorisePayment {ORDER}-2"]


@pytest.mark.parametrize(
    ("then", "command"), [(AfterDeclines.HOLD, "HoldOrder"), (AfterDeclines.CANCEL, "CancelOrder")]
)
def test_declined_for_the_last_time_the_stock_is_released(
    then: AfterDeclines, command: str
) -> None:
    process = given(
        approved(retry_after=(), after_declines=then),
        *RESERVED[1:],
        Done(f"AuthorisePayment {PAYMENT}"),
    )
    decision = when(process, payment("Declined", asked="authorisation"))
    assert sent(decision) == [
        f"ReleaseStock {LAMP}",
        f"ReleaseStock {CARD}",
        f"{command} {ORDER}",
    ]
    assert decision.status.stage == Stage.UNPAID


def test_an_order_given_up_gets_its_money_back_and_its_stock_released() -> None:
    decision = when(given(*PAID), order("Cancelled"))
    assert sent(decision) == [
        f"RefundPayment {PAYMENT}",
        f"ReleaseStock {LAMP}",
        f"ReleaseStock {CARD}",
    ]
    assert decision.status.stage == Stage.UNDOING
    undone = given(
        *PAID,
        order("Cancelled"),
        Done(f"RefundPayment {PAYMENT}"),
        Done(f"ReleaseStock {LAMP}"),
        Done(f"ReleaseStock {CARD}"),
        payment("Refunded"),
    )
    assert (undone.status.stage, undone.open) == (Stage.UNDONE, {})


def test_a_payment_of_an_order_that_was_rejected_is_voided() -> None:
    decision = when(given(order("Rejected")), payment("Authorised"))
    assert sent(decision) == [f"VoidPayment {PAYMENT}"]


def test_a_person_s_hold_pauses_everything_and_ours_does_not() -> None:
    assert sent(when(given(), order("Held"))) == []
    held = when(given(*RESERVED[:-1]), order("Held"))
    assert held.status.stage == Stage.PAUSED
    ours = given(*RESERVED[:-1], order("Held", US))
    assert sent(when(ours, RESERVED[-1])) == [
        f"ReleaseOrder {ORDER}",
        f"AuthorisePayment {PAYMENT}",
    ]


def test_a_refused_command_needs_a_decision_until_somebody_tries_again() -> None:
    stuck = given(*MISSING[:-1], Refusal(f"ReserveStock {LAMP}", "nope"))
    assert (stuck.status.stage, stuck.status.sentence) == (Stage.STUCK, "Because.")
    assert sent(decide(stuck)) == []
    assert sent(when(stuck, FulfilmentRetried(order_id=ORDER))) == [f"ReserveStock {LAMP}"]


AUTHORISING, CAPTURING = RESERVED, PAID[:-2]


@pytest.mark.parametrize(
    ("before", "charge", "then"),
    [
        (AUTHORISING, f"AuthorisePayment {PAYMENT}", []),
        (CAPTURING, f"CapturePayment {PAYMENT}", [f"VoidPayment {PAYMENT}"]),
    ],
)
@pytest.mark.parametrize("known_first", [True, False])
def test_a_charge_for_what_somebody_has_paid_meanwhile_is_dropped(
    before: tuple[Happening, ...], charge: str, then: list[str], known_first: bool
) -> None:
    paid, refused = payment("Recorded", of="bank"), Refusal(charge, "beyond_order")
    process = given(*before, *((paid, refused) if known_first else (refused, paid)))
    assert (process.status.stage, process.refused) == (Stage.TO_SHIP, {})
    assert [command.key for command in process.open.values()] == then


@pytest.mark.parametrize(
    ("before", "charge", "then"),
    [
        (AUTHORISING, f"AuthorisePayment {PAYMENT}", f"AuthorisePayment {ORDER}-2"),
        (CAPTURING, f"CapturePayment {PAYMENT}", f"CapturePayment {PAYMENT}"),
    ],
)
@pytest.mark.parametrize("known_first", [True, False])
def test_after_a_part_was_paid_only_the_rest_is_charged(
    before: tuple[Happening, ...], charge: str, then: str, known_first: bool
) -> None:
    paid, refused = payment("Recorded", 4, of="bank"), Refusal(charge, "beyond_order")
    process = given(*before, *((paid, refused) if known_first else (refused, paid)))
    [command] = process.open.values()
    assert (command.key, command.arguments["amount"]) == (then, "6.00")
    assert process.refused == {}


def test_a_charge_waits_for_a_capture_that_somebody_asked_for() -> None:
    process = given(
        *CAPTURING,
        payment("AuthorisationRequested", of="till"),
        payment("Authorised", of="till"),
        payment("CaptureRequested", of="till"),
        Refusal(f"CapturePayment {PAYMENT}", "beyond_order"),
    )
    assert (process.status.stage, dict(process.open)) == (Stage.PAYING, {})
    captured = after(process, payment("Captured", of="till"))
    assert [command.key for command in captured.open.values()] == [f"VoidPayment {PAYMENT}"]


@pytest.mark.parametrize(
    ("before", "charge", "again"),
    [
        (AUTHORISING, f"AuthorisePayment {PAYMENT}", f"AuthorisePayment {ORDER}-2"),
        (CAPTURING, f"CapturePayment {PAYMENT}", f"CapturePayment {PAYMENT}"),
    ],
)
def test_a_charge_that_nothing_known_makes_too_much_needs_a_decision(
    before: tuple[Happening, ...], charge: str, again: str
) -> None:
    stuck = given(*before, Refusal(charge, "beyond_order"))
    assert (stuck.status.stage, stuck.status.sentence) == (Stage.STUCK, "Because.")
    assert sent(decide(stuck)) == []
    assert sent(when(stuck, FulfilmentRetried(order_id=ORDER))) == [again]


def test_a_skipped_step_is_gone_on_without() -> None:
    skipped = FulfilmentStepSkipped(order_id=ORDER, step="stock", reason="They follow later.")
    decision = when(given(*MISSING, Done(f"HoldOrder {ORDER}")), skipped)
    assert sent(decision) == [f"ReleaseOrder {ORDER}", f"AuthorisePayment {PAYMENT}"]


def test_a_supervisor_s_cancellation_cancels_the_order_first() -> None:
    cancelled = FulfilmentCancelled(order_id=ORDER, reason="The customer asked for it.")
    decision = when(given(*PAID), cancelled)
    assert sent(decision) == [f"CancelOrder {ORDER}"]
    assert decision.status.stage == Stage.UNDOING


def test_a_wait_that_takes_too_long_is_late_and_has_no_deadline_any_more() -> None:
    decision = when(given(*PAID), DeadlinePassed())
    assert (decision.status.stage, decision.status.late) == (Stage.TO_SHIP, True)
    assert decision.within is None
    lately = given(*PAID, DeadlinePassed())
    everything = (Sent(line_no=1, quantity=4), Sent(line_no=2, quantity=2))
    assert not when(lately, order("Shipped", "maria", *everything)).status.late


def test_missing_stock_is_asked_for_again_at_every_deadline() -> None:
    held = given(*MISSING, Done(f"HoldOrder {ORDER}"))
    decision = when(held, DeadlinePassed())
    assert sent(decision) == [f"ReserveStock {LAMP}"]
    assert (decision.status.late, decision.within) == (True, DAY)


def test_whatever_ends_twice_ends_once() -> None:
    process = given(*RESERVED)
    assert evolve(process, CommandEnded(no=1, outcome="refused", code="late")) is process


def test_what_comes_back_while_the_stock_is_being_adjusted_is_restocked_too() -> None:
    process = given(*PAID, Returned({LAMP: 2}), Returned({LAMP: 1}))
    [again] = when(process, Done(f"AdjustStock {LAMP}")).commands
    assert (again.key, again.arguments["difference"]) == (f"AdjustStock {LAMP}", "1")
    assert again.arguments["note"] == f"Returned from order {ORDER}."


def test_what_is_put_right_for_one_product_leaves_the_returns_of_the_others() -> None:
    process = given(
        *PAID,
        Returned({LAMP: 2, CARD: 1}),
        Refusal(f"AdjustStock {LAMP}", "nope"),
        FulfilmentStepSkipped(order_id=ORDER, step="undoing", reason="Counted by hand."),
    )
    assert (process.goods[LAMP].restock, process.goods[CARD].restock) == (0, 1)
    assert after(process, Done(f"AdjustStock {CARD}")).goods[CARD].restock == 0
