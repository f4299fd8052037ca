"""Scheduled exports: what is made when, and the files of whoever looks."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, g, render_template
from flask.typing import ResponseReturnValue
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than stubs

from cqrs_app.installed_areas import LISTS
from cqrs_app.interfaces.web.areas.area import Place, WebArea
from cqrs_app.interfaces.web.ask import ask, may_act
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.forms_derived import Usable
from cqrs_app.kernel.errors import NotAllowed
from cqrs_app.kernel.messages.description import field_of
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.transfer.exports.formats import FORMATS
from cqrs_app.platform.transfer.exports.rows import PERMISSION
from cqrs_app.platform.transfer.schedules.commands import ScheduleExport
from cqrs_app.platform.transfer.schedules.files import ExportFiles
from cqrs_app.platform.transfer.schedules.queries import ListExportFiles, ListScheduledExports
from cqrs_app.services import kernel, services


@bp.get("/scheduled-exports")
def scheduled_exports() -> ResponseReturnValue:
    """The schedules, and the files of whoever looks."""
    schedules = ask(ListScheduledExports())
    return render_template(
        "exports/exports.html",
        schedules=schedules.value,
        files=ask(ListExportFiles(operator=g.operator.name)).value,
        labels={name: each.label for name, each in FORMATS.items()},
        may_schedule=may_act(PERMISSION),
        timezone=services.settings.timezone,
        freshness=schedules.freshness,
    )


@bp.get("/scheduled-exports/files/<file_id>")
def exported_file(file_id: str) -> ResponseReturnValue:
    """One file, for its owner, as long as they may export its list."""
    files = ExportFiles(kernel.engines.write)
    file = files.find(file_id)
    if file is None or file.owner != g.operator.name:
        abort(404, "There is no such file of yours. Files are kept for a week.")
    for needed in (PERMISSION, LISTS[file.list].declaration.permission):
        if not g.operator.may(needed):
            raise NotAllowed("Export", needed)
    services.audit.record(Kind.EXPORTED, g.operator.name, file.list, detail=file.format)
    response = Response(files.chunks(file_id), content_type=FORMATS[file.format].mimetype)
    response.headers.set("Content-Disposition", "attachment", filename=file.name)
    return response


def _lists(cls: type[Command]) -> Any:
    """The lists that the operator may see, instead of a text."""
    return SelectField(
        field_of(cls, "list").title,
        [Usable(cls, "list", needed=True)],
        choices=lambda: [
            SelectChoice(name, name.replace("-", " ").capitalize())
            for name, each in LISTS.items()
            if g.operator.may(each.declaration.permission)
        ],
    )


SCHEDULED_EXPORTS = WebArea(
    places={"export_schedule": Place("scheduled-exports", "web.scheduled_exports", waits=True)},
    form_fields={(ScheduleExport, "list"): _lists},
)
