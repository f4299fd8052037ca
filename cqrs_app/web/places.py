"""Where an operator goes after a task: the page of the thing it was about."""

from __future__ import annotations

from flask import url_for

from cqrs_app.extensions import kernel
from cqrs_app.kernel.messages import Command

_NAVIGATION = {
    "order": "orders",
    "credit_note": "customers",
    "customer": "customers",
    "webhook": "webhooks",
    "import": "imports",
    "projection": "system",
}


def place_of(cls: type[Command]) -> str:
    """The entry of the navigation that a task belongs to."""
    category = kernel.registry.routes[cls].aggregate.category
    return _NAVIGATION.get(category, "catalogue")


def page_of(cls: type[Command], identity: str, command: Command | None = None) -> str:
    """The address of the page that shows `identity`; the area's list where it is not known, and
    the task's own page in the catalogue where its area has none."""
    category = kernel.registry.routes[cls].aggregate.category
    if category == "order":
        return url_for("web.order", order_id=identity) if identity else url_for("web.orders")
    if category in ("credit_note", "customer"):
        customer_id = identity if category == "customer" else getattr(command, "customer_id", "")
        if customer_id:
            return url_for("web.customer", customer_id=customer_id)
        return url_for("web.customers")
    if category == "import":
        shown = url_for("web.history_import", import_id=identity) if identity else ""
        return shown or url_for("web.imports")
    if category == "webhook":
        if identity:
            return url_for("web.webhook", webhook_id=identity)
        return url_for("web.webhooks")
    if category == "projection":
        return url_for("web.system")
    return url_for("web.catalogue_entry", name=cls.__name__)
