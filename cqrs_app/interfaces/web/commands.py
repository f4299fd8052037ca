"""One endpoint for every command: its form, and sending it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from cqrs_app.interfaces.web.areas import CONFIRMED, SEVERAL, SUGGESTIONS, SUMMARIES, WARNINGS
from cqrs_app.interfaces.web.areas.area import FROM
from cqrs_app.interfaces.web.ask import NO_ANSWER, ask, command_context, is_fragment, may
from cqrs_app.interfaces.web.auth import keeps_form, this_address
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.errors import status_of
from cqrs_app.interfaces.web.foresight import Foreseen, foreseen, needs_approval
from cqrs_app.interfaces.web.forms import (
    change_rows,
    command_from,
    expected_version,
    form_for,
    prefill,
    renew,
    usable,
)
from cqrs_app.interfaces.web.layout import mistakes, sections
from cqrs_app.interfaces.web.lookups import can_complete, complete, notes_of
from cqrs_app.interfaces.web.outcome import announcing, outcome_of, submit_label_of, title_of
from cqrs_app.interfaces.web.places import back_to, category_of, pages_of, place_of
from cqrs_app.interfaces.web.proofs import step_up
from cqrs_app.kernel.commands.context import Receipt, new_id
from cqrs_app.kernel.errors import (
    BusError,
    CommandReused,
    Invalid,
    NotAllowed,
    Refused,
    SwitchedOff,
    VersionConflict,
)
from cqrs_app.kernel.messages.description import fields_of
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.queries.context import MinVersion
from cqrs_app.platform.runtime.pending import EventsSince, Written
from cqrs_app.services import kernel, services

DRAFT_SENT = "draft"
"""The category of the message that tells the browser which text needs to be kept no longer."""
AGAIN = "again"
"""In a form that is submitted only to be shown again with its present rows: see drafts.js."""
FILL_IN = "fill-in"
"""The button that fills in what follows from other fields, for a browser without scripts."""
ROW_NAMERS = ("stream", "return_id", "number", "list")
"""Fields besides the identity that a page fills in and nobody should retype."""


@dataclass(slots=True)
class Situation:
    """What the form shows besides its fields: why it came back, and what changed meanwhile.
    `impossible`: no other values would help.
    """

    notice: str = ""
    refusal: str = ""
    changes: Sequence[Written] = ()
    still_allowed: bool = True
    impossible: bool = False
    errors: list[str] = field(default_factory=list)


@bp.get("/commands/<name>")
def command_form(name: str) -> ResponseReturnValue:
    """The form of a command, filled in from the URL."""
    cls = _offered(name)
    if not may(cls.declaration.permission):
        # Checked before anyone fills in a form; the bus checks again on submission.
        raise NotAllowed(cls.declaration.label, cls.declaration.permission)
    form = _form(cls)
    given = {key: value for key, value in request.args.items() if key in hints_of(cls)}
    seen = request.args.get("expected_version", type=int)
    suggested = SUGGESTIONS[cls](given) if cls in SUGGESTIONS else {}
    values = suggested | usable(cls, given) | {"expected_version": seen}
    prefill(form, values)
    complete(form)
    return _page(cls, form, Situation(), values)


def command_form_again(name: str, *, sentence: str, possible: bool) -> str:
    """The form with everything that was submitted and not carried out; `sentence` says why, and
    `possible` whether it may be submitted again.
    """
    cls = kernel.registry.command(name)
    situation = Situation(notice=sentence)
    if not possible:
        situation = Situation(refusal=sentence, still_allowed=False, impossible=True)
    return _page(cls, _form(cls), situation)


@bp.post("/commands/<name>")
@keeps_form(command_form_again)
def command_submit(name: str) -> ResponseReturnValue:
    """Carry out the command; on a problem the form comes back with the submitted values."""
    cls = _offered(name)
    kernel.commands.authorise(cls, command_context(new_id(), None))
    form = _form(cls)
    if FILL_IN in request.form:
        complete(form)
        return _page(cls, form, Situation())
    if cls.declaration.undoable and not form.command_id.data:
        form.command_id.data = new_id()  # a button has no form that could be sent twice
    if change_rows(form) or AGAIN in request.form:
        return _page(cls, form, Situation())
    try:
        command = command_from(form, cls)
    except Invalid as invalid:
        return _page(cls, form, Situation(errors=list(invalid.problems.values()))), 422
    needs_proof = cls.declaration.step_up or CONFIRMED.get(cls, lambda command: False)(command)
    if needs_proof and (asked := step_up()):
        return asked
    why = request.form.get("why", "").strip()
    context = command_context(form.command_id.data, expected_version(form), why)
    try:
        if cls.declaration.undoable:
            # A request can be withdrawn for as long as it waits.
            delay = 0 if needs_approval(command, context) else services.settings.undo_seconds
            receipt = kernel.commands.postpone(command, context, delay)
        else:
            receipt = kernel.commands.dispatch(command, context)
    except VersionConflict as conflict:
        return _conflict(cls, form, command, conflict)
    except Invalid as invalid:
        return _page(cls, form, Situation(errors=list(invalid.problems.values()))), 422
    except (Refused, CommandReused) as refusal:
        renew(form)
        situation = Situation(refusal=refusal.sentence, still_allowed=False)
        return _page(cls, form, situation), status_of(refusal)
    return _done(cls, command, receipt)


@bp.post("/commands/<name>/effects")
def command_effects(name: str) -> ResponseReturnValue:
    """The consequences of the command with the fields as they are now; nothing is changed."""
    cls = _offered(name)
    kernel.commands.authorise(cls, command_context(new_id(), None))
    return render_template("commands/_effects_again.html", **_ahead(cls, foreseen(cls, _form(cls))))


def _ahead(cls: type[Command], ahead: Foreseen) -> dict[str, Any]:
    """What the command would do, for the form; and what its button therefore says."""
    return {
        "foreseen": ahead,
        "effects_url": _effects_url(cls),
        "submit_label": "Request approval" if ahead.approval else submit_label_of(cls, _about(cls)),
        # A request changes nothing yet, and can be withdrawn.
        "risky": cls.declaration.risky and not ahead.approval,
    }


def _about(cls: type[Command]) -> str:
    """The identity that the address names; empty for none."""
    return request.args.get(kernel.registry.routes[cls].aggregate.identity, "")


def _effects_url(cls: type[Command]) -> str:
    return f"{url_for('web.command_effects', name=cls.__name__)}?{urlencode(request.args)}"


def _offered(name: str) -> type[Command]:
    cls = kernel.registry.command(name)
    if not kernel.commands.enabled:
        raise SwitchedOff
    return cls


def _form(cls: type[Command]) -> Any:
    identity = kernel.registry.routes[cls].aggregate.identity
    hidden = [name for name in (identity, *ROW_NAMERS, *_fixed(cls)) if request.args.get(name)]
    return form_for(cls, hidden=tuple(name for name in hidden if name in hints_of(cls)))()


def _fixed(cls: type[Command]) -> dict[str, str]:
    """The fields that name a part of the thing, with their titles."""
    return {each.name: each.title for each in fields_of(cls) if each.hints.get("fixed")}


def _conflict(
    cls: type[Command], form: Any, command: Command, conflict: VersionConflict
) -> ResponseReturnValue:
    """Show what changed meanwhile; if the rules still allow the command, offer to continue."""
    since = EventsSince(stream=conflict.stream, version=conflict.expected)
    changes = ask(since).value
    now = changes[-1].version if changes else conflict.expected
    renew(form, now)
    situation = Situation(refusal=conflict.sentence, changes=changes)
    try:
        kernel.commands.preview(command, command_context(form.command_id.data, now))
    except BusError as error:
        situation.still_allowed, situation.impossible = False, True
        situation.refusal = f"{conflict.happened} {error.sentence}"
    return _page(cls, form, situation), status_of(conflict)


def _done(cls: type[Command], command: Command, receipt: Receipt) -> ResponseReturnValue:
    identity, place = _identity_of(command), place_of(cls)
    shown = urlsplit(request.headers.get("HX-Current-URL", "")).path
    pages = sorted(pages_of(cls, identity), key=lambda page: page != shown)
    page = (place and place.after(command)) or back_to(*pages)
    undoable = cls.declaration.undoable and receipt.status == "queued"
    undo_seconds = services.settings.undo_seconds if undoable else 0
    outcome = _several(receipt) or outcome_of(cls, identity, receipt, undo_seconds)
    if place and place.waits:
        _wait_until_shown(receipt)
    here = is_fragment() and shown == urlsplit(page).path and shown in pages
    if place and place.fragment and here:
        # With the read store down, the page itself says what it cannot show.
        with suppress(*NO_ANSWER):
            target = f"#{category_of(cls)}"
            return announcing(
                outcome, place.fragment(identity), HX_Retarget=target, HX_Reswap="outerMorph"
            )
    if place and place.list_fragment and is_fragment() and shown == url_for(place.all):
        with suppress(*NO_ANSWER):
            target = f"#{place.tab}-table"
            return announcing(
                outcome, place.list_fragment(), HX_Retarget=target, HX_Reswap="outerMorph"
            )
    warning = next((WARNINGS[each] for each in receipt.events if each in WARNINGS), "")
    waits = "" if undo_seconds else " Lists update in a few seconds."
    flash(warning or f"{outcome}{waits}", "warn" if warning else "good")
    flash(_draft(), DRAFT_SENT)
    if is_fragment():
        return Response(status=204, headers={"HX-Redirect": page})
    # Without scripts a page does not update by itself.
    _wait_until_shown(receipt)
    return redirect(page, 303)


def _several(receipt: Receipt) -> str:
    """A sentence on several events of one kind; empty for any other receipt."""
    kinds, count = {*receipt.events}, len(receipt.events)
    words = SEVERAL.get(receipt.events[0], "") if len(kinds) == 1 < count else ""
    return f"{count} {words}." if words else ""


def _wait_until_shown(receipt: Receipt) -> None:
    """Give the change a moment to be included in what pages show."""
    readers = kernel.registry.projections_of(receipt.events)
    seconds = services.settings.read_your_writes_seconds
    written = MinVersion(receipt.stream, receipt.version)
    with suppress(*NO_ANSWER):
        kernel.queries.wait_until_shown(readers, written, seconds, g.operator.name)


def _page(
    cls: type[Command],
    form: Any,
    situation: Situation,
    filled_in: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    about = _about(cls)
    in_dialog, place = is_fragment(), place_of(cls)
    # A separate form: finding out the consequences marks errors that nobody has made yet.
    probe = _form(cls)
    if filled_in:
        prefill(probe, filled_in)
    ahead = Foreseen() if situation.impossible else foreseen(cls, probe)
    return render_template(
        "commands/_form.html" if in_dialog else "commands/form.html",
        form=form,
        sections=sections(form, cls),
        has_lines=any(field.type == "FieldList" for field in form),
        mistakes=list(mistakes(form)),
        notes=notes_of(form),
        fill_in=FILL_IN if can_complete(form) else "",
        title=title_of(cls, about),
        help=(cls.__doc__ or "").strip(),
        submit_url=this_address(),
        active=place.tab if place else "catalogue",
        back_url=back_to(*pages_of(cls, about)),
        situation=situation,
        summary=_summary(cls, about),
        in_dialog=in_dialog,
        draft=_draft(),
        typed=request.method == "POST",
        **_ahead(cls, ahead),
    )


def _summary(cls: type[Command], about: str) -> Markup:
    """What the form is about: the thing, and what of it the address names."""
    place, part = place_of(cls), SUMMARIES.get(cls)
    whole = place.summary(about) if place and place.summary and about else Markup()
    named = {text: request.args[name] for name, text in _fixed(cls).items() if name in request.args}
    if named:
        whole += Markup(render_template("commands/_named.html", named=named))  # noqa: S704
    return whole + part(request.args) if part else whole


def _draft() -> str:
    """The browser's name for this form's unsent text: of this operator, about this thing."""
    of_thing = sorted(
        (key, text) for key, text in request.args.items() if key not in ("expected_version", FROM)
    )
    return f"{g.operator.name} {request.path}?{urlencode(of_thing)}"


def _identity_of(command: Command) -> str:
    identity = kernel.registry.routes[type(command)].aggregate.identity
    return str(getattr(command, identity))
