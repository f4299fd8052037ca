"""Attempts to prove who one is, and the session of whoever succeeded."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from flask import g, request
from flask import session as cookie

from cqrs_app.interfaces.web.auditing import note_origin
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.operators.sessions import SignOn
from cqrs_app.platform.operators.throttle import sentence_for
from cqrs_app.services import services

TOO_MANY = "Too many attempts to sign in. Wait {} s, then try again."
SECOND_FACTOR_OF = "2:"
"""Before a name, what wrong codes are counted under. No name contains a colon."""

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


def begin_attempt(name: str, *, second_factor: bool = False) -> AttemptRefused | None:
    """Count an attempt with this name, which has failed until `attempt_succeeded`. Returns why it
    is not even looked at, or None."""
    if wait := services.sign_in_rates.wait_of(request.remote_addr or ""):
        return AttemptRefused(TOO_MANY.format(wait), 429, wait)
    if wait := services.throttle.begin(*_counted(name, second_factor=second_factor)):
        return AttemptRefused(sentence_for(wait, second_factor=second_factor), 429, wait)
    return None


def attempt_succeeded(name: str, *, second_factor: bool = False) -> None:
    services.throttle.succeeded(*_counted(name, second_factor=second_factor))


def _counted(name: str, *, second_factor: bool) -> tuple[str, str]:
    """The name and the address under which attempts are counted. Wrong codes count apart from
    passwords, so that who knows the password cannot clear them, and from all networks together:
    only who knows the password can keep others from trying, and six digits are soon guessed from
    many networks."""
    if second_factor:
        return f"{SECOND_FACTOR_OF}{name}", ""
    return name, request.remote_addr or ""


def log_event(kind: Kind, event: str, name: str) -> None:
    """A security event of this operator, and a line about it."""
    logger.info("%s: %s from %s", event, name, request.remote_addr)
    services.audit.record(kind, name, account=name, detail=event)


def log_failure(kind: Kind, event: str, name: str) -> None:
    """The same about what failed: `name` is the account that was tried, if there is one. Who else
    was typed in is not recorded: it may be a password."""
    logger.warning("%s: %r from %s", event, name[:100], request.remote_addr)
    who = g.operator.name if g.get("operator") else ""
    account = name if name == who else services.accounts.known(name)
    services.audit.record(kind, who, account=account, success=False, detail=event)


def begin_session(
    name: str,
    *,
    second_factor_due: bool = False,
    verified_at: datetime | None = None,
    sign_on: SignOn | None = None,
) -> None:
    """A new session for this operator, in place of the one that the cookie named. See
    `Sessions.open`. `sign_on`: that of the session before, unless it is given."""
    sign_on = sign_on or _former_sign_on(name)
    if "token" in cookie:
        services.sessions.revoke(cookie["token"])
    # Everything in the cookie goes, the form token too: nobody can have planted it.
    cookie.clear()
    g.pop("csrf_token", None)
    address = request.remote_addr or ""
    cookie["token"] = services.sessions.open(
        name,
        address,
        request.user_agent.string,
        second_factor_due=second_factor_due,
        verified_at=verified_at,
        sign_on=sign_on,
    )
    note_origin()


def _former_sign_on(name: str) -> SignOn:
    """What the session of the cookie keeps of a provider, if it is this operator's: it goes on
    after the second step, and after a change of the password."""
    token = str(cookie.get("token", ""))
    same = (g.get("operator") and g.operator.name == name) or (
        services.sessions.waiting(token) == name
    )
    return services.sessions.sign_on_of(token) if token and same else SignOn()
