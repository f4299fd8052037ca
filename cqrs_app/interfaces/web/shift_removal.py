"""Removing the demo shop from a page. Administrators only."""

from __future__ import annotations

from flask import abort, g, render_template
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.ask import may
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.proofs import step_up
from cqrs_app.kernel.errors import NotAllowed
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.demo.removal import REMOVE, NoDemoShop, NotRemovable, require_removable
from cqrs_app.processes import demo_removal
from cqrs_app.processes.preflight import is_claimed
from cqrs_app.services import kernel, services


@bp.get("/shift/remove")
def remove_demo() -> ResponseReturnValue:
    """Say what goes and what follows, or why it is not possible."""
    return _page(_objection())


@bp.post("/shift/remove")
def demo_removed() -> ResponseReturnValue:
    """Ask the supervisor for it, which then stops this process."""
    if objection := _objection():
        return _page(objection), 422
    if asked := step_up():
        return asked
    services.audit.record(Kind.ADMINISTRATION, g.operator.name, "demo shop", detail="removal")
    demo_removal.ask(services.settings.data_dir)
    return render_template("shift/removed.html", settings=services.settings)


def _objection() -> str:
    """Why it is not possible; otherwise empty."""
    if not may(REMOVE):
        raise NotAllowed("Removing the demo shop", REMOVE)
    try:
        require_removable(services.settings, kernel)
    except NoDemoShop as error:
        abort(404, str(error))
    except NotRemovable as error:
        return str(error)
    if not is_claimed(services.settings.data_dir):
        return (
            "bin/run does not run this console, so this page cannot stop and start it. Stop it, "
            "run .venv/bin/flask demo remove, and start it again."
        )
    return ""


def _page(objection: str) -> str:
    return render_template(
        "shift/remove.html",
        objection=objection,
        settings=services.settings,
        aside=services.settings.data_dir / f"{demo_removal.ASIDE}...",
    )
