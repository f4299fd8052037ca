"""Lookups of products by SKU or words of their name, and of a product's expected deliveries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

from cqrs_app.areas.inventory.commands import VIEW
from cqrs_app.areas.inventory.queries.one_product import ExpectedRow, GetProduct
from cqrs_app.areas.inventory.queries.product_list import (
    MOST_PRODUCTS,
    GetProducts,
    ListProducts,
    ProductRow,
)
from cqrs_app.areas.inventory.words import prices_in
from cqrs_app.areas.orders.commands import VIEW as SEE_ORDERS
from cqrs_app.interfaces.web.areas.order_summary import order_given
from cqrs_app.interfaces.web.ask import ask, may
from cqrs_app.interfaces.web.choices import Asked, Choice, Given, Lookup
from cqrs_app.interfaces.web.formats import Formats, formats_of
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.checks import problems
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
    currency = _currency(given)
    return [_choice(row, given.get("quantity", ""), currency) for row in page.rows]


def _about(asked: Sequence[Asked]) -> Sequence[Choice]:
    products = products_of(sku for sku, _ in asked)
    currency = cache(lambda order_id, named: named or _currency_of(order_id))
    return [
        _choice(products[sku], given.get("quantity", ""), currency(*_named(given)))
        if sku in products
        else _unknown(sku)
        for sku, given in asked
    ]


def _unknown(sku: str) -> Choice:
    note, tone = UNKNOWN[services.settings.unknown_products]
    return Choice(value=sku, note=note, tone=tone, fill=NOTHING)


def _choice(product: ProductRow, quantity: str, currency: str) -> Choice:
    price = prices_in(product.prices).get(currency)
    note, tone = _stock(product, quantity)
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


def products_of(skus: Iterable[str]) -> dict[str, ProductRow]:
    """The products there are of these numbers, by number; what nothing can be called is none."""
    usable = [sku for sku in dict.fromkeys(skus) if not problems(GetProduct, {"sku": sku})]
    batches = (usable[at : at + MOST_PRODUCTS] for at in range(0, len(usable), MOST_PRODUCTS))
    return {row.sku: row for batch in batches for row in ask(GetProducts(skus=tuple(batch))).value}


def _find_delivery(q: str, given: Given) -> Sequence[Choice]:
    wanted = q.casefold()
    found = (each for each in _expected(given) if wanted in each.reference.casefold())
    return [_delivery(each) for each in list(found)[:MOST]]


def _about_deliveries(asked: Sequence[Asked]) -> Sequence[Choice]:
    return [_about_delivery(reference, given) for reference, given in asked]


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
    try:
        question = GetProduct(sku=given.get("sku", ""))
    except Invalid:
        return ()  # nothing has such a SKU; sending it says what is wrong with it
    view = ask(question).value
    return view.expected if view else ()


def _named(given: Given) -> tuple[str, str]:
    return given.get("order_id", ""), given.get("currency", "")


def _currency(given: Given) -> str:
    order_id, named = _named(given)
    return named or _currency_of(order_id)


def _currency_of(order_id: str) -> str:
    """Of the order that a form without a currency changes."""
    order = order_given({"order_id": order_id}) if may(SEE_ORDERS) else None
    return order.currency if order else ""


def _formats() -> Formats:
    return formats_of(services.settings.locale)


PRODUCTS = Lookup(
    permission=VIEW, find=_find, about=_about, uses=("currency", "quantity", "order_id")
)
DELIVERIES = Lookup(
    permission=VIEW, find=_find_delivery, about=_about_deliveries, uses=("sku",), listed=True
)
