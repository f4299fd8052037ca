"""Whoever can sign is reminded before a request expires, and of a review that is overdue."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cqrs_app.platform.approvals.commands import OverrideApproval, RemindSigners
from cqrs_app.platform.approvals.events import ApprovalOverridden
from cqrs_app.platform.approvals.reminders import remind_at
from cqrs_app.platform.approvals.request import ApprovalRequest
from cqrs_app.platform.approvals.types import ApprovalStage, RequestState
from cqrs_app.services import services_of
from tests.platform.approvals.conftest import REFUND, Shop
from tests.platform.approvals.test_approvals import expire_leases, hours_ago


def reminders(shop: Shop, name: str) -> list[str]:
    notices = services_of(shop.app).inbox.newest(name)
    return [each.sentence for each in notices if "awaits your" in each.sentence]


def work(shop: Shop) -> None:
    expire_leases(shop)
    shop.work()


def test_they_are_reminded_once_before_the_deadline(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.policy(stages=(ApprovalStage(hours=8, people=("tina", "ada"), approvals=2),))
    with hours_ago(shop, 5, monkeypatch):
        early = shop.ask()
    work(shop)
    assert reminders(shop, "tina") == []
    with hours_ago(shop, 7, monkeypatch):
        shop.pay("P-2", order_id="A-2")
        late = shop.ask(replace(REFUND, payment_id="P-2"))
        shop.sign(late, "ada")
    work(shop)
    work(shop)
    [sentence] = reminders(shop, "tina")
    assert sentence.startswith("“Refund payment” for payment P-2 awaits your approval until ")
    assert (reminders(shop, "ada"), reminders(shop, "olga")) == ([], [])
    assert (shop.state(early), shop.state(late)) == ("open", "open")


def test_what_has_expired_is_told_to_whoever_asked(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.policy(stages=(ApprovalStage(hours=2),))
    with hours_ago(shop, 3, monkeypatch):
        request_id = shop.ask(name="sam")
    work(shop)
    assert shop.state(request_id) == "expired"
    sentences = [each.sentence for each in services_of(shop.app).inbox.newest("sam")]
    assert "Your request “Refund payment” for payment P-1 has expired." in sentences


def test_a_review_that_is_overdue_reminds_whoever_can_review(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.policy(review_hours=2)
    with hours_ago(shop, 3, monkeypatch):
        request_id = shop.ask(name="sam")
        digest = shop.view(request_id).digest
        shop.run(OverrideApproval(request_id=request_id, digest=digest, reason="Now."), "ada")
    work(shop)
    work(shop)
    overdue = "The review of “Refund payment” for payment P-1, which was overridden, is overdue."
    for name, times in (("tina", 1), ("ada", 0), ("sam", 0)):
        sentences = [each.sentence for each in services_of(shop.app).inbox.newest(name)]
        assert sentences.count(overdue) == times
    work(shop)
    assert shop.events(f"approval-{request_id}").count("ApprovalReminded") == 1


def test_each_reminder_is_sent_once_when_an_overridden_request_is_open_again() -> None:
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    request = ApprovalRequest(
        state=RequestState.OPEN, stages=(ApprovalStage(),), due=now, review_due=now
    )
    command = RemindSigners(request_id="5c7b3a52-93ab-4d5f-8a43-5a0f6a1f9d11")
    of_review = []
    while remind_at(request) and len(of_review) < 9:
        [event] = request.remind(command)
        request.evolve(event, now)
        of_review.append(event.of_review)
    assert of_review == [False, True]


def test_a_second_override_has_a_reminder_of_its_own() -> None:
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    request = ApprovalRequest(state=RequestState.OPEN, review_hours=2, review_reminded=True)
    overridden = ApprovalOverridden(request_id="r", person="ada", reason="Now.", missing=1)
    request.evolve(overridden, now)
    assert remind_at(request) == now + timedelta(hours=2)
