"""Files attached to an order: attach one, and download it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from markupsafe import Markup
from wtforms import HiddenField, ValidationError

from cqrs_app.areas.orders.commands import ATTACH, REMOVE_ATTACHMENT, AttachFile
from cqrs_app.interfaces.web.ask import ask, command_context, may, may_act, query_or_404
from cqrs_app.interfaces.web.auth import keeps_form
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.errors import status_of
from cqrs_app.interfaces.web.uploading import NO_FILE, Upload, name_of
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.errors import BusError, CommandReused, Invalid, NotAllowed, Refused
from cqrs_app.platform.transfer.attachments.files import OrderFiles
from cqrs_app.platform.transfer.attachments.media import KINDS, too_large
from cqrs_app.platform.transfer.attachments.queries import OrderAttachments
from cqrs_app.services import kernel, services
from cqrs_app.settings import Settings


class AttachmentForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """`file_id` is made with the form: submitting it twice attaches one file."""

    file_id = HiddenField(default=new_id)
    file = FileField(
        "File",
        [FileRequired(NO_FILE)],
        render_kw={"accept": ",".join(f".{ending}" for ending in KINDS)},
    )

    def validate_file(self, field: Any) -> None:
        if not name_of(field.data):
            raise ValidationError(NO_FILE)


def largest() -> int:
    """Bytes of the largest file that is attached."""
    settings: Settings = services.settings
    return settings.max_attachment_bytes


@bp.get("/orders/<order_id>/attachments")
def order_attachments(order_id: str) -> ResponseReturnValue:
    """The order's files, and the form that attaches one."""
    return _page(_question_or_404(order_id), AttachmentForm())


def attachment_form_again(order_id: str, *, sentence: str, possible: bool) -> str | None:
    """The submitted form when it was not carried out; `sentence` says why."""
    question = _question(order_id)
    return _page(question, AttachmentForm(), sentence) if question and may(ATTACH) else None


@bp.post("/orders/<order_id>/attachments")
@keeps_form(attachment_form_again, file=Upload(ATTACH, largest, too_large))
def attach_file(order_id: str) -> ResponseReturnValue:
    """Keep the file and attach it; then show the order."""
    declaration = AttachFile.declaration
    if not may(declaration.permission):
        raise NotAllowed(declaration.label, declaration.permission)
    question, form = _question_or_404(order_id), AttachmentForm()
    if not form.validate():
        return _page(question, form), 422
    files, file = OrderFiles(kernel.engines.write), form.file.data
    try:
        content = file.stream.read(largest() + 1)
        if len(content) > largest():
            raise too_large(largest())
        command = files.receive(form.file_id.data or "", order_id, name_of(file), content)
    except BusError as error:
        return _page(question, form, error.sentence), status_of(error)
    try:
        # The same id for the file and for the command: a form submitted twice gets one receipt.
        kernel.commands.dispatch(command, command_context(command.file_id, None))
    except (Refused, CommandReused) as error:
        files.forget(command.file_id)
        form.file_id.data = new_id()
        return _page(question, form, error.sentence), status_of(error)
    flash(f"{command.name} was attached.", "good")
    return redirect(url_for("web.order", order_id=order_id), 303)


@bp.get("/orders/<order_id>/attachments/<int:number>")
def attachment(order_id: str, number: int) -> ResponseReturnValue:
    """One file as a download: a browser never shows it as a page of the console."""
    missing = f"Order {order_id} has no attachment {number}."
    listed = ask(query_or_404(OrderAttachments, missing, order_id=order_id)).value
    file = OrderFiles(kernel.engines.write).attached(order_id, number)
    if file is None or number not in {each.number for each in listed}:
        abort(404, missing)
    response = Response(file.content, content_type=file.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=file.name)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def attachment_summary(given: Mapping[str, str]) -> Markup:
    """The file that a form is about; empty where there is none."""
    question = _question(given.get("order_id", ""))
    files = ask(question).value if question else ()
    named = (each for each in files if str(each.number) == given.get("number"))
    file = next(named, None)
    return Markup(render_template("orders/_attachment.html", file=file) if file else "")  # noqa: S704


def _question(order_id: str) -> OrderAttachments | None:
    """The query for the files of an order; None if there is no such order."""
    with suppress(Invalid):
        question, stream = OrderAttachments(order_id=order_id), f"order-{order_id}"
        if kernel.store.versions_of([stream]).get(stream):
            return question
    return None


def _question_or_404(order_id: str) -> OrderAttachments:
    return _question(order_id) or abort(404, f"There is no order {order_id}.")


def _page(question: OrderAttachments, form: AttachmentForm, refusal: str = "") -> str:
    return render_template(
        "orders/attachments.html",
        order_id=question.order_id,
        form=form,
        refusal=refusal,
        choose_again=bool(request.files.get("file")),
        largest=largest(),
        kinds=list(KINDS),
        panels={"attachments": ask(question)},
        may_attach=may_act(ATTACH),
        may_remove_attachment=may_act(REMOVE_ATTACHMENT),
    )
