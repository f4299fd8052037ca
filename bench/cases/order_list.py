"""The order list over HTTP, with many orders against few: see order_shop.py.

"Common" is a word that a tenth of all orders contain, so a tenth of all orders must be sorted. It
has no target.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.case import Sides
from bench.order_shop import many, shop
from bench.rounds import Plan, Slice

FEW = 10_000


@contextmanager
def sides(plan: Plan) -> Iterator[Sides]:
    with ExitStack() as stack:
        sides: dict[str, Slice] = {}
        for size, count in (("many", many(plan)), ("few", FEW)):
            made = stack.enter_context(shop(count))
            for name, paths in made.pages().items():
                sides[f"{name}, {size}"] = made.side(*paths)
            sides[f"common, {size}"] = made.side("/orders?q=norway")
        yield sides
