"""URLs of lists: parameters read into a query, and links to the same list, changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request, url_for

from cqrs_app.interfaces.web.ask import authorise
from cqrs_app.interfaces.web.formats import formats_of
from cqrs_app.interfaces.web.typed import read_here
from cqrs_app.interfaces.web.zones import shown_zone, typed_moment
from cqrs_app.kernel import COUNTED_TO
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.messages.messages import Query, parse
from cqrs_app.kernel.queries.paging import Page
from cqrs_app.services import services

PLACE = ("after", "before")
WHOLE_LIST = 200
TAKEN = frozenset({"endpoint", "_anchor", "_external", "_method", "_scheme"})
"""By `url_for`: no parameter of a page is called so."""


def asked(cls: type[Query], **fixed: Any) -> Any:
    """The query for the URL's parameters. Raises NotAllowed, or Invalid with a sentence each."""
    authorise(cls)
    names = hints_of(cls)
    values: dict[str, Any] = {
        name: text.strip()
        for name, text in request.args.items()
        if name in names and text.strip() and name not in fixed
    }
    if "descending" in values:
        if values["descending"] not in ("0", "1"):
            raise Invalid(cls.__name__, {"descending": "Write 1 for yes or 0 for no."})
        values["descending"] = values["descending"] == "1"
    values.pop("limit", None)
    return parse(cls, read_here(cls, values) | fixed, from_text=True)


def asked_here(cls: type[Query], **fixed: Any) -> Any:
    """The same for a page that is a list; raises Invalid in words of that page."""
    try:
        return asked(cls, **page_size(cls) | fixed)
    except Invalid as invalid:
        raise Invalid("The address of this list", invalid.problems) from invalid


def page_size(cls: type[Query]) -> dict[str, Any]:
    """What a page asks of a list besides its address: to count the rows, and its size where that
    is not the usual one (see QUERY_PAGINATION_ENABLED)."""
    fixed: dict[str, Any] = {"count": True} if "count" in hints_of(cls) else {}
    return fixed if services.settings.query_pagination_enabled else fixed | {"limit": WHOLE_LIST}


def page_number(page: Page[Any], limit: int) -> str:
    """Which page this is, such as "Page 2 of 40"; empty where that was not counted."""
    if not page.total or not page.first or page.first > COUNTED_TO:
        return ""
    # A page that was reached backwards may begin in the middle of one.
    number = -(-(page.first - 1) // limit) + 1
    if page.total > COUNTED_TO:
        return f"Page {number}"
    return f"Page {number} of {max(number, -(-page.total // limit))}"


def kept_here(*without: str) -> dict[str, str]:
    """The parameters of the present URL that links from here keep: all but those that are named, or
    called what `url_for` or the path takes for itself."""
    gone = {*without, *TAKEN, *(request.view_args or {})}
    return {name: value for name, value in request.args.items() if value and name not in gone}


def here(endpoint: str, without: tuple[str, ...] = (), **changed: Any) -> str:
    """The present URL with some parameters changed, others removed, and from its first page."""
    return url_for(endpoint, **kept_here(*PLACE, *without) | changed)


def pager(
    endpoint: str, next_mark: str | None, previous_mark: str | None, text: str = ""
) -> dict[str, str]:
    """For pager_bar: the URLs of the neighbouring pages, and which page this is."""
    found = {"text": text} if text else {}
    if previous_mark:
        found["previous_url"] = here(endpoint, before=previous_mark)
    if next_mark:
        found["next_url"] = here(endpoint, after=next_mark)
    return found


def sorts(
    endpoint: str, names: Mapping[str, bool], sort: str, *, descending: bool
) -> dict[str, dict[str, str | None]]:
    """For sort_link: per column its URL and direction; `names` says what is shown highest first."""
    found: dict[str, dict[str, str | None]] = {}
    for name, highest_first in names.items():
        next_direction = not descending if name == sort else highest_first
        found[name] = {
            "url": here(endpoint, sort=name, descending=int(next_direction)),
            "direction": ("desc" if descending else "asc") if name == sort else None,
        }
    return found


def chips(
    endpoint: str, labels: Mapping[str, str], words: Mapping[str, Mapping[str, str]] | None = None
) -> list[dict[str, str]]:
    """For the chips macro: each active filter with the URL without it. `words` has the texts of a
    filter's values where they are not readable as they are.
    """
    given = {name: request.args.get(name, "").strip() for name in labels}
    return [
        {
            "label": labels[name],
            "value": (words or {}).get(name, {}).get(text, text),
            "remove_url": here(endpoint, (name,)),
        }
        for name, text in given.items()
        if text
    ]


def moments(*names: str) -> dict[str, dict[str, str]]:
    """`words` of `chips` for filters that are moments: in the zone of whoever looks."""
    formats, zone = formats_of(services.settings.locale), shown_zone()
    given = {name: request.args.get(name, "").strip() for name in names}
    return {
        name: {text: formats.when(typed_moment(text), zone)} for name, text in given.items() if text
    }


def turning(endpoint: str, page: Page[Any], limit: int) -> dict[str, Any]:
    """What a list's template needs to turn pages: see components/lists.html."""
    return {
        "pager": pager(endpoint, page.next, page.previous, page_number(page, limit)),
        "elsewhere": any(request.args.get(name) for name in PLACE),
        "first_url": here(endpoint),
    }
