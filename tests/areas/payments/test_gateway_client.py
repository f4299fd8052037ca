"""Requests to a gateway: once each, whatever it answers and however often it is tried."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from cqrs_app.areas.payments.gateway import Done, GatewayRequest, Said
from cqrs_app.areas.payments.queries.ledger import LedgerBalance
from cqrs_app.areas.payments.queries.lists import ListPayments, OrderPayments
from cqrs_app.areas.payments.queries.one_payment import PaymentTimeline
from cqrs_app.areas.payments.requested import GatewayRequestStore, Overtaken
from cqrs_app.areas.payments.words import PaymentStatus
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.errors import SwitchedOff
from tests.areas.payments.conftest import Desk
from tests.areas.payments.given import (
    THE,
    authorise,
    authorised,
    capture,
    captured,
    declined,
    record,
    refund,
    refunded,
    void,
)
from tests.platform.webhooks.conftest import Clock


def test_a_payment_goes_its_way_through_the_gateway(desk: Desk) -> None:
    assert desk.settle(authorise()).status == PaymentStatus.AUTHORISED
    assert desk.settle(capture("4")).status == PaymentStatus.PART_CAPTURED
    assert desk.settle(void()).status == PaymentStatus.CAPTURED
    assert desk.settle(refund()).status == PaymentStatus.REFUNDED
    assert desk.booked == [("authorisation", 1), ("capture", 1), ("void", 1), ("refund", 1)]
    assert {each.state for each in desk.requests} == {"closed"}
    assert desk.ask_gateway() == 0


def test_the_answer_comes_from_the_gateway_and_says_what_it_follows(desk: Desk) -> None:
    desk.settle(authorise())
    asked, answered = desk.kernel.store.events_of(f"payment-{THE}")
    assert (answered.operator, answered.causation_id) == ("gateway", asked.id)
    assert desk.payment.requests[0].answer == f"sbx_{asked.id[4:28]}"


def test_what_the_gateway_declines_is_declined(desk: Desk) -> None:
    assert desk.settle(authorise(method="tok_declined")).status == PaymentStatus.DECLINED
    [request] = desk.payment.requests
    assert (request.outcome, request.answer) == ("declined", "card_declined")


def test_captures_and_refunds_are_declined_by_their_amounts(desk: Desk) -> None:
    desk.settle(authorise(), capture("2.51"))
    assert desk.payment.captured == 0
    desk.settle(capture(), refund("1.52"))
    assert (desk.payment.captured, desk.payment.refunded) == (10, 0)


def test_after_a_timeout_the_same_is_asked_again_later(desk: Desk) -> None:
    desk.settle(authorise(method="tok_timeout"))
    assert desk.payment.status == PaymentStatus.REQUESTED
    [request] = desk.requests
    assert (request.state, request.failures, request.taken_by) == ("open", 1, None)
    assert "did not answer in time" in (request.last_error or "")
    assert desk.ask_gateway() == 0
    desk.clock.move(seconds=6)
    assert desk.ask_gateway() == 1
    assert desk.payment.status == PaymentStatus.AUTHORISED
    assert desk.booked == [("authorisation", 2)]


def test_pauses_grow_while_nobody_answers(desk: Desk) -> None:
    desk.settle(authorise(method="tok_away"))
    for pause in (1, 5, 30, 120):
        [request] = desk.requests
        assert request.next_attempt_at is not None
        # The clock advances while the test runs.
        left = (request.next_attempt_at - desk.clock()).total_seconds()
        assert pause - 5 < left <= pause
        desk.clock.move(seconds=pause + 1)
        assert desk.ask_gateway() == 1
    desk.do(declined())
    desk.clock.move(hours=3)
    assert desk.ask_gateway() == 1
    assert [each.state for each in desk.requests] == ["closed"]
    assert desk.booked == [("authorisation", 5)]


def test_an_answer_that_comes_twice_counts_once(desk: Desk) -> None:
    desk.settle(authorise(method="tok_twice"), capture())
    assert desk.events() == [
        "PaymentAuthorisationRequested",
        "PaymentAuthorised",
        "PaymentCaptureRequested",
        "PaymentCaptured",
    ]


def test_an_answer_that_comes_late_comes_by_a_callback(desk: Desk) -> None:
    desk.settle(authorise(method="tok_late"))
    assert desk.payment.status == PaymentStatus.REQUESTED
    desk.clock.move(seconds=4)
    desk.ask_gateway()
    assert desk.payment.status == PaymentStatus.AUTHORISED
    [entry] = [each for each in desk.kernel.store.events_of(f"payment-{THE}") if each.version == 2]
    assert desk.kernel.log.find(entry.command_id).channel == "callback"  # type: ignore[union-attr]
    desk.clock.move(seconds=4)
    desk.ask_gateway()
    assert [each.state for each in desk.requests] == ["closed"]


def test_without_a_secret_a_late_answer_comes_when_it_is_asked_again(
    make_console: Callable[..., Flask],
) -> None:
    desk = Desk(make_console(payment_gateway="sandbox"), Clock())
    desk.settle(authorise(method="tok_late"))
    desk.clock.move(seconds=4)
    desk.ask_gateway()
    assert desk.payment.status == PaymentStatus.AUTHORISED


def test_a_void_before_the_late_answer_is_carried_out_after_it(desk: Desk) -> None:
    desk.settle(authorise(method="tok_late"), void())
    assert desk.booked == [("authorisation", 1)]
    desk.clock.move(seconds=4)
    desk.ask_gateway()
    desk.ask_gateway()
    desk.clock.move(seconds=4)
    desk.ask_gateway()
    assert desk.payment.status == PaymentStatus.VOIDED


def test_an_answer_that_cannot_be_written_is_asked_for_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.do(authorise())

    def switched_off(command: Any, context: Context) -> None:
        raise SwitchedOff

    with monkeypatch.context() as patch:
        patch.setattr(desk.kernel.commands, "execute", switched_off)
        desk.ask_gateway()
    assert "maintenance mode" in (desk.requests[0].last_error or "")
    desk.clock.move(seconds=6)
    desk.ask_gateway()
    assert desk.payment.status == PaymentStatus.AUTHORISED
    assert desk.booked == [("authorisation", 2)]


def test_only_one_of_many_asks(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.do(authorise())
    [key] = desk.due()
    inside, go_on = threading.Event(), threading.Event()
    asked = desk.sandbox.ask

    def slow(order: GatewayRequest) -> Said:
        inside.set()
        assert go_on.wait(60)
        return asked(order)

    monkeypatch.setattr(desk.sandbox, "ask", slow)
    first = threading.Thread(target=desk.teller.ask, args=(key,))
    first.start()
    assert inside.wait(60)
    assert desk.due() == []
    desk.teller.ask(key)
    go_on.set()
    first.join()
    assert desk.booked == [("authorisation", 1)]


def test_who_was_too_slow_does_not_close_what_another_has_taken(desk: Desk) -> None:
    desk.do(authorise())
    [key] = desk.due()
    book = GatewayRequestStore(desk.kernel.engines.write, desk.clock)
    slow = book.take(key)
    desk.end_leases()
    fast = book.take(key)
    assert slow is not None
    assert fast is not None
    with pytest.raises(Overtaken):
        book.save(slow, state="closed")
    book.save(fast, state="closed")


def test_two_who_look_through_the_log_take_each_request_in_once(desk: Desk) -> None:
    desk.do(authorise())
    threads = [threading.Thread(target=desk.due) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(desk.requests) == 1


def test_a_rebuild_of_every_projection_asks_for_nothing(desk: Desk) -> None:
    desk.settle(authorise(), capture(), refund("1"))
    desk.catch_up()
    before = (desk.booked, desk.ask(LedgerBalance()), desk.ask(ListPayments()))
    for name in desk.kernel.registry.projections:
        desk.kernel.runner.rebuild(name, lambda done, total: None)
    desk.kernel.close()
    assert desk.ask_gateway() == 0
    assert (desk.booked, desk.ask(LedgerBalance()), desk.ask(ListPayments())) == before


def test_by_hand_nothing_is_sent_until_somebody_answers(
    make_console: Callable[..., Flask],
) -> None:
    desk = Desk(make_console(), Clock())
    desk.settle(authorise(), authorised(), capture(), captured())
    assert desk.payment.gateway == "manual"
    assert desk.payment.status == PaymentStatus.CAPTURED
    desk.clock.move(hours=24)
    assert desk.ask_gateway() == 0
    assert desk.booked == []


def test_what_was_begun_at_a_gateway_is_finished_there(
    desk: Desk, make_console: Callable[..., Flask]
) -> None:
    desk.settle(authorise())
    other = Desk(make_console(payment_gateway="manual"), desk.clock)
    assert other.settle(capture()).status == PaymentStatus.CAPTURED
    assert desk.booked == [("authorisation", 1), ("capture", 1)]


def test_a_gateway_this_release_does_not_have_is_said_and_tried_again(desk: Desk) -> None:
    desk.do(authorise())
    desk.teller._gateways = {}
    desk.ask_gateway()
    assert desk.requests[0].last_error == "This release has no gateway sandbox."


def test_the_same_key_goes_with_every_repetition(desk: Desk) -> None:
    seen: list[GatewayRequest] = []

    class Forgetful:
        def ask(self, order: GatewayRequest) -> Said:
            seen.append(order)
            raise KeyboardInterrupt

    desk.do(authorise())
    desk.teller._gateways = {"sandbox": Forgetful()}
    [key] = desk.due()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            desk.teller.ask(key)
        assert desk.due() == []
        desk.end_leases()
    assert [replace(each, at=seen[0].at) for each in seen] == [seen[0]] * 2
    assert (seen[0].key, seen[0].amount, seen[0].method) == (key, 10, "tok_visa")


def test_a_capture_names_the_authorisation_and_a_refund_the_capture(desk: Desk) -> None:
    seen: list[GatewayRequest] = []

    class Listening:
        def ask(self, order: GatewayRequest) -> Said:
            seen.append(order)
            return Done(f"ref-{order.asked}")

    desk.teller._gateways = {"sandbox": Listening()}
    desk.settle(authorise(), capture(), refund())
    assert [each.reference for each in seen] == ["", "ref-authorisation", "ref-capture"]


def test_the_read_models_show_what_happened(desk: Desk) -> None:
    desk.settle(authorise(), capture("6"), refund("1.5"))
    desk.do(replace(record("3"), payment_id="P2", reference="B2"))
    desk.do(replace(record("7"), payment_id="P3", reference="B3", order_id="W2", currency="EUR"))
    desk.do(replace(record("8"), payment_id="P4", reference="B4", order_id="W3"))
    desk.catch_up()
    found = desk.ask(OrderPayments(order_id="W1"))
    assert {each.payment_id for each in found.payments} == {"P1", "P2"}
    [totals] = found.totals
    assert (totals.authorised, totals.captured, totals.refunded) == (13, 9, Decimal("1.5"))
    [other] = desk.ask(OrderPayments(order_id="W2")).totals
    assert (other.currency, other.captured) == ("EUR", 7)
    euros, balance = desk.ask(LedgerBalance())
    assert {each.account: each.amount for each in euros.accounts} == {"bank": 7, "customers": -7}
    assert balance.total == 0
    assert {each.account: each.amount for each in balance.accounts} == {
        "bank": 11,
        "customers": Decimal("-15.5"),
        "provider": Decimal("4.5"),
    }
    unsettled = desk.ask(ListPayments(show="unsettled")).rows
    assert [(each.payment_id, each.uncaptured) for each in unsettled] == [("P1", 4)]
    assert desk.ask(ListPayments(show="disputed")).rows == ()
    labels = [each.label for each in desk.ask(PaymentTimeline(payment_id=THE))]
    assert labels[0] == "Authorisation requested"
    assert labels[-1] == "Refunded"


def test_a_refund_of_what_was_recorded_waits_for_a_person(desk: Desk) -> None:
    desk.settle(record(), refund("4"))
    assert desk.booked == []
    desk.settle(refunded(1))
    assert desk.payment.refunded == 4
