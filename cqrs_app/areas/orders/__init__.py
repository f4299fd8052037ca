"""Orders: taken in, approved, held, shipped, cancelled; and the credit notes of their customers."""

from __future__ import annotations

from cqrs_app.areas.orders import commands, events
from cqrs_app.areas.orders.actions import possible
from cqrs_app.areas.orders.credit_note import CreditNote
from cqrs_app.areas.orders.order import Order
from cqrs_app.areas.orders.projections.customers import CustomersProjection
from cqrs_app.areas.orders.projections.orders import OrdersProjection
from cqrs_app.areas.orders.projections.sales import SalesProjection
from cqrs_app.areas.orders.projections.timeline import OrderTimelineProjection
from cqrs_app.areas.orders.queries import (
    best,
    credit_notes,
    customers,
    figures,
    import_totals,
    one_order,
    order_list,
    revenue,
)
from cqrs_app.areas.orders.refusals import ORDER_REFUSALS
from cqrs_app.kernel.registry import Area, FromState, Strong

ORDERS = Area(
    name="orders",
    handles={
        Order: {
            commands.PlaceOrder: Order.place,
            commands.ApproveOrder: Order.approve,
            commands.RejectOrder: Order.reject,
            commands.HoldOrder: Order.hold,
            commands.ReleaseOrder: Order.release,
            commands.ChangeShippingAddress: Order.change_address,
            commands.AddOrderNote: Order.add_note,
            commands.ShipOrder: Order.ship,
            commands.DeliverOrder: Order.deliver,
            commands.CancelOrder: Order.cancel,
        },
        CreditNote: {commands.RecordCreditNote: CreditNote.record},
    },
    refusals=ORDER_REFUSALS,
    events=[
        events.OrderPlaced,
        events.OrderApproved,
        events.OrderRejected,
        events.OrderHeld,
        events.OrderReleased,
        events.ShippingAddressChanged,
        events.OrderNoteAdded,
        events.OrderShipped,
        events.OrderDelivered,
        events.OrderCancelled,
        events.OrderFlagged,
        events.CreditNoteRecorded,
    ],
    projections=[
        OrdersProjection(),
        OrderTimelineProjection(),
        CustomersProjection(),
        SalesProjection(),
    ],
    answers={
        order_list.ListOrders: order_list.list_orders,
        order_list.CountChanges: order_list.count_changes,
        one_order.GetOrder: one_order.get_order,
        one_order.OrderTimeline: one_order.timeline,
        figures.WaitingWork: figures.waiting_work,
        figures.TodayFigures: figures.today_figures,
        figures.OrdersByDay: figures.orders_by_day,
        figures.OrdersByStatus: figures.orders_by_status,
        customers.ListCustomers: customers.list_customers,
        customers.GetCustomer: customers.get_customer,
        credit_notes.ListCreditNotes: credit_notes.list_credit_notes,
        revenue.RevenueReport: revenue.revenue_report,
        revenue.LastSalesDay: revenue.last_sales_day,
        best.TopProducts: best.top_products,
        best.TopCustomers: best.top_customers,
        import_totals.ImportTotals: import_totals.import_totals,
    },
    answers_strongly={
        one_order.GetOrder: Strong(one_order.stream_of, one_order.fold_order),
        one_order.OrderTimeline: Strong(one_order.stream_of, one_order.fold_timeline),
    },
    answers_from_state={
        one_order.OrderActions: FromState(Order, lambda question: question.order_id, possible),
    },
)
