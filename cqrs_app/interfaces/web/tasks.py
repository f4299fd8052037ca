"""The actions that a page offers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from flask import request

from cqrs_app.interfaces.web.ask import may_act
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.unavailable import UnavailableActions, by_reason
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.batches.commands import RUN
from cqrs_app.services import kernel


@bp.app_template_global()
def label_of_command(name: str) -> str:
    """What a command is called; its name where this release does not have it."""
    cls = kernel.registry.commands.get(name)
    return cls.declaration.label if cls else name


def offered(names: Iterable[str]) -> list[dict[str, Any]]:
    """{name, label, risky, undoable} of each of these commands that the operator may send."""
    found = ((name, kernel.registry.command(name).declaration) for name in names)
    return [
        {"name": name, "label": of.label, "risky": of.risky, "undoable": of.undoable}
        for name, of in found
        if may_act(of.permission)
    ]


def selecting(commands: Iterable[type[Command]]) -> dict[str, Any]:
    """What batches/_selection.html needs on a list: the commands for several of its rows, and its
    filters."""
    names = (each.__name__ for each in commands)
    return {
        "batched": offered(names) if may_act(RUN) else [],
        "filters_query": request.query_string.decode(),
    }


def allowed_tasks(
    actions: Collection[Any],
) -> tuple[list[dict[str, Any]], list[UnavailableActions]]:
    """The actions the operator may take now, and those that only the state of the thing forbids.
    `actions` have `command`, `label`, `allowed` and `reason`.
    """
    not_now = [
        each
        for each in actions
        if not each.allowed
        and may_act(kernel.registry.command(each.command).declaration.permission)
    ]
    return offered(each.command for each in actions if each.allowed), by_reason(not_now)
