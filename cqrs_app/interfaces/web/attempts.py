"""Attempts to prove who one is, and the session of whoever succeeded."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from flask import g, request
from flask import session as cookie

from cqrs_app.platform.operators.throttle import sentence_for
from cqrs_app.services import services

TOO_MANY = "Too many attempts to sign in. Wait {} s, then try again."

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AttemptRefused:
    """Why the attempt failed; `wait`: the seconds until another one counts."""

    sentence: str
    status: int = 422
    wait: int = 0

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.wait)} if self.wait else {}


def begin_attempt(name: str) -> AttemptRefused | None:
    """Count an attempt with this name from this network, which has failed until
    `attempt_succeeded`. Returns why it is not even looked at, or None."""
    address = request.remote_addr or ""
    if wait := services.sign_in_rates.wait_of(address):
        return AttemptRefused(TOO_MANY.format(wait), 429, wait)
    if wait := services.throttle.begin(name, address):
        return AttemptRefused(sentence_for(wait), 429, wait)
    return None


def attempt_succeeded(name: str) -> None:
    services.throttle.succeeded(name, request.remote_addr or "")


def log_event(event: str, name: str) -> None:
    """A line about who signs in, and how."""
    logger.info("%s: %s from %s", event, name, request.remote_addr)


def log_failure(event: str, name: str) -> None:
    logger.warning("%s: %r from %s", event, name[:100], request.remote_addr)


def begin_session(name: str, *, second_factor_due: bool = False) -> None:
    """A new session for this operator, in place of the one that the cookie named."""
    if "token" in cookie:
        services.sessions.revoke(cookie["token"])
    # Everything in the cookie goes, the form token too: nobody can have planted it.
    cookie.clear()
    g.pop("csrf_token", None)
    address = request.remote_addr or ""
    cookie["token"] = services.sessions.open(
        name, address, request.user_agent.string, second_factor_due=second_factor_due
    )
