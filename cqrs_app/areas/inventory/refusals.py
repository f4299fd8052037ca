"""What each task can be refused with: told by the catalogue."""

from __future__ import annotations

from types import MappingProxyType

from cqrs_app.areas.inventory import commands

_UNKNOWN = {"no_such_product": "There is no product of this number."}
_OFFERED = _UNKNOWN | {"product_retired": "The product is retired."}
_KEPT = {"not_tracked": "No stock is kept of it: it is a charge."}

STOCK_REFUSALS = MappingProxyType(
    {
        commands.AddProduct: {"product_exists": "The number is taken, by something else."},
        commands.RenameProduct: _OFFERED,
        commands.SetLowStockLevel: _OFFERED | _KEPT,
        commands.RetireProduct: _OFFERED | {"still_reserved": "Orders wait for some of it."},
        commands.RestoreProduct: _UNKNOWN | {"not_retired": "It is not retired."},
        commands.ExpectStock: _OFFERED | _KEPT,
        commands.ReceiveStock: _OFFERED | _KEPT,
        commands.AdjustStock: _UNKNOWN
        | _KEPT
        | {"below_reserved": "Fewer would be left than are reserved for orders."},
        commands.ReserveStock: _OFFERED
        | {
            "out_of_stock": "Fewer are available than were asked for.",
            "reserved_otherwise": "Another quantity is reserved for this order already.",
        },
        commands.ReleaseStock: _UNKNOWN,
        commands.CommitStock: _UNKNOWN
        | {
            "not_reserved": "Nothing of it is reserved for this order.",
            "more_than_reserved": "Less of it is reserved for this order.",
        },
    }
)
