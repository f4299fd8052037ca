"""What the event feed and the command log show to whom."""

from __future__ import annotations

from cqrs_app.areas.orders.commands import VIEW_CUSTOMERS
from cqrs_app.kernel.queries.readers import ReadingRights
from cqrs_app.kernel.registry import Registry
from cqrs_app.platform.runtime.commands import SEE_EVENTS


def reading_rights(registry: Registry) -> ReadingRights:
    """Personal values are for who may see customers. A command's fields are for who may send such
    commands, or may see what they are about: `payments.view` for `payments.refund`."""
    commands = {
        name: frozenset({cls.declaration.permission, _view(cls.declaration.permission)})
        for name, cls in registry.commands.items()
    }
    return ReadingRights(personal=VIEW_CUSTOMERS, events=SEE_EVENTS, commands=commands)


def _view(permission: str) -> str:
    return f"{permission.partition('.')[0]}.view"
