"""The address that a decision may rest on."""

from __future__ import annotations

from flask import request

from cqrs_app.networks import is_loopback
from cqrs_app.services import services

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
"""Headers that proxies add to what they pass on."""


def known_address() -> str:
    """The address of the client, for decisions that trust some addresses; empty if it is not known.

    A proxy on this machine that PROXY_HOPS does not count passes on requests of anyone, so they all
    seem to come from this machine.
    """
    address = request.remote_addr or ""
    passed_on = any(name in request.headers for name in FORWARDED)
    return "" if is_loopback(address) and passed_on and not _counted() else address


def _counted() -> bool:
    return bool(services.settings.proxy_hops)
