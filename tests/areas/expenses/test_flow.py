"""The read models of expense claims: the list is the fold of the events, and the figures are a
recount."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask

from cqrs_app.areas.expenses import commands as do
from cqrs_app.areas.expenses.queries.lists import ListExpenseClaims
from cqrs_app.areas.expenses.queries.one_claim import ExpenseTimeline, GetExpenseClaim
from cqrs_app.areas.expenses.queries.statistics import ExpenseStatistics
from cqrs_app.areas.expenses.words import ExpenseKind, ExpenseStage
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Command, Query
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.services import services_of

ANA, BEN, CLEO = (Actor(name, ROLES["admin"]) for name in ("ana", "ben", "cleo"))
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def send(kernel: Kernel, actor: Actor, *commands: Command) -> None:
    for command in commands:
        kernel.commands.execute(command, Context(actor=actor, channel="test"))


def submit(claim_id: str, amount: str = "100", kind: ExpenseKind = ExpenseKind.EXPENSES) -> Command:
    return do.SubmitExpenseClaim(
        claim_id=claim_id, purpose="Train", amount=Decimal(amount), currency="EUR", kind=kind
    )


def ask(kernel: Kernel, question: Query, *, strong: bool = False) -> Any:
    return kernel.queries.ask(question, QueryContext(actor=ANA, strong=strong)).value


def caught_up(kernel: Kernel) -> Kernel:
    kernel.runner.advance("expenses")
    return kernel


def test_rows_are_the_fold_of_the_events(kernel: Kernel) -> None:
    send(kernel, ANA, submit("E1"))
    send(kernel, BEN, do.RequestRevision(claim_id="E1", changes="?"))
    send(kernel, ANA, do.ResubmitExpenseClaim(claim_id="E1", amount=Decimal(700)))
    send(kernel, BEN, do.ApproveExpenseClaim(claim_id="E1"))
    send(kernel, CLEO, do.AddExpenseNote(claim_id="E1", note="Hm."))
    send(kernel, ANA, do.WithdrawExpenseClaim(claim_id="E1"))
    caught_up(kernel)
    for question in (GetExpenseClaim(claim_id="E1"), ExpenseTimeline(claim_id="E1")):
        assert ask(kernel, question) == ask(kernel, question, strong=True)
    [row] = ask(kernel, ListExpenseClaims()).rows
    assert (row.submissions, row.returned, str(row.status)) == (2, 1, "withdrawn")
    assert row.amount == Decimal(700)


def past(kernel: Kernel, at: datetime, *commands: Command) -> None:
    actor = Actor("importer", ROLES["admin"] | {"history.record"})
    for command in commands:
        context = Context(actor=actor, channel="test", occurred_at=at)
        kernel.commands.execute(command, context)


@pytest.mark.parametrize("size", [1, 2, 9, 10, 11])
def test_percentiles_are_those_of_the_nearest_rank(kernel: Kernel, size: int) -> None:
    seconds = [(each * 37) % 101 for each in range(1, size + 1)]
    for number, wait in enumerate(seconds):
        past(kernel, START, submit(f"E{number}", kind=ExpenseKind.PERMIT))
        approve = do.ApproveExpenseClaim(claim_id=f"E{number}", stage=ExpenseStage.SUPERVISOR)
        past(kernel, START + timedelta(seconds=wait), approve)
    [found] = ask(caught_up(kernel), ExpenseStatistics()).step_times
    ordered = sorted(seconds)
    assert (found.previous, found.step, found.times) == ("submitted", "approved supervisor", size)
    assert found.median == ordered[math.ceil(size * 0.5) - 1]
    assert found.p90 == ordered[math.ceil(size * 0.9) - 1]


def test_open_claims_are_grouped_by_how_long_they_have_waited(kernel: Kernel) -> None:
    days = (0, 2, 5, 10, 40, 400)
    for number, each in enumerate(days):
        past(kernel, datetime.now(UTC) - timedelta(days=each, hours=1), submit(f"E{number}"))
    [group] = ask(caught_up(kernel), ExpenseStatistics()).waiting
    assert group.by_age == (1, 1, 1, 1, 2)
    assert (group.claims, group.amount) == (6, Decimal(600))
    assert str(group.stage) == "administration"


def test_returns_and_submissions_are_counted_by_kind_and_the_stage_that_returns_most_comes_first(
    kernel: Kernel,
) -> None:
    def back(claim_id: str, stage: ExpenseStage) -> None:
        returned = do.RequestRevision(claim_id=claim_id, stage=stage, changes="?")
        past(kernel, START, returned, do.ResubmitExpenseClaim(claim_id=claim_id))

    past(kernel, START, submit("E1"), submit("E2"), submit("E3"))
    past(kernel, START, submit("P1", kind=ExpenseKind.PERMIT))
    back("E1", ExpenseStage.ADMINISTRATION)
    for claim_id in ("E1", "E2", "P1"):
        back(claim_id, ExpenseStage.SUPERVISOR)
    found = ask(caught_up(kernel), ExpenseStatistics())
    assert list(found.returned_by.items()) == [("supervisor", 3), ("administration", 1)]
    assert [(each.submissions, each.claims) for each in found.submissions] == [
        (1, 1),
        (2, 2),
        (3, 1),
    ]
    found = ask(kernel, ExpenseStatistics(kind=ExpenseKind.PERMIT))
    assert found.returned_by == {"supervisor": 1}
    assert [(each.submissions, each.claims) for each in found.submissions] == [(2, 1)]
    assert sum(each.claims for each in found.waiting) == 1
    assert {each.times for each in found.step_times} == {1}


def test_claims_that_wait_in_different_currencies_are_never_added_up(kernel: Kernel) -> None:
    for number, currency in enumerate(("EUR", "GBP", "EUR")):
        claim = do.SubmitExpenseClaim(
            claim_id=f"E{number}", purpose="Train", amount=Decimal(100 + number), currency=currency
        )
        send(kernel, ANA, claim)
    found = ask(caught_up(kernel), ExpenseStatistics()).waiting
    assert {each.currency: (each.claims, each.amount) for each in found} == {
        "EUR": (2, Decimal(202)),
        "GBP": (1, Decimal(101)),
    }


def test_times_between_steps_add_up_to_the_time_of_the_claim(kernel: Kernel) -> None:
    past(kernel, START, submit("E1"))
    past(kernel, START + timedelta(hours=3), do.AddExpenseNote(claim_id="E1", note="Hm."))
    past(kernel, START + timedelta(hours=5), do.RequestRevision(claim_id="E1", changes="?"))
    past(kernel, START + timedelta(hours=9), do.ResubmitExpenseClaim(claim_id="E1"))
    steps = ask(caught_up(kernel), ExpenseTimeline(claim_id="E1"))
    others = ("ExpenseNoteAdded", "ExpenseClaimFlagged")
    moments = [each.at for each in steps if each.type not in others]
    between = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    assert [each.seconds for each in steps if each.previous] == between == [18_000, 14_400]


def test_a_token_acts_for_who_made_it_so_it_cannot_sign_their_claim(
    console: Flask, kernel: Kernel
) -> None:
    services = services_of(console)
    services.accounts.create("ana", "admin", "nine grey geese on a lake")
    services.tokens.create("robot", "admin", made_by="ana")
    send(kernel, ANA, submit("E1"))
    with pytest.raises(Refused, match="a claim of their own"):
        send(
            kernel,
            Actor("token:robot", ROLES["admin"]),
            do.ApproveExpenseClaim(claim_id="E1"),
        )
    send(kernel, BEN, do.ApproveExpenseClaim(claim_id="E1"))
