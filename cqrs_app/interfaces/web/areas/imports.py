"""Imports: upload a file of history, follow its progress, and download the results."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any
from uuid import UUID, uuid5

from flask import Response, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.areas.area import Place, WebArea
from cqrs_app.interfaces.web.ask import ask, command_context, may, query_or_404
from cqrs_app.interfaces.web.auth import background, keeps_form
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.errors import status_of
from cqrs_app.interfaces.web.listing import PLACE, asked, page_size, pager
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.interfaces.web.uploading import COLUMNS, Upload, UploadForm, name_of
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.errors import BusError, CommandReused, Invalid, NotAllowed, Refused
from cqrs_app.kernel.queries.context import Answer
from cqrs_app.platform.transfer.exports.rows import PERMISSION
from cqrs_app.platform.transfer.imports.profiles.bpi2020 import PROFILE as EVENT_LOGS
from cqrs_app.platform.transfer.mappings.queries import ListImportMappings
from cqrs_app.platform.transfer.uploads.commands import StartImport
from cqrs_app.platform.transfer.uploads.queries import (
    GetImport,
    ImportRow,
    ImportView,
    ListImports,
    sees_rows,
)
from cqrs_app.platform.transfer.uploads.receiving import SET_ASIDE, Files, Received, too_large
from cqrs_app.services import kernel, services
from cqrs_app.settings import Settings

REPORT_WORDS = {
    "documents": "Orders and credit notes in the file",
    "new": "of these: new",
    "extended": "of these: here already, with new steps to add",
    "already_there": "of these: here already, unchanged",
    "refused": "of these: set aside",
    "rows": "Rows in the file",
    "taken": "Rows taken",
    "set_aside": "Rows set aside",
    "orders": "Orders",
    "total": "Ordered, with discounts, shipping and tax",
    "credit_notes": "Credit notes",
    "customers": "Customers",
    "customers_with_orders": "Customers with orders",
    "guest_orders": "Orders of guests",
    "gross": "Lines of the orders",
    "charges": "of these: charges such as postage",
    "credited": "Credited",
    "registered_customers": "Customers registered",
    "products": "Products added",
    "flagged_orders": "Orders flagged",
    "cases": "Cases",
    "claims": "Claims",
    "events": "Steps",
    "amount_total": "Claimed",
    "amount_paid": "Paid",
    "flagged_claims": "Claims flagged",
    "flags": "Flags",
    "commands": "Commands carried out in this attempt",
    "seconds": "Seconds of this attempt, reading included",
    "commands_per_second": "Commands per second",
}
OF_CLAIMS = {
    "documents": "Claims in the file",
    "rows": "Events in the file",
    "taken": "Events taken",
    "set_aside": "Events set aside",
}
"""What event logs are about instead."""
RECEIVED = "The file was received. Its import goes on by itself, also when you leave."
RECEIVED_BEFORE = "This file was received before. Nothing was sent twice: this is its import."
NOT_STARTED = (
    "The file is kept for a day, but its import was not started. To start it, send the same file "
    "from this page."
)


def largest() -> int:
    """Bytes of the largest file that is imported."""
    settings: Settings = services.settings
    return settings.max_import_bytes


@bp.get("/imports")
def imports() -> ResponseReturnValue:
    """The form, and one page of imports."""
    return _page(UploadForm())


def import_form_again(*, sentence: str, possible: bool) -> str | None:
    """The submitted form when it was not carried out; `sentence` says why."""
    return _page(UploadForm(), sentence) if may(StartImport.declaration.permission) else None


@bp.post("/imports")
@keeps_form(import_form_again, file=Upload(StartImport.declaration.permission, largest, too_large))
def send_import() -> ResponseReturnValue:
    """Keep the file and start its import; then show it."""
    declaration = StartImport.declaration
    if not may(declaration.permission):
        # Checked before the file is stored; the bus checks again when the import starts.
        raise NotAllowed(declaration.label, declaration.permission)
    form = UploadForm()
    if not form.validate():
        return _page(form), 422
    try:
        received = _receive(form)
        import_id = received.task.import_id
        if received.task.profile == COLUMNS and not received.task.mapping:
            return redirect(url_for("web.import_columns", import_id=import_id), 303)
        # The same id for the file and for the command: a form submitted twice gets one receipt.
        kernel.commands.dispatch(received.task, command_context(import_id, None))
    except (Invalid, Refused, CommandReused) as error:
        form.import_id.data = new_id()
        return _page(form, error.sentence), status_of(error)
    except BusError as error:
        # The form keeps its id: the same file, submitted again with it, is started.
        return _page(form, f"{error.sentence} {NOT_STARTED}"), status_of(error)
    kernel.tasks["imports"].nudge()
    flash(RECEIVED_BEFORE if received.before else RECEIVED, "good")
    return redirect(url_for("web.history_import", import_id=import_id), 303)


def _receive(form: UploadForm) -> Received:
    import_id = form.import_id.data or ""
    GetImport(import_id=import_id)  # raises Invalid for an id that somebody made up
    file, profile = form.file.data, form.profile.data
    saved = ask(ListImportMappings(mapping=profile)).value
    return Files(kernel.engines.write).receive(
        import_id,
        profile,
        name_of(file),
        file.stream,
        g.operator.name,
        largest(),
        mapping=saved[0].content if saved else "",
        rehearsal="dry_run" in request.form and profile != COLUMNS,
    )


@bp.post("/imports/<import_id>/import")
def import_rehearsed(import_id: str) -> ResponseReturnValue:
    """Import the file of a dry run, read in the same way."""
    declaration = StartImport.declaration
    if not may(declaration.permission):
        raise NotAllowed(declaration.label, declaration.permission)
    row = view_of(import_id).value.row
    require_rows(row)  # who starts an import has sent its file
    files = Files(kernel.engines.write)
    # The same id each time: a button pressed twice starts one import.
    used = str(uuid5(UUID(import_id), "import"))
    files.copy(import_id, used, g.operator.name)
    task = files.plan(used, row.profile, row.mapping, rehearsal=False)
    kernel.commands.dispatch(task, command_context(used, None))
    kernel.tasks["imports"].nudge()
    flash(RECEIVED, "good")
    return redirect(url_for("web.history_import", import_id=used), 303)


@bp.get("/imports/panel")
@background
def imports_panel() -> ResponseReturnValue:
    """The list alone, for its own poll."""
    return fragment(render_template("imports/_list.html", **_list()))


@bp.get("/imports/<import_id>")
def history_import(import_id: str) -> ResponseReturnValue:
    """One import: its progress and its report."""
    return render_template("imports/import.html", **_one(import_id))


@bp.get("/imports/<import_id>/now")
@background
def import_now(import_id: str) -> ResponseReturnValue:
    """The same as a fragment, for its own poll."""
    return fragment(render_template("imports/_import.html", **_one(import_id)))


@bp.get("/imports/<import_id>/report.json")
def import_report(import_id: str) -> ResponseReturnValue:
    """The report as the command line writes it."""
    view = view_of(import_id).value
    if view.report is None:
        abort(404, f"{view.row.file_name} has no report yet. Look at its page for how far it is.")
    text = json.dumps(view.report, indent=2) + "\n"
    return _file(view, "report.json", "application/json", [text.encode()])


@bp.get("/imports/<import_id>/set-aside.csv")
def import_set_aside(import_id: str) -> ResponseReturnValue:
    """The rows that were not imported, each with the reason."""
    view = view_of(import_id).value
    require_rows(view.row)
    if view.report is None:
        abort(404, f"{view.row.file_name} has no rows set aside yet. Look at its page.")
    chunks = list(Files(kernel.engines.write).chunks(import_id, SET_ASIDE))
    if view.row.set_aside and not chunks:
        abort(404, "The rows set aside are deleted after some days, and when a customer is erased.")
    return _file(view, "set-aside.csv", "text/csv; charset=utf-8", chunks)


def require_rows(row: ImportRow) -> None:
    """Raises NotAllowed if the operator may not see rows of this file."""
    if not sees_rows(g.operator.actor, row):
        raise NotAllowed("Rows of another operator's file", PERMISSION)


def _file(view: ImportView, ending: str, content_type: str, chunks: Iterable[bytes]) -> Response:
    response = Response(chunks, content_type=content_type)
    name = f"{PurePath(view.row.file_name).name.split('.')[0] or 'import'}-{ending}"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _page(form: UploadForm, refusal: str = "") -> str:
    return render_template(
        "imports/imports.html",
        form=form,
        refusal=refusal,
        choose_again=bool(request.files.get("file")),
        largest=largest(),
        mappings=ask(ListImportMappings()).value,
        **_list(),
    )


def _list() -> dict[str, object]:
    answer = ask(asked(ListImports, **page_size(ListImports)))
    page = answer.value
    place: dict[str, Any] = {name: request.args[name] for name in PLACE if request.args.get(name)}
    return {
        "page": page,
        "freshness": answer.freshness,
        "follow": not all(row.is_over for row in page.rows),
        "now": datetime.now(UTC),
        "pager": pager("web.imports", page.next, page.previous),
        "elsewhere": bool(place),
        "here_url": url_for("web.imports_panel", **place),
    }


def _one(import_id: str) -> dict[str, object]:
    answer = view_of(import_id)
    row = answer.value.row
    now = datetime.now(UTC)
    ended = row.finished_at or now
    return {
        "row": row,
        "report": answer.value.report,
        "sees_rows": sees_rows(g.operator.actor, row),
        "words": REPORT_WORDS | (OF_CLAIMS if row.profile == EVENT_LOGS.name else {}),
        "may_start": may(StartImport.declaration.permission),
        "seconds": _between(row.started_at, ended),
        "seconds_in_all": _between(row.first_started_at or row.started_at, ended),
        "now": now,
        "freshness": answer.freshness,
    }


def _between(start: datetime | None, end: datetime) -> float | None:
    return (end - start).total_seconds() if start else None


def view_of(import_id: str) -> Answer[Any]:
    """One import; aborts where there is none."""
    missing = "There is no import with this id."
    answer = ask(query_or_404(GetImport, missing, import_id=import_id))
    if answer.value is None:
        abort(404, missing)
    return answer


IMPORTS = WebArea(places={"import": Place("imports", "web.imports", "web.history_import")})
