"""Lookups of products by SKU or words of their name, and of a product's expected deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from cqrs_app.areas.inventory.commands import VIEW
from cqrs_app.areas.inventory.queries.one_product import ExpectedRow, GetProduct
from cqrs_app.areas.inventory.queries.product_list import ListProducts, ProductRow
from cqrs_app.areas.inventory.words import prices_in
from cqrs_app.interfaces.web.ask import ask
from cqrs_app.interfaces.web.choices import Choice, Given, Lookup
from cqrs_app.interfaces.web.formats import Formats, formats_of
from cqrs_app.kernel.errors import Invalid
from cqrs_app.services import services

MOST = 8
NOTHING: Any = MappingProxyType(dict.fromkeys(("description", "unit_price")))
"""The values that a row had from another product, and does not have from an unknown one."""
UNKNOWN = {
    "accept": ("Not in the product list: nothing will be reserved.", "idle"),
    "flag": ("Not in the product list: the order will be flagged.", "warn"),
    "refuse": ("There is no such product. Choose another SKU, or add the product first.", "bad"),
}


def _find(q: str, given: Given) -> Sequence[Choice]:
    page = ask(ListProducts(q=q, limit=MOST)).value
    return [_choice(row, given) for row in page.rows]


def _about(sku: str, given: Given) -> Choice:
    product = _product(sku)
    if product is None:
        note, tone = UNKNOWN[services.settings.unknown_products]
        return Choice(value=sku, note=note, tone=tone, fill=NOTHING)
    return _choice(product, given)


def _choice(product: ProductRow, given: Given) -> Choice:
    currency = given.get("currency", "")
    price = prices_in(product.prices).get(currency)
    note, tone = _stock(product, given.get("quantity", ""))
    cost = "" if price is None else f"{currency} {_formats().exact(price, currency)}"
    fill = {
        "description": product.description,
        "low_below": product.low_below,
        "unit_price": price,
        "price": price,
    }
    words = (product.description, cost)
    text = " · ".join(filter(None, (*words, note)))
    return Choice(value=product.sku, text=text, fill=fill, note=note, tone=tone)


def _stock(product: ProductRow, quantity: str) -> tuple[str, str]:
    if product.retired:
        return "Retired: nothing can be reserved.", "bad"
    if not product.tracked:
        return "Not stocked", "idle"
    available = _formats().number(product.available)
    wanted = int(quantity) if quantity.isdecimal() and len(quantity) < 12 else 1
    if wanted > product.available:
        return f"Only {available} available" if product.available else "None available", "warn"
    return f"{available} available", "good"


def _find_delivery(q: str, given: Given) -> Sequence[Choice]:
    wanted = q.casefold()
    found = (each for each in _expected(given) if wanted in each.reference.casefold())
    return [_delivery(each) for each in list(found)[:MOST]]


def _about_delivery(reference: str, given: Given) -> Choice:
    for each in _expected(given):
        if each.reference == reference:
            return _delivery(each)
    return Choice(value=reference, note="No such delivery is expected.")


def _delivery(each: ExpectedRow) -> Choice:
    text = f"{_formats().number(each.quantity)} expected on {_formats().day(each.due)}"
    fill = {"quantity": each.quantity}
    return Choice(value=each.reference, text=text, fill=fill, note=text)


def _expected(given: Given) -> Sequence[ExpectedRow]:
    view = _view(given.get("sku", ""))
    return view.expected if view else ()


def _product(sku: str) -> ProductRow | None:
    view = _view(sku)
    return view.product if view else None


def _view(sku: str) -> Any:
    try:
        question = GetProduct(sku=sku)
    except Invalid:
        return None  # nothing has such a SKU; sending it says what is wrong with it
    return ask(question).value


def _formats() -> Formats:
    return formats_of(services.settings.locale)


PRODUCTS = Lookup(permission=VIEW, find=_find, about=_about, uses=("currency", "quantity"))
DELIVERIES = Lookup(
    permission=VIEW, find=_find_delivery, about=_about_delivery, uses=("sku",), listed=True
)
