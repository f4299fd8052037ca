"""Asks a running console, from outside, whether all of it is up."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass

from cqrs_app.settings import Settings

# The address to connect to if a server listens on all addresses (nothing here binds to one).
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answer of /readyz: whether `pages` are served, and in `missing` what is not up yet."""

    pages: bool
    missing: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return self.pages and not self.missing


def ask(settings: Settings, patience: float = 2.0) -> Readiness:
    """Send one request to /readyz of the console with these settings."""
    host = LOOPBACK.get(settings.host, settings.host)
    # http.client, since urllib would send the request through a configured proxy.
    connection = http.client.HTTPConnection(host, settings.port, timeout=patience)
    try:
        connection.request("GET", "/readyz", headers=_host_header(settings))
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        return Readiness(pages=False)
    finally:
        connection.close()
    if response.status == http.client.OK:
        return Readiness(pages=True)
    return Readiness(pages=True, missing=_missing(response.status, body))


def address(settings: Settings) -> str:
    """The URL that a person enters."""
    host = LOOPBACK.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _host_header(settings: Settings) -> dict[str, str]:
    names = [name.strip() for name in settings.trusted_hosts.split(",") if name.strip()]
    return {"Host": names[0].lstrip(".")} if names else {}


def _missing(status: int, body: bytes) -> tuple[str, ...]:
    try:
        answer = json.loads(body)
    except ValueError:
        return (f"/readyz answers {status}",)
    if isinstance(answer, dict):
        answer = answer.get("missing")
    if isinstance(answer, list) and answer:
        return tuple(str(item) for item in answer)
    return (f"/readyz answers {status}",)
