"""The engines of the stores, and their migrations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask
from sqlalchemy import Connection, MetaData, create_engine

import cqrs_app.installed_areas
import cqrs_app.platform.operators.tables  # noqa: F401 - both define their tables on import
from cqrs_app import PROJECT, encrypted_files, plugins
from cqrs_app.environment import SettingsError
from cqrs_app.extensions import db
from cqrs_app.kernel.assembly import Engines
from cqrs_app.kernel.store import tables
from cqrs_app.kernel.store.engines import configure as configure_engine
from cqrs_app.kernel.store.engines import engine_options
from cqrs_app.settings import Settings

if TYPE_CHECKING:
    # Alembic takes a quarter of a command's start-up time, and most commands never need it.
    from alembic.config import Config

MIGRATIONS = PROJECT / "migrations"
AREA = "area"
"""The attribute of Alembic's configuration with the plug-in area whose migrations run, if any."""
STORES: dict[str, MetaData] = {"write": tables.write_tables, "read": tables.read_tables}
PROJECTION_SECONDS = 60.0
MIGRATION_SECONDS = 86_400.0
"""The timeout of one statement, in seconds: an index on a large store takes long."""


def configure(app: Flask, settings: Settings) -> None:
    """Configure Flask-SQLAlchemy with the three engines: write (its default), read and query.

    Raises SettingsError where the tables of a plug-in area cannot be told from others.
    """
    for problem in chain.from_iterable(map(plugins.shared_names, plugins.installed())):
        raise SettingsError(problem)
    settings.make_data_dir()
    _make_private_files(settings)
    encrypted_files.refuse_other_files(settings)
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _options(
        settings, settings.database_url, settings.command_timeout
    )
    app.config["SQLALCHEMY_BINDS"] = {
        "read": {"url": settings.read_database_url}
        | _options(settings, settings.read_database_url, PROJECTION_SECONDS),
        "query": {"url": settings.query_database_url}
        | _options(settings, settings.query_database_url, settings.query_timeout, read_only=True),
    }
    db.init_app(app)


def _make_private_files(settings: Settings) -> None:
    """Create the files of SQLite that are missing for this user only. It gives its other files the
    same mode. What cannot be created is reported when it is opened."""
    for path in encrypted_files.files_of(settings):
        if path.is_absolute():
            with suppress(OSError):
                path.touch(mode=0o600)


def engines_of(app: Flask, settings: Settings) -> Engines:
    """The engines of a configured application, ready to use."""
    with app.app_context():
        engines = Engines(write=db.engine, read=db.engines["read"], query=db.engines["query"])
    for engine, durable, read_only, timeout in (
        (engines.write, True, False, settings.command_timeout),
        (engines.read, False, False, PROJECTION_SECONDS),
        (engines.query, False, True, settings.query_timeout),
    ):
        configure_engine(engine, durable=durable, read_only=read_only, timeout=timeout)
    return engines


def upgrade(settings: Settings) -> None:
    """Migrate both stores to the newest revision, with the tables of plug-in areas. Fast if they
    are there already."""
    from alembic import command

    for store in STORES:
        for area in areas_with_migrations(store):
            with _migrating(settings, store, area) as config:
                command.upgrade(config, "head")


def is_migrated(connection: Connection, store: str) -> bool:
    """Whether a store has exactly the migrations of this release and of the plug-in areas. Changes
    nothing."""
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    def is_current(area: str) -> bool:
        options = {"version_table": version_table(store, area)}
        has = MigrationContext.configure(connection, opts=options).get_current_heads()
        return set(has) == set(ScriptDirectory.from_config(_config(store, area)).get_heads())

    return all(map(is_current, areas_with_migrations(store)))


def check(settings: Settings) -> None:
    """Raise Alembic's CommandError if the models need a migration that does not exist."""
    from alembic import command

    for store in STORES:
        for area in areas_with_migrations(store):
            with _migrating(settings, store, area) as config:
                command.check(config)


def downgrade(settings: Settings, store: str, revision: str, area: str = "") -> None:
    """Migrate one store to an earlier revision; "base" drops all tables. Raises Alembic's
    CommandError."""
    from alembic import command

    with _migrating(settings, store, area) as config:
        command.downgrade(config, revision)


def current(settings: Settings, store: str) -> str:
    """The current revision of one store, or an empty text."""
    from alembic.migration import MigrationContext

    with connected(settings, store) as connection:
        options = {"version_table": version_table(store)}
        heads = MigrationContext.configure(connection, opts=options).get_current_heads()
    return ", ".join(heads)


def history(store: str) -> list[tuple[str, str]]:
    """(revision, description) of one store's migrations, oldest first."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config(store)).walk_revisions()
    return [(each.revision, each.doc) for each in reversed(list(scripts))]


def revise(settings: Settings, store: str, message: str, area: str = "") -> None:
    """Generate a new migration of one store from the models, of the console or of a plug-in area.
    The first one of an area makes its folder."""
    from alembic import command

    if area:
        (_folder(area) / "migrations" / store).mkdir(parents=True, exist_ok=True)
    with _migrating(settings, store, area) as config:
        command.revision(config, message, autogenerate=True)


def areas_with_migrations(store: str) -> list[str]:
    """The console itself, called "", and the plug-in areas that have tables in this store."""
    plugged = (each for each in plugins.installed() if each.folder(f"migrations/{store}"))
    return ["", *(each.name for each in plugged)]


def is_of(area: str, table: str) -> bool:
    """Whether a table is one of this plug-in area, or of the console if that is ""."""
    owner = next((each.name for each in plugins.installed() if each.owns(table)), "")
    return owner == area


@contextmanager
def connected(settings: Settings, store: str) -> Iterator[Connection]:
    """A transaction on one store, for its migrations."""
    settings.make_data_dir()
    _make_private_files(settings)
    url = settings.database_url if store == "write" else settings.read_database_url
    options = _options(settings, url, MIGRATION_SECONDS)
    engine = create_engine(url, **options)
    configure_engine(engine, durable=True, read_only=False, timeout=MIGRATION_SECONDS)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def version_table(store: str, area: str = "") -> str:
    """The table in which a store records its revision. A plug-in area has its own, so that the
    console does not miss the migrations of one that is gone."""
    return f"alembic_version_{store}_{area}" if area else f"alembic_version_{store}"


@contextmanager
def _migrating(settings: Settings, store: str, area: str = "") -> Iterator[Config]:
    """Alembic's configuration for one store, with a connection to it."""
    with connected(settings, store) as connection:
        config = _config(store, area)
        config.attributes["connection"] = connection
        yield config


def _folder(area: str) -> Path:
    """The folder of the package that a plug-in area comes in."""
    [plugin] = (each for each in plugins.installed() if each.name == area)
    return plugin.root


def _config(store: str, area: str = "") -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    migrations = _folder(area) / "migrations" if area else MIGRATIONS
    config.set_main_option("version_locations", str(migrations / store))
    config.attributes["store"] = store
    config.attributes[AREA] = area
    return config


def _options(
    settings: Settings, url: str, timeout: float, *, read_only: bool = False
) -> dict[str, Any]:
    options = engine_options(
        url,
        timeout=timeout,
        pool_size=settings.web_threads,
        read_only=read_only,
        pooled=settings.database_pooling == "transaction",
    )
    return options | encrypted_files.engine_options(settings, url, min(timeout, 30.0))
