"""What the bus refuses of a view before it is saved: another person's, and what its list cannot
show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import parse_qs

from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Actor, Receipt
from cqrs_app.kernel.commands.middleware import Middleware, Proceed
from cqrs_app.kernel.errors import Invalid, NotAllowed, Refusal
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.platform.transfer.exports.lists import Listing, question_of
from cqrs_app.platform.views.commands import SHARE, TEAM, DeleteView, RenameView, SaveView
from cqrs_app.platform.views.views import NOT_YOURS, UNUSABLE_VIEW

COLUMNS = "columns"
"""The parameter of an address that names the shown columns, separated by commas."""
SEARCH = "q"


def usable_views(lists: Mapping[str, type[Query]]) -> Middleware:
    """`lists` maps the name of a list to its query."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        command = call.command
        if isinstance(command, SaveView | RenameView | DeleteView):
            require_owner(command, call.context.actor, SHARE, NOT_YOURS)
        if isinstance(command, SaveView):
            _check_query(command, lists)
        return proceed(call)

    return check


class Owned(Protocol):
    """A message about the views, or the like, of one person or of the team."""

    @property
    def owner(self) -> str: ...


def require_owner(command: Owned, actor: Actor, share: str, refusal: Refusal) -> None:
    """Raise NotAllowed about the team's without the permission `share`, and the `refusal` about
    another person's."""
    if command.owner == TEAM and not actor.may(share):
        label = type(command).declaration.label  # type: ignore[attr-defined]
        raise NotAllowed(f"{label} of the team", share)
    if command.owner not in (TEAM, actor.name):
        raise refusal.because(
            f"It belongs to {command.owner}.", "Save one for yourself or for the team."
        )


def may_ask(refusal: Refusal) -> Callable[[Owned, Actor], None]:
    """A rule of a query: raises the `refusal` about another person's."""

    def check(question: Owned, actor: Actor) -> None:
        if question.owner not in (TEAM, actor.name):
            raise refusal(f"Only {question.owner} can see what they saved for themselves.")

    return check


def _check_query(command: SaveView, lists: Mapping[str, type[Query]]) -> None:
    cls = lists.get(command.list)
    if cls is None:
        raise UNUSABLE_VIEW(
            f"There is no list {command.list}. Nothing was saved. There are: {', '.join(lists)}."
        )
    filters = parse_qs(command.query)
    filters.pop(COLUMNS, None)
    # A search is often for a person, whose name must not outlive an erasure here.
    if SEARCH in filters:
        raise UNUSABLE_VIEW(
            "A search text cannot be saved, because it may name a person. Nothing was saved. "
            "Remove it, and save the other filters."
        )
    try:
        question_of(Listing(cls, {}), filters)
    except Invalid as invalid:
        sentences = "; ".join(f"{name}: {text}" for name, text in invalid.problems.items())
        raise UNUSABLE_VIEW(
            f"The list {command.list} cannot be shown like this. Nothing was saved. {sentences}"
        ) from invalid
