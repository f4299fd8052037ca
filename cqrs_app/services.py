"""The services of an application, typed. create_app makes them; requests, `flask` commands and jobs
use them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app
from werkzeug.local import LocalProxy

from cqrs_app.areas.payments.callbacks import Callbacks
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.queries.change_token import ChangeToken
from cqrs_app.platform.alerts.sources import Sources
from cqrs_app.platform.approvals.signers import Signers
from cqrs_app.platform.audit.recorder import AuditRecorder
from cqrs_app.platform.batches.creating import Batches
from cqrs_app.platform.failures.recorder import Recorder
from cqrs_app.platform.notifications.addresses import MailAddresses
from cqrs_app.platform.notifications.inbox import Inbox
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.assignees import Assignees
from cqrs_app.platform.operators.identities import Identities
from cqrs_app.platform.operators.link_mail import LinkMail
from cqrs_app.platform.operators.links import Links
from cqrs_app.platform.operators.openid_provider import OpenIdProvider
from cqrs_app.platform.operators.passkeys import Passkeys
from cqrs_app.platform.operators.provisioning import Provisioning
from cqrs_app.platform.operators.rates import SignInRates
from cqrs_app.platform.operators.roles import KnownRoles
from cqrs_app.platform.operators.second_factors import SecondFactors
from cqrs_app.platform.operators.sessions import Sessions
from cqrs_app.platform.operators.throttle import Throttle
from cqrs_app.platform.operators.tokens import Tokens
from cqrs_app.platform.queue.claims import Claims
from cqrs_app.platform.queue.runs import Runs
from cqrs_app.platform.runtime.reconciliation import Schedule
from cqrs_app.settings import Settings
from cqrs_app.telemetry import Export

NAME = "services"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """`redis_url` is that of the embedded server if the settings name none; `export` sends traces
    to a collector, if they name one."""

    settings: Settings
    redis_url: str
    kernel: Kernel
    failures: Recorder
    audit: AuditRecorder
    export: Export | None
    problem_sources: Sources
    reconciliation_schedule: Schedule
    change_token: ChangeToken
    payment_callbacks: Callbacks
    batches: Batches
    accounts: Accounts
    roles: KnownRoles
    links: Links
    link_mail: LinkMail | None
    signers: Signers
    second_factors: SecondFactors
    passkeys: Passkeys
    identities: Identities
    openid_provider: OpenIdProvider | None
    provisioning: Provisioning
    assignees: Assignees
    claims: Claims
    runs: Runs
    inbox: Inbox
    mail_addresses: MailAddresses
    tokens: Tokens
    sessions: Sessions
    throttle: Throttle
    sign_in_rates: SignInRates

    def close(self) -> None:
        """Finish pending background work. Called at the end of a process or a test."""
        self.audit.close()
        self.kernel.close()
        self.failures.close()
        # What was written just now may have been slow, which is measured too.
        self.kernel.recorder.close()
        if self.export is not None:
            self.export.close()


def services_of(app: Flask) -> Services:
    """The services of an application."""
    found: Services = app.extensions[NAME]
    return found


services: Services = LocalProxy(lambda: services_of(current_app))  # type: ignore[assignment]
"""The services of the current application."""

kernel: Kernel = LocalProxy(lambda: services.kernel)  # type: ignore[assignment]
"""The kernel of the current application."""
