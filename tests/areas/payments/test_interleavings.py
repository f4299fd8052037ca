"""Whatever order tasks and answers come in: never captured twice, never refunded more than
captured, and a ledger that comes to nothing."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

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
    st.sampled_from([authorise(), record("10"), void(), resolved("won"), resolved("lost")]),
    st.builds(capture, AMOUNTS),
    st.builds(refund, AMOUNTS),
    st.builds(authorised, NUMBERS, REFERENCES),
    st.builds(captured, NUMBERS, REFERENCES),
    st.builds(voided, NUMBERS, REFERENCES),
    st.builds(refunded, NUMBERS, REFERENCES),
    st.builds(declined, NUMBERS),
    st.builds(disputed, st.sampled_from(["1", "4"])),
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
    if not story.events:
        return
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
