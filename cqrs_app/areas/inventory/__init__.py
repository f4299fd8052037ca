"""Inventory: products, what is on hand, what is reserved for orders, what is on its way."""

from __future__ import annotations

from cqrs_app.areas.inventory import commands, events
from cqrs_app.areas.inventory.projections.availability import AvailabilityProjection
from cqrs_app.areas.inventory.projections.movements import MovementsProjection
from cqrs_app.areas.inventory.projections.sales import SalesProjection
from cqrs_app.areas.inventory.queries import one_product, product_list, sales
from cqrs_app.areas.inventory.refusals import STOCK_REFUSALS
from cqrs_app.areas.inventory.stock_item import StockItem
from cqrs_app.kernel.registry import Area, Strong

INVENTORY = Area(
    name="inventory",
    handles={
        StockItem: {
            commands.AddProduct: StockItem.add,
            commands.RenameProduct: StockItem.rename,
            commands.SetLowStockLevel: StockItem.set_low_stock_level,
            commands.RetireProduct: StockItem.retire,
            commands.RestoreProduct: StockItem.restore,
            commands.ExpectStock: StockItem.expect,
            commands.ReceiveStock: StockItem.receive,
            commands.AdjustStock: StockItem.adjust,
            commands.ReserveStock: StockItem.reserve,
            commands.ReleaseStock: StockItem.release,
            commands.CommitStock: StockItem.commit,
        },
    },
    refusals=STOCK_REFUSALS,
    events=[
        events.ProductAdded,
        events.ProductRenamed,
        events.LowStockLevelSet,
        events.ProductRetired,
        events.ProductRestored,
        events.StockExpected,
        events.StockReceived,
        events.StockAdjusted,
        events.StockReserved,
        events.StockReleased,
        events.StockCommitted,
    ],
    projections=[AvailabilityProjection(), MovementsProjection(), SalesProjection()],
    answers={
        product_list.ListProducts: product_list.list_products,
        product_list.LowStock: product_list.low_stock,
        one_product.GetProduct: one_product.get_product,
        one_product.StockOfOrder: one_product.stock_of_order,
        one_product.ListMovements: one_product.list_movements,
        sales.ProductSales: sales.list_sales,
    },
    answers_strongly={
        one_product.GetProduct: Strong(one_product.stream_of, one_product.fold_product),
    },
)
