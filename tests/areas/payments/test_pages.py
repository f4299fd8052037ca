"""Payments on the pages, without scripts: begun, answered, refunded, looked at by each role."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from cqrs_app.areas.payments.gateway_commands import RecordAuthorisation
from cqrs_app.kernel.commands.context import Context
from tests.areas.payments.conftest import ADA, Desk
from tests.areas.payments.given import (
    authorise,
    authorised,
    capture,
    captured,
    declined,
    disputed,
    record,
    refund,
    void,
    voided,
)
from tests.interfaces.web.pages.conftest import client_in
from tests.interfaces.web.pages.test_without_scripts import page, send


def words(soup: BeautifulSoup) -> str:
    return " ".join(soup.get_text(" ").split()).replace("\N{NO-BREAK SPACE}", " ")


def shown(client: FlaskClient, address: str) -> str:
    return words(page(client, address))


def offered(client: FlaskClient) -> list[str]:
    links = page(client, "/payments/P1").find_all("a", href=re.compile("^/commands/"))
    return [str(link["href"]).split("/")[2].partition("?")[0] for link in links]


def address_of(client: FlaskClient, task: str) -> str:
    link = page(client, "/payments/P1").find("a", href=re.compile(f"^/commands/{task}"))
    assert link is not None, f"{task} is not offered"
    return str(link["href"])


def test_a_payment_is_begun_captured_and_refunded_by_hand(desk: Desk) -> None:
    ann = client_in(desk.app, "supervisor")
    assert "No payments yet" in shown(ann, "/payments")
    assert "Nothing has moved yet" in shown(ann, "/ledger")
    answer = send(
        ann,
        "/commands/AuthorisePayment",
        payment_id="P1",
        order_id="W1",
        amount="12.50",
        currency="GBP",
        method="tok_visa",
    )
    assert (answer.status_code, answer.location) == (303, "/payments/P1")
    text = shown(ann, "/payments/P1")
    assert "Requested" in text
    assert "Not answered yet" in text
    assert "All of it" not in text
    assert "The gateway has not answered yet" in text
    assert offered(ann) == ["VoidPayment"]
    desk.ask_gateway()
    assert offered(ann) == ["CapturePayment", "VoidPayment"]
    assert send(ann, address_of(ann, "CapturePayment")).status_code == 303
    desk.ask_gateway()
    assert offered(ann) == ["RefundPayment", "MovePayment"]
    refused = send(ann, address_of(ann, "RefundPayment"), amount="20", reason="No.")
    assert refused.status_code == 422
    assert "is more than the GBP\N{NO-BREAK SPACE}12.50 that is left" in refused.get_data(
        as_text=True
    )
    answer = send(ann, address_of(ann, "RefundPayment"), amount="2.5", reason="One broke.")
    assert answer.status_code == 303
    desk.ask_gateway()
    text = shown(ann, "/payments/P1")
    assert "Partly refunded" in text
    assert "One broke." in text
    desk.catch_up()
    assert "Partly refunded" in shown(ann, "/payments")
    ledger = shown(ann, "/ledger")
    assert "Balanced" in ledger
    assert "Held by the gateway GBP GBP 10.00" in ledger


def test_a_card_number_comes_back_with_a_sentence(desk: Desk) -> None:
    answer = send(
        client_in(desk.app, "operator"),
        "/commands/AuthorisePayment",
        order_id="W1",
        amount="1",
        currency="GBP",
        method="4242 4242 4242 4242",
    )
    assert answer.status_code == 422
    assert "looks like a card number" in answer.get_data(as_text=True)


def test_the_form_suggests_a_free_number(desk: Desk) -> None:
    form = page(client_in(desk.app, "operator"), "/commands/AuthorisePayment")
    assert re.match("^P[0-9]{6}-", str(form.find(id="payment_id")["value"]))  # type: ignore[index]


def test_an_administrator_answers_for_the_gateway(desk: Desk) -> None:
    desk.do(authorise())
    admin, ann = client_in(desk.app, "admin"), client_in(desk.app, "supervisor")
    assert "RecordAuthorisation" not in offered(ann)
    assert offered(admin) == ["VoidPayment", "RecordAuthorisation", "RecordDecline"]
    answer = send(admin, address_of(admin, "RecordAuthorisation"), reference="by telephone")
    assert answer.status_code == 303
    assert "by telephone" in shown(admin, "/payments/P1")
    assert "RecordAuthorisation" not in offered(admin)


def test_a_viewer_looks_and_is_offered_nothing(desk: Desk) -> None:
    desk.settle(authorise(), capture())
    viewer = client_in(desk.app, "viewer")
    assert "Captured" in shown(viewer, "/payments/P1")
    assert offered(viewer) == []
    assert viewer.get("/commands/RefundPayment?payment_id=P1").status_code == 403


def test_what_needs_somebody_is_told_and_cleared_up(desk: Desk) -> None:
    desk.do(authorise(), authorised(), capture(), declined(2), void(), voided(3), captured(2))
    desk.do(disputed("3"))
    desk.catch_up()
    ann = client_in(desk.app, "supervisor")
    listed = shown(ann, "/payments?show=flagged")
    assert "1 warning to review" in listed
    assert "disputed" in shown(ann, "/payments?show=disputed")
    text = shown(ann, "/payments/P1")
    assert "1 warning to review" in text
    assert "Look at what the gateway shows" in text
    sent = send(ann, address_of(ann, "ClearFlaggedAnswers"), note="Given back there.")
    assert sent.status_code == 303
    desk.catch_up()
    assert "No payments match" in shown(ann, "/payments?show=flagged")


def test_what_did_not_go_well_stands_beside_the_request(desk: Desk) -> None:
    desk.settle(authorise(method="tok_away"))
    text = shown(client_in(desk.app, "operator"), "/payments/P1")
    assert "The gateway did not answer in time." in text


def test_lists_are_filtered_sorted_and_paged_by_their_address(desk: Desk) -> None:
    for number in range(1, 31):
        desk.do(
            authorise(str(number), payment_id=f"P{number:02}", order_id=f"W{number % 3}"),
            RecordAuthorisation(payment_id=f"P{number:02}", request_no=1, reference="a"),
        )
    desk.catch_up()
    ann = client_in(desk.app, "operator")
    first = page(ann, "/payments?sort=amount&descending=0")
    rows = [str(row.get_text()) for row in first.select("tbody th")]
    assert rows == [f"P{number:02}" for number in range(1, 26)]
    link = first.find("a", rel="next")
    assert link is not None
    after = [row.get_text() for row in page(ann, str(link["href"])).select("tbody th")]
    assert after == [f"P{number:02}" for number in range(26, 31)]
    filtered = page(ann, "/payments?order_id=W1&status=authorised&show=unsettled")
    assert len(filtered.select("tbody tr")) == 10
    assert "Status Authorised" in words(filtered)
    assert "No payments match" in shown(ann, "/payments?status=declined")


def test_the_ledger_is_filtered_by_account_and_payment(desk: Desk) -> None:
    desk.settle(record("5"), refund("1"))
    desk.catch_up()
    ann = client_in(desk.app, "viewer")
    assert len(page(ann, "/ledger?account=bank").select("section:last-of-type tbody tr")) == 1
    assert "Bank and till" in shown(ann, "/ledger?payment_id=P1")
    assert "No entries match" in shown(ann, "/ledger?payment_id=P2")


def test_a_payment_that_waits_for_a_worker_says_so(desk: Desk) -> None:

    desk.kernel.commands.enqueue(authorise(), Context(actor=ADA, channel="test"))
    assert "waiting for a worker" in shown(client_in(desk.app, "viewer"), "/payments/P1")
    assert client_in(desk.app, "viewer").get("/payments/P1/now").status_code == 200
