"""Whatever order tasks and answers come in: never captured twice, never refunded more than
captured, and a ledger that comes to nothing."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cqrs_app.areas.payments import commands as do
from cqrs_app.areas.payments.projections.ledger import LedgerProjection
from cqrs_app.areas.payments.projections.payments import PaymentsProjection
from cqrs_app.areas.payments.projections.timeline import LABELS
from cqrs_app.areas.payments.queries.one_payment import GetPayment, get_payment
from cqrs_app.areas.payments.read_models import ledger_entries, payments
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.testing import fold
from tests.areas.payments.given import (
    THE,
    Story,
    authorise,
    authorised,
    capture,
    captured,
    declined,
    disputed,
    record,
    refund,
    refunded,
    resolved,
    void,
    voided,
)

NUMBERS = st.integers(1, 8)
REFERENCES = st.sampled_from(["x", "y"])
AMOUNTS = st.one_of(st.none(), st.sampled_from(["0.0001", "1", "3.3333", "5", "10", "11"]))
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.sampled_from([authorise(), record("10"), void()]),
    st.builds(capture, AMOUNTS),
    st.builds(refund, AMOUNTS),
    st.builds(authorised, NUMBERS, REFERENCES),
    st.builds(captured, NUMBERS, REFERENCES),
    st.builds(voided, NUMBERS, REFERENCES),
    st.builds(refunded, NUMBERS, REFERENCES),
    st.builds(declined, NUMBERS),
    st.builds(disputed, st.sampled_from(["1", "4"]), REFERENCES),
    st.builds(resolved, st.sampled_from(["won", "lost"]), REFERENCES),
    st.just(do.ClearFlaggedAnswers(payment_id=THE, note="Seen.")),
)


def folded(story: Story) -> Rows:
    projections = (PaymentsProjection(), LedgerProjection())
    for projection in projections:
        projection.bind(LABELS)
    return fold(projections, story.recorded)


@settings(max_examples=400, deadline=None)
@given(st.booleans(), st.lists(COMMANDS, max_size=40))
def test_no_order_of_events_breaks_the_sums(usual: bool, commands: list[Command]) -> None:
    story = Story()
    if usual:
        story.tell(authorise(), authorised(1, "x"), capture("5"), captured(2, "x"))
    for command in commands:
        try:
            story.do(command)
        except Refused:
            continue
        payment = story.payment
        assert 0 <= payment.refunded <= payment.captured <= payment.authorised <= 10
        done = [each.answer for each in payment.requests if each.outcome == "done" and each.answer]
        assert sum(each.outcome == "done" for each in payment.requests) == len(done)
    if story.events:
        assert_rows_are_its_fold(story)


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_of_two_disputes_one_is_settled_and_the_other_stays_open(outcome: str) -> None:
    paid = (authorise(), authorised(1, "x"), capture("10"), captured(2, "x"))
    story = Story().tell(*paid, disputed("4", "x"), disputed("1", "y"))
    assert_rows_are_its_fold(story.tell(resolved(outcome, "x")))
    assert story.payment.disputed("") == 1
    assert story.payment.disputed("lost") == (4 if outcome == "lost" else 0)


def test_all_flagged_answers_of_a_payment_are_cleared_together() -> None:
    paid = (authorise(), authorised(1, "x"), capture("5"), captured(2, "x"))
    story = Story().tell(*paid, captured(2, "y"), declined(2))
    assert len(story.payment.flags) == 2
    assert_rows_are_its_fold(story)
    story.tell(do.ClearFlaggedAnswers(payment_id=THE, note="Seen."))
    assert_rows_are_its_fold(story)


def assert_rows_are_its_fold(story: Story) -> None:
    rows = folded(story)
    sums: dict[int, Decimal] = defaultdict(Decimal)
    accounts: dict[str, Decimal] = defaultdict(Decimal)
    for entry in rows.all(ledger_entries):
        sums[entry["position"]] += entry["amount"]
        accounts[entry["account"]] += entry["amount"]
    assert not any(sums.values())
    assert sum(accounts.values()) == 0
    assert -accounts["customers"] == story.payment.captured - story.payment.refunded
    assert accounts["disputed"] == story.payment.disputed("")
    assert accounts["lost"] == story.payment.disputed("lost")
    [row] = rows.all(payments)
    view = get_payment(GetPayment(payment_id=THE), story.payment, len(story.events))
    assert view is not None
    for name in ("status", "authorised", "captured", "refunded", "disputed", "lost", "flagged"):
        assert row[name] == getattr(view, name), name
    assert row["waiting"] == sum(each.outcome == "open" for each in view.requests)
