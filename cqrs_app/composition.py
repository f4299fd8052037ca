"""Composes the application: settings, engines, areas, buses, pages, command line."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cqrs_app import api, cli, database, embedded_redis, web
from cqrs_app.areas import SENDABLE, build_registry
from cqrs_app.kernel.assembly import Kernel, Tuning, assemble
from cqrs_app.kernel.background import Background
from cqrs_app.kernel.command_bus import BusOptions
from cqrs_app.kernel.query_bus import QueryOptions
from cqrs_app.operators.accounts import Accounts
from cqrs_app.operators.roles import system_actor
from cqrs_app.operators.sessions import Sessions
from cqrs_app.operators.throttle import Throttle
from cqrs_app.operators.tokens import Tokens
from cqrs_app.settings import Settings
from cqrs_app.uploads.receiving import Files
from cqrs_app.webhooks import names
from cqrs_app.webhooks.commands import MANAGE
from cqrs_app.webhooks.delivery import Deliverer
from cqrs_app.webhooks.dispatcher import Dispatcher

PROJECT = Path(__file__).parent.parent

REDIS_PATIENCE_SECONDS = 0.25
"""No operator waits longer than this for a Redis that hangs."""

WAKE_PAUSE_SECONDS = 0.25
"""Between two looks at which webhooks have something to do."""


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
    app.extensions["webhooks"] = _webhooks(kernel, settings)
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
    api.init_app(app, settings)
    cli.init_app(app)
    return app


def _kernel(app: Flask, settings: Settings) -> Kernel:
    address = app.extensions["redis_url"]
    engines = database.engines_of(app, settings)

    def wake_webhooks() -> None:
        # Looked up when it is needed: it is made from the kernel.
        app.extensions["webhooks"].wake()

    return assemble(
        build_registry(settings.webhook_networks, Files(engines.write).is_there),
        engines,
        redis=_redis(address),
        cache_redis=_redis(settings.cache_redis_url or address),
        personal_data_key=settings.ensure_personal_data_key(),
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
        followers=[Background("webhooks", wake_webhooks, WAKE_PAUSE_SECONDS)],
    )


def _webhooks(kernel: Kernel, settings: Settings) -> Dispatcher:
    deliverer = Deliverer(
        kernel,
        actor=system_actor("webhooks", MANAGE),
        types=names(SENDABLE),
        allowed=settings.webhook_networks,
        pause_after_hours=settings.webhook_pause_after_hours,
    )
    return Dispatcher(kernel, deliverer)


def _redis(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=REDIS_PATIENCE_SECONDS,
        socket_connect_timeout=REDIS_PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
