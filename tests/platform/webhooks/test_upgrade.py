"""A store of an earlier release with a cursor per webhook: nothing is lost or sent twice."""

from __future__ import annotations

from contextlib import ExitStack

from alembic import command
from sqlalchemy import text

from cqrs_app import database
from cqrs_app.platform.webhooks import commands as do
from cqrs_app.platform.webhooks.queries import GetWebhookSecret, ListDeliveries
from cqrs_app.services import services_of
from tests.platform.webhooks.conftest import Shop
from tests.platform.webhooks.receiver import Receiver, listening


def orders(receiver: Receiver) -> list[str]:
    return [each.json["stream"] for each in receiver.received]


def downgrade(shop: Shop) -> None:
    shop.kernel.store.place()
    with database._migrating(services_of(shop.app).settings, "write") as config:
        command.downgrade(config, "write_0009")


def upgrade(shop: Shop) -> None:
    shop.kernel.store.place()
    database.upgrade(services_of(shop.app).settings)


def cursors(shop: Shop) -> dict[str, int]:
    with shop.kernel.engines.write.connect() as connection:
        return {
            row.webhook_id: row.position
            for row in connection.execute(text("SELECT webhook_id, position FROM webhook_cursors"))
        }


def test_every_webhook_goes_on_where_its_cursor_was(shop: Shop) -> None:
    with ExitStack() as stack:
        late, ready, paused, gone, new = (stack.enter_context(listening()) for _ in range(5))
        shop.add(late, name="late")
        shop.add(ready, name="ready")
        shop.add(paused, "OrderApproved", name="paused")
        shop.add(gone, name="gone")
        shop.place()
        for name in ("late", "ready", "paused", "gone"):
            shop.deliver(name)
        shop.place()
        shop.deliver("ready")
        shop.do(do.RemoveWebhook(webhook_id="gone"))
        shop.do(do.ReplayWebhook(webhook_id="ready", after_position=10_000))
        shop.follow()
        downgrade(shop)
        placed = {each: shop.kernel.store.position_of(f"order-{each}", 1) for each in ("W1", "W2")}
        assert cursors(shop)["late"] == (placed["W2"] or 0) - 1
        assert cursors(shop)["ready"] == shop.kernel.store.head()
        # What happens between the last look of the old release and the upgrade:
        shop.do(do.PauseWebhook(webhook_id="paused", reason="They move house."))
        shop.add(new, name="new")
        shop.approve(shop.place())
        upgrade(shop)
        states = {each.cursor.webhook_id: each for each in shop.ask(ListDeliveries())}
        assert states["late"].cursor.position == (placed["W2"] or 0) - 1
        assert states["gone"].cursor.state == "removed"
        assert shop.ask(GetWebhookSecret(webhook_id="new"))
        for name in ("late", "ready", "paused", "gone", "new"):
            shop.deliver(name)
        assert orders(late) == ["order-W1", "order-W2", "order-W3", "order-W3"]
        assert orders(ready) == orders(late)
        assert orders(new) == ["order-W3", "order-W3"]
        assert orders(paused) == orders(gone)[1:] == []
        shop.do(do.ResumeWebhook(webhook_id="paused"))
        shop.deliver("paused")
        assert paused.types == ["OrderApproved"]
        assert shop.due() == []


def test_what_was_asked_of_a_webhook_just_before_is_done_once(
    shop: Shop, receiver: Receiver
) -> None:
    with listening() as other:
        shop.add(receiver, name="warehouse")
        shop.add(other, name="other")
        shop.do(do.TestWebhook(webhook_id="other"))
        shop.place()
        shop.deliver("warehouse")
        shop.deliver("other")
        downgrade(shop)
        shop.do(do.TestWebhook(webhook_id="warehouse"))
        shop.do(do.ReplayWebhook(webhook_id="warehouse", after_position=0))
        upgrade(shop)
        shop.deliver("warehouse")
        shop.deliver("other")
        assert receiver.types == ["OrderPlaced", "WebhookTestRequested", "OrderPlaced"]
        assert other.types == ["WebhookTestRequested", "OrderPlaced"]
        assert shop.due() == []
