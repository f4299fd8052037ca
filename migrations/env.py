"""Runs the migrations of one store on the connection that cqrs_app.database hands over.

Both stores may live in one database, so each has a version table of its own and sees only its
own tables.
"""

from alembic import context

store = context.config.attributes["store"]
metadata = context.config.attributes["metadata"]


def include_name(name: str | None, kind: str, parents: object) -> bool:
    """Leave the other store's tables, and those a database keeps for itself, alone."""
    if kind == "index" and name == "ix_order_texts_search":
        return False  # made by orders.search, which knows both databases' ways
    return kind != "table" or name in metadata.tables


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=context.config.attributes["version_table"],
    include_name=include_name,
    render_as_batch=True,
    compare_type=True,
    user_module_prefix="columns.",
)
with context.begin_transaction():
    context.run_migrations()
