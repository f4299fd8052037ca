"""Saved views of lists: filters, sort and columns under a name, one person's or the team's."""

from __future__ import annotations

from collections.abc import Mapping

from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.queries.answers import from_state
from cqrs_app.kernel.registry import Area
from cqrs_app.platform.views import events
from cqrs_app.platform.views.commands import SHARE
from cqrs_app.platform.views.queries import ListViews, list_views
from cqrs_app.platform.views.rules import may_ask, usable_views
from cqrs_app.platform.views.views import NOT_YOURS, Views


def views_area(lists: Mapping[str, type[Query]]) -> Area:
    """The area; `lists` maps the name of a list to its query."""
    return Area(
        name="views",
        aggregates=[Views],
        events=events,
        answers={ListViews: from_state(Views, list_views, allowed=may_ask(NOT_YOURS))},
        middleware=[usable_views(lists)],
        permissions=[SHARE],
    )
