"""Queries about macros."""

from __future__ import annotations

from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.platform.macros.commands import VIEW
from cqrs_app.platform.macros.macros import Macro, Macros
from cqrs_app.platform.views.commands import TEAM, Owner


@query(label="Macros", permission=VIEW)
class ListMacros(Query):
    """The macros of one person, or of the team."""

    owner: Owner = TEAM


def list_macros(question: ListMacros, found: Macros, version: int) -> tuple[Macro, ...]:
    return tuple(found.saved)
