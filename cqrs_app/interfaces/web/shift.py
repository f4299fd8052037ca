"""The guided shift: what a newcomer can try in a demo shop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.ask import ask, ask_if_allowed, may
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.platform.demo.removal import REMOVE
from cqrs_app.platform.demo.shift import GuidedShift, StepsDone
from cqrs_app.services import services


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the `endpoint` of the page it begins on, with `values`, the `keys` that lead there,
    the `permissions` it needs, what to do, in order, and what to look at then."""

    name: str
    title: str
    endpoint: str
    keys: tuple[str, ...]
    permissions: tuple[str, ...]
    do: tuple[str, ...]
    look: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ShownStep:
    """`at`: when it was done, None if it was not; `allowed`: whether the operator's role lets
    them."""

    step: Step
    at: datetime | None
    allowed: bool


JOBS = (
    Step(
        "find",
        "Find an order and leave a note",
        "web.search",
        ("/",),
        ("orders.note",),
        (
            "Search for part of a customer's name, or for a number such as CS-10001.",
            "Open an order, choose Add note (n) and write what a colleague should know.",
        ),
        "The note is in the order's timeline, with your name.",
    ),
    Step(
        "approve",
        "Approve an order",
        "web.orders",
        ("g", "o"),
        ("orders.approve",),
        ("Open an order that needs approval.", "Choose Approve order (a) and confirm."),
        "The list says as of when it is shown, and follows within a second.",
        (("status", "placed"),),
    ),
    Step(
        "ship",
        "Ship an order in part",
        "web.fulfilments",
        ("g", "f"),
        ("orders.ship",),
        (
            "Open an order that is ready to ship and has several items.",
            "Choose Ship order (s), enter fewer items than are left, and confirm.",
        ),
        "The order shows what was shipped and what remains.",
        (("stage", "to_ship"),),
    ),
    Step(
        "refund",
        "Refund a payment with a second signature",
        "web.payments",
        ("g", "y"),
        ("payments.refund",),
        (
            "Have an administrator choose Use recommended policies under Approvals, Policies.",
            "Open a captured payment, choose Refund payment and give a reason.",
            "Invite a supervisor under Operators, unless there is another one.",
            "In a private window, sign in as that supervisor and approve it under Approvals.",
        ),
        "Nothing is refunded before the signature. The payment then shows both names.",
        (("status", "captured"),),
    ),
    Step(
        "bulk",
        "Change many orders at once",
        "web.orders",
        ("g", "o"),
        ("batches.run",),
        (
            "Select a few orders (x), or all that match.",
            "Choose an action, look at what the check says about each, and start the batch.",
        ),
        "The tray counts while the batch runs. What is refused is listed with the reason.",
    ),
)
BREAKS = (
    Step(
        "conflict",
        "Change it in the other window",
        "web.orders",
        ("g", "o"),
        ("orders.hold",),
        (
            "Open the same order in two windows, and the form of Hold order in both.",
            "Confirm in one, then in the other.",
        ),
        "The second is refused: it says what changed meanwhile, and keeps what you entered.",
        (("status", "placed"),),
    ),
    Step(
        "poison",
        "Poison an event",
        "web.failures",
        ("g", "x"),
        ("orders.note", "projections.manage"),
        (
            "Add the note poison to an order: demo_notes, which follows notes, cannot process it.",
            "Open Failures: the event is parked, everything else goes on.",
            "Open the failure, choose Skip beside the order, and give a reason.",
        ),
        "Nothing is parked any more, and the command log keeps your reason.",
    ),
    Step(
        "worker",
        "Stop a worker",
        "web.system",
        ("g", "s"),
        ("system.view",),
        (
            "Find the process id of a worker under System, Processes.",
            "On the machine, run kill -9 with it, and approve an order meanwhile.",
        ),
        "The sweep does the work until bin/run has started another worker. This step is ticked "
        "once the console misses the old one, after 20 seconds.",
    ),
)


@bp.get("/shift")
def shift() -> ResponseReturnValue:
    """The steps, with those ticked off that the operator has done."""
    done = _shown(ask(GuidedShift(operator=g.operator.name)).value)
    if done is None:
        abort(404, "The guided shift is for the demo shop.")
    return render_template(
        "shift/shift.html",
        jobs=done[: len(JOBS)],
        breaks=done[len(JOBS) :],
        done=done,
        may_remove=may(REMOVE),
    )


@bp.post("/shift")
def offer_shift() -> ResponseReturnValue:
    """Offer the guided shift on Home, or no longer."""
    guided = request.form.get("guided") == "on"
    services.accounts.change_preferences(
        g.operator.name, lambda now: msgspec.structs.replace(now, guided=guided)
    )
    if guided:
        flash("Home offers the guided shift again.", "good")
        return redirect(url_for("web.shift"), 303)
    flash("The guided shift is dismissed. It stays at /shift.", "good")
    return redirect(url_for("web.home"), 303)


def offered_shift() -> list[ShownStep] | None:
    """The steps; None where Home does not offer them."""
    if not g.operator.preferences.guided:
        return None
    answer = ask_if_allowed(GuidedShift(operator=g.operator.name))
    return _shown(answer.value) if answer else None


def _shown(done: StepsDone | None) -> list[ShownStep] | None:
    if done is None:
        return None
    return [
        ShownStep(step, getattr(done, step.name), all(map(may, step.permissions)))
        for step in (*JOBS, *BREAKS)
    ]
