"""The page of saved views, and the fields of the forms that save views and macros."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from cqrs_app.installed_areas import LISTS
from cqrs_app.interfaces.web.areas.area import Place, WebArea
from cqrs_app.interfaces.web.areas.choice_fields import choice
from cqrs_app.interfaces.web.ask import ask, may, may_act
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.views import given_of, list_url, owners
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


VIEWS = WebArea(
    places={
        "views": Place("views", "web.views", after=_saved),
        "macros": Place("macros", "web.macros"),
    },
    form_fields={
        (SaveView, "owner"): choice("owner", partial(owners, SHARE)),
        (SaveMacro, "owner"): choice("owner", partial(owners, SHARE_MACROS)),
        (SaveView, "default_for"): choice("default_for", _roles, described=True),
    },
)
