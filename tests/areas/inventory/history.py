"""Generated work on a few unusual SKUs, and the read models that follow from it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from cqrs_app.areas.inventory import INVENTORY
from cqrs_app.areas.inventory import commands as do
from cqrs_app.areas.inventory.words import AdjustReason
from cqrs_app.kernel import testing
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.registry import Registry
from tests.areas.inventory.given import NOON

REGISTRY = Registry([INVENTORY])
SKUS = ["85123A", "85123a", "BANK CHARGES"]
TABLES = [table for projection in INVENTORY.projections for table in projection.tables]


class History(testing.History):
    """A history that begins at noon."""

    def __init__(self) -> None:
        super().__init__(REGISTRY, NOON)


def fold(recorded: list[Recorded]) -> Rows:
    """The rows of every projection, in memory."""
    return testing.fold(INVENTORY.projections, recorded)


def _fields() -> dict[str, Any]:
    return {"sku": st.sampled_from(SKUS)}


_ORDERS = st.sampled_from(["1", "2", "A-3"])
_FEW = st.integers(1, 6)
_DELIVERIES = st.sampled_from(["PO-1", "PO-2"])
ADDING: st.SearchStrategy[Command] = st.builds(
    do.AddProduct,
    **_fields(),
    description=st.sampled_from(["", "Café lantern"]),
    tracked=st.sampled_from([True, True, True, False]),
    low_below=st.integers(0, 4),
)
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    ADDING,
    st.builds(do.ReceiveStock, **_fields(), quantity=_FEW, reference=_DELIVERIES),
    st.builds(do.ReceiveStock, **_fields(), quantity=_FEW, reference=_DELIVERIES),
    st.builds(
        do.ExpectStock,
        **_fields(),
        quantity=st.integers(0, 6),
        reference=_DELIVERIES,
        due=st.dates(date(2010, 12, 1), date(2010, 12, 3)),
    ),
    st.builds(
        do.AdjustStock,
        **_fields(),
        difference=st.integers(-5, 5).filter(bool),
        reason=st.sampled_from(AdjustReason),
    ),
    st.builds(do.ReserveStock, **_fields(), order_id=_ORDERS, quantity=_FEW),
    st.builds(do.ReserveStock, **_fields(), order_id=_ORDERS, quantity=_FEW),
    st.builds(do.ChangeReservation, **_fields(), order_id=_ORDERS, quantity=_FEW),
    st.builds(do.ReleaseStock, **_fields(), order_id=_ORDERS),
    st.builds(do.CommitStock, **_fields(), order_id=_ORDERS, quantity=st.none() | _FEW),
    st.builds(do.RetireProduct, **_fields()),
    st.builds(do.RestoreProduct, **_fields()),
    st.builds(do.SetLowStockLevel, **_fields(), low_below=st.integers(0, 9)),
    st.builds(
        do.SetProductPrice,
        **_fields(),
        currency=st.sampled_from(["EUR", "JPY"]),
        price=st.none() | st.decimals(0, 9, places=2),
    ),
    st.builds(do.RenameProduct, **_fields(), description=st.sampled_from(["Star", "Éclair"])),
)


def work() -> st.SearchStrategy[list[tuple[Command, int]]]:
    """Any sequence of commands, each with the number of hours after noon."""
    added: st.SearchStrategy[list[tuple[Command, int]]] = st.just(
        [(do.AddProduct(sku=sku, low_below=2), 0) for sku in SKUS[:2]]
    )
    rest = st.lists(st.tuples(COMMANDS, st.integers(0, 60)), max_size=40)
    return st.builds(lambda first, later: [*first, *later], added, rest)


SKU, OTHER, CHARGE = SKUS
EVERYTHING: list[tuple[Command, int]] = [
    (do.AddProduct(sku=SKU, description="Lamp", low_below=4), 0),
    (do.AddProduct(sku=OTHER, description="Other lamp", low_below=2), 1),
    (do.AddProduct(sku=CHARGE, tracked=False), 1),
    (do.ExpectStock(sku=SKU, quantity=9, reference="PO-1", due=date(2010, 12, 2)), 2),
    (do.ExpectStock(sku=SKU, quantity=5, reference="PO-2", due=date(2010, 12, 3)), 2),
    (do.ReceiveStock(sku=SKU, quantity=6, reference="PO-1"), 3),
    (do.ReceiveStock(sku=OTHER, quantity=8, reference="PO-1"), 3),
    (do.ReceiveStock(sku=SKU, quantity=3, reference="PO-1"), 30),
    (do.ReserveStock(sku=SKU, order_id="1", quantity=4), 31),
    (do.ReserveStock(sku=SKU, order_id="2", quantity=3), 31),
    (do.ReserveStock(sku=OTHER, order_id="1", quantity=4), 31),
    (do.ChangeReservation(sku=OTHER, order_id="1", quantity=5), 31),
    (do.ReserveStock(sku=SKU, order_id="A-3", quantity=3), 31),  # refused: 2 are left
    (do.AdjustStock(sku=SKU, difference=-3, reason=AdjustReason.DAMAGED), 32),  # refused
    (do.AdjustStock(sku=SKU, difference=-1, reason=AdjustReason.DAMAGED), 32),
    (do.AdjustStock(sku=OTHER, difference=2, reason=AdjustReason.COUNTED), 32),
    (do.CommitStock(sku=SKU, order_id="1", quantity=1), 33),
    (do.ReleaseStock(sku=SKU, order_id="2"), 33),
    (do.CommitStock(sku=SKU, order_id="1"), 50),
    (do.ReserveStock(sku=SKU, order_id="2", quantity=2), 51),
    (do.CommitStock(sku=OTHER, order_id="1", quantity=2), 51),
    (do.SetLowStockLevel(sku=SKU, low_below=9), 52),
    (do.RenameProduct(sku=OTHER, description="Star"), 52),
    (do.SetProductPrice(sku=OTHER, currency="EUR", price=Decimal("2.50")), 52),
    (do.SetProductPrice(sku=OTHER, currency="CHF", price=Decimal(3)), 52),
    (do.SetProductPrice(sku=OTHER, currency="EUR"), 52),
    (do.ExpectStock(sku=SKU, quantity=0, reference="PO-2", due=date(2010, 12, 3)), 53),
    (do.ReleaseStock(sku=OTHER, order_id="1"), 54),
    (do.RetireProduct(sku=OTHER), 55),  # refused: some are on hand
    (do.AdjustStock(sku=OTHER, difference=-8, reason=AdjustReason.COUNTED), 56),
    (do.RetireProduct(sku=OTHER), 57),
    (do.RestoreProduct(sku=OTHER), 58),
    (do.RetireProduct(sku=CHARGE), 58),
]
"""Every command at least once, with several products and orders."""


def everything() -> History:
    return _after(EVERYTHING)


def histories() -> st.SearchStrategy[History]:
    return work().map(_after)


def _after(tasks: list[tuple[Command, int]]) -> History:
    history = History()
    for command, hours in tasks:
        history.run(command, NOON + timedelta(hours=hours))
    return history
