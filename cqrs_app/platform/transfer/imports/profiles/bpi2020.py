"""Profile `bpi2020`: approval histories of a university's travel expenses, as event logs in XES.

van Dongen, B. (2020), BPI Challenge 2020, 4TU.ResearchData,
doi:10.4121/uuid:52fb97d4-4588-43c9-9d04-3604d4613b51, CC BY 4.0. Five logs: domestic and
international declarations, requests for payment, prepaid travel costs, and permits. A trace is one
case; payments belong to the claim that the case is named after. Amounts are euros, rounded half to
even to cents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from cqrs_app.areas.expenses import commands as do
from cqrs_app.areas.expenses.events import ExpenseClaimFlagged
from cqrs_app.areas.expenses.words import ExpenseKind
from cqrs_app.kernel.errors import Invalid
from cqrs_app.platform.transfer.imports.activities import (
    CURRENCY,
    Happening,
    Paper,
    happening,
    steps_of,
)
from cqrs_app.platform.transfer.imports.claims_report import read_back
from cqrs_app.platform.transfer.imports.clock import moment
from cqrs_app.platform.transfer.imports.documents import (
    Contents,
    Document,
    Profile,
    SourceFile,
)
from cqrs_app.platform.transfer.imports.formats import DETECTED, Format
from cqrs_app.platform.transfer.imports.gathered import UNREADABLE, Unreadable
from cqrs_app.platform.transfer.imports.set_aside import SetAside
from cqrs_app.platform.transfer.imports.source import SourceRow
from cqrs_app.platform.transfer.imports.spooled import SpooledTexts
from cqrs_app.platform.transfer.imports.xes import XesEvent, XesTrace, read_traces
from cqrs_app.standards.money import charged

HEADER = ("Trace", "Activity", "Time", "Resource", "Role")
_COLUMNS = {"claim_id": "Trace", "occurred_at": "Time"}
"""Fields of commands -> the columns of the rows set aside."""
_NAME, _TIME = "concept:name", "time:timestamp"
_EVENT = (_NAME, _TIME, "org:resource", "org:role")
LONGEST = 90
"""Characters of an activity, a resource or a role. The last two make a name of 200 at most."""
_CASE = "(case)_"
"""What the attributes of a case begin with where an export repeats them for each event."""
_AMOUNTS: Mapping[ExpenseKind, tuple[str, ...]] = {
    ExpenseKind.DECLARATION: ("Amount", "TotalDeclared"),
    ExpenseKind.PAYMENT_REQUEST: ("RequestedAmount",),
    ExpenseKind.PERMIT: ("Permit RequestedBudget", "RequestedBudget", "RequestedAmount"),
}
_NUMBERS: Mapping[ExpenseKind, tuple[str, ...]] = {
    ExpenseKind.DECLARATION: ("DeclarationNumber",),
    ExpenseKind.PAYMENT_REQUEST: ("RfpNumber",),
    ExpenseKind.PERMIT: ("travel permit number", "Permit travel number"),
}
_BUDGETS = ("BudgetNumber", "Permit BudgetNumber", "Project")
_NAMED = {
    "declaration": ExpenseKind.DECLARATION,
    "requestforpayment": ExpenseKind.PAYMENT_REQUEST,
    "travelpermit": ExpenseKind.PERMIT,
}
"""How the name of a case begins, without blanks -> the paper that it is named after."""


def read(path: Path, given: Format = DETECTED) -> Contents:
    """Reads the log once to find whether it is one, and again while its claims are imported.

    Raises BadFile if it cannot be used.
    """
    contents = Contents(files={path.name: SourceFile(HEADER)}, columns=_COLUMNS)
    for trace in read_traces(path):
        contents.rows += len(trace.events)
        contents.count += 1
    contents.documents = _all_documents(path, contents)
    return contents


def _all_documents(path: Path, contents: Contents) -> Iterator[Document]:
    seen = SpooledTexts()
    for trace in read_traces(path):
        contents.passed += 1
        try:
            documents = _documents_of(path.name, trace)
        except Unreadable as fault:
            contents.set_aside.extend(_set_aside(path.name, trace, UNREADABLE, fault))
            continue
        keys = {documents[0].case, *(each.key for each in documents)}
        if any(seen.get(key) is not None for key in keys):
            contents.set_aside.extend(_set_aside(path.name, trace, "repeated_trace"))
            continue
        for key in keys:
            seen.add(key)
        yield from documents


def _documents_of(file: str, trace: XesTrace) -> tuple[Document, ...]:
    """Raises Unreadable."""
    try:
        return tuple(_documents(file, trace))
    except Invalid as invalid:
        field, sentence = next(iter(invalid.problems.items()))
        raise Unreadable(sentence, field) from invalid


def _documents(file: str, trace: XesTrace) -> Iterator[Document]:
    name = trace.attributes.get(_NAME, "").strip()
    if not name:
        raise Unreadable("The trace has no name.", _NAME)
    if not trace.events:
        raise Unreadable("The trace has no events.")
    case = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")
    of_case = _attributes_of_case(trace)
    happenings = [_happening(number, each) for number, each in enumerate(trace.events, start=1)]
    if len({each.number for each in happenings}) < len(happenings):
        raise Unreadable("Two of its events have the same id.", "id")
    main = _main(case, happenings)
    for kind in dict.fromkeys([main, *(each.kind for each in happenings if each.kind)]):
        mine = [
            (each, event)
            for each, event in zip(happenings, trace.events, strict=True)
            if (each.kind or main) is kind
        ]
        if not mine:
            continue
        paper = Paper(
            claim_id=case if kind is main else f"{case}-{kind}",
            kind=kind,
            purpose=_first(of_case, _NUMBERS[kind])[:200] or name,
            budget=_first(of_case, _BUDGETS)[:60],
            amount=_amount(of_case, kind),
        )
        yield Document(
            "expense_claim",
            paper.claim_id,
            tuple(steps_of(paper, [each for each, _ in mine])),
            tuple(_row(file, name, event) for _, event in mine),
            case=case,
        )


def _main(case: str, happenings: Sequence[Happening]) -> ExpenseKind:
    """The paper that the case is named after, or else the first of declaration, request, permit."""
    letters = re.sub(r"[^a-z]", "", case.lower())
    named = (kind for start, kind in _NAMED.items() if letters.startswith(start))
    found = {each.kind for each in happenings}
    usual = (kind for kind in _AMOUNTS if kind in found)
    return next(named, None) or next(usual, ExpenseKind.DECLARATION)


def _happening(number: int, event: XesEvent) -> Happening:
    activity, at, resource, role = (event.attributes.get(each, "").strip() for each in _EVENT)
    where = f"The event on line {event.line}"
    if not activity:
        raise Unreadable(f"{where} has no name.", _NAME)
    if not at:
        raise Unreadable(f"{where} has no time.", _TIME)
    for name, text in zip(_EVENT, (activity, at, resource, role), strict=True):
        if len(text) > LONGEST:
            raise Unreadable(f"{where} has more than {LONGEST} characters here.", name, text)
    try:
        time = moment(at)
    except ValueError:
        raise Unreadable(f"{where} has a time that cannot be read.", _TIME, at) from None
    return happening(
        event.attributes.get("id", "")[:LONGEST] or f"event {number}",
        time,
        activity,
        f"{resource or 'Unknown'} ({role or 'no role'})",
    )


def _attributes_of_case(trace: XesTrace) -> dict[str, str]:
    """Name in small letters -> value: of the trace, or else of the first event that has it."""
    found: dict[str, str] = {}
    for event in reversed(trace.events):
        for name, text in event.attributes.items():
            if name.startswith(_CASE):
                found[_key(name.removeprefix(_CASE))] = text.strip()
    own = {_key(name): text.strip() for name, text in trace.attributes.items()}
    return found | own


def _key(name: str) -> str:
    return name.lower().replace("_", " ")


def _first(of_case: Mapping[str, str], names: Sequence[str]) -> str:
    return next((of_case[_key(each)] for each in names if of_case.get(_key(each))), "")


def _amount(of_case: Mapping[str, str], kind: ExpenseKind) -> Decimal:
    """In cents; 0 where the log has none."""
    text = _first(of_case, _AMOUNTS[kind])
    if not text:
        return Decimal(0)
    try:
        amount = charged(Decimal(text), CURRENCY)
    except InvalidOperation:  # no number, or one of too many digits
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise Unreadable("The amount is not a number.", _AMOUNTS[kind][0], text)
    return amount


def _row(file: str, name: str, event: XesEvent) -> SourceRow:
    texts = (event.attributes.get(each, "") for each in _EVENT)
    return SourceRow(file, event.line, (name, *texts))


def _set_aside(
    file: str, trace: XesTrace, reason: str, fault: Unreadable | None = None
) -> Iterator[SetAside]:
    """All events of a trace: it is imported as a whole or not at all."""
    name = trace.attributes.get(_NAME, "")
    sentence = f"Trace {name or f'on line {trace.line}'}: {fault.sentence}" if fault else ""
    for event in trace.events:
        row = _row(file, name, event)
        if fault:
            yield SetAside(row, reason, sentence, fault.column, fault.value[:LONGEST])
        else:
            yield SetAside(row, reason, column=HEADER[0], value=name[:LONGEST])


PROFILE = Profile(
    name="bpi2020",
    read=read,
    commands=(
        do.DraftExpenseClaim,
        do.SubmitExpenseClaim,
        do.ApproveExpenseClaim,
        do.RequestRevision,
        do.ResubmitExpenseClaim,
        do.WithdrawExpenseClaim,
        do.RequestExpensePayment,
        do.PayExpenseClaim,
        do.AddExpenseNote,
    ),
    reasons={
        UNREADABLE: "The trace cannot be read.",
        "repeated_trace": "An earlier trace of the log has the same name. That one is used.",
    },
    read_back=read_back,
    flagged=ExpenseClaimFlagged,
)
