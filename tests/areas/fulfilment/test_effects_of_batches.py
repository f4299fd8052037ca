"""The check of a batch adds up what would follow from its items."""

from __future__ import annotations

import uuid

import pytest

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.batches.creating import NewBatch
from cqrs_app.platform.batches.queries import BatchView, GetBatch
from cqrs_app.services import services_of
from tests.areas.fulfilment.conftest import LAMP, OrderDesk
from tests.interfaces.web.pages.conftest import catch_up, client_in
from tests.interfaces.web.pages.test_without_scripts import page

LEAD = Actor("supervisor", ROLES["supervisor"])


def checked(desk: OrderDesk, *order_ids: str) -> BatchView:
    kernel, batch_id = services_of(desk.app).kernel, str(uuid.uuid4())
    new = NewBatch(
        batch_id=batch_id,
        command="CancelOrder",
        fields={"reason": "other"},
        named=[(each, None) for each in order_ids],
    )
    services_of(desk.app).batches.create(new, LEAD, "test")
    catch_up(desk.app)
    while kernel.registry.tasks["batches"].work(kernel, batch_id):
        pass
    found = kernel.queries.ask(GetBatch(batch_id=batch_id), QueryContext(actor=LEAD)).value
    assert isinstance(found, BatchView)
    return found


def paid(desk: OrderDesk) -> None:
    desk.stock(LAMP, 20)
    desk.approve((LAMP, 4), order_id="A")
    desk.approve((LAMP, 3), order_id="B")
    desk.settle_all()
    desk.catch_up()


def test_refunds_and_stock_are_added_up_over_all_items(order_desk: OrderDesk) -> None:
    paid(order_desk)
    view = checked(order_desk, "A", "B", "nowhere")
    found = {each.verb: (each.currency, int(each.amount), each.items) for each in view.effects}
    assert found == {
        "will be refunded": ("GBP", 17, 2),
        "will return to stock": ("", 7, 2),
    }
    shown = page(client_in(order_desk.app, "supervisor"), f"/batches/{view.row.batch_id}")
    text = " ".join(shown.get_text(" ").split())
    assert "What would follow GBP 17.50 will be refunded (2 items)" in text
    assert "7 units will return to stock (2 items)" in text


def test_only_the_first_items_are_looked_at(
    order_desk: OrderDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqrs_app.platform.batches.work.PREVIEWED", 1)
    monkeypatch.setattr("cqrs_app.interfaces.web.areas.batches.PREVIEWED", 1)
    paid(order_desk)
    view = checked(order_desk, "A", "B")
    assert [each.items for each in view.effects] == [1, 1]
    shown = page(client_in(order_desk.app, "supervisor"), f"/batches/{view.row.batch_id}")
    assert "What would follow from the first 1 items" in " ".join(shown.get_text(" ").split())
