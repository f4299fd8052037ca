"""What happened to saved views."""

from __future__ import annotations

from cqrs_app.kernel.messages.messages import Event, event


@event()
class ViewSaved(Event):
    """Replaces the view of this name. `query` is as in the list's address, with amounts and
    countries as programs write them; `default_for` is a role, or empty."""

    owner: str
    list: str
    view: str
    query: str
    default_for: str


@event()
class ViewRenamed(Event):
    owner: str
    list: str
    view: str
    new_name: str


@event()
class ViewDeleted(Event):
    owner: str
    list: str
    view: str
