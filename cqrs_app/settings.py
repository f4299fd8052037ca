"""All settings, typed, in one place.

`Settings.from_environment` is the only reader of the process environment. `docs/settings.md`
explains each setting to the person who runs the console. The environment variables are the field
names in upper case.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hmac
import ipaddress
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, get_type_hints
from zoneinfo import ZoneInfo

from msgspec import Meta

from cqrs_app.environment import SettingsError, misspelt, parse
from cqrs_app.networks import is_loopback, networks
from cqrs_app.secret_sources import secret_in_file, secret_of_command

HOST_NAME = re.compile(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
"""Of TRUSTED_HOSTS; a leading point means every name below."""
SMTP_URL = re.compile(r"smtps?://([^\s@/]+@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?/?")
EMAIL = re.compile(r"[^\s@,<>]+@[^\s@,<>]+")
ISSUER = re.compile(r"(https://|http://(127\.0\.0\.1|localhost)(?=[:/]|$))[^\s?#@]*")
RELEASE = re.compile(r"[A-Za-z0-9_.+-]{0,40}")
BUS_TYPES = ("synchronous", "asynchronous", "distributed")
POOLING = ("session", "transaction")
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")
DATABASES = ("", "sqlite", "postgresql")
MIN_SECRET_BYTES = 16
PAYMENT_GATEWAYS = ("manual", "sandbox")
MAX_RETRIES = 20
LONGEST_METHOD = 100
LONGEST_RETRY = 366 * 86_400
AFTER_DECLINES = ("hold", "cancel")
REACTIONS = ("accept", "flag", "refuse")
CHOICES = MappingProxyType(
    {
        "database_pooling": POOLING,
        "log_format": LOG_FORMATS,
        "command_bus_type": BUS_TYPES,
        "query_bus_type": BUS_TYPES,
        "unknown_customers": REACTIONS,
        "inactive_customers": REACTIONS,
        "unknown_products": REACTIONS,
        "unmatched_payments": REACTIONS,
    }
)
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
Seconds = Annotated[float, Meta(ge=0.05, le=3_600)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
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

    # Freshness
    synchronous_projections: str = ""
    projection_batch: Annotated[int, Meta(ge=1, le=10_000)] = 500
    sweep_seconds: Seconds = 1.0
    read_your_writes_seconds: Annotated[float, Meta(ge=0, le=60)] = 1.5
    amber_lag_seconds: Seconds = 5.0
    red_lag_seconds: Seconds = 60.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read every setting from `environment`. Unset ones keep their default.

        Raises SettingsError with one sentence if a value is invalid.
        """
        hints = get_type_hints(cls, include_extras=True)
        values = {
            name: parse(name.upper(), environment[name.upper()], kind)
            for name, kind in hints.items()
            if environment.get(name.upper(), "") != ""
        }
        return cls(**values).resolved()

    @classmethod
    def misspelt(cls, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Names in `environment` that may be misspelled -> the settings they may mean."""
        known = [field.name.upper() for field in dataclasses.fields(cls)]
        return misspelt(environment, known)

    def resolved(self) -> Settings:
        """The same settings with the embedded defaults filled in. Raises SettingsError if they
        contradict each other."""
        data_dir = self.data_dir.expanduser().absolute()
        write = self.database_url or f"sqlite:///{data_dir / 'write.sqlite3'}"
        read = self.read_database_url
        if not self.read_write_separation:
            read = write
        elif not read:
            embedded = write.startswith("sqlite")
            read = f"sqlite:///{data_dir / 'read.sqlite3'}" if embedded else write
        is_trial = not self.database_url
        settings = dataclasses.replace(
            self,
            payment_gateway=self.payment_gateway or ("sandbox" if is_trial else "manual"),
            data_dir=data_dir,
            database_url=_database("DATABASE_URL", write),
            read_database_url=_database("READ_DATABASE_URL", read),
            query_database_url=_database("QUERY_DATABASE_URL", self.query_database_url or read),
            cache_redis_url=self.cache_redis_url or self.redis_url,
        )
        settings._refuse_contradictions()
        return settings

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

    def lets_in_locally(self, operator: str) -> bool:
        """Whether this operator may sign in without the OpenID provider."""
        return self.local_sign_in or operator in _names(self.break_glass_operators)

    def ensure_secret_key(self) -> str:
        """The signing key: the setting, or else one that is generated once and stored in the data
        folder (mode 0600)."""
        return self.secret_key or self._kept_secret("secret_key")

    def ensure_personal_data_key(self) -> str:
        """The key that wraps the keys of personal data: the setting, what the file or the command
        that the settings name holds, or else one that is stored like the signing key. It must never
        be changed. Raises SettingsError."""
        if self.personal_data_key_file:
            return secret_in_file("PERSONAL_DATA_KEY_FILE", self.personal_data_key_file)
        if self.personal_data_key_command:
            return secret_of_command("PERSONAL_DATA_KEY_COMMAND", self.personal_data_key_command)
        return self.personal_data_key or self._kept_secret("personal_data_key")

    def console_id(self) -> str:
        """Eight hexadecimal digits that identify this console, the same on each of its hosts at all
        times."""
        key = self.ensure_personal_data_key().encode()
        return hmac.digest(key, b"countersign console", "sha256").hex()[:8]

    def _kept_secret(self, name: str) -> str:
        path = self.data_dir / name
        self.make_data_dir()
        try:
            if not path.exists():
                # Written to a temporary file and then linked: nobody reads half a secret, and if
                # several processes create one at once, the first one's stays.
                descriptor, made = tempfile.mkstemp(dir=path.parent, prefix=f".{name}-")
                with os.fdopen(descriptor, "w") as file:
                    file.write(secrets.token_hex(32))
                with contextlib.suppress(FileExistsError):
                    path.hardlink_to(made)
                Path(made).unlink()
            return path.read_text()
        except OSError as error:
            raise self._cannot_be_written(error) from error

    def make_data_dir(self) -> None:
        """Create the data folder if it is missing, for this user only. Raises SettingsError if that
        fails."""
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self._cannot_be_written(error) from error

    def _cannot_be_written(self, error: OSError) -> SettingsError:
        return SettingsError(
            f"The data folder {self.data_dir} cannot be written ({error.strerror}). "
            "Make it writable for this user, or set DATA_DIR to a folder you may write to."
        )

    def _refuse_contradictions(self) -> None:
        if self.query_bus_type == "distributed" and not self.has_replica:
            raise SettingsError(
                "QUERY_BUS_TYPE is 'distributed', but QUERY_DATABASE_URL names no replica to ask. "
                "Set it, or write 'asynchronous'."
            )
        self._refuse_unusable_redis()
        self._refuse_unusable_window()
        self._refuse_unusable_payments()
        self._refuse_unusable_alerts()
        self._refuse_unusable_fulfilment()
        self._refuse_unusable_single_sign_on()
        self._refuse_open_doors()
        self._refuse_unusable_key()
        if self.amber_lag_seconds > self.red_lag_seconds:
            raise SettingsError(
                f"AMBER_LAG_SECONDS ({self.amber_lag_seconds:g}) is more than RED_LAG_SECONDS "
                f"({self.red_lag_seconds:g}). Write a smaller one."
            )
        try:
            ZoneInfo(self.timezone)
        except (ValueError, OSError, LookupError):
            raise SettingsError(
                f"TIMEZONE is {self.timezone!r}, which is no known time zone. Write a name such "
                "as Europe/Berlin or UTC."
            ) from None
        self._refuse_unknown_locale()
        self._refuse_unusable_names()
        _one_of("log_level", self.log_level.lower(), LOG_LEVELS)
        for name, allowed in CHOICES.items():
            _one_of(name, getattr(self, name), allowed)
        for name, url in (
            ("write_model_database", self.database_url),
            ("read_model_database", self.read_database_url),
        ):
            wanted = getattr(self, name)
            _one_of(name, wanted, DATABASES)
            if wanted and not url.startswith(wanted):
                raise SettingsError(
                    f"{name.upper()} says {wanted}, but the address of that store is another "
                    f"kind of database. Set DATABASE_URL and READ_DATABASE_URL to match it."
                )
        try:
            self.webhook_networks  # noqa: B018 - raises ValueError if it cannot be parsed
        except ValueError as error:
            raise SettingsError(
                f"WEBHOOK_ALLOWED_NETWORKS cannot be used: {error}. "
                f"Write networks with commas, such as 10.1.0.0/16, fd12::/16."
            ) from None
        for name in ALWAYS_ON:
            if not getattr(self, name):
                raise SettingsError(
                    f"{name.upper()} cannot be switched off: the console is built on it. "
                    f"Remove the setting."
                )

    def _refuse_unusable_names(self) -> None:
        if not RELEASE.fullmatch(self.release):
            raise SettingsError(
                f"RELEASE is {self.release!r}. Write up to 40 letters, digits, dots, dashes or "
                "plus signs, such as 2.4.1 or a commit."
            )
        for host in filter(None, map(str.strip, self.trusted_hosts.split(","))):
            if not HOST_NAME.fullmatch(host):
                raise SettingsError(
                    f"TRUSTED_HOSTS has {host!r}, which is no host name. Write names with commas, "
                    f"such as desk.example, or .desk.example for all below it."
                )

    def _refuse_unknown_locale(self) -> None:
        from babel import Locale, UnknownLocaleError

        try:
            # A period starts an encoding, which Babel would ignore.
            Locale.parse(self.locale.replace("-", "_").replace(".", "?"))
        except (ValueError, UnknownLocaleError):
            raise SettingsError(
                f"LOCALE is {self.locale!r}, which is no known locale. Write a language and a "
                "country such as en_GB, de_DE or fr_CA."
            ) from None

    def _refuse_unusable_redis(self) -> None:
        # Imported here, so that the class can be used without loading SQLAlchemy and Redis.
        from cqrs_app.addresses import Unusable, redis_client

        for name in ("redis_url", "cache_redis_url"):
            try:
                if url := getattr(self, name):
                    redis_client(url)
            except Unusable as reason:
                raise SettingsError(
                    f"{name.upper()} cannot be used: {reason}. Write redis://HOST:6379/0, "
                    "rediss://HOST:6379/0, unix:///PATH or "
                    "redis+sentinel://HOST:26379,HOST:26379/MASTER/0."
                ) from None

    def _refuse_unusable_key(self) -> None:
        names = ("personal_data_key", "personal_data_key_file", "personal_data_key_command")
        given = [name.upper() for name in names if getattr(self, name)]
        if len(given) > 1:
            raise SettingsError(f"{' and '.join(given)} are set. Set one of them only.")

    def _refuse_open_doors(self) -> None:
        safe = self.secure_cookies and self.trusted_hosts
        if not (is_loopback(self.host) or safe or self.allow_insecure_host):
            raise SettingsError(
                f"HOST is {self.host!r}, which others can reach. Set SECURE_COOKIES=true behind "
                "HTTPS and TRUSTED_HOSTS, or ALLOW_INSECURE_HOST=true in a network that you trust."
            )
        try:
            found = [networks(listed) for listed in self.networks_of_roles.values()]
        except ValueError as error:
            raise SettingsError(f"ROLE_NETWORKS cannot be used: {error}.") from None
        if self.role_networks and not (found and all(found)):
            raise SettingsError(
                "ROLE_NETWORKS names no network for a role. Write admin=10.0.0.0/8,fd00::/8 with "
                "semicolons between roles."
            )

    def _refuse_unusable_single_sign_on(self) -> None:
        if bool(self.oidc_issuer) != bool(self.oidc_client_id):
            raise SettingsError(
                "OIDC_ISSUER and OIDC_CLIENT_ID belong together: set both, or neither."
            )
        if self.oidc_issuer and not ISSUER.fullmatch(self.oidc_issuer):
            raise SettingsError(
                "OIDC_ISSUER cannot be used. Write https://HOST/PATH as the provider names itself; "
                "plain http only on 127.0.0.1 and localhost."
            )
        if "openid" not in self.oidc_scopes.split():
            raise SettingsError("OIDC_SCOPES must have openid. Write openid profile email.")
        if not self.local_sign_in and not self.oidc_issuer:
            raise SettingsError(
                "LOCAL_SIGN_IN is false, but OIDC_ISSUER names no provider, so nobody could sign "
                "in. Set it, or write LOCAL_SIGN_IN=true."
            )

    @property
    def reconcile_times(self) -> tuple[time, time]:
        """The times of day between which read models are compared. Raises ValueError."""
        start, _, end = self.reconcile_window.partition("-")
        return time.fromisoformat(start.strip()), time.fromisoformat(end.strip())

    def _refuse_unusable_window(self) -> None:
        try:
            self.reconcile_times  # noqa: B018 - raises ValueError if it cannot be parsed
        except ValueError:
            raise SettingsError(
                f"RECONCILE_WINDOW is {self.reconcile_window!r}. Write two times of day, such as "
                "01:00-05:00; twice the same for any time."
            ) from None

    @property
    def fulfilment_retries(self) -> tuple[int, ...]:
        """The pauses after declined payments, in seconds. Raises ValueError."""
        parts = (part.strip() for part in self.fulfilment_retry_hours.split(","))
        return tuple(max(1, round(float(part) * 3600)) for part in parts if part)

    def _refuse_unusable_fulfilment(self) -> None:
        _one_of("fulfilment_after_declines", self.fulfilment_after_declines, AFTER_DECLINES)
        try:
            retries = self.fulfilment_retries
            usable = len(retries) <= MAX_RETRIES and max(retries, default=0) <= LONGEST_RETRY
        except (ValueError, OverflowError):
            usable = False
        if not usable:
            raise SettingsError(
                f"FULFILMENT_RETRY_HOURS is {self.fulfilment_retry_hours!r}. Write the hours "
                f"between attempts with commas, such as 1,24,72; at most {MAX_RETRIES} of them."
            )
        if len(self.fulfilment_payment_method) > LONGEST_METHOD:
            raise SettingsError(
                f"FULFILMENT_PAYMENT_METHOD is too long. Write at most {LONGEST_METHOD} characters."
            )

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

    def _refuse_unusable_alerts(self) -> None:
        # No value is repeated here: addresses of services hold secrets.
        if bool(self.smtp_url) != bool(self.alert_recipients):
            raise SettingsError("SMTP_URL and ALERT_EMAILS belong together: set both, or neither.")
        if self.smtp_url and not SMTP_URL.fullmatch(self.smtp_url):
            raise SettingsError(
                "SMTP_URL cannot be used. Write smtps://USER:PASSWORD@HOST or smtp://HOST:25."
            )
        for address in filter(None, (*self.alert_recipients, self.alert_sender)):
            if not EMAIL.fullmatch(address):
                raise SettingsError(
                    f"{address!r} in ALERT_EMAILS or ALERT_SENDER is no e-mail address. Write "
                    "addresses with commas, such as ops@shop.example."
                )
        if not all(":" in url for url in self.alert_urls.split()):
            raise SettingsError(
                "ALERT_URLS cannot be used. Write addresses as Apprise documents them, with "
                "blanks between them."
            )
        if self.heartbeat_url and not self.heartbeat_url.startswith(("https://", "http://")):
            raise SettingsError(
                "HEARTBEAT_URL cannot be used. Write https://HOST/PATH as the service shows it."
            )
        for host in self.certificates:
            if not HOST_NAME.fullmatch(host):
                raise SettingsError(
                    f"CERTIFICATE_HOSTS has {host!r}, which is no host name. Write names with "
                    "commas, such as desk.example or desk.example:8443."
                )

    def _refuse_unusable_payments(self) -> None:
        _one_of("payment_gateway", self.payment_gateway, PAYMENT_GATEWAYS)
        secret = self.payment_callback_secret
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError:
            key = b""
        if secret and len(key) < MIN_SECRET_BYTES:
            raise SettingsError(
                "PAYMENT_CALLBACK_SECRET cannot be used. Write whsec_ and at least "
                f"{MIN_SECRET_BYTES} random bytes in base64, as the gateway shows it."
            )


def _database(name: str, url: str) -> str:
    from cqrs_app.addresses import Unusable, database

    try:
        return database(url)
    except Unusable as reason:
        # Not the address itself: it may hold a password.
        raise SettingsError(
            f"{name} cannot be used: {reason}. Write postgresql://USER:PASSWORD@HOST/NAME, with "
            "commas between several hosts, or sqlite:////ABSOLUTE/PATH."
        ) from None


def _names(text: str) -> frozenset[str]:
    return frozenset(filter(None, map(str.strip, text.split(","))))


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        choices = ", ".join(choice for choice in allowed if choice)
        raise SettingsError(f"{name.upper()} is {value!r}; it must be one of: {choices}.")
