"""A store of an earlier release: what people have seen to is not seen to again."""

from __future__ import annotations

from sqlalchemy import text

from cqrs_app import database
from tests.fulfilment.conftest import LAMP, MakeDesk, OrderDesk


def test_orders_of_before_are_left_alone(make_desk: MakeDesk) -> None:
    desk: OrderDesk = make_desk()
    desk.stock(LAMP, 9)
    desk.approve((LAMP, 4), order_id="before")
    desk.kernel.store.place()
    with desk.kernel.engines.write.begin() as connection:
        for table in ("fulfilment_cursor", "fulfilment_deadlines", "fulfilment_wants"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("DROP TABLE claims"))
        connection.execute(text("DROP TABLE subject_keys"))
        connection.execute(text("UPDATE alembic_version_write SET version_num = 'write_0005'"))
    database.upgrade(desk.app.extensions["settings"])
    desk.settle_all()
    assert desk.way("before").begun is False
    assert desk.item().reserved == {}
    desk.approve((LAMP, 4), order_id="after")
    desk.settle_all()
    assert desk.item().reserved == {"after": 4}
