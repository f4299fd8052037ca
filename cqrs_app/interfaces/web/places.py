"""Where an operator goes after a command: the page of the thing it was about."""

from __future__ import annotations

from flask import url_for

from cqrs_app.interfaces.web.areas import PLACES
from cqrs_app.interfaces.web.areas.area import Place
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.services import kernel


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
    return _page_in(category_of(cls), identity) or url_for("web.catalogue_entry", name=cls.__name__)


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
