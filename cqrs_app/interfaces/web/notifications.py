"""An operator's notifications: the page, and what is unread on every page."""

from __future__ import annotations

from contextlib import suppress

from flask import abort, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.ask import NO_ANSWER
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.places import about
from cqrs_app.kernel.messages.checks import HIGHEST_WHOLE_NUMBER
from cqrs_app.services import services


@bp.get("/notifications")
def notifications() -> ResponseReturnValue:
    """The newest ones."""
    return render_template(
        "notifications/notifications.html", rows=services.inbox.newest(g.operator.name)
    )


@bp.post("/notifications/read")
def notifications_read() -> ResponseReturnValue:
    """Mark all as read."""
    services.inbox.mark_read(g.operator.name)
    return redirect(url_for("web.notifications"), 303)


@bp.post(f"/notifications/<int(max={HIGHEST_WHOLE_NUMBER}):position>/open")
def notification_open(position: int) -> ResponseReturnValue:
    """Mark one as read, and show what it is about."""
    found = services.inbox.find(g.operator.name, position)
    if found is None:
        abort(404, "There is no such notification.")
    services.inbox.mark_read(g.operator.name, position)
    return redirect(about(found.stream)["url"] or url_for("web.notifications"), 303)


@bp.app_template_global()
def unread_notifications() -> int:
    """How many the operator has not read; 0 while the write store is down."""
    with suppress(*NO_ANSWER):
        return services.inbox.unread(g.operator.name) if g.get("operator") else 0
    return 0
