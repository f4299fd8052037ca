"""Where an operator goes after a task: the page of the thing it was about."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from flask import url_for

from cqrs_app.kernel.messages.messages import Command
from cqrs_app.services import kernel


@dataclass(frozen=True, slots=True)
class Place:
    """`name` in the navigation, and the endpoints of all things of a kind and of one of them."""

    name: str
    all: str
    one: str = ""
    identity: str = ""


_PLACES = MappingProxyType(
    {
        "order": Place("orders", "web.orders", "web.order", "order_id"),
        "credit_note": Place("customers", "web.credit_notes"),
        "customer": Place("customers", "web.customers", "web.customer", "customer_id"),
        "fulfilment": Place("fulfilment", "web.fulfilments", "web.fulfilment", "order_id"),
        "product": Place("products", "web.products", "web.product", "sku"),
        "payment": Place("payments", "web.payments", "web.payment", "payment_id"),
        "import": Place("imports", "web.imports", "web.history_import", "import_id"),
        "webhook": Place("webhooks", "web.webhooks", "web.webhook", "webhook_id"),
        "projection": Place("system", "web.system"),
    }
)
"""By the category of the streams."""


def place_of(cls: type[Command]) -> str:
    """The entry of the navigation that a task belongs to."""
    place = _PLACES.get(_category(cls))
    return place.name if place else "catalogue"


def page_of(cls: type[Command], identity: str, command: Command | None = None) -> str:
    """The address of the page that shows `identity`; the area's list where it is not known, and
    the task's own page in the catalogue where its area has none."""
    customer_id = getattr(command, "customer_id", "")
    if customer_id and _category(cls) == "credit_note":
        return url_for("web.customer", customer_id=customer_id)
    return page_in(_category(cls), identity) or url_for("web.catalogue_entry", name=cls.__name__)


def page_in(category: str, identity: str) -> str:
    """The address of the page of one thing of this category, or of all; empty where none is."""
    place = _PLACES.get(category)
    if place is None:
        return ""
    if identity and place.one:
        return url_for(place.one, **{place.identity: identity})  # type: ignore[arg-type]
    return url_for(place.all)


def about(stream: str) -> dict[str, str]:
    """What a stream is the history of: its `name` in the navigation, `url` of its page (empty
    where it has none) and `text`, such as "Order 10042"."""
    category, _, identity = stream.partition("-")
    place = _PLACES.get(category)
    return {
        "name": place.name if place else "system",
        "url": page_in(category, identity),
        "text": f"{category.replace('_', ' ').capitalize()} {identity}",
    }


def _category(cls: type[Command]) -> str:
    return kernel.registry.routes[cls].aggregate.category
