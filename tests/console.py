"""A whole console for tests: the real application on given stores, with a real Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from cqrs_app import create_app
from cqrs_app.extensions import db
from cqrs_app.kernel.assembly import Kernel
from tests.platform.processes import clean_environment
from tests.services.stores import Databases


def close(app: Flask) -> None:
    """Finish what runs in the background and let go of every connection."""
    kernel: Kernel = app.extensions["kernel"]
    kernel.close()
    kernel.redis.close()
    engines: list[Engine] = [kernel.engines.write, kernel.engines.read, kernel.engines.query]
    with app.app_context():
        engines += db.engines.values()
    for engine in engines:
        engine.dispose()


def environment_of(app: Flask, **more: str) -> dict[str, str]:
    """For a real process of this console: on its stores, with its Redis."""
    settings = app.extensions["settings"]
    return clean_environment(
        {
            "DATA_DIR": str(settings.data_dir),
            "DATABASE_URL": settings.database_url,
            "READ_DATABASE_URL": settings.read_database_url,
            "REDIS_URL": app.extensions["redis_url"],
            "SECRET_KEY": settings.secret_key,
            **more,
        }
    )


@pytest.fixture
def make_console(backend: Databases, redis_url: str) -> Iterator[Callable[..., Flask]]:
    """`make_console(**settings)`: an application on the test's two fresh stores."""
    apps: list[Flask] = []

    def make(**settings: Any) -> Flask:
        values: dict[str, Any] = {"redis_url": redis_url, "secret_key": "for tests only"}
        # Most tests bring the pages up to date themselves.
        values |= {"read_your_writes_seconds": 0.0, **settings}
        app = create_app(backend.settings(**values))
        app.extensions["kernel"].runner.prepare()
        apps.append(app)
        return app

    yield make
    for app in apps:
        close(app)


@pytest.fixture
def console(make_console: Callable[..., Flask]) -> Flask:
    """The application with default settings."""
    return make_console()


@pytest.fixture
def kernel(console: Flask) -> Kernel:
    made: Kernel = console.extensions["kernel"]
    return made
