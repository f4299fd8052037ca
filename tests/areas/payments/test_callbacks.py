"""A provider's messages: taken when they are signed and new, otherwise refused with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from flask import Flask
from werkzeug.test import TestResponse

from cqrs_app.areas.payments.words import PaymentStatus
from cqrs_app.kernel.signing import headers, new_secret
from tests.areas.payments.conftest import SECRET, Desk
from tests.areas.payments.given import THE, authorise, authorised, capture, void
from tests.platform.webhooks.conftest import Clock

AUTHORISED = {"type": "authorised", "payment_id": THE, "request_no": 1, "reference": "x"}
DISPUTED = {
    "type": "disputed",
    "payment_id": THE,
    "reference": "d",
    "amount": "4.00",
    "sentence": "Not mine.",
}


def send(
    desk: Desk,
    message: Any,
    *,
    secret: str = SECRET,
    late: int = 0,
    message_id: str = "msg_1",
    to: str = "sandbox",
    **changed: str,
) -> TestResponse:
    body = message if isinstance(message, bytes) else msgspec.json.encode(message)
    sent = headers([secret], message_id, int(Clock()().timestamp()) - late, body) | changed
    client = desk.app.test_client()
    return client.post(f"/callbacks/payments/{to}", data=body, headers=sent)


def test_a_signed_message_becomes_a_command(desk: Desk) -> None:
    desk.do(authorise(method="tok_away"))
    answer = send(desk, AUTHORISED)
    assert (answer.status_code, answer.json["events"]) == (200, ["PaymentAuthorised"])  # type: ignore[index]
    assert desk.payment.status == PaymentStatus.AUTHORISED
    [_, event] = desk.kernel.store.events_of(f"payment-{THE}")
    assert event.operator == "gateway"


def test_the_same_message_again_changes_nothing(desk: Desk) -> None:
    desk.do(authorise(method="tok_away"))
    assert [send(desk, AUTHORISED).status_code for _ in range(3)] == [200, 200, 200]
    assert send(desk, AUTHORISED, late=5).status_code == 200
    assert send(desk, AUTHORISED, message_id="msg_2").status_code == 200
    assert desk.events() == ["PaymentAuthorisationRequested", "PaymentAuthorised"]


def test_what_is_not_signed_or_old_is_refused(desk: Desk) -> None:
    desk.do(authorise(method="tok_away"))
    changes: list[dict[str, Any]] = [
        {"secret": new_secret()},
        {"late": 301},
        {"late": -301},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": "1"},
    ]
    for changed in changes:
        answer = send(desk, AUTHORISED, **changed)
        assert answer.status_code == 401, changed
        assert answer.json["code"] == "not_genuine"  # type: ignore[index]
        assert answer.json["sentence"].endswith("Nothing was changed.")  # type: ignore[index]
    assert desk.events() == ["PaymentAuthorisationRequested"]


def test_a_message_without_any_header_is_refused(desk: Desk) -> None:
    answer = desk.app.test_client().post("/callbacks/payments/sandbox", json=AUTHORISED)
    assert answer.status_code == 401


def test_garbage_is_refused_though_it_is_signed(desk: Desk) -> None:
    desk.do(authorise(method="tok_away"))
    messages: list[Any] = [
        b"",
        b"garbage",
        b"\xff\xfe",
        b"[1]",
        {},
        {"type": "PlaceOrder"},
        {"type": ["authorised"]},
        {**AUTHORISED, "request_no": "1"},
        {**AUTHORISED, "request_no": 0},
        {**AUTHORISED, "reference": ""},
        {**AUTHORISED, "reference": "a\u0000b"},
        {**AUTHORISED, "more": 1},
        {"type": "authorised"},
    ]
    for message in messages:
        answer = send(desk, message)
        assert (answer.status_code, answer.json["code"]) == (400, "invalid"), message  # type: ignore[index]
    assert desk.events() == ["PaymentAuthorisationRequested"]


def test_a_message_about_nothing_known_is_refused_and_taken_once_it_is(desk: Desk) -> None:
    assert send(desk, DISPUTED).status_code == 409
    desk.settle(authorise(), capture())
    resolved = {"type": "dispute_resolved", "payment_id": THE, "reference": "d", "outcome": "won"}
    assert send(desk, resolved, message_id="m2", late=9).json["code"] == "no_such_dispute"  # type: ignore[index]
    assert send(desk, DISPUTED, late=1).status_code == 200
    assert desk.payment.disputed == 4
    assert send(desk, resolved, message_id="m2").status_code == 200
    assert desk.payment.disputed == 0


def test_a_gateway_speaks_of_its_own_payments_only(make_console: Callable[..., Flask]) -> None:
    desk = Desk(make_console(payment_callback_secret=SECRET), Clock())
    desk.do(authorise())
    answer = send(desk, AUTHORISED)
    assert (answer.status_code, answer.json["code"]) == (409, "no_such_payment")  # type: ignore[index]
    assert send(desk, AUTHORISED, to="none-such").status_code == 404


def test_without_a_secret_no_message_is_taken(make_console: Callable[..., Flask]) -> None:
    desk = Desk(make_console(payment_gateway="sandbox"), Clock())
    answer = send(desk, AUTHORISED)
    assert answer.status_code == 401
    assert "PAYMENT_CALLBACK_SECRET" in answer.json["sentence"]  # type: ignore[index]


def test_while_tasks_are_switched_off_the_provider_is_told_to_come_again(
    make_console: Callable[..., Flask],
) -> None:
    app = make_console(payment_gateway="sandbox", payment_callback_secret=SECRET)
    desk = Desk(app, Clock())
    desk.do(authorise(method="tok_away"))
    off = Desk(
        make_console(payment_gateway="sandbox", payment_callback_secret=SECRET, cqrs_enabled=False),
        Clock(),
    )
    assert send(off, AUTHORISED).status_code == 503
    assert send(desk, AUTHORISED).status_code == 200


def test_a_message_that_is_too_long_is_not_read(desk: Desk) -> None:
    assert send(desk, b"x" * 70_000).status_code == 413


def test_a_capture_that_comes_after_a_void_is_flagged_not_lost(desk: Desk) -> None:
    desk.settle(authorise(), capture("9.51"))
    desk.settle(void())
    assert desk.payment.status == PaymentStatus.VOIDED
    late = {"type": "captured", "payment_id": THE, "request_no": 2, "reference": "late"}
    assert send(desk, late).json["events"] == ["PaymentAnswerFlagged"]  # type: ignore[index]
    assert (desk.payment.flagged, desk.payment.captured) == (1, 0)


def test_a_message_from_a_browsers_page_is_refused(desk: Desk) -> None:
    desk.do(authorise(method="tok_away"))
    answer = send(desk, AUTHORISED, **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_by_hand_and_by_callback_come_to_the_same(desk: Desk) -> None:
    desk.do(authorise(method="tok_away"), authorised(1, "x"))
    assert send(desk, AUTHORISED).json["events"] == []  # type: ignore[index]
