"""Creates batches: from the rows selected in a list, all that match its filters, or pasted ids."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import msgspec
from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from cqrs_app.interfaces.web.areas import BATCHED
from cqrs_app.interfaces.web.ask import CHANNEL, may_act
from cqrs_app.interfaces.web.auth import background, keeps_form, local_path
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.columns import PARAMETER as COLUMNS
from cqrs_app.interfaces.web.forms import command_from, form_for
from cqrs_app.interfaces.web.macros import commands_of, is_of
from cqrs_app.interfaces.web.proofs import step_up
from cqrs_app.interfaces.web.tasks import offered
from cqrs_app.interfaces.web.typed import read_here
from cqrs_app.interfaces.web.views import PLACE
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.errors import Invalid, NotAllowed, UnknownMessage
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.batches.commands import RUN
from cqrs_app.platform.batches.creating import NewBatch
from cqrs_app.services import kernel, services

MOST_COUNTED = 200
"""Selected rows for which the actions are counted one by one."""
LONGEST_VERSION = 10
"""Digits of a version."""
_PRESSED = uuid.UUID("5b0a2a6e-3c7f-4f35-9d52-7a1d3e0c9b44")
NOT_FILTERS = (*PLACE, "sort", "descending", COLUMNS, "list")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which items were chosen: `named`, or all that match the `query` of their list's address."""

    named: Sequence[tuple[str, int | None]]
    query: str | None

    @classmethod
    def sent(cls) -> Selection:
        """From the form: boxes of rows (`10042@7`), ids that were pasted, or everything."""
        if "everything" in request.form:
            return cls((), request.form.get("filters", ""))
        boxes = [_seen(each) for each in request.form.getlist("item")]
        typed = request.form.get("ids", "").replace(",", " ").split()
        return cls([*boxes, *((each, None) for each in typed)], None)

    def filters(self, cls: type[Command]) -> Mapping[str, Sequence[str]] | None:
        """As programs write them; None where items were named."""
        if self.query is None:
            return None
        found = {k: texts for k, texts in parse_qs(self.query).items() if k not in NOT_FILTERS}
        single = {name: texts[0] for name, texts in found.items() if len(texts) == 1}
        typed = read_here(services.batches.chooser(cls), single)
        return found | {name: [text] for name, text in typed.items()}

    @property
    def fields(self) -> list[tuple[str, str]]:
        """As hidden fields of the next form."""
        if self.query is not None:
            return [("everything", "1"), ("filters", self.query)]
        return [
            ("item", subject if seen is None else f"{subject}@{seen}")
            for subject, seen in self.named
        ]


def _seen(text: str) -> tuple[str, int | None]:
    subject, _, version = text.rpartition("@")
    if subject and version.isdecimal() and len(version) <= LONGEST_VERSION:
        return subject, int(version)
    return text, None


@bp.get("/batches/new")
def new_batch() -> ResponseReturnValue:
    """A list of ids to paste, and the action for them."""
    if not may_act(RUN):
        raise NotAllowed("New batch", RUN)
    return render_template(
        "batches/new.html", commands=_for_pasting(), ids="", sentence="", chosen_command=""
    )


def batch_form_again(*, sentence: str, possible: bool) -> str | None:
    """The form with what was sent, when no batch was created; `sentence` says why. None for a
    macro that cannot be run."""
    selection = Selection.sent()
    if name := request.form.get("macro"):
        runs = possible and may_act(RUN) and commands_of(name)
        return _macro_page(name, selection, sentence) if runs else None
    cls = _command()
    if "ids" in request.form:
        return _paste_again(cls, sentence)
    sent = request.endpoint == "web.create_batch"
    return _form_page(cls, selection, _form(cls, selection, sent=sent), sentence)


@bp.post("/batches/new")
@keeps_form(batch_form_again)
def batch_form() -> ResponseReturnValue:
    """The fields that all items share; a batch of a macro, or of a command without any, is created
    at once."""
    if name := request.form.get("macro"):
        return _create_from_macro(name, Selection.sent())
    cls, selection = _command(), Selection.sent()
    if selection.query is None and not selection.named:
        sentence = "Nothing is selected. Select rows in a list, or paste ids here."
        return _paste_again(cls, sentence), 422
    form = _form(cls, selection)
    if not shared_fields(form):
        return _create(cls, selection, form)
    return _form_page(cls, selection, _form(cls, selection, sent=False))


@bp.post("/batches")
@keeps_form(batch_form_again)
def create_batch() -> ResponseReturnValue:
    """Create the batch; on a problem the form comes back."""
    cls, selection = _command(), Selection.sent()
    return _create(cls, selection, _form(cls, selection))


def _create(cls: type[Command], selection: Selection, form: Any) -> ResponseReturnValue:
    try:
        values = msgspec.to_builtins(command_from(form, cls)) if shared_fields(form) else {}
    except Invalid:
        return _form_page(cls, selection, form), 422
    if cls.declaration.step_up and (asked := step_up()):
        return asked
    values.pop(services.batches.identity(cls), None)
    new = NewBatch(
        batch_id=_batch_id(),
        command=cls.__name__,
        fields=values,
        named=selection.named,
        filters=selection.filters(cls),
    )
    try:
        services.batches.create(new, g.operator.actor, CHANNEL)
    except Invalid as invalid:
        sentence = " ".join(invalid.problems.values())
        return _form_page(cls, selection, form, sentence), 422
    return redirect(url_for("web.batch", batch_id=new.batch_id), 303)


def _create_from_macro(name: str, selection: Selection) -> ResponseReturnValue:
    """Without a check first where the form says so: that of an order's page."""
    steps = commands_of(name)
    if any(cls.declaration.step_up for cls in steps) and (asked := step_up()):
        return asked
    start = "start" in request.form
    try:
        new = NewBatch(
            batch_id=_pressed(name, selection) if start else _batch_id(),
            macro=name,
            named=selection.named,
            filters=selection.filters(steps[0]) if steps else None,
            start=start,
        )
        services.batches.create(new, g.operator.actor, CHANNEL)
    except Invalid as invalid:
        abort(422, " ".join(invalid.problems.values()))
    page = url_for("web.batch", batch_id=new.batch_id)
    if start and (back := request.form.get("next")):
        link = Markup('{} started. <a href="{}">Details</a>').format(name, page)
        flash(link, "good")
        page = local_path(back)
    return redirect(page, 303)


def _batch_id() -> str:
    """The one that the form brought, so that a form sent twice makes one batch."""
    given = request.form.get("batch_id", "")
    try:
        return str(uuid.UUID(given)) if given else str(uuid.uuid4())
    except ValueError:
        raise Invalid("The batch", {"batch_id": "This form cannot be used."}) from None


def _pressed(name: str, selection: Selection) -> str:
    """The id of a batch that a button starts at once: the same if it is pressed twice. The token
    differs each time that the page is made."""
    content = (request.form.get("csrf_token", ""), name, repr(selection))
    return str(uuid.uuid5(_PRESSED, "\n".join(content)))


def _command() -> type[Command]:
    name = request.form.get("command", "")
    if name not in kernel.registry.commands:
        raise UnknownMessage(f"There is no action called {name}.")
    cls = kernel.registry.command(name)
    if not may_act(cls.declaration.permission):
        raise NotAllowed(cls.declaration.label, cls.declaration.permission)
    return cls


def _any(selection: Selection) -> str:
    return selection.named[0][0] if selection.named else "1"


def _form(cls: type[Command], selection: Selection, *, sent: bool = True) -> Any:
    """The fields of the command, as they were sent."""
    identity = services.batches.identity(cls)
    form = form_for(cls, hidden=(identity,))()
    if not sent:
        form.process(formdata=None)
    form[identity].data = _any(selection)
    return form


def shared_fields(form: Any) -> list[Any]:
    """The visible fields that all items can share: not those with rows for one thing's lines."""
    return [
        each
        for each in form
        if "Hidden" not in each.type and each.type not in ("LineQuantities", "FieldList")
    ]


def _form_page(cls: type[Command], selection: Selection, form: Any, sentence: str = "") -> str:
    return render_template(
        "batches/form.html",
        fields=shared_fields(form),
        has_errors=bool(form.errors),
        title=f"{cls.declaration.label}: {_how_many(selection)}",
        help=(cls.__doc__ or "").strip(),
        action=url_for("web.create_batch"),
        hidden=[("command", cls.__name__), *selection.fields, _new_id()],
        sentence=sentence,
        starts=False,
    )


def _macro_page(name: str, selection: Selection, sentence: str) -> str:
    """The button that was pressed, on a page of its own."""
    sent = [(each, request.form[each]) for each in ("start", "next") if each in request.form]
    return render_template(
        "batches/form.html",
        fields=(),
        has_errors=False,
        title=f"{name}: {_how_many(selection)}",
        help="",
        action=url_for("web.batch_form"),
        hidden=[("macro", name), *selection.fields, *sent, _new_id()],
        sentence=sentence,
        starts="start" in request.form,
    )


def _new_id() -> tuple[str, str]:
    """The field with the id of the batch: the same however often its form is sent."""
    return "batch_id", request.form.get("batch_id") or new_id()


def _paste_again(cls: type[Command], sentence: str) -> str:
    return render_template(
        "batches/new.html",
        commands=_for_pasting(),
        ids=request.form.get("ids", ""),
        sentence=sentence,
        chosen_command=cls.__name__,
    )


def _how_many(selection: Selection) -> str:
    if selection.query is not None:
        return "all that match"
    return f"{len({subject for subject, _ in selection.named}):,} selected"


def _for_pasting() -> list[tuple[str, str]]:
    """(name, label) of the commands that the operator may send to many things."""
    return [(each["name"], each["label"]) for each in offered(cls.__name__ for cls in BATCHED)]


@bp.post("/batches/offers")
@background
def batch_offers() -> ResponseReturnValue:
    """The actions for the selected rows, each with how many of them allow it now."""
    selection, what = Selection.sent(), request.form.get("what", "")
    batched = [cls for cls in BATCHED if is_of(cls, what)]
    counts: Mapping[str, int] = {}
    if selection.query is None and len(selection.named) <= MOST_COUNTED:
        counts = services.batches.offers(batched, [subject for subject, _ in selection.named])
    return render_template(
        "batches/_offers.html",
        what=what,
        offers=[
            each | {"count": counts.get(each["name"])}
            for each in offered(cls.__name__ for cls in batched)
            if not counts or counts.get(each["name"])
        ],
    )
