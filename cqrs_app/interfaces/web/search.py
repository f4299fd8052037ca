"""One search over everything an operator may see: things by number and words, pages, actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.areas import FINDERS, STARTS
from cqrs_app.interfaces.web.areas.area import Finder, Hit
from cqrs_app.interfaces.web.ask import NO_ANSWER, may, may_act, wants
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.navigation import ENTRIES
from cqrs_app.kernel import fold
from cqrs_app.services import kernel

SHOWN = 6
"""Results of each kind; the whole list has the rest."""
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Group:
    """The results of one kind. `all_url` leads to all of them, empty if these are all; `available`:
    false while the database they are read from is down.
    """

    title: str
    icon: str
    hits: tuple[Hit, ...]
    all_url: str = ""
    available: bool = True


@bp.get("/search")
def search() -> ResponseReturnValue:
    """The results for `q`. The exact number of one thing redirects to it; htmx gets the results
    alone.
    """
    text = request.args.get("q", "").strip()[:LONGEST]
    groups = tuple(_groups(text))
    if wants("search-results"):
        return render_template("search/_results.html", q=text, groups=groups)
    exact = [hit for group in groups for hit in group.hits if hit.exact]
    if len(exact) == 1:
        return redirect(exact[0].url)
    return render_template("search/search.html", q=text, groups=groups)


def _groups(text: str) -> Iterator[Group]:
    found = [_found(each, text) for each in FINDERS if text and may(each.permission)]
    # Exact matches first, so that Enter opens one.
    found.sort(key=lambda group: not any(hit.exact for hit in group.hits))
    found.append(Group("Actions", "bolt", tuple(_actions(text))))
    found.append(Group("Pages", "file-invoice", tuple(_pages(text))))
    yield from (group for group in found if group.hits or not group.available)


def _found(finder: Finder, text: str) -> Group:
    try:
        hits = list(finder.find(text, SHOWN + 1))
    except NO_ANSWER:
        return Group(finder.title, finder.icon, (), available=False)
    hits.sort(key=lambda hit: not hit.exact)
    more = len(hits) > SHOWN and finder.all
    return Group(
        finder.title,
        finder.icon,
        tuple(hits[:SHOWN]),
        url_for(finder.all, q=text) if more else "",
    )


def _pages(text: str) -> Iterator[Hit]:
    for each in ENTRIES:
        if (not each.permission or may(each.permission)) and _fits(each.text, text):
            yield Hit(each.text, url_for(each.endpoint), (f"g {each.key}",))
    if _fits("Your account", text):
        yield Hit("Your account", url_for("web.account"))


def _actions(text: str) -> Iterable[Hit]:
    """The commands whose label matches; without a text, those that create something."""
    commands = [*STARTS, *(each for each in kernel.registry.routes if each not in STARTS)]
    offered = (
        Hit(each.declaration.label, url_for("web.command_form", name=each.__name__))
        for each in (commands if text else STARTS)
        if may_act(each.declaration.permission) and _fits(each.declaration.label, text)
    )
    return [hit for hit, _ in zip(offered, range(SHOWN), strict=False)]


def _fits(label: str, text: str) -> bool:
    """Whether each word of the text begins a word of the label."""
    words = fold(label).split()
    return all(any(word.startswith(part) for word in words) for part in fold(text).split())
