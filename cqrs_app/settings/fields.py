"""Each setting with its type and its default, and what follows from one or several of them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from msgspec import Meta

from cqrs_app.environment import SettingsError
from cqrs_app.networks import networks

BUS_TYPES = ("synchronous", "asynchronous", "distributed")
POOLING = ("session", "transaction")
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")
DATABASES = ("", "sqlite", "postgresql")
PAYMENT_GATEWAYS = ("manual", "sandbox")
AFTER_DECLINES = ("hold", "cancel")
REACTIONS = ("accept", "flag", "refuse")
CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "database_pooling": POOLING,
        "log_level": LOG_LEVELS,
        "log_format": LOG_FORMATS,
        "command_bus_type": BUS_TYPES,
        "query_bus_type": BUS_TYPES,
        "unknown_customers": REACTIONS,
        "inactive_customers": REACTIONS,
        "unknown_products": REACTIONS,
        "unmatched_payments": REACTIONS,
        "payment_gateway": PAYMENT_GATEWAYS,
        "fulfilment_after_declines": AFTER_DECLINES,
        "write_model_database": DATABASES,
        "read_model_database": DATABASES,
    }
)
"""Setting -> what it can be, where that is one of a few words."""
ALWAYS_ON = (
    "cqrs_event_sourcing",
    "command_validation_enabled",
    "write_model_event_store",
    "query_optimization_enabled",
    "read_model_optimization_enabled",
    "read_model_denormalization_enabled",
    "read_model_indexing_enabled",
)


Processes = Annotated[int, Meta(ge=0, le=256)]
"""How many of them one machine runs. With 0 there are none, and other processes do their work."""
Positive = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Limit = Annotated[int, Meta(ge=0, le=1_000_000_000)]
"""0 for no limit."""
Days = Annotated[int, Meta(ge=1, le=36_600)]
Seconds = Annotated[float, Meta(ge=0.05, le=3_600)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFields:
    """The settings by their names, and what some of them say together."""

    # Where it runs
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535)] = 8000
    data_dir: Path = Path("var")
    web_workers: Annotated[int, Meta(ge=1, le=256)] = 2
    web_threads: Annotated[int, Meta(ge=1, le=256)] = 8
    workers: Processes = 2
    worker_max_jobs: Positive = 100_000
    log_level: str = "info"
    log_format: str = "text"
    access_log: bool = False
    release: str = ""
    otel_exporter_otlp_endpoint: str = ""
    otel_service_name: str = "countersign"

    metrics_token: str = ""
    allow_insecure_host: bool = False

    # Stores; empty means the embedded default below `data_dir`
    database_url: str = ""
    read_database_url: str = ""
    query_database_url: str = ""
    database_pooling: str = "session"
    sqlite_encryption: bool = False
    redis_url: str = ""
    cache_redis_url: str = ""

    # Signing in
    admin_name: str = "admin"
    admin_password: str = ""
    secret_key: str = ""
    secret_key_fallbacks: str = ""
    personal_data_key: str = ""
    personal_data_key_file: str = ""
    personal_data_key_command: str = ""
    personal_data_key_previous: str = ""
    personal_data_key_previous_file: str = ""
    personal_data_key_previous_command: str = ""
    secure_cookies: bool = False
    trusted_hosts: str = ""
    proxy_hops: Annotated[int, Meta(ge=0, le=16)] = 0
    session_idle_seconds: Positive = 30 * 60
    session_hours: Annotated[int, Meta(ge=1, le=8_784)] = 12
    sign_in_attempts: Positive = 5
    sign_in_pause_seconds: Positive = 30
    sign_in_attempts_per_address: Limit = 60
    sign_in_attempts_in_all: Limit = 300
    step_up_minutes: Annotated[int, Meta(ge=1, le=1_440)] = 10
    second_factor_roles: str = ""
    role_networks: str = ""
    request_seconds: Annotated[float, Meta(ge=1, le=600)] = 10.0
    connections_per_address: Limit = 200
    max_request_bytes: Annotated[int, Meta(ge=16 * 1024)] = 16 * 1024 * 1024
    max_import_bytes: Annotated[int, Meta(ge=16 * 1024)] = 64 * 1024 * 1024
    max_import_rows: Positive = 1_500_000
    max_import_unpacked_bytes: Annotated[int, Meta(ge=1024 * 1024)] = 1024**3
    max_import_ratio: Annotated[int, Meta(ge=2, le=100_000)] = 200
    max_set_aside_bytes: Annotated[int, Meta(ge=16 * 1024, le=1024**3)] = 16 * 1024 * 1024
    max_export_bytes: Annotated[int, Meta(ge=16 * 1024, le=1024**3)] = 64 * 1024 * 1024
    max_attachment_bytes: Annotated[int, Meta(ge=16 * 1024, le=1024**3)] = 10 * 1024 * 1024
    max_batch_items: Annotated[int, Meta(ge=1, le=1_000_000)] = 100_000
    api_requests_per_minute: Limit = 6_000

    # Single sign-on
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_name: str = "single sign-on"
    oidc_scopes: str = "openid profile email"
    oidc_name_claim: str = "preferred_username"
    oidc_roles_claim: str = "groups"
    oidc_roles: str = ""
    oidc_default_role: str = ""
    oidc_create_operators: bool = False
    oidc_second_factor: str = ""
    local_sign_in: bool = True
    break_glass_operators: str = ""

    # Provisioning
    scim_roles: str = ""
    scim_default_role: str = "viewer"

    # The shop
    areas: str = ""
    shop_name: str = "Countersign"
    timezone: str = "UTC"
    locale: str = "en_GB"
    unknown_customers: str = "flag"
    inactive_customers: str = "refuse"
    unknown_products: str = "accept"
    shipping_address_required: bool = True
    demo_orders: Annotated[int, Meta(ge=0, le=1_000_000)] = 240
    demo_seconds: Annotated[float, Meta(ge=0, le=86_400)] = 30.0

    # Webhooks
    webhook_workers: Processes = 1
    webhook_allowed_networks: str = ""
    webhook_pause_after_hours: Annotated[float, Meta(ge=0, le=87_840)] = 72.0

    # Alerts
    smtp_url: str = ""
    alert_emails: str = ""
    alert_sender: str = ""
    alert_urls: str = ""
    heartbeat_url: str = ""
    certificate_hosts: str = ""

    # Audit
    audit_events: bool = True
    audit_stream: str = ""
    audit_stream_secret: str = ""
    seal_anchor_file: str = ""
    seal_anchor_url: str = ""
    seal_timestamp_url: str = ""
    seal_anchor_minutes: Annotated[int, Meta(ge=1, le=10_080)] = 60

    # Payments
    payment_gateway: str = ""
    payment_callback_secret: str = ""
    payment_workers: Processes = 1
    unmatched_payments: str = "refuse"
    payment_excess_percent: Annotated[int, Meta(ge=0, le=1_000)] = 10

    # Orders on their way
    fulfilment: bool = True
    fulfilment_payment_method: str = "on account"
    fulfilment_retry_hours: str = "1,24,72"
    fulfilment_after_declines: str = "hold"

    # The buses
    cqrs_enabled: bool = True
    command_bus_type: str = "synchronous"
    query_bus_type: str = "synchronous"
    command_async_processing: bool = False
    command_validation_enabled: bool = True
    command_authorization_enabled: bool = True
    command_logging_enabled: bool = True
    command_retry_attempts: Annotated[int, Meta(ge=1, le=100)] = 3
    command_timeout: Seconds = 30.0
    undo_seconds: Annotated[int, Meta(ge=0, le=60)] = 5
    claim_minutes: Annotated[int, Meta(ge=1, le=480)] = 5
    max_concurrent_commands: Limit = 100
    query_caching_enabled: bool = True
    query_cache_ttl: Annotated[int, Meta(ge=1, le=31_622_400)] = 300
    query_authorization_enabled: bool = True
    query_pagination_enabled: bool = True
    query_timeout: Seconds = 10.0
    max_concurrent_queries: Limit = 200
    write_through_seconds: Annotated[float, Meta(ge=0, le=3600)] = 1.0
    query_log_share: Annotated[float, Meta(ge=0, le=1)] = 0.01
    max_waiting_queries: Annotated[int, Meta(ge=0, le=256)] = 4

    # The stores' behaviour
    write_model_database: str = ""
    read_model_database: str = ""
    write_model_snapshots: bool = True
    write_model_optimistic_concurrency: bool = True
    read_write_separation: bool = True
    cqrs_event_sourcing: bool = True
    write_model_event_store: bool = True
    query_optimization_enabled: bool = True
    read_model_optimization_enabled: bool = True
    read_model_denormalization_enabled: bool = True
    read_model_indexing_enabled: bool = True

    # Reconciliation
    reconcile_hours: Annotated[float, Meta(ge=0, le=87_840)] = 24.0
    reconcile_window: str = "01:00-05:00"

    # How long data that may be about people is kept
    keep_uploads_days: Days = 30
    keep_batches_days: Days = 90
    keep_notifications_days: Days = 90
    keep_mails_days: Days = 7
    keep_notices_days: Days = 90
    keep_sessions_days: Days = 30
    keep_failures_days: Days = 180

    # Freshness
    synchronous_projections: str = ""
    projection_batch: Annotated[int, Meta(ge=1, le=10_000)] = 500
    sweep_seconds: Seconds = 1.0
    read_your_writes_seconds: Annotated[float, Meta(ge=0, le=60)] = 1.5
    amber_lag_seconds: Seconds = 5.0
    red_lag_seconds: Seconds = 60.0

    def processes_of(self, kind: str) -> int:
        """How many processes of this kind of worker one machine runs: `payment_workers` for the
        kind "payment worker"."""
        return int(getattr(self, f"{kind.replace(' ', '_')}s"))

    @property
    def has_replica(self) -> bool:
        return self.query_database_url != self.read_database_url

    @property
    def synchronous_names(self) -> tuple[str, ...]:
        """The projections that are to be synchronous."""
        return tuple(filter(None, map(str.strip, self.synchronous_projections.split(","))))

    @property
    def unchecked_permissions(self) -> tuple[str, ...]:
        """The settings that let everyone who is signed in do, or see, everything."""
        checks = ("command_authorization_enabled", "query_authorization_enabled")
        return tuple(name.upper() for name in checks if not getattr(self, name))

    @property
    def commands_are_queued(self) -> bool:
        return self.command_async_processing or self.command_bus_type != "synchronous"

    @property
    def webhook_networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """Networks that webhooks may reach although they are not public."""
        return networks(self.webhook_allowed_networks)

    @property
    def roles_with_second_factor(self) -> frozenset[str]:
        return _names(self.second_factor_roles)

    @property
    def oidc_factors(self) -> frozenset[str]:
        """The values of `amr` and `acr` that prove a second factor."""
        return _names(self.oidc_second_factor)

    @property
    def networks_of_roles(self) -> dict[str, str]:
        """Role -> the networks, with commas, that it may be used from."""
        parts = (part.partition("=") for part in self.role_networks.split(";") if part.strip())
        return {role.strip(): listed.strip() for role, _, listed in parts}

    @property
    def oidc_role_pairs(self) -> list[tuple[str, str]]:
        """The pairs of a claim's value and a role in OIDC_ROLES. Raises SettingsError."""
        return _role_pairs("OIDC_ROLES", self.oidc_roles)

    @property
    def scim_role_pairs(self) -> list[tuple[str, str]]:
        """The pairs of a group's name and a role in SCIM_ROLES. Raises SettingsError."""
        return _role_pairs("SCIM_ROLES", self.scim_roles)

    @property
    def named_roles(self) -> frozenset[str]:
        """The roles that any setting names. Raises SettingsError."""
        mapped = {role for _, role in (*self.oidc_role_pairs, *self.scim_role_pairs)}
        default = {self.oidc_default_role, self.scim_default_role} - {""}
        return self.roles_with_second_factor | frozenset(self.networks_of_roles) | mapped | default

    def lets_in_locally(self, operator: str) -> bool:
        """Whether this operator may sign in without the OpenID provider."""
        return self.local_sign_in or operator in self.break_glass_names

    @property
    def break_glass_names(self) -> frozenset[str]:
        """The operators who may always sign in without the OpenID provider."""
        return _names(self.break_glass_operators)

    @property
    def reconcile_times(self) -> tuple[time, time]:
        """The times of day between which read models are compared. Raises ValueError."""
        start, _, end = self.reconcile_window.partition("-")
        return time.fromisoformat(start.strip()), time.fromisoformat(end.strip())

    @property
    def fulfilment_retries(self) -> tuple[int, ...]:
        """The pauses after declined payments, in seconds. Raises ValueError."""
        parts = (part.strip() for part in self.fulfilment_retry_hours.split(","))
        return tuple(max(1, round(float(part) * 3600)) for part in parts if part)

    @property
    def alert_recipients(self) -> tuple[str, ...]:
        """The addresses that notices of alerts are mailed to."""
        return tuple(filter(None, map(str.strip, self.alert_emails.split(","))))

    @property
    def mail_sender(self) -> str:
        """Whom mails come from, where there is a mail server."""
        return self.alert_sender or self.alert_recipients[0]

    @property
    def certificates(self) -> tuple[str, ...]:
        """The hosts whose certificates are watched."""
        return tuple(filter(None, map(str.strip, self.certificate_hosts.split(","))))


def _role_pairs(name: str, text: str) -> list[tuple[str, str]]:
    """A value may contain an equals sign, as the names of directories do."""
    found = []
    for part in filter(None, map(str.strip, text.split(";"))):
        value, _, role = (each.strip() for each in part.rpartition("="))
        if not value or not role:
            raise SettingsError(
                f"{name} has {part!r}. Write VALUE=ROLE, with semicolons between them."
            )
        found.append((value, role))
    return found


def _names(text: str) -> frozenset[str]:
    return frozenset(filter(None, map(str.strip, text.split(","))))
