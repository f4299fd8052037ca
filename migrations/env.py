"""Runs the migrations of one store on the connection that cqrs_app.database hands over; for plain
`alembic -n STORE` it opens one itself.

Both stores may live in one database, so each has a version table of its own and sees only its
own tables.
"""

from contextlib import nullcontext

from alembic import context

from cqrs_app import database
from cqrs_app.environment import SettingsError
from cqrs_app.settings import Settings

config = context.config
store = config.attributes.get("store", config.config_ini_section)
if store not in database.STORES:
    names = " or ".join(f"-n {name}" for name in database.STORES)
    raise SystemExit(f"Say which store: alembic {names}.")
metadata = database.STORES[store]


def include_name(name: str | None, kind: str, parents: object) -> bool:
    """Leave the other store's tables, and those a database keeps for itself, alone."""
    if kind == "index" and name == "ix_order_texts_search":
        return False  # made by orders.search, which knows both databases' ways
    return kind != "table" or name in metadata.tables


given = config.attributes.get("connection")
try:
    opened = nullcontext(given) if given else database.connected(Settings.from_environment(), store)
except SettingsError as error:
    raise SystemExit(error.message) from None
with opened as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=database.version_table(store),
        include_name=include_name,
        render_as_batch=True,
        compare_type=True,
        user_module_prefix="columns.",
    )
    with context.begin_transaction():
        context.run_migrations()
