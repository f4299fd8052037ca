"""A console that is mounted into another application, whose users are the operators here. See
cqrs_app/mounting.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from flask import abort, g
from flask import session as cookie

from cqrs_app.interfaces.web.attempts import log_failure
from cqrs_app.interfaces.web.sign_in import signed_in
from cqrs_app.mounting import HostUser, Mounted
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.identities import Identities, Identity, Person
from cqrs_app.platform.operators.operator import Operator
from cqrs_app.platform.operators.sessions import SignOn
from cqrs_app.services import kernel, services


def operator_of(mounted: Mounted, *, active: bool) -> Operator | None:
    """The operator of the session, as long as the application says that the same user is signed in
    there, with the same role; then that session goes on, otherwise it ends."""
    token, user = cookie.get("token"), _user_of(mounted)
    if not isinstance(token, str):
        return None
    operator: Operator | None = services.sessions.find(token, active=active)
    if operator and user and operator.role == user.role:
        session = services.sessions.sign_on_of(token)
        if session.identity == _identity_of(mounted, user).key:
            _keep_proof(token, user)
            return operator
    services.sessions.revoke(token)
    cookie.pop("token")
    return None


def admit(mounted: Mounted) -> bool:
    """Open a session for the user who is signed in to the application, who is `g.operator` from
    then on; False if nobody is. Raises Forbidden for a user who may not use the console."""
    user = _user_of(mounted)
    if user is None:
        return False
    identity = _identity_of(mounted, user)
    person = Person(
        identity=identity,
        name=user.name,
        display_name=user.display_name,
        role=user.role if user.role in services.roles.all() else "",
        session="",
        second_factor=user.second_factor,
        authenticated_at=user.proven_at,
    )
    identities = Identities(kernel.engines.write, mounted.users.name, services.accounts)
    try:
        name = identities.admit(person, creates=True, assigns_roles=True)
    except AccountError as error:
        log_failure(Kind.SIGN_IN_REFUSED, f"user of {mounted.users.name} refused", user.name)
        abort(403, str(error))
    sign_on = SignOn(identity.key, "", user.second_factor)
    how = f"with {mounted.users.name}"
    signed_in(name, how, verified_at=user.proven_at, sign_on=sign_on)
    return g.operator is not None


def _keep_proof(token: str, user: HostUser) -> None:
    """Who proved in the application who they are has proved it here."""
    known = services.sessions.verified_at(token)
    if known is None or known < user.proven_at:
        services.sessions.verified(token, user.proven_at)


def _user_of(mounted: Mounted) -> HostUser | None:
    """Asked once per request. Nobody proves in the future who they are: that would count until
    then, and longer."""
    if "host_user" not in g:
        user = mounted.ask(lambda users: users.current())
        now = datetime.now(UTC)
        g.host_user = user and replace(user, proven_at=min(user.proven_at, now))
    found: HostUser | None = g.host_user
    return found


def _identity_of(mounted: Mounted, user: HostUser) -> Identity:
    return Identity.of(f"host:{mounted.users.name}", user.id)
