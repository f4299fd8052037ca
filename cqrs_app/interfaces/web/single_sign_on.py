"""Single sign-on: to the OpenID provider and back, and what it is for."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.attempts import TOO_MANY, begin_session, log_event, log_failure
from cqrs_app.interfaces.web.auth import for_programs, local_path, public
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.proofs import confirms_at_provider, step_up
from cqrs_app.interfaces.web.sign_in import sign_in_refused, signed_in
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.identities import Identity, Person, hash_of
from cqrs_app.platform.operators.openid_provider import NotAccepted, OpenIdProvider, Unreachable
from cqrs_app.platform.operators.sessions import SignOn
from cqrs_app.services import services

SIGN_IN, CONFIRM, LINK = "sign-in", "confirm", "link"
PURPOSES = (SIGN_IN, CONFIRM, LINK)
STARTS = 4
"""How many may be open at once in one browser, as in several tabs."""
LIVES_SECONDS = 15 * 60
LONGEST_NEXT = 300
LONGEST_LOGOUT_BYTES = 16 * 1024
CLOCKS_DIFFER = timedelta(minutes=1)

UNREACHABLE = "{} cannot be reached. Wait a minute, or sign in another way."
UNKNOWN_START = "This sign-in was not started in this browser, or was finished already. Try again."
NOT_ACCEPTED = "The answer of {} was not accepted, so nobody was signed in. Try again."
GIVEN_UP = "{} did not sign you in. Try again, or sign in another way."
NOT_AFRESH = "{} did not ask you to sign in again, so this is not confirmed. Nothing was changed."
SOMEBODY_ELSE = "This is not the account at {} that you are linked to. Nothing was changed."
CONFIRMS_HERE = (
    "You confirm with your second factor or your password, not with {}. Nothing was changed."
)
CONFIRMED = "Confirmed. If you came from another tab, go back to it and choose Continue."
LINKED = "Linked. You can now sign in with {}."
NOTHING_TO_LINK = "Sign in with {} first."


@bp.get("/sign-in/provider")
@public
def provider_start() -> ResponseReturnValue:
    """To the provider's sign-in page."""
    provider, purpose = _provider(), request.args.get("for", SIGN_IN)
    if purpose not in PURPOSES or (purpose != SIGN_IN and not g.operator):
        abort(404)
    if wait := services.sign_in_rates.wait_of(request.remote_addr or ""):
        return _refused(purpose, TOO_MANY.format(wait), 429)
    try:
        start = provider.start(
            _redirect_uri(),
            max_age=services.settings.session_hours * 3600,
            afresh=purpose != SIGN_IN,
        )
    except Unreachable as error:
        log_failure(Kind.SIGN_IN_REFUSED, f"single sign-on: {error}", "")
        return _refused(purpose, UNREACHABLE.format(provider.name), 503)
    address = local_path(request.args.get("next", ""))
    started = [start.state, start.nonce, start.verifier, purpose, int(time.time())]
    started.append(address if len(address) <= LONGEST_NEXT else url_for("web.home"))
    cookie["starts"] = [*cookie.get("starts", []), started][-STARTS:]
    return redirect(start.address, 303)


@bp.get("/sign-in/provider/callback")
@public
def provider_callback() -> ResponseReturnValue:
    """Where the provider sends the browser, with a code that stands for who signed in."""
    provider, started = _provider(), _started(request.args.get("state", ""))
    if started is None:
        log_failure(Kind.SIGN_IN_REFUSED, "single sign-on: unknown state", "")
        return _refused(SIGN_IN, UNKNOWN_START, 422)
    _, nonce, verifier, purpose, at, address = started
    if purpose != SIGN_IN and not g.operator:
        return _refused(SIGN_IN, UNKNOWN_START, 422)
    if wait := services.sign_in_rates.wait_of(request.remote_addr or ""):
        return _refused(purpose, TOO_MANY.format(wait), 429)
    code, issuer = request.args.get("code", ""), request.args.get("iss")
    if not code or issuer not in (None, provider.client.issuer):
        log_failure(
            Kind.SIGN_IN_REFUSED,
            f"single sign-on given up: {request.args.get('error', '')[:60]!r}",
            "",
        )
        return _refused(purpose, GIVEN_UP.format(provider.name), 422)
    try:
        person = provider.finish(_redirect_uri(), code, nonce=nonce, verifier=verifier)
    except NotAccepted as error:
        log_failure(Kind.SIGN_IN_REFUSED, f"single sign-on refused: {error}", "")
        return _refused(purpose, NOT_ACCEPTED.format(provider.name), 422)
    except Unreachable as error:
        log_failure(Kind.SIGN_IN_REFUSED, f"single sign-on: {error}", "")
        return _refused(purpose, UNREACHABLE.format(provider.name), 503)
    if purpose == SIGN_IN:
        return _sign_in(provider, person, address)
    if purpose == CONFIRM:
        return _confirm(provider, person, datetime.fromtimestamp(at, UTC), address)
    cookie["to_link"] = [person.identity.subject, person.name or person.display_name]
    return redirect(url_for("web.provider_link"), 303)


@bp.route("/account/provider", methods=["GET", "POST"])
def provider_link() -> ResponseReturnValue:
    """Link the account at the provider that this browser has just signed in with."""
    provider = _provider()
    subject, name = cookie.get("to_link", ("", ""))
    if not subject:
        flash(NOTHING_TO_LINK.format(provider.name), "warn")
        return redirect(url_for("web.account"), 303)
    if request.method == "GET":
        return render_template("auth/provider_link.html", provider=provider.name, name=name)
    if asked := step_up():
        return asked
    cookie.pop("to_link")
    try:
        services.identities.link(g.operator.name, Identity(provider.client.issuer, subject))
    except AccountError as error:
        flash(str(error), "bad")
    else:
        log_event(Kind.IDENTITY_LINKED, "single sign-on linked", g.operator.name)
        flash(LINKED.format(provider.name), "good")
    return redirect(url_for("web.account"), 303)


@bp.post("/sign-in/provider/logout")
@for_programs
def provider_logout() -> ResponseReturnValue:
    """The provider ends sessions that it opened (OpenID Connect Back-Channel Logout 1.0)."""
    provider = _provider()
    request.max_content_length = LONGEST_LOGOUT_BYTES
    try:
        claims = provider.logged_out(request.form.get("logout_token", ""))
    except NotAccepted as error:
        log_failure(Kind.SESSIONS_ENDED, f"logout by the provider refused: {error}", "")
        return {"error": "invalid_request"}, 400
    except Unreachable as error:
        log_failure(Kind.SESSIONS_ENDED, f"logout by the provider: {error}", "")
        return {"error": "temporarily_unavailable"}, 503
    issuer = provider.client.issuer
    session, subject = str(claims.get("sid") or ""), str(claims.get("sub") or "")
    count = services.sessions.end_signed_on(
        SignOn(
            hash_of(issuer, subject) if subject else "",
            hash_of(issuer, session) if session else "",
        )
    )
    operator = services.identities.operator_of(Identity(issuer, subject)) if subject else None
    log_event(Kind.SESSIONS_ENDED, f"{count} sessions ended by the provider", operator or "")
    return "", 200


def _sign_in(provider: OpenIdProvider, person: Person, address: str) -> ResponseReturnValue:
    """Open a session, unless our second factor is due: then its first step."""
    rules = provider.rules
    try:
        name = services.identities.admit(
            person, creates=rules.creates, assigns_roles=bool(rules.roles)
        )
    except AccountError as error:
        log_failure(Kind.SIGN_IN_REFUSED, "single sign-on refused", person.identity.subject)
        return _refused(SIGN_IN, str(error), 403)
    issuer = person.identity.issuer
    session = hash_of(issuer, person.session) if person.session else ""
    sign_on = SignOn(person.identity.key, session, person.second_factor)
    if not person.second_factor and services.second_factors.of(name).any:
        begin_session(name, second_factor_due=True, sign_on=sign_on)
        log_event(Kind.FIRST_STEP, f"{provider.name} accepted, second factor due", name)
        return redirect(url_for("web.second_step", next=address), 303)
    # Without the time at which they proved it, a sensitive action asks for another proof.
    proven_at = person.authenticated_at or datetime.fromtimestamp(0, UTC)
    signed_in(name, f"with {provider.name}", verified_at=proven_at, sign_on=sign_on)
    return redirect(address, 303)


def _confirm(
    provider: OpenIdProvider, person: Person, started_at: datetime, address: str
) -> ResponseReturnValue:
    """The operator has just proved again at the provider who they are."""
    name, token = g.operator.name, cookie["token"]
    refusal = ""
    if services.identities.operator_of(person.identity) != name:
        refusal = SOMEBODY_ELSE
    elif not confirms_at_provider(name):
        refusal = CONFIRMS_HERE
    elif (
        person.authenticated_at is None
        or person.authenticated_at < started_at - CLOCKS_DIFFER
        or person.second_factor < services.sessions.sign_on_of(token).second_factor
    ):
        refusal = NOT_AFRESH
    if refusal:
        log_failure(Kind.PROOF_REFUSED, "confirmation by the provider refused", name)
        return _refused(CONFIRM, refusal.format(provider.name), 422)
    services.sessions.verified(token)
    log_event(Kind.PROOF, f"proved with {provider.name}", name)
    flash(CONFIRMED, "good")
    return redirect(address, 303)


def _refused(purpose: str, sentence: str, status: int) -> ResponseReturnValue:
    """The sign-in page, or for who is signed in the page of their account, with this sentence."""
    if purpose == SIGN_IN and not g.operator:
        return sign_in_refused(sentence), status
    flash(sentence, "bad")
    return redirect(url_for("web.account"), 303)


def _provider() -> OpenIdProvider:
    provider: OpenIdProvider | None = services.openid_provider
    return provider or abort(404)


def _redirect_uri() -> str:
    scheme = "https" if services.settings.secure_cookies else request.scheme
    return url_for("web.provider_callback", _external=True, _scheme=scheme)


def _started(state: str) -> Any:
    """What this browser started with that state, which counts once."""
    starts = cookie.get("starts", [])
    mine = [each for each in starts if each[0] == state and state]
    if not mine:
        return None
    cookie["starts"] = [each for each in starts if each[0] != state]
    is_young = time.time() - mine[0][4] < LIVES_SECONDS
    return mine[0] if is_young else None
