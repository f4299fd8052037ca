"""`python orders.py ADDRESS TOKEN`: place, approve and page with the generated client in Python.

Prints what came back as JSON.
"""

import json
import sys

from countersign_client import AuthenticatedClient
from countersign_client.api.batch import submit_batch
from countersign_client.api.events import follow_events
from countersign_client.api.orders import approve_order, list_orders, place_order
from countersign_client.models import (
    ApproveOrder,
    BatchItem,
    BatchItemFields,
    BatchRequest,
    OrderLine,
    PlaceOrder,
    PlaceOrderCurrency,
    Problem,
    Receipt,
)

address, token = sys.argv[1:]
client = AuthenticatedClient(base_url=address, token=token, raise_on_unexpected_status=True)


def approve(order_id):
    found = approve_order.sync(client=client, body=ApproveOrder(order_id=order_id))
    assert isinstance(found, Receipt | Problem), found
    return found


for number in range(3):
    order = PlaceOrder(
        order_id=f"PY-{number}",
        country="France",
        currency=PlaceOrderCurrency.EUR,
        lines=[OrderLine(sku="85123A", quantity=6, unit_price="2.55")],
    )
    for _ in range(2):
        placed = place_order.sync(client=client, body=order, idempotency_key=f"PY {number}")
        assert isinstance(placed, Receipt), placed
    assert placed.repeated
approved, refused = approve("PY-1"), approve("PY-1")
fields = BatchItemFields.from_dict({"order_id": "PY-2"})
batch = submit_batch.sync(
    client=client, body=BatchRequest(commands=[BatchItem(command="ApproveOrder", fields=fields)])
)
last = batch.results[0].receipt

seen, rows, after = f"{last.stream}:{last.version}", [], ""
while True:
    page = list_orders.sync(client=client, limit=2, after=after, min_version=seen, wait_ms=10_000)
    rows += [[row.order_id, row.status.value, row.total] for row in page.value.rows]
    after = page.value.next_
    if not after:
        break
feed = follow_events.sync(client=client, types=["OrderPlaced", "OrderApproved"])
sys.stdout.write(
    json.dumps(
        {
            "receipt": approved.events,
            "refusal": refused.code,
            "rows": sorted(rows),
            "events": [[event.type_, event.data.order_id] for event in feed.events],
        }
    )
)
