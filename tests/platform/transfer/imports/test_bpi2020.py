"""Importing approval histories from event logs in XES: exact figures, flags, and bad files."""

from __future__ import annotations

import gzip
import json
import lzma
import tracemalloc
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
from flask import Flask
from sqlalchemy import func, select

from cqrs_app.areas.expenses.queries.one_claim import ExpenseTimeline, GetExpenseClaim
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.store.tables import events
from cqrs_app.platform.transfer.imports import xes
from cqrs_app.platform.transfer.imports.formats import DETECTED
from cqrs_app.platform.transfer.imports.importer import import_file
from cqrs_app.platform.transfer.imports.profiles.bpi2020 import LONGEST, PROFILE
from cqrs_app.platform.transfer.imports.rehearsal import rehearse_file
from cqrs_app.platform.transfer.imports.source import BadFile
from cqrs_app.services import services_of
from tests.platform.transfer.imports.reading import read_by
from tests.platform.transfer.imports.test_online_retail import PROJECT

FOLDER = PROJECT.parent / "shared" / "data" / "bpi2020"
read = read_by(PROFILE)
LOG, TRUTH = FOLDER / "DomesticDeclarations.xes.gz", FOLDER / "DomesticDeclarations.truth.json"
needs_data = pytest.mark.skipif(
    not LOG.is_file(), reason="the real histories are not beside this checkout; our own few are"
)
BOSS = QueryContext(actor=Actor("ana", frozenset({"expenses.view"})))
SUBMITTED = "Declaration SUBMITTED by EMPLOYEE"
ADMINISTRATION = "Declaration APPROVED by ADMINISTRATION"
FINAL = "Declaration FINAL_APPROVED by SUPERVISOR"
BACK = "Declaration REJECTED by EMPLOYEE"
REJECTED = "Declaration REJECTED by ADMINISTRATION"
PAYMENT = ("Request Payment", "Payment Handled")


def attribute(key: str, value: str, kind: str = "string") -> str:
    return f"<{kind} key={quoteattr(key)} value={quoteattr(value)}/>"


def happened(number: int, activity: str, **more: str) -> str:
    """An event, one hour after the one of the number before."""
    role = activity.rpartition(" by ")[2] if " by " in activity else "UNDEFINED"
    values = {
        "concept:name": activity,
        "time:timestamp": f"2017-03-{1 + number // 24:02}T{number % 24:02}:00:00.000+01:00",
        "org:resource": "SYSTEM" if role == "UNDEFINED" else "STAFF MEMBER",
        "org:role": role,
    } | {name.replace("__", ":"): value for name, value in more.items()}
    return f"<event>{''.join(attribute(*pair) for pair in values.items() if pair[1])}</event>"


def trace(name: str, *activities: str, **of_case: str) -> str:
    listed = "".join(happened(number, each) for number, each in enumerate(activities))
    own = "".join(attribute(key.replace("_", " "), value) for key, value in of_case.items())
    return f"<trace>{attribute('concept:name', name)}{own}{listed}</trace>"


def log(*traces: str) -> bytes:
    inside = "\n".join(traces)
    start = '<?xml version="1.0" encoding="UTF-8"?>\n<log xmlns="http://www.xes-standard.org">'
    return f"{start}\n{inside}\n</log>\n".encode()


FEW = log(
    trace("declaration 1", SUBMITTED, ADMINISTRATION, FINAL, *PAYMENT, Amount="26.855"),
    # Rejected, taken back, submitted again; the approvals start over.
    trace(
        "declaration 2",
        *(SUBMITTED, REJECTED, BACK, SUBMITTED, ADMINISTRATION, FINAL, *PAYMENT),
        Amount="100.004999",
    ),
    trace("declaration 3", "Declaration SAVED by EMPLOYEE", Amount="0.0"),
    # Given up.
    trace("declaration 4", SUBMITTED, REJECTED, BACK, Amount="10.125"),
    # Approved twice, returned by nobody known in between.
    trace(
        "declaration 5",
        *(SUBMITTED, FINAL, "Declaration REJECTED by MISSING", SUBMITTED, FINAL),
        Amount="7",
    ),
    # Paid without an approval.
    trace("declaration 6", SUBMITTED, *PAYMENT, Amount="8.00"),
    # Begins in the middle, with something that no claim knows.
    trace("declaration 7", FINAL, "Send Reminder", Amount="9"),
)


@pytest.fixture
def few(tmp_path: Path) -> Path:
    return saved(tmp_path, FEW)


def saved(folder: Path, content: bytes, name: str = "few.xes") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def quiet(done: int, everything: int) -> None:
    """A progress callback that does nothing."""


def run(kernel: Kernel, path: Path) -> Any:
    return import_file(kernel, PROFILE, path, quiet).report


def written(kernel: Kernel) -> int:
    with kernel.engines.write.connect() as connection:
        return connection.execute(select(func.count()).select_from(events)).scalar_one()


def claim(kernel: Kernel, claim_id: str) -> Any:
    return kernel.queries.ask(GetExpenseClaim(claim_id=claim_id), BOSS).value


def timeline(kernel: Kernel, claim_id: str) -> Sequence[Any]:
    found: Sequence[Any] = kernel.queries.ask(ExpenseTimeline(claim_id=claim_id), BOSS).value
    return found


def test_histories_of_every_kind_have_exact_figures(kernel: Kernel, few: Path) -> None:
    report = run(kernel, few)
    assert report.adds_up
    assert (report.rows, report.taken, report.cases, report.claims) == (27, 27, 7, 7)
    assert report.events == 27
    assert report.activities == {
        SUBMITTED: 7,
        FINAL: 5,
        "Request Payment": 3,
        "Payment Handled": 3,
        ADMINISTRATION: 2,
        REJECTED: 2,
        BACK: 2,
        "Declaration SAVED by EMPLOYEE": 1,
        "Declaration REJECTED by MISSING": 1,
        "Send Reminder": 1,
    }
    assert report.cases_with == {
        "a_rejection": 3,
        "more_than_one_submission": 2,
        "final_approval": 4,
        "more_than_one_final_approval": 1,
        "payment_handled": 3,
        "payment_handled_twice": 0,
    }
    assert report.final_states == {"paid": 3, "approved": 2, "draft": 1, "withdrawn": 1}
    # 26.855 and 10.125 are rounded to the even cent.
    assert report.as_json()["amount_total"] == "160.98"
    assert report.as_json()["amount_paid"] == "134.86"
    assert report.flags_by_code == {
        "ApproveExpenseClaim.not_submitted": 1,
        "DraftExpenseClaim.no_amount": 1,
        "RequestExpensePayment.in_approval": 1,
        "RequestRevision.already_approved": 1,
    }


def test_each_step_has_its_own_time_actor_and_name(kernel: Kernel, few: Path) -> None:
    run(kernel, few)
    steps = [each for each in timeline(kernel, "declaration-2") if each.activity]
    assert [each.activity for each in steps][:3] == [SUBMITTED, REJECTED, BACK]
    assert [each.performer for each in steps][:2] == [
        "STAFF MEMBER (EMPLOYEE)",
        "STAFF MEMBER (ADMINISTRATION)",
    ]
    assert f"{steps[0].at:%Y-%m-%d %H:%M}" == "2017-02-28 23:00"
    assert {each.seconds for each in steps[1:]} == {3600}
    found = claim(kernel, "declaration-2")
    assert (found.claimant, found.submissions, found.returned) == ("STAFF MEMBER (EMPLOYEE)", 2, 1)
    assert (found.amount, found.paid, str(found.status)) == (
        Decimal("100.00"),
        Decimal("100.00"),
        "paid",
    )


def test_a_second_import_changes_nothing(kernel: Kernel, few: Path) -> None:
    first = run(kernel, few)
    before = written(kernel)
    again = run(kernel, few)
    assert written(kernel) == before
    assert again.activities == first.activities
    assert again.flags_by_code == first.flags_by_code


def test_a_later_export_adds_the_steps_that_are_new(kernel: Kernel, tmp_path: Path) -> None:
    run(kernel, saved(tmp_path, log(trace("declaration 1", SUBMITTED, Amount="5"))))
    report = run(kernel, saved(tmp_path, log(trace("declaration 1", SUBMITTED, FINAL, Amount="5"))))
    assert report.adds_up
    assert report.final_states == {"approved": 1}
    assert len(timeline(kernel, "declaration-1")) == 2


def test_a_dry_run_foresees_the_flags_and_writes_nothing(kernel: Kernel, few: Path) -> None:
    foreseen = rehearse_file(kernel, PROFILE, few, quiet).figures
    assert (foreseen.documents, foreseen.new, written(kernel)) == (7, 7, 0)
    report = run(kernel, few)
    assert dict(foreseen.flags_by_code) == report.flags_by_code
    assert foreseen.flagged_orders == report.flagged_claims


RELATIVES = {
    "requests": (
        log(
            trace(
                "request for payment 9",
                "Request For Payment SUBMITTED by EMPLOYEE",
                "Request For Payment FINAL_APPROVED by SUPERVISOR",
                *PAYMENT,
                RequestedAmount="12.345",
            )
        ),
        {"request-for-payment-9": ("payment_request", "paid", "12.34")},
    ),
    "international": (
        log(
            trace(
                "declaration 8",
                "Start trip",
                "Permit SUBMITTED by EMPLOYEE",
                "Permit APPROVED by SUPERVISOR",
                "Permit FINAL_APPROVED by DIRECTOR",
                "End trip",
                SUBMITTED,
                FINAL,
                *PAYMENT,
                Amount="50",
                **{"Permit RequestedBudget": "70"},
            )
        ),
        {
            "declaration-8": ("declaration", "paid", "50.00"),
            "declaration-8-permit": ("permit", "approved", "70.00"),
        },
    ),
    "prepaid": (
        log(
            trace(
                "request for payment 7",
                "Permit SUBMITTED by EMPLOYEE",
                "Permit FINAL_APPROVED by SUPERVISOR",
                "Request For Payment SUBMITTED by EMPLOYEE",
                "Request For Payment REJECTED by ADMINISTRATION",
                RequestedAmount="33",
            )
        ),
        {
            "request-for-payment-7": ("payment_request", "revision_requested", "33.00"),
            "request-for-payment-7-permit": ("permit", "approved", "33.00"),
        },
    ),
    "permits": (
        log(
            trace(
                "travel permit 6",
                "Permit SUBMITTED by EMPLOYEE",
                "Permit FINAL_APPROVED by SUPERVISOR",
                SUBMITTED,
                RequestedBudget="44",
            )
        ),
        {
            "travel-permit-6": ("permit", "approved", "44.00"),
            "travel-permit-6-declaration": ("declaration", "submitted", "0.00"),
        },
    ),
}


@pytest.mark.parametrize("name", RELATIVES)
def test_the_other_logs_of_the_family_come_in_with_the_same_profile(
    kernel: Kernel, tmp_path: Path, name: str
) -> None:
    content, expected = RELATIVES[name]
    report = run(kernel, saved(tmp_path, content))
    assert report.adds_up
    assert (report.cases, report.claims) == (1, len(expected))
    for claim_id, facts in expected.items():
        found = claim(kernel, claim_id)
        assert (str(found.kind), str(found.status), f"{found.amount:.2f}") == facts
    # The amount of a case counts once.
    assert report.as_json()["amount_total"] == next(iter(expected.values()))[2]
    assert not [code for code in report.flags_by_code if "no_amount" not in code]


def test_attributes_that_an_export_repeats_for_each_event_are_read(
    kernel: Kernel, tmp_path: Path
) -> None:
    extra = {"(case)_Amount": "3.999", "(case)_DeclarationNumber": "declaration number 4"}
    event = happened(0, SUBMITTED, **extra)
    content = log(f"<trace>{attribute('concept:name', 'declaration1')}{event}</trace>")
    run(kernel, saved(tmp_path, content))
    found = claim(kernel, "declaration1")
    assert (found.amount, found.purpose) == (Decimal("4.00"), "declaration number 4")


def test_the_longest_texts_of_an_event_fit_in_every_database(
    kernel: Kernel, tmp_path: Path
) -> None:
    text = "x" * LONGEST
    event = happened(0, SUBMITTED, org__resource=text, org__role=text)
    run(kernel, saved(tmp_path, log(f"<trace>{name_of('declaration 1')}{event}</trace>")))
    assert claim(kernel, "declaration-1").claimant == f"{text} ({text})"


def name_of(text: str) -> str:
    return attribute("concept:name", text)


def trace_at(time: str) -> str:
    event = happened(0, SUBMITTED, time__timestamp=time)
    return f"<trace>{name_of('declaration 2')}{event}</trace>"


UNREADABLE = {
    "no name": (
        f"<trace>{happened(0, SUBMITTED)}</trace>",
        "Trace on line 4: The trace has no name.",
    ),
    "no time": (
        f"<trace>{name_of('declaration 2')}{happened(0, SUBMITTED, time__timestamp='')}</trace>",
        "Trace declaration 2: The event on line 4 has no time.",
    ),
    "unusable time": (
        f"<trace>{name_of('declaration 2')}{happened(0, SUBMITTED, time__timestamp='?')}</trace>",
        "Trace declaration 2: The event on line 4 has a time that cannot be read.",
    ),
    "time before the calendar": (
        trace_at("0001-01-01T00:00:00+05:00"),
        "Trace declaration 2: The event on line 4 has a time that cannot be read.",
    ),
    "year that no event can have": (
        trace_at("0001-01-01T00:00:00Z"),
        "Trace declaration 2: The event on line 4 has a time that cannot be read.",
    ),
    "no activity": (
        f"<trace>{name_of('declaration 2')}{happened(0, SUBMITTED, concept__name='')}</trace>",
        "Trace declaration 2: The event on line 4 has no name.",
    ),
    "no number": (
        trace("declaration 2", SUBMITTED, Amount="much"),
        "Trace declaration 2: The amount is not a number.",
    ),
    "not a number": (
        trace("declaration 2", SUBMITTED, Amount="NaN"),
        "Trace declaration 2: The amount is not a number.",
    ),
    "number of any length": (
        trace("declaration 2", SUBMITTED, Amount="1e400000"),
        "Trace declaration 2: The amount is not a number.",
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_trace_that_cannot_be_read_is_set_aside_with_a_sentence(
    kernel: Kernel, tmp_path: Path, name: str
) -> None:
    bad, sentence = UNREADABLE[name]
    good = trace("declaration 1", SUBMITTED, Amount="5")
    report = run(kernel, saved(tmp_path, log(good, bad)))
    assert report.adds_up
    assert (report.rows, report.taken, report.set_aside) == (2, 1, 1)
    [example] = report.set_aside_examples
    assert (example["line"], example["reason"], example["sentence"]) == (4, "unreadable", sentence)
    assert claim(kernel, "declaration-1") is not None
    assert claim(kernel, "declaration-2") is None


def test_two_events_with_one_id_are_not_taken_for_one(kernel: Kernel, tmp_path: Path) -> None:
    events = "".join(happened(n, each, id="e1") for n, each in enumerate((SUBMITTED, FINAL)))
    report = run(kernel, saved(tmp_path, log(f"<trace>{name_of('declaration 2')}{events}</trace>")))
    assert (report.rows, report.taken, report.set_aside) == (2, 0, 2)
    assert report.set_aside_examples[0]["sentence"] == (
        "Trace declaration 2: Two of its events have the same id."
    )


def test_a_trace_named_like_a_further_claim_of_another_is_not_mixed_with_it(
    kernel: Kernel, tmp_path: Path
) -> None:
    first = trace("declaration 8", "Permit SUBMITTED by EMPLOYEE", SUBMITTED, Amount="5")
    report = run(kernel, saved(tmp_path, log(first, trace("declaration 8-permit", SUBMITTED))))
    assert report.set_aside_by_reason == {"unreadable": 0, "repeated_trace": 1}
    assert str(claim(kernel, "declaration-8-permit").kind) == "permit"


def test_of_two_traces_with_one_name_the_first_is_used(kernel: Kernel, tmp_path: Path) -> None:
    twice = (trace("declaration 1", SUBMITTED, Amount=each) for each in "12")
    report = run(kernel, saved(tmp_path, log(*twice)))
    assert report.set_aside_by_reason == {"unreadable": 0, "repeated_trace": 1}
    assert report.as_json()["amount_total"] == "1.00"


BOMB = b'<!DOCTYPE log [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><log><trace>&b;</trace></log>'
OUTSIDE = b'<!DOCTYPE log SYSTEM "file:///etc/passwd"><log/>'
BAD = {
    "bomb": (BOMB, "declares a document type, which an event log does not need (line 1)"),
    "outside": (OUTSIDE, "declares a document type, which an event log does not need (line 1)"),
    "html": (b"<html><body/></html>", "is not an event log in XES: its first element is not"),
    "csv": (b"a,b\n1,2\n", "is not a complete XML file: syntax error (line 1)"),
    "empty": (b"", "is not a complete XML file: no element found (line 1)"),
    "cut off": (FEW[:-30], "is not a complete XML file: "),
    "deep": (b"<log>" + b"<a>" * 200, "has elements nested deeper than 100 (line 1)"),
    "long": (b"<log><string key='" + b"a" * 600_000, "has a tag that is too long"),
    "unknown encoding": (
        b'<?xml version="1.0" encoding="none"?><log/>',
        "has an encoding that cannot be read (line 1)",
    ),
    "encoding of several bytes": (
        b'<?xml version="1.0" encoding="shift_jis"?><log/>',
        "has an encoding that cannot be read (line 1)",
    ),
    "truncated gzip": (gzip.compress(FEW)[:-40], "cannot be read: Compressed file ended"),
    "truncated xz": (lzma.compress(FEW)[:-40], "cannot be read: Compressed file ended"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_event_log_changes_nothing(tmp_path: Path, name: str) -> None:
    content, sentence = BAD[name]
    with pytest.raises(BadFile) as raised:
        read(saved(tmp_path, content))
    assert sentence in str(raised.value)
    assert str(raised.value).endswith("Nothing was imported.")


def test_a_trace_of_too_many_events_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xes, "MOST_EVENTS", 3)
    with pytest.raises(BadFile, match="has a trace of more than 3 events"):
        read(saved(tmp_path, FEW))


def test_a_trace_of_too_much_text_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xes, "LARGEST_TRACE", 4_000)
    long = happened(0, SUBMITTED, **{f"extra{number}": "x" * 100 for number in range(20)})
    content = log(f"<trace>{name_of('declaration 1')}{long}</trace>")
    with pytest.raises(BadFile, match="has a trace that is too large"):
        read(saved(tmp_path, content))
    assert len(read(saved(tmp_path, log(*[trace("d", SUBMITTED)] * 20))).documents) == 1


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    def peak(traces: int) -> int:
        names = (f"declaration {number}" for number in range(traces))
        content = log(*(trace(name, SUBMITTED, FINAL, Amount="5") for name in names))
        path = saved(tmp_path, gzip.compress(content), "log.xes.gz")
        del content
        tracemalloc.start()
        assert sum(1 for _ in PROFILE.read(path, DETECTED).documents) == traces
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    small, large = peak(200), peak(1_200)
    # The names of its traces are kept.
    assert large < 2 * small


@needs_data
@pytest.mark.timeout(1800)
def test_the_real_log_has_exactly_its_figures(
    console: Flask, kernel: Kernel, tmp_path: Path
) -> None:
    truth = json.loads(TRUTH.read_text())
    result = console.test_cli_runner().invoke(
        args=["import", str(LOG), "--profile", "bpi2020", "--report", str(tmp_path / "out.json")]
    )
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out.json").read_text())
    assert (report["rows"], report["set_aside"]) == (truth["events"], 0)
    for name in ("cases", "events", "activities", "cases_with"):
        assert report[name] == truth[name], name
    assert report["amount_total"] == truth["amount_total_2dp_half_even"]
    assert report["amount_paid"] == truth["amount_paid_2dp_half_even"]
    assert sum(report["final_states"].values()) == truth["cases"]
    last = truth["last_activity"]
    assert report["final_states"]["draft"] == last["Declaration SAVED by EMPLOYEE"]
    assert report["flags_by_code"]["RequestRevision.already_approved"] == 86
    assert services_of(console).kernel is kernel
