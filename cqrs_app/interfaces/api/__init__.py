"""The JSON API: the same commands and queries, for programs with a bearer token."""

from __future__ import annotations

from flask import Flask

from cqrs_app.interfaces.api import (  # noqa: F401 - each adds views
    auth,
    batch,
    batches,
    commands,
    events,
    openapi,
    queries,
    query_batch,
)
from cqrs_app.interfaces.api.blueprint import bp
from cqrs_app.interfaces.api.limits import RequestLimits
from cqrs_app.services import services_of
from cqrs_app.settings import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the API. Needs the services `tokens` and `kernel`."""
    app.extensions["request_limits"] = RequestLimits(
        services_of(app).kernel.redis, settings.api_requests_per_minute
    )
    app.extensions["csrf"].exempt(bp)
    app.register_blueprint(bp)
