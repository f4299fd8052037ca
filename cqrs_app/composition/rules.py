"""How the settings steer the areas of the shop, and their buses."""

from __future__ import annotations

from cqrs_app.areas.checks.types import Checks, Reaction
from cqrs_app.areas.fulfilment.types import AfterDeclines, Policy
from cqrs_app.areas.payments.words import MANUAL
from cqrs_app.environment import SettingsError
from cqrs_app.kernel.assembly import Tuning
from cqrs_app.kernel.commands.options import BusOptions
from cqrs_app.kernel.queries.bus import QueryOptions
from cqrs_app.kernel.queries.side_by_side import AT_ONCE
from cqrs_app.kernel.registry import Registry
from cqrs_app.settings import Settings


def policy(settings: Settings) -> Policy:
    by_hand = settings.payment_gateway == MANUAL
    return Policy(
        # With manual payments there is no gateway to request money from.
        method="" if by_hand else settings.fulfilment_payment_method,
        retry_after=settings.fulfilment_retries,
        after_declines=AfterDeclines(settings.fulfilment_after_declines),
    )


def checks(settings: Settings) -> Checks:
    return Checks(
        payments=Reaction(settings.unmatched_payments),
        excess_percent=settings.payment_excess_percent,
        unknown_customers=Reaction(settings.unknown_customers),
        inactive_customers=Reaction(settings.inactive_customers),
        unknown_products=Reaction(settings.unknown_products),
        address_needed=settings.shipping_address_required,
    )


def command_options(settings: Settings) -> BusOptions:
    return BusOptions(
        enabled=settings.cqrs_enabled,
        queued=settings.commands_are_queued,
        authorise=settings.command_authorization_enabled,
        log_lines=settings.command_logging_enabled,
        snapshots=settings.write_model_snapshots,
        optimistic_concurrency=settings.write_model_optimistic_concurrency,
        retry_attempts=settings.command_retry_attempts,
        timeout=settings.command_timeout,
        max_concurrent=settings.max_concurrent_commands,
    )


def query_options(settings: Settings) -> QueryOptions:
    return QueryOptions(
        authorise=settings.query_authorization_enabled,
        caching=settings.query_caching_enabled,
        timeout=settings.query_timeout,
        max_concurrent=settings.max_concurrent_queries,
        max_waiting=settings.max_waiting_queries,
        log_share=settings.query_log_share,
        write_through=settings.write_through_seconds if settings.query_caching_enabled else 0.0,
        at_once=1 if settings.query_bus_type == "synchronous" else AT_ONCE,
    )


def synchronous(settings: Settings, registry: Registry) -> tuple[str, ...]:
    """The projections named in SYNCHRONOUS_PROJECTIONS. Raises SettingsError."""
    names = settings.synchronous_names
    if unknown := [name for name in names if name not in registry.projections]:
        known = ", ".join(sorted(registry.projections))
        raise SettingsError(
            f"SYNCHRONOUS_PROJECTIONS names {unknown[0]}, which is no projection. There are: "
            f"{known}."
        )
    if names and settings.read_database_url != settings.database_url:
        raise SettingsError(
            "SYNCHRONOUS_PROJECTIONS needs the read models in the database of the events. Set "
            "READ_DATABASE_URL to the value of DATABASE_URL, or leave it empty on PostgreSQL."
        )
    return names


def tuning(settings: Settings) -> Tuning:
    return Tuning(
        projection_batch=settings.projection_batch,
        amber_lag=settings.amber_lag_seconds,
        red_lag=settings.red_lag_seconds,
        cache_ttl=settings.query_cache_ttl,
    )
