"""Composes the application: settings, engines, areas, buses, pages, command line."""

from __future__ import annotations

import os
from functools import partial

from flask import Flask

from cqrs_app import PROJECT, database, logs, plugins
from cqrs_app.composition.kernel import kernel_of
from cqrs_app.composition.outside import mailer_of, problem_sources, release_of, schedule
from cqrs_app.composition.sign_on import (
    known_roles,
    openid_provider,
    provisioning_rules,
    refuse_unknown_roles,
)
from cqrs_app.composition.tasks import callbacks
from cqrs_app.environment import SettingsError
from cqrs_app.installed_areas import CHOOSERS
from cqrs_app.interfaces import cli
from cqrs_app.kernel.assembly import Engines, Kernel
from cqrs_app.kernel.clock import utc_now
from cqrs_app.kernel.queries.change_token import ChangeToken
from cqrs_app.platform.approvals.signers import Signers
from cqrs_app.platform.audit.commands import RECORD as RECORD_AUDIT
from cqrs_app.platform.audit.recorder import AuditRecorder
from cqrs_app.platform.batches.creating import Batches
from cqrs_app.platform.failures.recorder import Recorder
from cqrs_app.platform.notifications.addresses import MailAddresses
from cqrs_app.platform.notifications.inbox import Inbox
from cqrs_app.platform.operators.account import OperatorAccount
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.actors import Actors
from cqrs_app.platform.operators.assignees import Assignees
from cqrs_app.platform.operators.identities import Identities
from cqrs_app.platform.operators.link_mail import LinkMail
from cqrs_app.platform.operators.links import Links
from cqrs_app.platform.operators.passkeys import Passkeys
from cqrs_app.platform.operators.provisioning import Provisioning
from cqrs_app.platform.operators.queries import email_in
from cqrs_app.platform.operators.rates import Rates, SignInRates
from cqrs_app.platform.operators.roles import KnownRoles, Roles, system_actor
from cqrs_app.platform.operators.second_factors import SecondFactors
from cqrs_app.platform.operators.sessions import Sessions
from cqrs_app.platform.operators.throttle import Throttle
from cqrs_app.platform.operators.tokens import Tokens
from cqrs_app.platform.queue.claims import Claims
from cqrs_app.platform.queue.runs import Runs
from cqrs_app.platform.runtime.sampling import of_this_process
from cqrs_app.processes import embedded_redis
from cqrs_app.services import NAME, Services
from cqrs_app.settings import Settings
from cqrs_app.telemetry import export_of

AUDITOR = system_actor("system", RECORD_AUDIT)


def compose(settings: Settings, *, pages: bool = True) -> Flask:
    """The Flask application for these settings. With `pages` off it has neither pages nor API."""
    app = Flask(
        "cqrs_app", root_path=str(PROJECT), template_folder="templates", static_folder="static"
    )
    if settings.areas != os.environ.get(plugins.SETTING, ""):
        raise SettingsError("AREAS is read once per process: set it in the environment.")
    database.configure(app, settings)
    found = app.extensions[NAME] = _services(database.engines_of(app, settings), settings)
    cli.init_app(app, found.kernel.registry.workers())
    if pages:
        _add_pages(app, settings, found.kernel)
    return app


def _add_pages(app: Flask, settings: Settings, kernel: Kernel) -> None:
    # Imported here, so that processes without pages do not load what pages need.
    from cqrs_app.interfaces import api, scim, web
    from cqrs_app.interfaces.web.areas.records import init_records

    logs.init_requests(
        app, kernel.recorder, kernel.statistics, kernel.tracer, access_log=settings.access_log
    )
    web.init_app(app, settings)
    api.init_app(app, settings)
    scim.init_app(app)
    init_records(app)


def _services(engines: Engines, settings: Settings) -> Services:
    redis_url = settings.redis_url or embedded_redis.url(settings.data_dir)
    release = release_of(settings)
    failures, export = Recorder(engines.write, release, utc_now), export_of(settings, release)
    audit = AuditRecorder(AUDITOR, utc_now, enabled=settings.audit_events)
    kernel = kernel_of(engines, settings, redis_url, failures.report, export, audit)
    audit.bind(kernel.commands.execute_batch)
    kernel.queries.seen = audit.seen
    write, roles = engines.write, kernel.registry.roles
    known = known_roles(write, roles, settings)
    refuse_unknown_roles(settings, known)
    kernel.recorder.sampled = partial(of_this_process, kernel.recorder, release)
    mailer = mailer_of(settings)
    accounts = Accounts(
        write, roles, kernel.commands.execute, kernel.clock, shop_name=settings.shop_name
    )
    return Services(
        settings=settings,
        redis_url=redis_url,
        kernel=kernel,
        failures=failures,
        audit=audit,
        export=export,
        problem_sources=problem_sources(settings),
        change_token=ChangeToken(kernel.engines.query, kernel.store),
        reconciliation_schedule=schedule(settings),
        payment_callbacks=callbacks(settings, kernel),
        batches=Batches(kernel, CHOOSERS, settings.max_batch_items),
        accounts=accounts,
        roles=KnownRoles(write, roles),
        links=Links(write, kernel.vault, kernel.clock),
        link_mail=LinkMail(mailer, settings.shop_name) if mailer else None,
        second_factors=SecondFactors(write, kernel.vault, settings.shop_name),
        passkeys=Passkeys(write, settings.shop_name),
        identities=Identities(write, settings.oidc_name, accounts),
        openid_provider=openid_provider(settings, known),
        provisioning=Provisioning(
            write, accounts, provisioning_rules(settings, known), settings.break_glass_names
        ),
        assignees=Assignees(write),
        claims=Claims(write, settings.claim_minutes, kernel.clock),
        runs=Runs(write, kernel.clock),
        inbox=Inbox(write, kernel.clock),
        mail_addresses=MailAddresses(
            write, accounts, partial(_recorded_email, kernel), kernel.clock
        ),
        signers=Signers(write, Actors(write, lambda: roles).now),
        tokens=Tokens(write, roles),
        sessions=_sessions(engines, settings, roles),
        throttle=Throttle(
            write, attempts=settings.sign_in_attempts, pause_seconds=settings.sign_in_pause_seconds
        ),
        sign_in_rates=_sign_in_rates(settings, kernel),
    )


def _recorded_email(kernel: Kernel, operator: str) -> str:
    stored = kernel.store.events_of(OperatorAccount.stream_of(operator))
    return email_in([kernel.registry.codec.decode(each).event for each in stored])


def _sessions(engines: Engines, settings: Settings, roles: Roles) -> Sessions:
    idle, hours = settings.session_idle_seconds, settings.session_hours
    return Sessions(engines.write, roles, idle_seconds=idle, hours=hours)


def _sign_in_rates(settings: Settings, kernel: Kernel) -> SignInRates:
    return SignInRates(
        Rates(kernel.redis),
        per_address=settings.sign_in_attempts_per_address,
        in_all=settings.sign_in_attempts_in_all,
    )
