"""The columns of lists that operators may hide: by list, name and heading in their order."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlencode

from flask import g, request

from cqrs_app import plugins
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.columns_of_rows import row_columns

COLUMNS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "orders": {
            "customer": "Customer",
            "country": "Country",
            "assignee": "Assignee",
            "lines": "Lines",
            "total": "Total",
            "placed": "Placed",
            "updated": "Updated",
        },
        "customers": {
            "name": "Name",
            "email": "E-mail",
            "country": "Country",
            "registered": "Registered",
        },
        "products": {
            "price": "Price",
            "available": "Available",
            "reserved": "Reserved",
            "on_hand": "On hand",
            "incoming": "Incoming",
            "short": "Shortfall",
        },
        "payments": {
            "order": "Order",
            "captured": "Captured",
            "refunded": "Refunded",
            "started": "Started",
        },
        "expenses": {
            "claimant": "Claimant",
            "purpose": "Purpose",
            "amount": "Amount",
            "waiting": "Waiting since",
            "started": "Started",
        },
        **{
            pages.path: {
                each.name: each.head
                for each in row_columns(plugins.row_of(pages, plugin.area))
                if each.name != pages.identity
            }
            for plugin in plugins.installed()
            for pages in plugin.pages
        },
    }
)


PARAMETER = "columns"
"""Of a list's address: the columns to show, whatever the operator has hidden."""
NONE = "none"


def shown_columns(name: str) -> dict[str, str]:
    """The optional columns of a list: those in its address, or that the operator has not hidden."""
    if given := request.args.get(PARAMETER):
        wanted = given.split(",")
        return {column: head for column, head in COLUMNS[name].items() if column in wanted}
    hidden = g.operator.preferences.hidden.get(name, ())
    return {column: head for column, head in COLUMNS[name].items() if column not in hidden}


def columns_parameter(name: str) -> str:
    """For an address that shows the same columns to everybody."""
    return ",".join(shown_columns(name)) or NONE


@bp.app_template_global()
def without_columns() -> str:
    """The present address with the columns that the operator has chosen."""
    given = [(name, text) for name, text in request.args.items(multi=True) if name != PARAMETER]
    path = f"{request.script_root}{request.path}"
    return f"{path}?{urlencode(given)}" if given else path
