"""The background tasks of each area."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from cqrs_app.areas.fulfilment.dispatch import PERMISSIONS
from cqrs_app.areas.fulfilment.tasks import DispatchCommands
from cqrs_app.areas.payments.callbacks import Callbacks, sandbox_caller
from cqrs_app.areas.payments.gateway import Gateway, Manual
from cqrs_app.areas.payments.gateway_client import GatewayClient
from cqrs_app.areas.payments.gateway_commands import ANSWER
from cqrs_app.areas.payments.sandbox import Sandbox
from cqrs_app.areas.payments.tasks import AskGateways
from cqrs_app.areas.payments.words import MANUAL
from cqrs_app.composition.outside import (
    audit_sink,
    channels,
    mailer_of,
    problem_sources,
    release_of,
    schedule,
)
from cqrs_app.installed_areas import LISTS, SENDABLE
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import ActorNow
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.alerts.commands import MANAGE as MANAGE_ALERTS
from cqrs_app.platform.alerts.commands import RAISE as RAISE_ALERTS
from cqrs_app.platform.alerts.sending import SendHeartbeat, SendNotices
from cqrs_app.platform.alerts.watching import WatchProblems
from cqrs_app.platform.approvals.commands import RUN as RUN_APPROVALS
from cqrs_app.platform.approvals.signers import Signers
from cqrs_app.platform.approvals.task import CarryOutRequests
from cqrs_app.platform.audit.anchors import AnchorSeals, Places
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.audit.recorder import AuditRecorder
from cqrs_app.platform.audit.streaming import SendSecurityEvents
from cqrs_app.platform.batches.commands import END
from cqrs_app.platform.batches.work import RunBatches
from cqrs_app.platform.demo.task import DemoLife
from cqrs_app.platform.erasure import ForgetErased
from cqrs_app.platform.failures.commands import MANAGE as MANAGE_FAILURES
from cqrs_app.platform.failures.task import FollowParkedEvents
from cqrs_app.platform.notifications.sending import MailNotifications
from cqrs_app.platform.operators.roles import system_actor
from cqrs_app.platform.retention.commands import RECORD
from cqrs_app.platform.retention.rules import RULES
from cqrs_app.platform.retention.task import ForgetOld
from cqrs_app.platform.runtime.reconciliation import Reconcile
from cqrs_app.platform.transfer.imports.task import ImportUploads
from cqrs_app.platform.transfer.schedules.task import ExportRules, MakeExports
from cqrs_app.platform.webhooks import names
from cqrs_app.platform.webhooks.commands import MANAGE
from cqrs_app.platform.webhooks.delivery import Deliverer
from cqrs_app.platform.webhooks.tasks import Deliveries
from cqrs_app.settings import Settings


def tasks(
    settings: Settings, signers: Signers, actor_now: ActorNow, audit: AuditRecorder
) -> dict[str, list[BackgroundTask]]:
    """Area -> its background tasks."""
    return {
        "fulfilment": [
            DispatchCommands(system_actor("fulfilment", *PERMISSIONS), enabled=settings.fulfilment)
        ],
        "webhooks": [Deliveries(partial(deliverer, settings))],
        "payments": [
            AskGateways(
                partial(gateway_client, settings), needed=settings.payment_gateway != MANUAL
            )
        ],
        "uploads": [ImportUploads()],
        "exports": [MakeExports(export_rules(settings, actor_now, audit))],
        "batches": [RunBatches(system_actor("worker", END), signers)],
        "approvals": [CarryOutRequests(system_actor("approvals", RUN_APPROVALS), signers)],
        "runtime": [Reconcile(schedule(settings)), ForgetErased()],
        "retention": [
            ForgetOld(
                system_actor("sweeper", RECORD),
                {rule.kind: getattr(settings, rule.setting) for rule in RULES},
            )
        ],
        "failures": [
            FollowParkedEvents(system_actor("failures", MANAGE_FAILURES), release_of(settings))
        ],
        "alerts": [
            WatchProblems(
                system_actor("alerts", RAISE_ALERTS, MANAGE_ALERTS), problem_sources(settings)
            ),
            SendNotices(channels(settings)),
            SendHeartbeat(settings.heartbeat_url, settings.console_id(), settings.webhook_networks),
        ],
        "notifications": [MailNotifications(mailer_of(settings), settings.shop_name)],
        "audit": [
            SendSecurityEvents(audit_sink(settings), settings.console_id(), release_of(settings)),
            AnchorSeals(
                Places(
                    file=settings.seal_anchor_file,
                    url=settings.seal_anchor_url,
                    authority=settings.seal_timestamp_url,
                    allowed=settings.webhook_networks,
                ),
                settings.console_id(),
                timedelta(minutes=settings.seal_anchor_minutes),
            ),
        ],
        "demo": [DemoLife(settings.demo_orders, settings.demo_seconds)]
        if settings.demo_orders and settings.demo_seconds
        else [],
    }


def callbacks(settings: Settings, kernel: Kernel) -> Callbacks:
    actor = system_actor("gateway", ANSWER)
    return Callbacks(kernel, secret=settings.payment_callback_secret, actor=actor)


def export_rules(settings: Settings, actor_now: ActorNow, audit: AuditRecorder) -> ExportRules:
    def exported(owner: str, name: str, kind: str) -> None:
        audit.record(Kind.EXPORTED, owner, name, detail=f"{kind}, scheduled")

    return ExportRules(
        exported=exported,
        lists=LISTS,
        actor_now=actor_now,
        zone=ZoneInfo(settings.timezone),
        locale=settings.locale,
        allowed=settings.webhook_networks,
        most_bytes=settings.max_export_bytes,
    )


def deliverer(settings: Settings, kernel: Kernel) -> Deliverer:
    return Deliverer(
        kernel,
        actor=system_actor("webhooks", MANAGE),
        sendable=names(SENDABLE),
        allowed=settings.webhook_networks,
        pause_after_hours=settings.webhook_pause_after_hours,
    )


def gateway_client(settings: Settings, kernel: Kernel) -> GatewayClient:
    receive = callbacks(settings, kernel).receive
    call_back = sandbox_caller(receive, settings.payment_callback_secret, kernel.clock)
    # All of them, whatever the setting: a payment is finished at the gateway where it was started.
    gateways: dict[str, Gateway] = {
        "manual": Manual(),
        "sandbox": Sandbox(kernel.engines.write, call_back),
    }
    return GatewayClient(kernel, gateways, actor=system_actor("gateway", ANSWER))
