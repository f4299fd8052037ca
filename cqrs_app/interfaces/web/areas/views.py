"""The page of saved views, and the fields of the forms that save views and macros."""

from __future__ import annotations

from functools import partial
from typing import Any

import wtforms
from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from cqrs_app.installed_areas import LISTS
from cqrs_app.interfaces.web.areas.area import Place, WebArea
from cqrs_app.interfaces.web.ask import ask, may, may_act
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.forms_derived import Usable
from cqrs_app.interfaces.web.views import given_of, list_url, owners
from cqrs_app.kernel.messages.description import field_of
from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.platform.macros.commands import SHARE as SHARE_MACROS
from cqrs_app.platform.macros.commands import SaveMacro
from cqrs_app.platform.views.commands import SAVE, SHARE, TEAM, SaveView
from cqrs_app.platform.views.queries import ListViews
from cqrs_app.platform.views.views import SavedView


@bp.get("/views")
def views() -> ResponseReturnValue:
    """The team's views and the operator's, of every list; `list` names the one to go back to."""
    back = request.args.get("list", "")
    rows = [
        {
            "view": view,
            "owner": owner,
            "url": list_url(view.list, given_of(view)),
            "may_change": may_act(SAVE) and (owner != TEAM or may(SHARE)),
            "may_share": owner != TEAM and may_act(SHARE),
        }
        for owner in (TEAM, g.operator.name)
        for view in ask(ListViews(owner=owner)).value
    ]
    return render_template(
        "views/views.html", rows=rows, team=TEAM, back=back if back in LISTS else ""
    )


def _saved(command: Any) -> str:
    """The list as the view shows it."""
    if not isinstance(command, SaveView):
        return ""
    saved = SavedView(list=command.list, name=command.view, query=command.query)
    return list_url(command.list, given_of(saved))


def _roles() -> list[tuple[str, str]]:
    roles = [(str(each), each.capitalize()) for each in Role] if may(SHARE) else []
    return [("", "No role"), *roles]


def _choice(name: str, choices: Any) -> Any:
    """A field with one of these choices, which depend on the operator."""

    def made(cls: type) -> Any:
        field = field_of(cls, name)
        return wtforms.SelectField(
            field.title,
            description=field.help if name == "default_for" else "",
            validators=[Usable(cls, name, needed=field.needed)],
            choices=choices,
            # The kernel reports it, in the same words everywhere.
            validate_choice=False,
        )

    return made


VIEWS = WebArea(
    places={
        "views": Place("views", "web.views", after=_saved),
        "macros": Place("macros", "web.macros"),
    },
    form_fields={
        (SaveView, "owner"): _choice("owner", partial(owners, SHARE)),
        (SaveMacro, "owner"): _choice("owner", partial(owners, SHARE_MACROS)),
        (SaveView, "default_for"): _choice("default_for", _roles),
    },
)
