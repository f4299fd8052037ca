"""The actions that a page offers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from cqrs_app.interfaces.web.ask import may_act
from cqrs_app.interfaces.web.unavailable import UnavailableActions, by_reason
from cqrs_app.services import kernel


def offered(names: Iterable[str]) -> list[dict[str, Any]]:
    """{name, label, risky, undoable} of each of these commands that the operator may send."""
    found = ((name, kernel.registry.command(name).declaration) for name in names)
    return [
        {"name": name, "label": of.label, "risky": of.risky, "undoable": of.undoable}
        for name, of in found
        if may_act(of.permission)
    ]


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
