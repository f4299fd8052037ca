"""Products: the list, and one with its stock, its reservations and its ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.areas.fulfilment.queries import OrdersWaitingFor
from cqrs_app.areas.inventory.commands import (
    AddProduct,
    RestoreProduct,
    RetireProduct,
    SetLowStockLevel,
)
from cqrs_app.areas.inventory.queries.one_product import GetProduct, ListMovements, ProductView
from cqrs_app.areas.inventory.queries.product_list import ListProducts, LowStock, Shown
from cqrs_app.areas.inventory.queries.sales import ProductSales
from cqrs_app.areas.inventory.words import label_of, prices_in
from cqrs_app.interfaces.web.areas import product_lookups
from cqrs_app.interfaces.web.areas.area import Finder, Hit, Place, WebArea
from cqrs_app.interfaces.web.areas.finding import by_number, same_number, unique
from cqrs_app.interfaces.web.ask import ask, ask_if_allowed, ask_or_none, may, may_act, query_or_404
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.list_page import ListPage
from cqrs_app.interfaces.web.listing import PLACE, asked_here, pager
from cqrs_app.interfaces.web.pending_badges import badges_of
from cqrs_app.interfaces.web.polling import fragment, poll_every
from cqrs_app.interfaces.web.tasks import offered
from cqrs_app.interfaces.web.zones import business_day
from cqrs_app.kernel.messages.messages import Command

HIGHEST_FIRST = MappingProxyType(
    {"sku": False, "description": False, "available": False, "short": True}
)
FILTERS = MappingProxyType({"q": "Search", "show": "Show"})
SALES_DAYS = 30
LOW_SHOWN = 8
BATCHED: tuple[type[Command], ...] = (SetLowStockLevel, RetireProduct, RestoreProduct)


LIST = ListPage(
    name="products",
    query=ListProducts,
    title="Products",
    one="product",
    many="products",
    search="Number or name",
    filters=FILTERS,
    words={"show": {each.value: each.label for each in Shown}},
    highest_first=HIGHEST_FIRST,
    batched=BATCHED,
)


@bp.get("/products")
def products() -> ResponseReturnValue:
    """One page of the products that fit."""
    return render_template(
        "products/products.html",
        prices_in=prices_in,
        may_add=may_act("inventory.manage"),
        **LIST.shown(),
    )


# A SKU may contain anything, slashes and dots included, which a path cannot carry.
@bp.get("/product")
def product() -> ResponseReturnValue:
    """One product, named by `sku`."""
    return render_template("products/product.html", **_shown())


@bp.get("/product/now")
@background
def product_now() -> ResponseReturnValue:
    """The product's content again, for the page that shows it."""
    return fragment(render_template("products/_product.html", **_shown()))


def _shown() -> dict[str, Any]:
    sku = request.args.get("sku", "")
    missing = f"There is no product {sku}." if sku else "Choose a product."
    question = query_or_404(GetProduct, missing, sku=sku)
    projected = ask_or_none(question)
    # What no projection holds yet is folded from the events; while the read store is down,
    # everything is.
    answer = projected if projected and projected.value else ask(question, strong=True)
    ahead = projected is not None and answer is not projected
    view: ProductView | None = answer.value
    version = view.product.applied_version if view else 0
    badges = badges_of("product", {sku: version}, answer.freshness)[sku]
    if view is None and not badges.pending:
        abort(404, missing)
    movements = ask_or_none(asked_here(ListMovements))
    moving = projected is not None and projected.freshness.is_moving
    since = business_day() - timedelta(days=SALES_DAYS - 1)
    return {
        "sku": sku,
        "view": view,
        "freshness": answer.freshness,
        "badges": badges,
        "ahead": view is not None and ahead,
        "unavailable": [] if movements else ["Movements", "Units shipped"],
        "follows_soon": ahead and moving,
        "poll_every": poll_every(badges.pending.since if badges.pending and moving else None),
        "movements": movements and movements.value,
        "movements_freshness": movements and movements.freshness,
        "pager": movements and pager("web.product", movements.value.next, movements.value.previous),
        "here": {name: text for name, text in request.args.items() if name in ("sku", *PLACE)},
        "waiting": ask_if_allowed(OrdersWaitingFor(sku=sku)),
        "may_receive": may_act("inventory.receive"),
        "prices_in": prices_in,
        "reason": label_of,
        "sold": _sold(ProductSales(sku=sku)),
        "sold_lately": _sold(ProductSales(sku=sku, since=since)),
        "sales_days": SALES_DAYS,
        "tasks": offered(view.tasks) if view else [],
        "may_reserve": may_act("inventory.reserve"),
        "may_see_commands": may("commands.view"),
        "may_see_events": may("events.view"),
    }


def _sold(question: ProductSales) -> int | None:
    answer = ask_or_none(question)
    return sum(row.units for row in answer.value) if answer else None


def _low_stock() -> dict[str, Any]:
    return {"answer": ask(LowStock(limit=LOW_SHOWN))}


def _find(text: str, most: int) -> Iterator[Hit]:
    for sku, row in unique((each.sku, each) for each in _matching(text, most)):
        available = f"{row.available} available" if row.tracked else "Not stocked"
        yield Hit(
            sku,
            url_for("web.product", sku=sku),
            tuple(filter(None, (row.description, available))),
            same_number(text, sku),
        )


def _matching(text: str, most: int) -> Iterator[Any]:
    if exact := by_number(GetProduct, "sku", text):
        yield exact.product
    yield from ask(ListProducts(q=text, limit=most)).value.rows


INVENTORY = WebArea(
    places={"product": Place("products", "web.products", "web.product")},
    lookups={"product": product_lookups.PRODUCTS, "delivery": product_lookups.DELIVERIES},
    home_panels={"low-stock": _low_stock},
    finders=(Finder("Products", "stack-2", "inventory.view", _find, all="web.products"),),
    starts=(AddProduct,),
    batched=BATCHED,
)
