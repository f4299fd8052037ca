"""Which column of an uploaded file is which field: chosen, previewed as orders, saved, and used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.areas.area import Place, WebArea
from cqrs_app.interfaces.web.areas.imports import RECEIVED, require_rows, view_of
from cqrs_app.interfaces.web.ask import ask, command_context, may
from cqrs_app.interfaces.web.auth import keeps_form
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.errors import status_of
from cqrs_app.interfaces.web.uploading import COLUMNS
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.errors import BusError, NotAllowed
from cqrs_app.platform.transfer.imports.fields import (
    FIELDS,
    GROUPS,
    MEANINGS,
    suggested_columns,
    suggested_meaning,
)
from cqrs_app.platform.transfer.imports.formats import Dates, DecimalSign
from cqrs_app.platform.transfer.imports.mapping import BadMapping, ColumnMapping, stored_mapping
from cqrs_app.platform.transfer.imports.preview import (
    Preview,
    Sheet,
    as_file,
    preview_of,
    read_sheet,
    statuses_in,
)
from cqrs_app.platform.transfer.imports.profiles import MAPPINGS
from cqrs_app.platform.transfer.imports.source import LIMITS, BadFile, Limits
from cqrs_app.platform.transfer.mappings.commands import SaveImportMapping
from cqrs_app.platform.transfer.mappings.queries import ListImportMappings
from cqrs_app.platform.transfer.uploads.commands import StartImport
from cqrs_app.platform.transfer.uploads.queries import ImportRow, sees_rows
from cqrs_app.platform.transfer.uploads.receiving import UPLOAD, Files
from cqrs_app.services import kernel, services

FORMATS = {
    "decimal": (
        "Decimals",
        {str(DecimalSign.POINT): "1,234.50", str(DecimalSign.COMMA): "1.234,50"},
    ),
    "dates": (
        "Dates",
        {
            str(Dates.ISO): "2026-03-31",
            str(Dates.DAY_FIRST): "31/03/2026",
            str(Dates.MONTH_FIRST): "03/31/2026",
        },
    ),
}
"""Options of the format that the page offers: label, and example of each choice."""
SAVED = "The mapping is saved for everybody, as {}."
OPEN = ("Order", "Lines", "Amounts of the order")
"""Groups of fields that are shown from the start."""
INCOMPLETE = "Nothing was saved or imported. Choose what is missing below."
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(slots=True)
class Chosen:
    """What is on the page: the mapping, its name, and what is wrong with it, by field."""

    mapping: ColumnMapping
    name: str = ""
    problem: str = ""

    @property
    def problems(self) -> dict[str, str]:
        return self.mapping.problems


@bp.get("/imports/<import_id>/columns")
def import_columns(import_id: str) -> ResponseReturnValue:
    """The columns of a file with what they are suggested to be, or as a saved mapping has them."""
    return _page(import_id, None)


def columns_again(*, sentence: str, possible: bool, import_id: str) -> str | None:
    """The page with what was chosen, when nothing was carried out; `sentence` says why."""
    if not may(StartImport.declaration.permission):
        return None
    if not sees_rows(g.operator.actor, view_of(import_id).value.row):
        return None
    return _page(import_id, _posted(), sentence)


@bp.post("/imports/<import_id>/columns")
@keeps_form(columns_again)
def use_columns(import_id: str) -> ResponseReturnValue:
    """Preview, save, rehearse or import with what was chosen."""
    declaration = StartImport.declaration
    if not may(declaration.permission):
        raise NotAllowed(declaration.label, declaration.permission)
    require_rows(view_of(import_id).value.row)
    chosen, action = _posted(), request.form.get("action", "preview")
    if action == "preview":
        return _page(import_id, chosen)
    if chosen.problem or chosen.problems:
        return _page(
            import_id, chosen, "Nothing was saved or imported. Choose what is missing."
        ), 422
    try:
        if chosen.name:
            _save(chosen)
        if action in ("import", "dry_run"):
            return _start(import_id, chosen, rehearsal=action == "dry_run")
    except BusError as error:
        return _page(import_id, chosen, error.sentence), status_of(error)
    if not chosen.name:
        return _page(import_id, chosen, "Enter a name to save the mapping under."), 422
    flash(SAVED.format(chosen.name), "good")
    return redirect(url_for("web.import_columns", import_id=import_id, use=chosen.name), 303)


def _save(chosen: Chosen) -> None:
    command = SaveImportMapping(mapping=chosen.name, content=chosen.mapping.as_json())
    kernel.commands.dispatch(command, command_context(new_id(), None))


def _start(import_id: str, chosen: Chosen, *, rehearsal: bool) -> ResponseReturnValue:
    """Start the import of the file; if it was started before, of a copy of it."""
    files, content = Files(kernel.engines.write), chosen.mapping.as_json()
    used = import_id
    if view_of(import_id).value.row.state != "not_started":
        used = new_id()
        files.copy(import_id, used, g.operator.name)
    task = files.plan(used, chosen.name or COLUMNS, content, rehearsal=rehearsal)
    # The same id for the same choice, so that a button pressed twice starts one import. Another
    # choice, while the one before waits for a worker, is another command.
    command_id = str(uuid5(UUID(used), f"{task.profile}:{content}:{rehearsal}"))
    kernel.commands.dispatch(task, command_context(command_id, None))
    kernel.tasks["imports"].nudge()
    flash(RECEIVED, "good")
    return redirect(url_for("web.history_import", import_id=used), 303)


def _posted() -> Chosen:
    """What the form has."""
    given = request.form
    columns, fixed = {}, {}
    for name, field in FIELDS.items():
        if column := given.get(f"column.{name}", "").strip():
            columns[name] = column
        elif field.fixed and (text := given.get(f"fixed.{name}", "").strip()):
            fixed[name] = text
    meanings = {
        name.removeprefix("meaning."): value
        for name, value in given.items()
        if name.startswith("meaning.")
    }
    names = ("decimal", "dates", "sheet", "separator", "encoding")
    form = {name: text for name in names if (text := given.get(f"format.{name}", ""))}
    name = _NOT_IN_A_NAME.sub("-", given.get("name", "").casefold()).strip("-")[:60]
    try:
        mapping = ColumnMapping(
            columns=columns,
            fixed=fixed,
            meanings=meanings,
            format=form,
            zone=given.get("zone", "").strip() or services.settings.timezone,
        )
    except BadMapping as error:
        return Chosen(ColumnMapping(columns=columns), name, str(error))
    return Chosen(mapping, name)


def _suggested(sheet: Sheet, row: ImportRow) -> Chosen:
    """As the address names it, as the import was read before, or by the names of the columns."""
    name = request.args.get("use", "")
    saved = {each.name: each.content for each in ask(ListImportMappings()).value}
    if name in saved:
        return Chosen(stored_mapping(saved[name]), name)
    if name in MAPPINGS:
        return Chosen(MAPPINGS[name])
    if row.mapping:
        return Chosen(stored_mapping(row.mapping), "" if row.profile == COLUMNS else row.profile)
    columns = suggested_columns(sheet.header, sheet.values)
    mapping = ColumnMapping(columns=columns, zone=services.settings.timezone)
    meanings = {value: suggested_meaning(value) for value in statuses_in(sheet, mapping)}
    return Chosen(
        ColumnMapping(columns=columns, meanings=meanings, zone=services.settings.timezone)
    )


def _page(import_id: str, chosen: Chosen | None, refusal: str = "") -> str:
    row = view_of(import_id).value.row
    require_rows(row)
    chunks = Files(kernel.engines.write).chunks(import_id, UPLOAD)
    LIMITS.set(Limits.of(services.settings))
    with as_file(row.file_name, chunks) as path:
        if not path.stat().st_size:
            abort(404, "The file is kept for 30 days and is not there any more. Send it again.")
        try:
            sheet = read_sheet(path)
        except BadFile as error:
            sentence = _without_folder(error, path)
            return render_template("imports/columns.html", row=row, sentence=sentence, sheet=None)
        chosen = chosen or _suggested(sheet, row)
        preview, sentence = Preview(), chosen.problem
        if not chosen.problem and not chosen.problems:
            try:
                preview = preview_of(path, chosen.mapping)
            except (BadFile, BadMapping) as error:
                sentence = _without_folder(error, path)
    return render_template(
        "imports/columns.html",
        row=row,
        sheet=sheet,
        chosen=chosen,
        preview=preview,
        sentence=sentence,
        refusal=refusal,
        **_choices(sheet, chosen),
    )


def _without_folder(error: Exception, path: Path) -> str:
    """The sentence, with the name of the file alone."""
    return str(error).replace(str(path), path.name)


def _choices(sheet: Sheet, chosen: Chosen) -> dict[str, Any]:
    mapping = chosen.mapping
    given = {*mapping.columns, *mapping.fixed}
    absent = [each for each in mapping.columns.values() if each not in sheet.header]
    return {
        "groups": {
            title: {
                "fields": fields,
                "used": sum(each.name in given for each in fields),
                "open": title in OPEN or any(each.name in chosen.problems for each in fields),
            }
            for title, fields in GROUPS.items()
        },
        "pairs": [(each, each) for each in dict.fromkeys((*filter(None, sheet.header), *absent))],
        "statuses": {
            value: mapping.meanings.get(value, suggested_meaning(value))
            for value in statuses_in(sheet, mapping)
        },
        "meanings": MEANINGS,
        "formats": FORMATS,
        "saved": [each.name for each in ask(ListImportMappings()).value],
        "shipped": list(MAPPINGS),
    }


MAPPINGS_AREA = WebArea(places={"import_mappings": Place("imports", "web.imports")})
