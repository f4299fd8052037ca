"""Runs the migrations of one store on the connection passed by cqrs_app.database. For plain
`alembic -n STORE` it opens a connection itself.

Both stores may be in one database, so each has its own version table and sees only its own tables.
"""

from contextlib import nullcontext

from alembic import context
from alembic.util import CommandError

from cqrs_app import database
from cqrs_app.environment import SettingsError
from cqrs_app.platform import sql_views
from cqrs_app.settings import Settings

config = context.config
store = config.attributes.get("store", config.config_ini_section)
if store not in database.STORES:
    names = " or ".join(f"-n {name}" for name in database.STORES)
    raise SystemExit(f"Say which store: alembic {names}.")
area = config.attributes.get(database.AREA, "")
metadata = database.STORES[store]


def include_name(name: str | None, kind: str, parents: object) -> bool:
    """Exclude the other store's tables and those of the database system."""
    if kind == "index" and name == "ix_order_texts_search":
        return False  # created by desk.search, which supports both databases
    return kind != "table" or name in metadata.tables


def include_object(found: object, name: str, kind: str, reflected: bool, other: object) -> bool:
    """Exclude the tables of other areas."""
    return kind != "table" or database.is_of(area, name)


given = config.attributes.get("connection")
try:
    opened = nullcontext(given) if given else database.connected(Settings.from_environment(), store)
except SettingsError as error:
    raise SystemExit(error.message) from None
with opened as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=database.version_table(store, area),
        include_name=include_name,
        include_object=include_object,
        render_as_batch=True,
        compare_type=True,
        user_module_prefix="columns.",
    )
    migration = context.get_context()

    def is_newest() -> bool:
        return {*migration.get_current_heads()} == {*context.script.get_heads()}

    def has_something_to_do() -> bool:
        """Whether the views must be dropped and created again: before migrations, since views block
        changes to their tables, or if a view is missing."""
        action = migration.opts["fn"].__name__
        pending = not (is_newest() and sql_views.exist(connection))
        return action == "downgrade" or (action == "upgrade" and pending)

    with context.begin_transaction():
        if store == "read" and not area and has_something_to_do():
            try:
                granted = sql_views.drop(connection)
            except sql_views.ViewsInUse as error:
                raise CommandError(str(error)) from error
            context.run_migrations()
            if is_newest():
                sql_views.create(connection, granted)
        else:
            context.run_migrations()
