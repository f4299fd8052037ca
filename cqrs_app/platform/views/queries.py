"""Queries about saved views."""

from __future__ import annotations

from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.platform.views.commands import TEAM, VIEW, Owner
from cqrs_app.platform.views.views import SavedView, Views


@query(label="Saved views", permission=VIEW)
class ListViews(Query):
    """The views of one person, or of the team."""

    owner: Owner = TEAM


def list_views(question: ListViews, found: Views, version: int) -> tuple[SavedView, ...]:
    return tuple(found.saved)
