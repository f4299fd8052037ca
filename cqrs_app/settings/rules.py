"""What settings must not say, alone or together. Each rule raises SettingsError."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from zoneinfo import ZoneInfo

from cqrs_app.environment import SettingsError
from cqrs_app.networks import is_loopback, networks
from cqrs_app.settings.fields import ALWAYS_ON, CHOICES, SettingsFields

HOST_NAME = re.compile(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
"""Of TRUSTED_HOSTS; a leading point means every name below."""
SMTP_URL = re.compile(r"smtps?://([^\s@/]+@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?/?")
AUDIT_STREAM = re.compile(
    r"stdout|syslog\+(udp|tcp|tls)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?/?"
    r"|https?://[!-~]+"
)
EMAIL = re.compile(r"[^\s@,<>]+@[^\s@,<>]+")
ISSUER = re.compile(r"(https://|http://(127\.0\.0\.1|localhost)(?=[:/]|$))[^\s?#@]*")
RELEASE = re.compile(r"[A-Za-z0-9_.+-]{0,40}")
MIN_SECRET_BYTES = 16
MAX_RETRIES = 20
LONGEST_METHOD = 100
LONGEST_RETRY = 366 * 86_400
PREVIOUS_KEY = "personal_data_key_previous"
"""The setting, and the file in the data folder, of the key that is being replaced."""


def sources(key: str) -> tuple[str, str, str]:
    """The settings that give a key, or the file or the command that does."""
    return key, f"{key}_file", f"{key}_command"


def check(settings: SettingsFields) -> None:
    """Raises SettingsError if the settings cannot be used, or contradict each other."""
    for rule in _RULES:
        rule(settings)


def _check_replica(settings: SettingsFields) -> None:
    if settings.query_bus_type == "distributed" and not settings.has_replica:
        raise SettingsError(
            "QUERY_BUS_TYPE is 'distributed', but QUERY_DATABASE_URL names no replica to ask. "
            "Set it, or write 'asynchronous'."
        )


def _check_lags(settings: SettingsFields) -> None:
    if settings.amber_lag_seconds > settings.red_lag_seconds:
        raise SettingsError(
            f"AMBER_LAG_SECONDS ({settings.amber_lag_seconds:g}) is more than RED_LAG_SECONDS "
            f"({settings.red_lag_seconds:g}). Write a smaller one."
        )


def _check_timezone(settings: SettingsFields) -> None:
    try:
        ZoneInfo(settings.timezone)
    except (ValueError, OSError, LookupError):
        raise SettingsError(
            f"TIMEZONE is {settings.timezone!r}, which is no known time zone. Write a name such "
            "as Europe/Berlin or UTC."
        ) from None


def _check_choices(settings: SettingsFields) -> None:
    for name, allowed in CHOICES.items():
        value = getattr(settings, name)
        if value not in allowed:
            choices = ", ".join(choice for choice in allowed if choice)
            raise SettingsError(f"{name.upper()} is {value!r}; it must be one of: {choices}.")


def _check_databases(settings: SettingsFields) -> None:
    for name, url in (
        ("write_model_database", settings.database_url),
        ("read_model_database", settings.read_database_url),
    ):
        wanted = getattr(settings, name)
        if wanted and not url.startswith(wanted):
            raise SettingsError(
                f"{name.upper()} says {wanted}, but the address of that store is another "
                f"kind of database. Set DATABASE_URL and READ_DATABASE_URL to match it."
            )


def _check_webhooks(settings: SettingsFields) -> None:
    try:
        settings.webhook_networks  # noqa: B018 - raises ValueError if it cannot be parsed
    except ValueError as error:
        raise SettingsError(
            f"WEBHOOK_ALLOWED_NETWORKS cannot be used: {error}. "
            f"Write networks with commas, such as 10.1.0.0/16, fd12::/16."
        ) from None


def _check_always_on(settings: SettingsFields) -> None:
    for name in ALWAYS_ON:
        if not getattr(settings, name):
            raise SettingsError(
                f"{name.upper()} cannot be switched off: the console is built on it. "
                f"Remove the setting."
            )


def _check_names(settings: SettingsFields) -> None:
    if not RELEASE.fullmatch(settings.release):
        raise SettingsError(
            f"RELEASE is {settings.release!r}. Write up to 40 letters, digits, dots, dashes or "
            "plus signs, such as 2.4.1 or a commit."
        )
    for host in filter(None, map(str.strip, settings.trusted_hosts.split(","))):
        if not HOST_NAME.fullmatch(host):
            raise SettingsError(
                f"TRUSTED_HOSTS has {host!r}, which is no host name. Write names with commas, "
                f"such as desk.example, or .desk.example for all below it."
            )


def _check_locale(settings: SettingsFields) -> None:
    from babel import Locale, UnknownLocaleError

    try:
        # A period starts an encoding, which Babel would ignore.
        Locale.parse(settings.locale.replace("-", "_").replace(".", "?"))
    except (ValueError, UnknownLocaleError):
        raise SettingsError(
            f"LOCALE is {settings.locale!r}, which is no known locale. Write a language and a "
            "country such as en_GB, de_DE or fr_CA."
        ) from None


def _check_redis(settings: SettingsFields) -> None:
    # Imported here, so that the class can be used without loading SQLAlchemy and Redis.
    from cqrs_app.addresses import Unusable, redis_client

    for name in ("redis_url", "cache_redis_url"):
        try:
            if url := getattr(settings, name):
                redis_client(url)
        except Unusable as reason:
            raise SettingsError(
                f"{name.upper()} cannot be used: {reason}. Write redis://HOST:6379/0, "
                "rediss://HOST:6379/0, unix:///PATH or "
                "redis+sentinel://HOST:26379,HOST:26379/MASTER/0."
            ) from None


def _check_keys(settings: SettingsFields) -> None:
    for key in ("personal_data_key", PREVIOUS_KEY):
        given = [name.upper() for name in sources(key) if getattr(settings, name)]
        if len(given) > 1:
            raise SettingsError(f"{' and '.join(given)} are set. Set one of them only.")


def _check_network(settings: SettingsFields) -> None:
    safe = settings.secure_cookies and settings.trusted_hosts
    if not (is_loopback(settings.host) or safe or settings.allow_insecure_host):
        raise SettingsError(
            f"HOST is {settings.host!r}, which others can reach. Set SECURE_COOKIES=true behind "
            "HTTPS and TRUSTED_HOSTS, or ALLOW_INSECURE_HOST=true in a network that you trust."
        )
    try:
        found = [networks(listed) for listed in settings.networks_of_roles.values()]
    except ValueError as error:
        raise SettingsError(f"ROLE_NETWORKS cannot be used: {error}.") from None
    if settings.role_networks and not (found and all(found)):
        raise SettingsError(
            "ROLE_NETWORKS names no network for a role. Write admin=10.0.0.0/8,fd00::/8 with "
            "semicolons between roles."
        )


def _check_single_sign_on(settings: SettingsFields) -> None:
    if bool(settings.oidc_issuer) != bool(settings.oidc_client_id):
        raise SettingsError("OIDC_ISSUER and OIDC_CLIENT_ID belong together: set both, or neither.")
    if settings.oidc_issuer and not ISSUER.fullmatch(settings.oidc_issuer):
        raise SettingsError(
            "OIDC_ISSUER cannot be used. Write https://HOST/PATH as the provider names itself; "
            "plain http only on 127.0.0.1 and localhost."
        )
    if "openid" not in settings.oidc_scopes.split():
        raise SettingsError("OIDC_SCOPES must have openid. Write openid profile email.")
    if not settings.local_sign_in and not settings.oidc_issuer:
        raise SettingsError(
            "LOCAL_SIGN_IN is false, but OIDC_ISSUER names no provider, so nobody could sign "
            "in. Set it, or write LOCAL_SIGN_IN=true."
        )


def _check_audit(settings: SettingsFields) -> None:
    # No value is repeated here: addresses may hold secrets.
    if settings.audit_stream and not AUDIT_STREAM.fullmatch(settings.audit_stream):
        raise SettingsError(
            "AUDIT_STREAM cannot be used. Write stdout, syslog+tls://HOST:6514, "
            "syslog+tcp://HOST:601, syslog+udp://HOST:514 or https://HOST/PATH."
        )
    if settings.audit_stream and not settings.audit_events:
        raise SettingsError("AUDIT_STREAM is set, but AUDIT_EVENTS is false. Change one.")
    addresses = {
        "SEAL_ANCHOR_URL": settings.seal_anchor_url,
        "SEAL_TIMESTAMP_URL": settings.seal_timestamp_url,
    }
    for name, url in addresses.items():
        if url and not url.startswith(("https://", "http://")):
            raise SettingsError(f"{name} cannot be used. Write https://HOST/PATH.")
    if settings.seal_timestamp_url and not (settings.seal_anchor_file or settings.seal_anchor_url):
        raise SettingsError(
            "SEAL_TIMESTAMP_URL is set, but the time stamps go nowhere. Set SEAL_ANCHOR_FILE "
            "or SEAL_ANCHOR_URL."
        )
    if settings.seal_anchor_file and not Path(settings.seal_anchor_file).is_absolute():
        raise SettingsError("SEAL_ANCHOR_FILE cannot be used. Write an absolute path.")
    if settings.audit_stream_secret and not _is_signing_secret(settings.audit_stream_secret):
        raise SettingsError(
            "AUDIT_STREAM_SECRET cannot be used. Write whsec_ and at least "
            f"{MIN_SECRET_BYTES} random bytes in base64."
        )


def _check_reconcile_window(settings: SettingsFields) -> None:
    try:
        settings.reconcile_times  # noqa: B018 - raises ValueError if it cannot be parsed
    except ValueError:
        raise SettingsError(
            f"RECONCILE_WINDOW is {settings.reconcile_window!r}. Write two times of day, such as "
            "01:00-05:00; twice the same for any time."
        ) from None


def _check_fulfilment(settings: SettingsFields) -> None:
    try:
        retries = settings.fulfilment_retries
        usable = len(retries) <= MAX_RETRIES and max(retries, default=0) <= LONGEST_RETRY
    except (ValueError, OverflowError):
        usable = False
    if not usable:
        raise SettingsError(
            f"FULFILMENT_RETRY_HOURS is {settings.fulfilment_retry_hours!r}. Write the hours "
            f"between attempts with commas, such as 1,24,72; at most {MAX_RETRIES} of them."
        )
    if len(settings.fulfilment_payment_method) > LONGEST_METHOD:
        raise SettingsError(
            f"FULFILMENT_PAYMENT_METHOD is too long. Write at most {LONGEST_METHOD} characters."
        )


def _check_alerts(settings: SettingsFields) -> None:
    # No value is repeated here: addresses of services hold secrets.
    if bool(settings.smtp_url) != bool(settings.alert_recipients):
        raise SettingsError("SMTP_URL and ALERT_EMAILS belong together: set both, or neither.")
    if settings.smtp_url and not SMTP_URL.fullmatch(settings.smtp_url):
        raise SettingsError(
            "SMTP_URL cannot be used. Write smtps://USER:PASSWORD@HOST or smtp://HOST:25."
        )
    for address in filter(None, (*settings.alert_recipients, settings.alert_sender)):
        if not EMAIL.fullmatch(address):
            raise SettingsError(
                f"{address!r} in ALERT_EMAILS or ALERT_SENDER is no e-mail address. Write "
                "addresses with commas, such as ops@shop.example."
            )
    if not all(":" in url for url in settings.alert_urls.split()):
        raise SettingsError(
            "ALERT_URLS cannot be used. Write addresses as Apprise documents them, with "
            "blanks between them."
        )
    if settings.heartbeat_url and not settings.heartbeat_url.startswith(("https://", "http://")):
        raise SettingsError(
            "HEARTBEAT_URL cannot be used. Write https://HOST/PATH as the service shows it."
        )
    for host in settings.certificates:
        if not HOST_NAME.fullmatch(host):
            raise SettingsError(
                f"CERTIFICATE_HOSTS has {host!r}, which is no host name. Write names with "
                "commas, such as desk.example or desk.example:8443."
            )


def _check_payments(settings: SettingsFields) -> None:
    secret = settings.payment_callback_secret
    if secret and not _is_signing_secret(secret):
        raise SettingsError(
            "PAYMENT_CALLBACK_SECRET cannot be used. Write whsec_ and at least "
            f"{MIN_SECRET_BYTES} random bytes in base64, as the gateway shows it."
        )


def _is_signing_secret(secret: str) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        return False
    return len(key) >= MIN_SECRET_BYTES


_RULES = (
    _check_replica,
    _check_redis,
    _check_reconcile_window,
    _check_payments,
    _check_alerts,
    _check_fulfilment,
    _check_audit,
    _check_single_sign_on,
    _check_network,
    _check_keys,
    _check_lags,
    _check_timezone,
    _check_locale,
    _check_names,
    _check_choices,
    _check_databases,
    _check_webhooks,
    _check_always_on,
)
