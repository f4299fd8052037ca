"""Saved views of lists, as tabs above them. A view is the parameters of a list's address: that
address can be shared, and a view that is built in is nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlencode

from flask import g, request, url_for

from cqrs_app.installed_areas import LISTS, VIEW_COUNTS
from cqrs_app.interfaces.web.ask import ask, ask_if_allowed, ask_or_none, may, may_act
from cqrs_app.interfaces.web.columns import PARAMETER, columns_parameter
from cqrs_app.interfaces.web.typed import read_here, written_here
from cqrs_app.interfaces.web.zones import days_since
from cqrs_app.kernel import COUNTED_TO, MOST_COUNTS
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.messages.messages import Query, parse
from cqrs_app.platform.transfer.exports.rows import PERMISSION as EXPORT
from cqrs_app.platform.views.commands import SAVE, SHARE, TEAM, VIEW
from cqrs_app.platform.views.queries import ListViews
from cqrs_app.platform.views.rules import SEARCH
from cqrs_app.platform.views.views import SavedView

Given = Mapping[str, Sequence[str]]
"""The parameters of a list's address: name -> texts."""
PLACE = frozenset({"after", "before", "limit", "count"})
"""Parameters that select a part of the list."""


@dataclass(frozen=True, slots=True)
class View:
    """`owner` is empty for one that is built in. `optional`: it is shown only where it has rows."""

    name: str
    given: Given
    owner: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows a view has; `stopped`: there are more. `oldest` is since when the first of them
    waits."""

    rows: int
    stopped: bool = False
    oldest: date | None = None

    @property
    def days(self) -> int | None:
        return None if self.oldest is None else days_since(self.oldest)


@dataclass(frozen=True, slots=True)
class Tab:
    """`count` is None where it is not known."""

    view: View
    url: str
    count: Count | None
    chosen: bool


Counting = Callable[[Sequence[View]], Sequence[Count | None]]


def view_tabs(
    name: str, given: Given, built_in: Sequence[View], counting: Counting
) -> dict[str, Any]:
    """What components/views.html needs for the list of this name at this address. Chosen is the
    view with most of what the address has; `save_url` leads to the form that saves what is shown,
    `replace_url` to the one that puts it in the place of the chosen view, `schedule` to the one
    that exports it at a time of day."""
    views = [*built_in, *saved_views(name)]
    here = parameters(name, given)
    chosen = max(
        (each for each in views if parameters(name, each.given).items() <= here.items()),
        key=lambda each: len(parameters(name, each.given)),
    )
    tabs = [
        Tab(view, list_url(name, view.given), count, view is chosen)
        for view, count in zip(views, counting(views), strict=True)
        if view is chosen or not view.optional or count is None or count.rows
    ]
    changed = here != parameters(name, chosen.given)
    savable = changed and may_act(SAVE) and not given.get(SEARCH)
    return {
        "tabs": tabs,
        "save_url": save_url(name, given) if savable else "",
        "replaces": chosen.name,
        "replace_url": save_url(name, given, chosen) if savable and _mine(chosen) else "",
        "manage_url": url_for("web.views", list=name) if any(each.owner for each in views) else "",
        "schedule": _schedule(name, given, views) if may_act(EXPORT) else None,
    }


def _schedule(name: str, given: Given, views: Sequence[View]) -> dict[str, str] | None:
    """The form that schedules an export of what the address shows: the whole list, or a saved view.
    Any other filters are to be saved as one first; None if they cannot be."""
    filters = _filters(name, given)
    if not filters:
        return {"label": "Schedule export", "url": _form("ScheduleExport", list=name)}
    # Of two views of one name, an export takes the operator's.
    saved = {each.name: each for each in views if each.owner}
    for view in saved.values():
        if _filters(name, view.given) == filters:
            url = _form("ScheduleExport", list=name, view=view.name)
            return {"label": "Schedule export of this view", "url": url}
    if given.get(SEARCH) or not may_act(SAVE):
        return None
    return {"label": "Save view to schedule it", "url": save_url(name, given)}


def _filters(name: str, given: Given) -> dict[str, frozenset[str]]:
    """What makes two addresses lead to the same export, which has all columns."""
    found = parameters(name, given)
    found.pop(PARAMETER, None)
    return found


def _mine(view: View) -> bool:
    """Whether the operator may change it."""
    return view.owner == g.operator.name or (view.owner == TEAM and may(SHARE))


def parameters(name: str, given: Given) -> dict[str, frozenset[str]]:
    """What makes two addresses show the same rows and columns."""
    known = {PARAMETER, *hints_of(LISTS[name])} - PLACE
    found = {
        key: frozenset(filter(None, map(str.strip, given[key]))) for key in known & given.keys()
    }
    return {key: texts for key, texts in found.items() if texts}


def _texts(given: Sequence[str]) -> frozenset[str]:
    return frozenset(text.strip() for text in given if text.strip())


def saved_views(name: str) -> list[View]:
    """The team's, then the operator's; none while the write store is down."""
    if not may(VIEW):
        return []
    answers = [ask_or_none(ListViews(owner=owner)) for owner in (TEAM, g.operator.name)]
    return [
        View(each.name, given_of(each), owner)
        for owner, answer in zip((TEAM, g.operator.name), answers, strict=True)
        if answer
        for each in answer.value
        if each.list == name
    ]


def owners(share: str) -> list[tuple[str, str]]:
    """Whose views, or the like, the operator may save, each with its words; the team's need the
    permission `share`."""
    mine = [(g.operator.name, "Only me")]
    return [*mine, (TEAM, "The team")] if may(share) else mine


def default_views() -> tuple[SavedView, ...]:
    """The team's views that are the default of a role."""
    answer = ask_if_allowed(ListViews())
    return tuple(each for each in answer.value if each.default_for) if answer else ()


def given_of(view: SavedView) -> Given:
    """Its parameters as the address of a page has them."""
    return written_here(LISTS[view.list], parse_qs(view.query))


def list_url(name: str, given: Given) -> str:
    return url_for(f"web.{name}", **{key: list(texts) for key, texts in given.items()})  # type: ignore[arg-type]


def save_url(name: str, given: Given, view: View | None = None) -> str:
    """The form that saves what an address shows, in the place of a view where one is given."""
    replaced = {"owner": view.owner, "view": view.name} if view else {}
    return _form("SaveView", list=name, query=_query(name, given), **replaced)


def _query(name: str, given: Given) -> str:
    """As programs write it, with the columns that are shown now."""
    kept = {key: sorted(texts) for key, texts in sorted(parameters(name, given).items())}
    single = {key: texts[0] for key, texts in kept.items() if len(texts) == 1}
    shown = {PARAMETER: columns_parameter(name)}
    return urlencode(kept | read_here(LISTS[name], single) | shown, doseq=True, safe=",")


def _form(command: str, **values: str) -> str:
    return url_for("web.command_form", name=command, **values)  # type: ignore[arg-type]


def tabs_here(name: str) -> dict[str, Any]:
    """The tabs of a list without built-in views."""
    given = request.args.to_dict(flat=False)
    return view_tabs(name, given, [View("All", {})], partial(_counts, name))


def _counts(name: str, views: Sequence[View]) -> list[Count | None]:
    """In one question, if the list has one for it."""
    if name not in VIEW_COUNTS:
        return [None] * len(views)
    questions = [_question(name, each) for each in views]
    usable = [each for each in questions if each is not None][:MOST_COUNTS]
    found = iter(ask(VIEW_COUNTS[name](views=tuple(usable))).value)  # type: ignore[call-arg]
    return [None if each is None else _count(next(found, None)) for each in questions]


def _question(name: str, view: View) -> Query | None:
    """None for a view that was saved by a release with other filters; the page says so once it is
    opened."""
    cls = LISTS[name]
    fields = hints_of(cls)
    values = {key: texts[0] for key, texts in view.given.items() if key in fields}
    try:
        return parse(cls, read_here(cls, values), from_text=True)
    except Invalid:
        return None


def _count(rows: int | None) -> Count | None:
    return None if rows is None else Count(min(rows, COUNTED_TO), stopped=rows > COUNTED_TO)
