"""The page of projections that are rebuilt beside their live rows."""

from __future__ import annotations

from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.ask import ask, may_act
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.runtime.commands import (
    CompareGenerations,
    DropGeneration,
    RebuildBeside,
    SwapProjection,
    SwitchBack,
)
from cqrs_app.platform.runtime.generations import GenerationList
from cqrs_app.services import kernel


@bp.get("/system/rebuilds")
def rebuilds() -> ResponseReturnValue:
    """Rows built, or kept, beside the live ones, and what can be rebuilt."""
    return render_template("system/rebuilds.html", **_found())


@bp.get("/system/rebuilds/panel")
@background
def rebuilds_panel() -> ResponseReturnValue:
    """The panel, for its own poll."""
    return fragment(render_template("system/_rebuilds.html", **_found()))


def after(command: Command) -> str:
    """Where a command on the rows beside leads; empty for other commands."""
    return url_for("web.rebuilds") if isinstance(command, _BESIDE) else ""


_BESIDE = (RebuildBeside, CompareGenerations, SwapProjection, SwitchBack, DropGeneration)


def _found() -> dict[str, Any]:
    answer = ask(GenerationList())
    beside = {each.projection for each in answer.value}
    return {
        "answer": answer,
        "others": [name for name in kernel.registry.projections if name not in beside],
        "may_manage": may_act("projections.manage"),
    }
