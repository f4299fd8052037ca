"""Composes the application: settings, engines, areas, buses, pages, command line."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cqrs_app import cli, database, embedded_redis, web
from cqrs_app.areas import build_registry
from cqrs_app.kernel.assembly import Kernel, Tuning, assemble
from cqrs_app.kernel.command_bus import BusOptions
from cqrs_app.kernel.query_bus import QueryOptions
from cqrs_app.operators.accounts import Accounts
from cqrs_app.operators.sessions import Sessions
from cqrs_app.operators.throttle import Throttle
from cqrs_app.operators.tokens import Tokens
from cqrs_app.settings import Settings
from cqrs_app.uploads.receiving import Files

PROJECT = Path(__file__).parent.parent

REDIS_PATIENCE_SECONDS = 0.25
"""No operator waits longer than this for a Redis that hangs."""


def compose(settings: Settings) -> Flask:
    """The Flask application of these settings."""
    app = Flask(
        "cqrs_app", root_path=str(PROJECT), template_folder="templates", static_folder="static"
    )
    app.extensions["settings"] = settings
    app.extensions["redis_url"] = settings.redis_url or embedded_redis.url(settings.data_dir)
    database.configure(app, settings)
    kernel = _kernel(app, settings)
    app.extensions["kernel"] = kernel
    write = kernel.engines.write
    app.extensions["accounts"] = Accounts(write)
    app.extensions["tokens"] = Tokens(write)
    app.extensions["sessions"] = Sessions(
        write, idle_seconds=settings.session_idle_seconds, hours=settings.session_hours
    )
    app.extensions["throttle"] = Throttle(
        write, attempts=settings.sign_in_attempts, pause_seconds=settings.sign_in_pause_seconds
    )
    web.init_app(app, settings)
    cli.init_app(app)
    return app


def _kernel(app: Flask, settings: Settings) -> Kernel:
    address = app.extensions["redis_url"]
    engines = database.engines_of(app, settings)
    return assemble(
        build_registry(Files(engines.write).is_there),
        engines,
        redis=_redis(address),
        cache_redis=_redis(settings.cache_redis_url or address),
        commands=BusOptions(
            enabled=settings.cqrs_enabled,
            queued=settings.commands_are_queued,
            authorise=settings.command_authorization_enabled,
            log_lines=settings.command_logging_enabled,
            snapshots=settings.write_model_snapshots,
            optimistic_concurrency=settings.write_model_optimistic_concurrency,
            retry_attempts=settings.command_retry_attempts,
            timeout=settings.command_timeout,
            max_concurrent=settings.max_concurrent_commands,
        ),
        queries=QueryOptions(
            side_by_side=settings.query_bus_type != "synchronous",
            authorise=settings.query_authorization_enabled,
            caching=settings.query_caching_enabled,
            timeout=settings.query_timeout,
            max_concurrent=settings.max_concurrent_queries,
        ),
        tuning=Tuning(
            projection_batch=settings.projection_batch,
            amber_lag=settings.amber_lag_seconds,
            red_lag=settings.red_lag_seconds,
            cache_ttl=settings.query_cache_ttl,
        ),
    )


def _redis(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=REDIS_PATIENCE_SECONDS,
        socket_connect_timeout=REDIS_PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
