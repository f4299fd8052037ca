"""The saved views of one person, or of the team. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.handling import handles
from cqrs_app.kernel.errors import Refusal
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.search_words import fold
from cqrs_app.platform.views.commands import TEAM, DeleteView, RenameView, SaveView
from cqrs_app.platform.views.events import ViewDeleted, ViewRenamed, ViewSaved

MOST_VIEWS = 50
"""Of one list."""
NO_SUCH_VIEW = Refusal("no_such_view", "The list has no view of this name.")
NAME_TAKEN = Refusal("name_taken", "Another view of the list has the new name.")
TOO_MANY_VIEWS = Refusal("too_many_views", f"The list has {MOST_VIEWS} views already.")
NOT_SHARED = Refusal("not_shared", "The default view of a role has to be one of the team's.")
NOT_YOURS = Refusal("not_yours", "It is the view of somebody else.")
UNUSABLE_VIEW = Refusal("unusable_view", "The list does not have this filter, sort or value.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """`query` is as in `ViewSaved`; `default_for` is a role, or empty."""

    list: str
    name: str
    query: str
    default_for: str = ""

    def has(self, list_name: str, name: str) -> bool:
        return (self.list, fold(self.name)) == (list_name, fold(name))


@dataclass
class Views(Aggregate):
    """In the order in which they were first saved."""

    category: ClassVar[str] = "views"
    identity: ClassVar[str] = "owner"

    saved: list[SavedView] = field(default_factory=list)

    @handles(SaveView, refusals=[NOT_YOURS, TOO_MANY_VIEWS, NOT_SHARED, UNUSABLE_VIEW])
    def save(self, command: SaveView) -> Iterator[Event]:
        if command.default_for and command.owner != TEAM:
            raise NOT_SHARED(
                "Only a view of the team can be the default of a role. Nothing was saved. Save it "
                "for the team."
            )
        others = [each for each in self.saved if each.list == command.list]
        if len(others) >= MOST_VIEWS and not self._has(command.list, command.view):
            raise TOO_MANY_VIEWS(
                f"There are {MOST_VIEWS} views of this list already. Nothing was saved. Delete one "
                "that is no longer used."
            )
        yield ViewSaved(
            owner=command.owner,
            list=command.list,
            view=command.view,
            query=command.query,
            default_for=command.default_for or "",
        )

    @handles(RenameView, refusals=[NOT_YOURS, NO_SUCH_VIEW, NAME_TAKEN])
    def rename(self, command: RenameView) -> Iterator[Event]:
        self._require(command)
        same = fold(command.view) == fold(command.new_name)
        if not same and self._has(command.list, command.new_name):
            raise NAME_TAKEN.because(f"There is a view named {command.new_name} already.")
        yield ViewRenamed(
            owner=command.owner, list=command.list, view=command.view, new_name=command.new_name
        )

    @handles(DeleteView, refusals=[NOT_YOURS, NO_SUCH_VIEW])
    def delete(self, command: DeleteView) -> Iterator[Event]:
        self._require(command)
        yield ViewDeleted(owner=command.owner, list=command.list, view=command.view)

    def _has(self, list_name: str, name: str) -> bool:
        return any(each.has(list_name, name) for each in self.saved)

    def _require(self, command: RenameView | DeleteView) -> None:
        if not self._has(command.list, command.view):
            raise NO_SUCH_VIEW.because(f"There is no view named {command.view} of this list.")

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case ViewSaved():
                self._put(event)
            case ViewRenamed():
                self.saved = [
                    replace(each, name=event.new_name) if each.has(event.list, event.view) else each
                    for each in self.saved
                ]
            case ViewDeleted():
                self.saved = [each for each in self.saved if not each.has(event.list, event.view)]

    def _put(self, event: ViewSaved) -> None:
        """In the place of the view with this name. A list has one default per role."""
        new = SavedView(
            list=event.list, name=event.view, query=event.query, default_for=event.default_for
        )
        if event.default_for:
            self.saved = [
                replace(each, default_for="")
                if (each.list, each.default_for) == (event.list, event.default_for)
                else each
                for each in self.saved
            ]
        if self._has(event.list, event.view):
            self.saved = [new if each.has(event.list, event.view) else each for each in self.saved]
        else:
            self.saved = [*self.saved, new]
