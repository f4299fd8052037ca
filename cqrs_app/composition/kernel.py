"""The kernel of the console: its areas, connected with the stores and the settings."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cqrs_app.addresses import redis_client
from cqrs_app.areas.fulfilment.ahead import process_ahead
from cqrs_app.areas.fulfilment.process import FulfilmentProcess
from cqrs_app.composition.outside import channels
from cqrs_app.composition.rules import (
    checks,
    command_options,
    policy,
    query_options,
    synchronous,
    tuning,
)
from cqrs_app.composition.tasks import tasks
from cqrs_app.installed_areas import Connections, build_registry
from cqrs_app.kernel.assembling import Assembly
from cqrs_app.kernel.assembly import Engines, Kernel
from cqrs_app.kernel.commands.context import ActorNow
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.reporting import Reporter
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.wake_ups import Jobs
from cqrs_app.platform import sql_views
from cqrs_app.platform.alerts.channels import by_name
from cqrs_app.platform.approvals.signers import Signers
from cqrs_app.platform.audit.recorder import AuditRecorder
from cqrs_app.platform.batches.items import Items
from cqrs_app.platform.failures.failed_commands import FailedCommands
from cqrs_app.platform.failures.stored import StoredFailures
from cqrs_app.platform.limits.within import WithinLimits
from cqrs_app.platform.operators.actors import Actors
from cqrs_app.platform.operators.assignees import Assignees
from cqrs_app.platform.operators.changes import OperatorChanges
from cqrs_app.platform.queue.claims import Claims
from cqrs_app.platform.queue.runs import Runs
from cqrs_app.platform.runtime.reading_rights import reading_rights
from cqrs_app.platform.transfer.attachments.files import OrderFiles
from cqrs_app.platform.transfer.uploads.receiving import Files
from cqrs_app.settings import Settings
from cqrs_app.telemetry import Export

REDIS_PATIENCE_SECONDS = 0.25
"""The longest time an operator waits for a Redis that hangs."""

JOBS = Jobs(prefix="countersign", module="cqrs_app.processes.jobs")


def kernel_of(
    engines: Engines,
    settings: Settings,
    redis_url: str,
    report: Reporter,
    export: Export | None,
    audit: AuditRecorder,
) -> Kernel:
    """The kernel with all areas. Raises SettingsError."""
    actors = Actors(engines.write, lambda: registry.roles)
    signers = Signers(engines.write, actors.now)
    changes = OperatorChanges(engines.write)
    vault = Vault(engines.write, settings.personal_data_keys, JOBS.prefix)
    registry = build_registry(
        replace(
            _connections(engines, settings, signers, actors.now, audit),
            failed_commands=FailedCommands(engines.write, actors.now, lambda: registry.commands),
            operator_changes=[changes],
            vault=vault,
            audit=[audit.middleware],
            audit_streams=bool(settings.audit_stream),
        )
    )
    changes.bind(registry.roles, registry.commands)
    return Assembly(
        registry,
        engines,
        redis=_redis(redis_url),
        cache_redis=_redis(settings.cache_redis_url or redis_url),
        vault=vault,
        commands=command_options(settings),
        queries=query_options(settings),
        tuning=tuning(settings),
        jobs=JOBS,
        synchronous=synchronous(settings, registry),
        exchanged=sql_views.repoint,
        report=report,
        export=export,
        rights=reading_rights(registry),
        person_of=lambda name: signers.of(name).person,
        actor_now=actors.now,
    ).kernel()


def _connections(
    engines: Engines,
    settings: Settings,
    signers: Signers,
    actor_now: ActorNow,
    audit: AuditRecorder,
) -> Connections:
    write = engines.write
    stored = StoredFailures(write)

    def fulfilment_of(order_id: str) -> FulfilmentProcess:
        with reader_of(write).connect() as connection:
            return process_ahead(connection, order_id)

    return Connections(
        webhook_networks=settings.webhook_networks,
        payment_gateway=settings.payment_gateway,
        is_uploaded=Files(write).is_there,
        is_file_received=OrderFiles(write).is_received,
        process_of=fulfilment_of,
        policy=policy(settings),
        fulfilment=settings.fulfilment,
        tasks=tasks(settings, signers, actor_now, audit),
        checks=checks(settings),
        batch_items=Items(write),
        is_assignable=Assignees(write).has,
        claims=Claims(write, settings.claim_minutes),
        runs=Runs(write),
        signers=signers,
        failure_state=stored.state,
        sample_of=stored.sample,
        alert_channels=tuple(by_name(channels(settings))),
        within_limits=WithinLimits(write),
        zone=ZoneInfo(settings.timezone),
    )


def _redis(url: str) -> Redis:
    return redis_client(
        url,
        socket_timeout=REDIS_PATIENCE_SECONDS,
        socket_connect_timeout=REDIS_PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
