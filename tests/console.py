"""A whole console for tests: the real application on given stores, with a real Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cqrs_app import create_app
from cqrs_app.extensions import db
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.demo import load_if_empty
from cqrs_app.services import services_of
from tests.processes.running import clean_environment
from tests.services.stores import Databases, Templates, migrate

MakeConsole = Callable[..., Flask]
UNCHECKED = {
    "unknown_customers": "accept",
    "inactive_customers": "accept",
    "unmatched_payments": "accept",
    "shipping_address_required": False,
}
"""Most tests are about one area, and make nothing up for others to agree with."""
NO_REDIS = "unix:///nowhere/redis.sock"


def close(app: Flask) -> None:
    """Finish pending background work and close all connections."""
    kernel: Kernel = services_of(app).kernel
    services_of(app).close()
    kernel.redis.close()
    kernel.engines.dispose()
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def environment_of(app: Flask, **more: str) -> dict[str, str]:
    """The environment of a process of this console, with its stores and its Redis."""
    settings = services_of(app).settings
    return clean_environment(
        {
            "DATA_DIR": str(settings.data_dir),
            "DATABASE_URL": settings.database_url,
            "READ_DATABASE_URL": settings.read_database_url,
            "REDIS_URL": services_of(app).redis_url,
            "SECRET_KEY": settings.secret_key,
            "DEMO_SECONDS": str(settings.demo_seconds),
            "AUDIT_EVENTS": str(settings.audit_events).lower(),
            **more,
        }
    )


@contextmanager
def consoles_on(databases: Databases, redis_url: str) -> Iterator[MakeConsole]:
    """`make(**settings)`: an application on these stores; all are closed at the end."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Flask:
            values: dict[str, Any] = {"redis_url": redis_url, "secret_key": "for tests only"}
            # Most tests update the projections themselves, have nothing to undo, and stand still.
            values |= {"read_your_writes_seconds": 0.0, "undo_seconds": 0, "demo_seconds": 0}
            values |= {"write_through_seconds": 0.0, "query_log_share": 0.0}
            # A page that is looked at, or refused, would be an event more in the log.
            values |= {"audit_events": False}
            values |= {**UNCHECKED, **settings}
            app = create_app(databases.settings(**values))
            stack.callback(close, app)
            services_of(app).kernel.runner.prepare()
            return app

        yield make


def with_demo_orders(databases: Databases) -> None:
    """Fill the stores with forty demo orders and update all projections."""
    migrate(databases)
    with consoles_on(databases, NO_REDIS) as make:
        load_if_empty(services_of(make()).kernel, 40, lambda line: None)


@pytest.fixture
def make_console(backend: Databases, redis_url: str) -> Iterator[MakeConsole]:
    """`make_console(**settings)`: an application on the test's two fresh stores."""
    with consoles_on(backend, redis_url) as make:
        yield make


@contextmanager
def shops_on(
    kind: str, templates: Templates, folder: Path, redis_url: str
) -> Iterator[MakeConsole]:
    """`make(**settings)`: an application with forty demo orders, all shown."""
    with (
        templates.copy(kind, with_demo_orders, folder) as databases,
        consoles_on(databases, redis_url) as make,
    ):
        yield make


@pytest.fixture
def make_shop(
    kind: str, templates: Templates, tmp_path: Path, redis_url: str
) -> Iterator[MakeConsole]:
    """`make_shop(**settings)`: an application with forty demo orders and up-to-date projections."""
    with shops_on(kind, templates, tmp_path, redis_url) as make:
        yield make


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def shared_shop(
    shared_kind: str,
    templates: Templates,
    tmp_path_factory: pytest.TempPathFactory,
    redis_server: str,
) -> Iterator[Flask]:
    """One shop for all tests of a module, which leave its orders as they are."""
    folder = tmp_path_factory.mktemp("shop")
    with shops_on(shared_kind, templates, folder, redis_server) as make:
        yield make()


@pytest.fixture(scope="module")
def shared_console(
    shared_kind: str,
    templates: Templates,
    tmp_path_factory: pytest.TempPathFactory,
    redis_server: str,
) -> Iterator[Flask]:
    """One console without orders for all tests of a module, which place none."""
    with (
        templates.copy(shared_kind, migrate, tmp_path_factory.mktemp("console")) as databases,
        consoles_on(databases, redis_server) as make,
    ):
        yield make()


@pytest.fixture
def console(make_console: MakeConsole) -> Flask:
    """The application with default settings."""
    return make_console()


@pytest.fixture
def kernel(console: Flask) -> Kernel:
    made: Kernel = services_of(console).kernel
    return made
