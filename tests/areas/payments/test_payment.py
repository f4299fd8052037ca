"""The rules of a payment."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from cqrs_app.areas.payments import commands as do
from cqrs_app.areas.payments import events as was
from cqrs_app.areas.payments.payment import Payment
from cqrs_app.areas.payments.types import looks_like_a_card
from cqrs_app.areas.payments.words import Asked, PaymentStatus
from cqrs_app.kernel.commands.aggregate import restore, snapshot_of
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Command
from tests.areas.payments.given import (
    CAPTURED,
    NOON,
    THE,
    Story,
    authorise,
    authorised,
    capture,
    captured,
    declined,
    disputed,
    move,
    record,
    refund,
    refunded,
    resolved,
    void,
    voided,
)

CLEAR = do.ClearFlaggedAnswers(payment_id=THE, note="Refunded there.")


def test_a_payment_is_authorised_captured_and_refunded_in_parts() -> None:
    story = Story()
    assert story.do(authorise()) == ["PaymentAuthorisationRequested"]
    assert story.payment.status == PaymentStatus.REQUESTED
    assert story.do(authorised()) == ["PaymentAuthorised"]
    assert story.payment.status == PaymentStatus.AUTHORISED
    story.tell(capture("4"), captured())
    assert story.payment.status == PaymentStatus.PART_CAPTURED
    story.tell(capture(), captured(3, "c2"))
    assert (story.payment.captured, story.payment.status) == (10, PaymentStatus.CAPTURED)
    story.tell(refund("2.5"), refunded(4))
    assert story.payment.status == PaymentStatus.PART_REFUNDED
    story.tell(refund(), refunded(5, "r2"))
    assert (story.payment.refunded, story.payment.status) == (10, PaymentStatus.REFUNDED)


def test_the_gateway_of_the_setting_and_the_order_stand_in_every_request() -> None:
    story = Story().tell(*CAPTURED, refund("1"))
    asked = [event for event in story.events if type(event).__name__.endswith("Requested")]
    assert [(each.order_id, each.gateway, each.currency) for each in asked] == [  # type: ignore[attr-defined]
        ("W1", "sandbox", "GBP")
    ] * 3
    assert [each.request_no for each in asked] == [1, 2, 3]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("before", "command", "code"),
    [
        ((), capture(), "no_such_payment"),
        ((), refund(), "no_such_payment"),
        ((), authorised(), "no_such_payment"),
        ((authorise(),), authorise(), "payment_exists"),
        ((record(),), authorise(), "payment_exists"),
        ((authorise(),), capture(), "answer_awaited"),
        ((authorise(), declined()), capture(), "declined"),
        ((authorise(), declined()), void(), "declined"),
        ((authorise(), authorised()), capture("10.0001"), "more_than_authorised"),
        ((authorise(), authorised(), capture("6")), capture("5"), "more_than_authorised"),
        ((authorise(), authorised(), capture()), capture(), "answer_awaited"),
        ((authorise(), authorised(), capture()), void(), "answer_awaited"),
        (CAPTURED, capture(), "nothing_to_capture"),
        (CAPTURED, void(), "nothing_to_void"),
        (CAPTURED, refund("10.01"), "more_than_captured"),
        ((*CAPTURED, refund("6")), refund("5"), "more_than_captured"),
        ((*CAPTURED, refund()), refund("1"), "nothing_to_refund"),
        ((*CAPTURED, disputed("8")), refund("3"), "more_than_captured"),
        ((*CAPTURED, disputed(), resolved("lost")), refund("1"), "nothing_to_refund"),
        ((authorise(), authorised()), refund(), "nothing_to_refund"),
        ((authorise(), void()), void(), "voided"),
        ((authorise(), authorised(), void()), capture(), "voided"),
        ((authorise(), authorised(), void(), voided()), capture(), "voided"),
        ((authorise(), authorised(), void(), voided()), void(), "voided"),
        ((record(),), capture(), "nothing_to_capture"),
        ((), move(), "no_such_payment"),
        ((authorise(), authorised()), move(), "nothing_to_move"),
        ((authorise(), authorised(), capture()), move(), "answer_awaited"),
        ((authorise(), authorised(), capture("4"), captured()), move(), "not_settled"),
        ((*CAPTURED, refund(), refunded()), move(), "nothing_to_move"),
        ((*CAPTURED, disputed(), resolved("lost")), move(), "nothing_to_move"),
        ((record(),), move("W1"), "same_order"),
        ((authorise(),), authorised(2), "no_such_request"),
        ((authorise(),), captured(1), "no_such_request"),
        ((authorise(),), CLEAR, "nothing_flagged"),
        (CAPTURED, resolved("won"), "no_such_dispute"),
        ((*CAPTURED, disputed(), resolved("won")), resolved("lost"), "dispute_settled"),
    ],
)
def test_what_the_rules_forbid_is_refused(
    before: tuple[Command, ...], command: Command, code: str
) -> None:
    story = Story().tell(*before)
    events = list(story.events)
    assert story.refusal(command) == code
    assert story.events == events


def test_the_money_of_a_payment_counts_for_another_order_once_it_is_moved() -> None:
    story = Story().tell(*CAPTURED, refund("4"), refunded())
    [moved] = story.run(move()).events
    assert isinstance(moved, was.PaymentMoved)
    assert (moved.from_order_id, moved.order_id, moved.amount) == ("W1", "W2", Decimal("6.00"))
    story.tell(refund())
    assert story.payment.order_id == "W2"
    assert story.events[-1].order_id == "W2"  # type: ignore[attr-defined]


def test_a_declined_capture_or_refund_can_be_asked_for_again() -> None:
    story = Story().tell(authorise(), authorised(), capture(), declined(2), capture(), captured(3))
    assert story.payment.captured == 10
    story.tell(refund(), declined(4), refund("3"), refunded(5))
    assert story.payment.refunded == 3
    assert story.payment.status == PaymentStatus.PART_REFUNDED


def test_a_void_that_comes_before_the_answer_is_asked_for_with_it() -> None:
    story = Story().tell(authorise())
    assert story.do(void()) == ["PaymentVoidPlanned"]
    assert story.do(authorised()) == ["PaymentAuthorised", "PaymentVoidRequested"]
    assert story.do(voided()) == ["PaymentVoided"]
    assert story.payment.status == PaymentStatus.VOIDED


def test_a_void_that_comes_before_a_decline_is_settled_by_it() -> None:
    story = Story().tell(authorise(), void())
    assert story.do(declined()) == ["PaymentDeclined"]
    assert story.payment.status == PaymentStatus.DECLINED
    assert story.refusal(void()) == "declined"


def test_what_is_left_after_a_part_can_be_voided() -> None:
    story = Story().tell(authorise(), authorised(), capture("4"), captured(), void(), voided(3))
    assert story.payment.status == PaymentStatus.CAPTURED
    assert story.refusal(capture("1")) == "voided"
    assert story.do(refund("4")) == ["PaymentRefundRequested"]


@pytest.mark.parametrize("answer", [authorised(), captured(), refunded(), declined(4), disputed()])
def test_the_same_answer_again_changes_nothing(answer: Command) -> None:
    story = Story().tell(*CAPTURED, refund("4"), refunded(), refund("1"), declined(4), disputed())
    assert story.do(answer) == []


def test_a_refund_names_the_capture_that_succeeded() -> None:
    story = Story().tell(authorise(), authorised(), capture("4"), declined(2))
    story.tell(capture("6"), captured(3, "c2"))
    assert story.payment.reference_for(Asked.REFUND) == "c2"
    assert story.payment.reference_for(Asked.CAPTURE) == "a"


def test_an_answer_after_a_void_is_flagged_once_and_moves_no_money() -> None:
    story = Story().tell(authorise(), authorised(), capture(), declined(2), void(), voided(3))
    assert story.do(captured(2)) == ["PaymentAnswerFlagged"]
    assert story.do(captured(2)) == []
    assert story.payment.captured == 0
    [flagged] = [each for each in story.events if isinstance(each, was.PaymentAnswerFlagged)]
    assert (flagged.answer, flagged.reference, flagged.amount) == ("captured", "c", 10)
    assert story.do(CLEAR) == ["FlaggedAnswersCleared"]
    assert story.payment.flags == []
    assert story.do(captured(2)) == []


def test_a_second_capture_under_another_reference_is_flagged_not_counted() -> None:
    story = Story().tell(*CAPTURED)
    assert story.do(captured(2, "other")) == ["PaymentAnswerFlagged"]
    assert story.payment.captured == 10


def test_a_decline_after_a_success_is_flagged() -> None:
    story = Story().tell(*CAPTURED)
    assert story.do(declined(2)) == ["PaymentAnswerFlagged"]
    assert story.payment.captured == 10


def test_a_dispute_takes_money_back_until_it_is_won() -> None:
    story = Story().tell(*CAPTURED, disputed("8"))
    assert story.refusal(refund("3")) == "more_than_captured"
    assert story.do(resolved("won")) == ["PaymentDisputeResolved"]
    assert story.do(resolved("won")) == []
    assert story.do(refund()) == ["PaymentRefundRequested"]


def test_what_is_recorded_by_hand_is_captured_and_refunded_by_hand() -> None:
    story = Story().tell(record())
    assert story.payment.status == PaymentStatus.CAPTURED
    story.tell(refund("3"))
    [asked] = [each for each in story.events if isinstance(each, was.PaymentRefundRequested)]
    assert (asked.gateway, asked.request_no, asked.amount) == ("manual", 1, 3)
    story.tell(refunded(1))
    assert story.payment.status == PaymentStatus.PART_REFUNDED


def test_amounts_are_exact_to_four_decimals() -> None:
    story = Story().tell(authorise("0.3"), authorised())
    for number in range(2, 5):
        story.tell(capture("0.1"), captured(number, f"c{number}"))
    assert story.payment.captured == Decimal("0.3")
    with pytest.raises(Invalid):
        authorise("0.00001")


@pytest.mark.parametrize("text", ["4242424242424242", "4242 4242-4242 4242", "x 378282246310005"])
def test_a_card_number_is_not_taken(text: str) -> None:
    assert looks_like_a_card(text)
    with pytest.raises(Invalid, match="token"):
        authorise(method=text)


@pytest.mark.parametrize("text", ["4242424242424241", "tok_4242", "1234567890123456789", "B 17"])
def test_other_numbers_are_taken(text: str) -> None:
    assert authorise(method=text).method == text


def test_a_payment_is_the_same_after_its_snapshot() -> None:
    story = Story().tell(*CAPTURED, refund("4"), refunded(), captured(2, "x"), disputed("1"))
    snapshot = snapshot_of(story.payment, 7, 0)
    assert snapshot is not None
    assert restore(Payment, snapshot, ()) == story.payment
    replayed = Payment()
    for event in story.events:
        replayed.evolve(msgspec.json.decode(msgspec.json.encode(event), type=type(event)), NOON)
    assert replayed == story.payment


@pytest.mark.parametrize(
    ("currency", "amount"), [("JPY", "10.5"), ("GBP", "10.005"), ("KWD", "1.0001")]
)
def test_no_payment_has_a_part_of_the_smallest_coin(currency: str, amount: str) -> None:
    assert Story().refusal(authorise(amount, currency=currency)) == "amount_too_fine"


def test_a_part_of_a_payment_is_payable_too_and_has_one_text() -> None:
    story = Story().tell(authorise(), authorised())
    assert story.refusal(capture("5.005")) == "amount_too_fine"
    story.tell(capture("5.5"))
    assert [str(each.amount) for each in story.events if hasattr(each, "request_no")][::2] == [
        "10.00",
        "5.50",
    ]
