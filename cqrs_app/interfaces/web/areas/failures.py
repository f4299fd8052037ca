"""Failures: the list by state, and one with what it holds up and what can be done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from cqrs_app.areas.desk.queries.order_totals import OrderTotal, TotalOfOrders
from cqrs_app.interfaces.web.areas.area import Place, WebArea
from cqrs_app.interfaces.web.ask import NO_ANSWER, ask, may, may_act, query_or_404
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.listing import asked
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.queries.freshness import Freshness
from cqrs_app.platform.failures.as_test import FailureAsTest
from cqrs_app.platform.failures.commands import MANAGE, IgnoreFailure
from cqrs_app.platform.failures.queries import (
    FailureRow,
    FailureView,
    GetFailure,
    ListFailures,
)
from cqrs_app.platform.runtime import commands as runtime
from cqrs_app.platform.runtime.status import (
    ParkedStream,
    ParkedStreams,
    ParkedSubscriptionStreams,
)
from cqrs_app.services import kernel

STATES = {"open": "Open", "ignored": "Ignored", "resolved": "Resolved", "all": "All"}
KINDS = {
    "event": "Parked events",
    "command": "Actions",
    "delivery": "Deliveries",
    "job": "Background work",
    "page": "Pages",
}
MOST_PARKED = 500
CANARIES = (1, 5)


@dataclass(frozen=True, slots=True)
class Shown:
    """A failure and what it holds up. `stuck` are its parked streams, oldest first; `subjects`
    count the things concerned by their kind, such as order -> 7; `totals` are those of orders."""

    row: FailureRow
    stuck: tuple[ParkedStream, ...]
    subjects: Mapping[str, int]
    totals: tuple[OrderTotal, ...] = ()

    @property
    def label(self) -> str:
        """What failed, in the words of the console."""
        command = kernel.registry.commands.get(self.row.place)
        return command.declaration.label if command else self.row.place.replace("_", " ")

    @property
    def since(self) -> datetime:
        return min((each.since for each in self.stuck), default=self.row.first_seen)


@bp.get("/failures")
def failures() -> ResponseReturnValue:
    """Failures in one state, the last seen first."""
    return render_template("failures/failures.html", **_list())


# No failure has this id, so this is never the page of one.
@bp.get("/failures/-/now")
@background
def failures_now() -> ResponseReturnValue:
    """The list again, for the page that shows it."""
    return fragment(render_template("failures/_list.html", **_list()))


@bp.get("/failures/<failure_id>")
def failure(failure_id: str) -> ResponseReturnValue:
    """One failure."""
    return render_template("failures/failure.html", **_one(failure_id))


@bp.get("/failures/<failure_id>/now")
@background
def failure_now(failure_id: str) -> ResponseReturnValue:
    """Its content again, for the page that shows it."""
    return fragment(_failure_panel(failure_id))


@bp.get("/failures/<failure_id>/test")
def failure_test(failure_id: str) -> ResponseReturnValue:
    """Its last occurrence as a test, to copy."""
    missing = f"There is no failure {failure_id}."
    text = ask(query_or_404(FailureAsTest, missing, failure_id=failure_id)).value
    if text is None:
        abort(404, missing)
    return render_template("failures/test.html", failure_id=failure_id, text=text)


def open_failures() -> dict[str, Any]:
    """What a panel shows of the open failures."""
    answer = ask(ListFailures())
    return {"answer": answer, "rows": _shown(answer.value)}


def _list() -> dict[str, Any]:
    try:
        question = asked(ListFailures)
    except Invalid as invalid:
        raise Invalid("The address of this list", invalid.problems) from invalid
    answer = ask(question)
    freshness: Freshness = answer.freshness
    return {
        "question": question,
        "rows": _shown(answer.value),
        "freshness": freshness,
        "states": STATES,
        "kinds": KINDS,
    }


def _failure_panel(failure_id: str) -> str:
    return render_template("failures/_failure.html", **_one(failure_id))


def _one(failure_id: str) -> dict[str, Any]:
    missing = f"There is no failure {failure_id}."
    answer = ask(query_or_404(GetFailure, missing, failure_id=failure_id))
    view: FailureView | None = answer.value
    if view is None:
        abort(404, missing)
    shown = _shown([view.failure])[0]
    waiting = len(shown.stuck) or view.failed_commands
    return {
        "view": view,
        "shown": shown,
        "freshness": answer.freshness,
        "canaries": [each for each in CANARIES if each < waiting] + [waiting] * (waiting > 0),
        "kinds": KINDS,
        "may_manage": may_act(MANAGE),
        "may_retry": may_act(runtime.RETRY),
        "may_skip": may_act(runtime.MANAGE),
        "may_see_commands": may(runtime.SEE_COMMANDS),
    }


def _shown(rows: Sequence[FailureRow]) -> list[Shown]:
    cause = rows[0].failure_id if len(rows) == 1 else ""
    parked = _parked(cause) if any(row.kind == "event" for row in rows) else {}
    return [_with_subjects(row, tuple(parked.get(row.failure_id, ()))) for row in rows]


def _with_subjects(row: FailureRow, stuck: tuple[ParkedStream, ...]) -> Shown:
    streams = list(dict.fromkeys(each.stream for each in stuck)) or list(row.subjects)
    subjects = Counter(stream.partition("-")[0] for stream in streams)
    orders = tuple(each.removeprefix("order-") for each in streams if each.startswith("order-"))
    return Shown(row, stuck, subjects, _totals(orders))


def _totals(order_ids: tuple[str, ...]) -> tuple[OrderTotal, ...]:
    """Nothing while the read store is down: the failure can be seen all the same."""
    try:
        found: tuple[OrderTotal, ...] = (
            ask(TotalOfOrders(order_ids=order_ids)).value if order_ids else ()
        )
    except NO_ANSWER:
        return ()
    return found


def _parked(cause: str) -> dict[str, list[ParkedStream]]:
    """Cause -> the streams that wait for it, oldest first."""
    found: dict[str, list[ParkedStream]] = {}
    for question in (
        ParkedStreams(limit=MOST_PARKED, cause=cause),
        ParkedSubscriptionStreams(limit=MOST_PARKED, cause=cause),
    ):
        try:
            streams = ask(question).value
        except NO_ANSWER:
            continue
        for each in streams:
            found.setdefault(each.cause, []).append(each)
    return found


def _tomorrow(given: Mapping[str, str]) -> dict[str, Any]:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return {"until": now + timedelta(days=1)}


FAILURES = WebArea(
    places={"failure": Place("failures", "web.failures", "web.failure", fragment=_failure_panel)},
    suggestions={IgnoreFailure: _tomorrow},
)
