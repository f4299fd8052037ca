"""The words that each order is found by."""

from __future__ import annotations

from collections.abc import Sequence

from cqrs_app.areas.desk.read_models import order_lines, order_texts
from cqrs_app.areas.desk.search import searchable, with_last, with_more
from cqrs_app.areas.orders.events import OrderLinesChanged, OrderPlaced
from cqrs_app.kernel import ERASED, Key, Row, Rows, index_words
from cqrs_app.standards.countries import country_name


def words_of(event: OrderPlaced) -> str:
    """What a new order is found by, as the search stores it."""
    lines = [{"sku": line.sku, "description": line.description} for line in event.lines]
    order = {name: getattr(event, name) for name in ("order_id", "customer_id")}
    order["country"] = country_name(event.country)
    found = searchable(impersonal_words(order, lines))
    if event.customer_name == ERASED:
        return found
    # After the other handlers, so that erasing a customer leaves the same index as a replay would.
    return with_more(found, index_words([event.customer_name]))


def preload_words(found: Sequence[Row], rows: Rows) -> None:
    """The columns from which the words of these orders are made."""
    rows.preload((order_texts, (row["order_id"],)) for row in found)
    rows.preload((order_lines, key) for row in found for key in _line_keys(row))


def _line_keys(order: Row) -> list[Key]:
    return [(order["order_id"], line_no) for line_no in range(1, order["last_line"] + 1)]


def lines_of(order: Row, rows: Rows) -> list[Row]:
    """The order's lines, in their order."""
    keys = _line_keys(order)
    rows.preload((order_lines, key) for key in keys)
    return [line for key in keys if (line := rows.get(order_lines, *key))]


def index_lines(event: OrderLinesChanged, others: Sequence[str], rows: Rows) -> None:
    """Orders are found by the words of new lines, and still by those of removed lines, which are
    shown.
    """
    text = rows.change(order_texts, event.order_id)
    numbers, texts = zip(*((line.sku, line.description) for line in event.added), strict=True)
    text["search"] = with_last(text["search"], index_words(texts, numbers), others)


def lasting_words(order: Row, lines: Sequence[Row]) -> list[str]:
    """The words that stay when the customer goes."""
    return [*impersonal_words(order, lines), *index_words(numbers=[order["tracking"]])]


def impersonal_words(order: Row, lines: Sequence[Row]) -> list[str]:
    """The words of everything but the customer's name and the tracking number."""
    numbers = [order["order_id"], order["customer_id"], *(line["sku"] for line in lines)]
    return index_words([order["country"], *(line["description"] for line in lines)], numbers)
