"""Inventory: products, stock on hand, reservations for orders, expected deliveries."""

from __future__ import annotations

from cqrs_app.areas.inventory import events
from cqrs_app.areas.inventory.projections.availability import AvailabilityProjection
from cqrs_app.areas.inventory.projections.movements import MovementsProjection
from cqrs_app.areas.inventory.projections.sales import SalesProjection
from cqrs_app.areas.inventory.queries import one_product, product_list, sales
from cqrs_app.areas.inventory.stock_item import StockItem
from cqrs_app.kernel import Area, projected

INVENTORY = Area(
    name="inventory",
    aggregates=[StockItem],
    events=events,
    projections=[AvailabilityProjection(), MovementsProjection(), SalesProjection()],
    answers={
        product_list.ChooseProducts: projected(product_list.choose_products),
        product_list.ListProducts: projected(product_list.list_products),
        product_list.CountProductViews: projected(product_list.count_product_views),
        product_list.GetProducts: projected(product_list.get_products),
        product_list.LowStock: projected(product_list.low_stock),
        one_product.GetProduct: projected(
            one_product.get_product, aggregate=StockItem, strong=one_product.fold_product
        ),
        one_product.StockOfOrder: projected(one_product.stock_of_order),
        one_product.ListMovements: projected(one_product.list_movements),
        sales.ProductSales: projected(sales.list_sales),
    },
)
