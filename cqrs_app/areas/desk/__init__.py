"""Desk: what operators read about orders, from the events of several areas. The list, the page of
one order, search, the figures of Home, customers' accounts, credit notes and reports. It has no
commands, and no area imports it."""

from __future__ import annotations

from dataclasses import replace

from cqrs_app.areas.desk.projections.customers import CustomersProjection
from cqrs_app.areas.desk.projections.orders import OrdersProjection, UnfulfilledOrdersProjection
from cqrs_app.areas.desk.projections.sales import SalesProjection
from cqrs_app.areas.desk.projections.timeline import Further, OrderTimelineProjection
from cqrs_app.areas.desk.queries import (
    best,
    carriers,
    choices,
    choose_orders,
    credit_notes,
    customers,
    figures,
    import_totals,
    one_order,
    order_at,
    order_list,
    order_totals,
    refunds,
    revenue,
    several_orders,
    timeline,
    view_counts,
    workload,
)
from cqrs_app.areas.orders.order import Order
from cqrs_app.kernel import Area, from_past, projected

DESK = Area(
    name="desk",
    topic="orders",
    projections=[
        OrdersProjection(),
        OrderTimelineProjection(),
        CustomersProjection(),
        SalesProjection(),
    ],
    answers={
        order_list.ListOrders: projected(order_list.list_orders),
        choose_orders.ChooseOrders: projected(choose_orders.choose_orders),
        order_list.CountChanges: projected(order_list.count_changes),
        one_order.GetOrder: projected(
            one_order.get_order,
            aggregate=Order,
            strong=one_order.fold_order,
            beside=one_order.streams_beside,
        ),
        timeline.OrderTimeline: projected(
            timeline.timeline,
            aggregate=Order,
            strong=timeline.fold_timeline,
            beside=one_order.streams_beside,
        ),
        timeline.TimelineVersion: projected(
            timeline.timeline_version, aggregate=Order, strong=timeline.fold_timeline_version
        ),
        order_at.GetOrderAt: from_past(order_at.get_order_at),
        several_orders.GetOrders: projected(several_orders.get_orders),
        several_orders.StagesOfOrders: projected(several_orders.stages_of_orders),
        figures.OrdersByStage: projected(figures.orders_by_stage),
        view_counts.CountViews: projected(view_counts.count_views),
        figures.WaitingByAge: projected(figures.waiting_by_age),
        figures.TodayFigures: projected(figures.today_figures),
        figures.OrdersByDay: projected(figures.orders_by_day),
        figures.OrdersByStatus: projected(figures.orders_by_status),
        choices.OrderChoices: projected(choices.order_choices),
        carriers.RecentCarriers: projected(carriers.recent_carriers),
        customers.ListCustomers: projected(customers.list_customers),
        customers.GetCustomer: projected(customers.get_customer),
        credit_notes.ListCreditNotes: projected(credit_notes.list_credit_notes),
        refunds.ListRefundedOrders: projected(refunds.list_refunded_orders),
        revenue.RevenueReport: projected(revenue.revenue_report),
        revenue.LastSalesDay: projected(revenue.last_sales_day),
        order_totals.TotalOfOrders: projected(order_totals.total_of_orders),
        best.TopProducts: projected(best.top_products),
        best.TopCustomers: projected(best.top_customers),
        workload.Workloads: projected(workload.workloads),
        import_totals.ImportTotals: projected(import_totals.import_totals),
    },
)


def desk_area(*, fulfilment: bool, timeline: Further) -> Area:
    """The area; `fulfilment` is whether it sees to approved orders, `timeline` what events of other
    packages are in the timelines of orders."""
    orders = OrdersProjection() if fulfilment else UnfulfilledOrdersProjection()
    return replace(
        DESK,
        projections=[
            orders,
            OrderTimelineProjection(timeline),
            CustomersProjection(),
            SalesProjection(),
        ],
    )
