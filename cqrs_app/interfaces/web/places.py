"""Where an operator goes after a command: the page of the thing it was about, as it was shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import has_request_context, request, url_for

from cqrs_app.interfaces.web.areas import PLACES
from cqrs_app.interfaces.web.areas.area import FROM, Place
from cqrs_app.interfaces.web.auth import this_address
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.services import kernel

_RETURNING = frozenset({"web.command_form", "web.undo"})


@bp.app_url_defaults
def _add_where_from(endpoint: str, values: dict[str, Any]) -> None:
    """A link to a form on a page whose address has filters leads back to them."""
    if endpoint in _RETURNING and has_request_context():
        shown = urlsplit(request.headers.get("HX-Current-URL", "") or this_address())
        if shown.query and not shown.path.startswith(f"{request.script_root}/commands/"):
            values.setdefault(FROM, f"{shown.path}?{shown.query}")


def back_to(*pages: str) -> str:
    """The address that the form or button was on, if it is one of these pages; else the first."""
    given = request.args.get(FROM, "")
    asked = urlsplit(given)
    known = {urlsplit(page).path for page in pages}
    local = not asked.scheme and not asked.netloc and asked.path in known
    return given if local else pages[0]


def category_of(cls: type[Command]) -> str:
    """The category of the streams that a command writes to."""
    return kernel.registry.routes[cls].aggregate.category


def place_of(cls: type[Command]) -> Place | None:
    """Where the things are shown that a command is about; None where they have no page."""
    return PLACES.get(category_of(cls))


def page_of(cls: type[Command], identity: str) -> str:
    """The URL of the page that shows `identity`; the area's list if it is not known, and the
    command's own page in the catalogue if its area has none.
    """
    return pages_of(cls, identity)[0]


def pages_of(cls: type[Command], identity: str) -> tuple[str, ...]:
    """That page, and the other one that offers its commands."""
    page = _page_in(category_of(cls), identity)
    place = place_of(cls)
    if page and identity and place and place.also:
        name = kernel.registry.aggregates[category_of(cls)].identity
        return page, url_for(place.also, **{name: identity})  # type: ignore[arg-type]
    return (page or url_for("web.catalogue_entry", name=cls.__name__),)


@bp.app_template_global()
def names_about(command: str, identities: list[str]) -> Mapping[str, str]:
    """What a command's things are called, where their identities are ids of programs."""
    cls = kernel.registry.commands.get(command)
    place = place_of(cls) if cls else None
    return place.names(identities) if place and identities else {}


@bp.app_template_global()
def page_about(command: str, identity: str) -> str:
    """The same by the command's name; empty for a command that this release does not have."""
    cls = kernel.registry.commands.get(command)
    return page_of(cls, identity) if cls else ""


def about(stream: str) -> dict[str, str]:
    """What a stream is the history of: its `name` in the navigation, `url` of its page (empty if it
    has none) and `text`, such as "Order 10042".
    """
    category, _, identity = stream.partition("-")
    place = PLACES.get(category)
    return {
        "name": place.tab if place else "system",
        "url": _page_in(category, identity),
        "text": f"{category.replace('_', ' ').capitalize()} {identity}",
    }


def _page_in(category: str, identity: str) -> str:
    place = PLACES.get(category)
    if place is None:
        return ""
    if identity and place.one:
        name = kernel.registry.aggregates[category].identity
        return url_for(place.one, **{name: identity})  # type: ignore[arg-type]
    return url_for(place.all)
