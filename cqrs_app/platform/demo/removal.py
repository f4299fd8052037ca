"""When the demo shop can be removed. How that is done: see processes/demo_removal.py."""

from __future__ import annotations

from sqlalchemy import Connection, func, or_, select

from cqrs_app import encrypted_files, plugins
from cqrs_app.areas.customers.customer import Customer
from cqrs_app.areas.expenses.claim import ExpenseClaim
from cqrs_app.areas.inventory.stock_item import StockItem
from cqrs_app.areas.orders.order import Order
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.messages.permissions import Permission, Role
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import command_log, events
from cqrs_app.platform.demo.tables import demo_shop
from cqrs_app.settings import Settings

REMOVE = Permission("demo.remove", Role.ADMIN)
CHANNEL = "demo"
STANDS_ALONE: tuple[type[Aggregate], ...] = (Order, Customer, StockItem, ExpenseClaim)
"""What is real wherever the demo shop did not make it. The rest is about one of these."""


class NotRemovable(Exception):
    """The demo shop cannot be removed. The text says why and what to do."""


class NoDemoShop(NotRemovable):
    """There is none."""


def require_removable(settings: Settings, kernel: Kernel) -> None:
    """Raise NotRemovable, or NoDemoShop, unless the store has a demo shop, and nothing that others
    made but what they did with it, and the stores are files in the data folder."""
    with reader_of(kernel.engines.write).connect() as connection:
        if connection.execute(select(demo_shop.c.id)).first() is None:
            raise NoDemoShop("There is no demo shop here.")
        count, example = _made_by_others(connection)
    if count:
        raise NotRemovable(
            f"There is more here than the demo shop: {count} orders, customers or others that it "
            f"did not make, such as {example}. For an empty shop beside this one, use another "
            "DATA_DIR with DEMO_ORDERS=0."
        )
    folder, stores = settings.data_dir, encrypted_files.files_of(settings)
    urls = {settings.database_url, settings.read_database_url}
    if len(stores) < len(urls) or any(each.parent != folder for each in stores):
        raise NotRemovable(
            f"The stores are not files in {folder}. For an empty shop, name empty databases in "
            "DATABASE_URL and READ_DATABASE_URL, and start with DEMO_ORDERS=0."
        )


def _made_by_others(connection: Connection) -> tuple[int, str | None]:
    """How many things, and the stream of one of them."""
    kinds = [
        *STANDS_ALONE,
        *(kind for each in plugins.installed() for kind in each.area.aggregates),
    ]
    logged = events.outerjoin(command_log, events.c.command_id == command_log.c.command_id)
    found = (
        select(func.count(), func.min(events.c.stream))
        .select_from(logged)
        .where(
            events.c.version == 1,
            or_(
                *(
                    events.c.stream.startswith(f"{each.category}-", autoescape=True)
                    for each in kinds
                )
            ),
            command_log.c.channel.is_distinct_from(CHANNEL),
        )
    )
    count, example = connection.execute(found).one()
    return count, example
