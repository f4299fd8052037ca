"""Composes the application: settings, engines, areas, buses, pages, command line."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from flask import Flask
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cqrs_app import PROJECT, database, logs, plugins
from cqrs_app.addresses import redis_client
from cqrs_app.areas.checks.types import Checks, Reaction
from cqrs_app.areas.fulfilment.ahead import process_ahead
from cqrs_app.areas.fulfilment.dispatch import PERMISSIONS
from cqrs_app.areas.fulfilment.process import FulfilmentProcess
from cqrs_app.areas.fulfilment.tasks import DispatchCommands
from cqrs_app.areas.fulfilment.types import AfterDeclines, Policy
from cqrs_app.areas.payments.callbacks import Callbacks, sandbox_caller
from cqrs_app.areas.payments.gateway import Gateway, Manual
from cqrs_app.areas.payments.gateway_client import GatewayClient
from cqrs_app.areas.payments.gateway_commands import ANSWER
from cqrs_app.areas.payments.sandbox import Sandbox
from cqrs_app.areas.payments.tasks import AskGateways
from cqrs_app.areas.payments.words import MANUAL
from cqrs_app.environment import SettingsError
from cqrs_app.installed_areas import CHOOSERS, SENDABLE, build_registry
from cqrs_app.interfaces import cli
from cqrs_app.kernel.assembly import Engines, Kernel, Tuning, assemble
from cqrs_app.kernel.commands.bus import BusOptions, utc_now
from cqrs_app.kernel.queries.bus import QueryOptions
from cqrs_app.kernel.queries.change_token import ChangeToken
from cqrs_app.kernel.queries.side_by_side import AT_ONCE
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.reporting import Reporter
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.kernel.subscriptions.wake_ups import Jobs
from cqrs_app.platform import sql_views
from cqrs_app.platform.alerts.channels import AppriseUrl, Channel, by_name
from cqrs_app.platform.alerts.commands import MANAGE as MANAGE_ALERTS
from cqrs_app.platform.alerts.commands import RAISE as RAISE_ALERTS
from cqrs_app.platform.alerts.email import Email
from cqrs_app.platform.alerts.machine import Certificates, disk
from cqrs_app.platform.alerts.overrides import OVERRIDES
from cqrs_app.platform.alerts.sending import SendHeartbeat, SendNotices
from cqrs_app.platform.alerts.shop import SHOP
from cqrs_app.platform.alerts.sources import RECONCILIATION, STORED, Sources
from cqrs_app.platform.alerts.watching import WatchProblems
from cqrs_app.platform.approvals.commands import RUN as RUN_APPROVALS
from cqrs_app.platform.approvals.signers import Signers
from cqrs_app.platform.approvals.task import CarryOutRequests
from cqrs_app.platform.batches.commands import END, RUN
from cqrs_app.platform.batches.creating import Batches
from cqrs_app.platform.batches.items import Items
from cqrs_app.platform.batches.work import RunBatches
from cqrs_app.platform.demo.task import DemoLife
from cqrs_app.platform.failures.commands import MANAGE as MANAGE_FAILURES
from cqrs_app.platform.failures.failed_commands import FailedCommands
from cqrs_app.platform.failures.recorder import Recorder
from cqrs_app.platform.failures.stored import StoredFailures
from cqrs_app.platform.failures.task import FollowParkedEvents
from cqrs_app.platform.limits.within import WithinLimits
from cqrs_app.platform.mail import Mailer
from cqrs_app.platform.notifications.addresses import MailAddresses
from cqrs_app.platform.notifications.inbox import Inbox
from cqrs_app.platform.notifications.sending import MailNotifications
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.assignees import Assignees
from cqrs_app.platform.operators.changes import OperatorChanges
from cqrs_app.platform.operators.identities import Identities
from cqrs_app.platform.operators.link_mail import LinkMail
from cqrs_app.platform.operators.links import Links
from cqrs_app.platform.operators.openid_provider import Client, OpenIdProvider
from cqrs_app.platform.operators.passkeys import Passkeys
from cqrs_app.platform.operators.rates import Rates, SignInRates
from cqrs_app.platform.operators.roles import KnownRoles, system_actor
from cqrs_app.platform.operators.second_factors import SecondFactors
from cqrs_app.platform.operators.sessions import Sessions
from cqrs_app.platform.operators.sign_on_rules import SignOnRules, pairs
from cqrs_app.platform.operators.throttle import Throttle
from cqrs_app.platform.operators.tokens import Tokens
from cqrs_app.platform.queue.claims import Claims
from cqrs_app.platform.queue.runs import Runs
from cqrs_app.platform.runtime.reading_rights import reading_rights
from cqrs_app.platform.runtime.reconciliation import Reconcile, Schedule
from cqrs_app.platform.runtime.sampling import of_this_process
from cqrs_app.platform.transfer.attachments.files import OrderFiles
from cqrs_app.platform.transfer.imports.task import ImportUploads
from cqrs_app.platform.transfer.uploads.receiving import Files
from cqrs_app.platform.webhooks import names
from cqrs_app.platform.webhooks.commands import MANAGE
from cqrs_app.platform.webhooks.delivery import Deliverer
from cqrs_app.platform.webhooks.tasks import Deliveries
from cqrs_app.processes import embedded_redis
from cqrs_app.services import NAME, Services
from cqrs_app.settings import Settings
from cqrs_app.telemetry import Export, export_of

REDIS_PATIENCE_SECONDS = 0.25
"""The longest time an operator waits for a Redis that hangs."""

JOBS = Jobs(prefix="countersign", module="cqrs_app.processes.jobs")


def compose(settings: Settings, *, pages: bool = True) -> Flask:
    """The Flask application for these settings. With `pages` off it has neither pages nor API."""
    app = Flask(
        "cqrs_app", root_path=str(PROJECT), template_folder="templates", static_folder="static"
    )
    if settings.areas != os.environ.get(plugins.SETTING, ""):
        raise SettingsError("AREAS is read once per process: set it in the environment.")
    database.configure(app, settings)
    redis_url = settings.redis_url or embedded_redis.url(settings.data_dir)
    engines = database.engines_of(app, settings)
    failures = Recorder(engines.write, release_of(settings), utc_now)
    export = export_of(settings, release_of(settings))
    kernel = _kernel(engines, settings, redis_url, failures.report, export)
    write, roles = kernel.engines.write, kernel.registry.roles
    _refuse_unknown_roles(settings, roles)
    kernel.recorder.sampled = partial(of_this_process, kernel.recorder, release_of(settings))
    mailer = _mailer(settings)
    accounts = Accounts(
        write, roles, kernel.commands.execute, kernel.clock, shop_name=settings.shop_name
    )
    app.extensions[NAME] = Services(
        settings=settings,
        redis_url=redis_url,
        kernel=kernel,
        failures=failures,
        export=export,
        problem_sources=_problem_sources(settings),
        change_token=ChangeToken(kernel.engines.query, kernel.store),
        reconciliation_schedule=_schedule(settings),
        payment_callbacks=_callbacks(settings, kernel),
        batches=Batches(kernel, CHOOSERS, settings.max_batch_items),
        accounts=accounts,
        roles=KnownRoles(write, roles),
        links=Links(write, kernel.vault, kernel.clock),
        link_mail=LinkMail(mailer, settings.shop_name) if mailer else None,
        second_factors=SecondFactors(write, kernel.vault, settings.shop_name),
        passkeys=Passkeys(write, settings.shop_name),
        identities=Identities(write, settings.oidc_name, accounts),
        openid_provider=_openid_provider(settings, list(roles)),
        assignees=Assignees(write),
        claims=Claims(write, settings.claim_minutes, kernel.clock),
        runs=Runs(write, kernel.clock),
        inbox=Inbox(write, kernel.clock),
        mail_addresses=MailAddresses(write, kernel.clock),
        signers=Signers(write, lambda: roles),
        tokens=Tokens(write, roles),
        sessions=Sessions(
            write, roles, idle_seconds=settings.session_idle_seconds, hours=settings.session_hours
        ),
        throttle=Throttle(
            write, attempts=settings.sign_in_attempts, pause_seconds=settings.sign_in_pause_seconds
        ),
        sign_in_rates=SignInRates(
            Rates(kernel.redis),
            per_address=settings.sign_in_attempts_per_address,
            in_all=settings.sign_in_attempts_in_all,
        ),
    )
    cli.init_app(app, kernel.registry.workers())
    if pages:
        # Imported here, so that processes without pages do not load what pages need.
        from cqrs_app.interfaces import api, web

        logs.init_requests(
            app,
            kernel.recorder,
            kernel.statistics,
            kernel.tracer,
            access_log=settings.access_log,
        )
        web.init_app(app, settings)
        api.init_app(app, settings)
    return app


def release_of(settings: Settings) -> str:
    """The name of the release that runs: the setting, or else the version of the project."""
    described = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    return settings.release or str(described["project"]["version"])


def _refuse_unknown_roles(settings: Settings, roles: Collection[str]) -> None:
    for name, named in (
        ("SECOND_FACTOR_ROLES", settings.roles_with_second_factor),
        ("ROLE_NETWORKS", settings.networks_of_roles),
    ):
        for role in set(named).difference(roles):
            raise SettingsError(
                f"{name} has {role!r}, which is no role. Roles are: {', '.join(roles)}."
            )


def _openid_provider(settings: Settings, roles: Sequence[str]) -> OpenIdProvider | None:
    """The provider of single sign-on, if the settings name one. Raises SettingsError."""
    if not settings.oidc_issuer:
        return None
    client = Client(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        name=settings.oidc_name,
        scopes=settings.oidc_scopes,
    )
    rules = SignOnRules(
        name_claim=settings.oidc_name_claim,
        roles_claim=settings.oidc_roles_claim,
        roles=_mapped_roles(settings, roles),
        default_role=settings.oidc_default_role,
        factors=settings.oidc_factors,
        creates=settings.oidc_create_operators,
    )
    return OpenIdProvider(client, rules)


def _mapped_roles(settings: Settings, roles: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of OIDC_ROLES, the least privileged role first. Raises SettingsError."""
    try:
        found = pairs(settings.oidc_roles)
    except ValueError as error:
        raise SettingsError(
            f"OIDC_ROLES has {str(error)!r}. Write VALUE=ROLE, with semicolons between them."
        ) from None
    default = settings.oidc_default_role
    for name, role in (
        *(("OIDC_ROLES", role) for _, role in found),
        *([("OIDC_DEFAULT_ROLE", default)] if default else []),
    ):
        if role not in roles:
            raise SettingsError(
                f"{name} has {role!r}, which is no role. Roles are: {', '.join(roles)}."
            )
    return sorted(found, key=lambda pair: roles.index(pair[1]))


def _kernel(
    engines: Engines, settings: Settings, redis_url: str, report: Reporter, export: Export | None
) -> Kernel:
    def fulfilment_of(order_id: str) -> FulfilmentProcess:
        with reader_of(engines.write).connect() as connection:
            return process_ahead(connection, order_id)

    stored = StoredFailures(engines.write)
    signers = Signers(engines.write, lambda: registry.roles)
    changes = OperatorChanges(engines.write)
    registry = build_registry(
        settings.webhook_networks,
        settings.payment_gateway,
        Files(engines.write).is_there,
        fulfilment_of,
        _policy(settings),
        _tasks(settings, signers),
        _checks(settings),
        OrderFiles(engines.write).is_received,
        batch_items=Items(engines.write),
        is_assignable=Assignees(engines.write).has,
        claims=Claims(engines.write, settings.claim_minutes),
        runs=Runs(engines.write),
        signers=signers,
        failure_state=stored.state,
        sample_of=stored.sample,
        failed_commands=FailedCommands(engines.write, signers.actor, lambda: registry.commands),
        alert_channels=tuple(by_name(_channels(settings))),
        operator_changes=[changes],
        within_limits=WithinLimits(engines.write),
        fulfilment=settings.fulfilment,
        zone=ZoneInfo(settings.timezone),
    )
    changes.bind(registry.roles, registry.commands)
    tuning = Tuning(
        projection_batch=settings.projection_batch,
        amber_lag=settings.amber_lag_seconds,
        red_lag=settings.red_lag_seconds,
        cache_ttl=settings.query_cache_ttl,
    )
    return assemble(
        registry,
        engines,
        redis=_redis(redis_url),
        cache_redis=_redis(settings.cache_redis_url or redis_url),
        personal_data_key=settings.ensure_personal_data_key(),
        commands=_command_options(settings),
        queries=_query_options(settings),
        tuning=tuning,
        jobs=JOBS,
        synchronous=_synchronous(settings, registry),
        exchanged=sql_views.repoint,
        report=report,
        export=export,
        rights=reading_rights(registry),
        person_of=lambda name: signers.of(name).person,
    )


def _synchronous(settings: Settings, registry: Registry) -> tuple[str, ...]:
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


def _tasks(settings: Settings, signers: Signers) -> dict[str, list[BackgroundTask]]:
    """Area -> its background tasks."""
    return {
        "fulfilment": [
            DispatchCommands(system_actor("fulfilment", *PERMISSIONS), enabled=settings.fulfilment)
        ],
        "webhooks": [Deliveries(partial(_deliverer, settings))],
        "payments": [
            AskGateways(
                partial(_gateway_client, settings), needed=settings.payment_gateway != MANUAL
            )
        ],
        "uploads": [ImportUploads()],
        "batches": [RunBatches(system_actor("worker", END, RUN), signers)],
        "approvals": [CarryOutRequests(system_actor("approvals", RUN_APPROVALS), signers)],
        "runtime": [Reconcile(_schedule(settings))],
        "failures": [
            FollowParkedEvents(system_actor("failures", MANAGE_FAILURES), release_of(settings))
        ],
        "alerts": [
            WatchProblems(
                system_actor("alerts", RAISE_ALERTS, MANAGE_ALERTS), _problem_sources(settings)
            ),
            SendNotices(_channels(settings)),
            SendHeartbeat(settings.heartbeat_url, settings.console_id(), settings.webhook_networks),
        ],
        "notifications": [MailNotifications(_mailer(settings), settings.shop_name)],
        "demo": [DemoLife(settings.demo_orders, settings.demo_seconds)]
        if settings.demo_orders and settings.demo_seconds
        else [],
    }


def _problem_sources(settings: Settings) -> Sources:
    reconciled = [RECONCILIATION] if settings.reconcile_hours else []
    certificates = Certificates(settings.certificates).source
    return Sources([*STORED, SHOP, OVERRIDES, disk(settings.data_dir), certificates, *reconciled])


def _mailer(settings: Settings) -> Mailer | None:
    """None without a mail server."""
    return Mailer(settings.smtp_url, settings.mail_sender) if settings.smtp_url else None


def _channels(settings: Settings) -> list[Channel]:
    """Where notices of alerts go, apart from webhooks."""
    found: list[Channel] = [AppriseUrl(url) for url in settings.alert_urls.split()]
    if settings.smtp_url:
        recipients, sender = settings.alert_recipients, settings.mail_sender
        found.append(Email(settings.smtp_url, sender, recipients, settings.shop_name))
    return found


def _schedule(settings: Settings) -> Schedule:
    start, end = settings.reconcile_times
    return Schedule(settings.reconcile_hours, start, end, ZoneInfo(settings.timezone))


def _command_options(settings: Settings) -> BusOptions:
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


def _query_options(settings: Settings) -> QueryOptions:
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


def _callbacks(settings: Settings, kernel: Kernel) -> Callbacks:
    actor = system_actor("gateway", ANSWER)
    return Callbacks(kernel, secret=settings.payment_callback_secret, actor=actor)


def _deliverer(settings: Settings, kernel: Kernel) -> Deliverer:
    return Deliverer(
        kernel,
        actor=system_actor("webhooks", MANAGE),
        sendable=names(SENDABLE),
        allowed=settings.webhook_networks,
        pause_after_hours=settings.webhook_pause_after_hours,
    )


def _gateway_client(settings: Settings, kernel: Kernel) -> GatewayClient:
    receive = _callbacks(settings, kernel).receive
    call_back = sandbox_caller(receive, settings.payment_callback_secret, kernel.clock)
    # All of them, whatever the setting: a payment is finished at the gateway where it was started.
    gateways: dict[str, Gateway] = {
        "manual": Manual(),
        "sandbox": Sandbox(kernel.engines.write, call_back),
    }
    return GatewayClient(kernel, gateways, actor=system_actor("gateway", ANSWER))


def _policy(settings: Settings) -> Policy:
    by_hand = settings.payment_gateway == MANUAL
    return Policy(
        # With manual payments there is no gateway to request money from.
        method="" if by_hand else settings.fulfilment_payment_method,
        retry_after=settings.fulfilment_retries,
        after_declines=AfterDeclines(settings.fulfilment_after_declines),
    )


def _checks(settings: Settings) -> Checks:
    return Checks(
        payments=Reaction(settings.unmatched_payments),
        excess_percent=settings.payment_excess_percent,
        unknown_customers=Reaction(settings.unknown_customers),
        inactive_customers=Reaction(settings.inactive_customers),
        unknown_products=Reaction(settings.unknown_products),
        address_needed=settings.shipping_address_required,
    )


def _redis(url: str) -> Redis:
    return redis_client(
        url,
        socket_timeout=REDIS_PATIENCE_SECONDS,
        socket_connect_timeout=REDIS_PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
