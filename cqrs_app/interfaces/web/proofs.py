"""Proving who one is: the second step of signing in, and stepping up before what is sensitive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField

from cqrs_app.interfaces.web.attempts import (
    AttemptRefused,
    attempt_succeeded,
    begin_attempt,
    log_event,
    log_failure,
)
from cqrs_app.interfaces.web.auth import local_path, public, sets_up, this_address
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.mounting import mounted_in
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.sites import Site, site_of
from cqrs_app.services import services

PREFIX = "proof-"
"""Of the fields that prove who one is, among those of another form."""
RESTART = f"{PREFIX}restart"
"""The button of the second step with which somebody else signs in."""
OPEN_TOO_LONG = "This page was open too long. Try again."
WRONG = "The code is wrong, or was used already. Wait for the next one, or use a recovery code."
WRONG_PASSWORD = "The password is wrong."  # noqa: S105 - a sentence
CONFIRM_FIRST = "Confirm with {} first, then choose Continue."
EMPTY = "Enter a code."
EMPTY_PASSWORD = "Enter your password."  # noqa: S105


class ProofForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """A code or a passkey; the password of who has neither."""

    code = StringField(
        "Code",
        description="From your authenticator app, or a recovery code.",
        render_kw={
            "autocomplete": "one-time-code",
            "autocapitalize": "none",
            "spellcheck": "false",
        },
    )
    password = PasswordField("Password", render_kw={"autocomplete": "current-password"})
    passkey = HiddenField()

    def __init__(self) -> None:
        super().__init__(prefix=PREFIX)


def site() -> Site:
    """Where passkeys are valid, for the present request."""
    settings = services.settings
    scheme = "https" if settings.secure_cookies else request.scheme
    hosts = [each.strip() for each in settings.trusted_hosts.split(",")]
    return site_of(request.host, scheme, hosts)


def passkey_owner(response: str) -> str:
    """The operator whose passkey answered the challenge of this browser. Raises AccountError."""
    return services.passkeys.verify(response, str(cookie.pop("challenge", "")), site())


def prove(form: ProofForm, name: str, *, password_will_do: bool) -> AttemptRefused | None:
    """Whether the form proves that this operator sent it. `password_will_do`: there is no second
    factor to ask for."""
    if not form.validate():
        return AttemptRefused(OPEN_TOO_LONG)
    if elsewhere := proves_elsewhere(name):
        return AttemptRefused(CONFIRM_FIRST.format(elsewhere))
    if not (form.passkey.data or (form.password if password_will_do else form.code).data):
        return AttemptRefused(EMPTY_PASSWORD if password_will_do else EMPTY)
    if refusal := begin_attempt(name, second_factor=not password_will_do):
        return refusal
    try:
        how = _how(form, name, password_will_do)
    except AccountError as error:
        log_failure(Kind.PROOF_REFUSED, "passkey refused", name)
        return AttemptRefused(str(error))
    if how is None:
        log_failure(Kind.PROOF_REFUSED, "second factor refused", name)
        return AttemptRefused(WRONG_PASSWORD if password_will_do else WRONG)
    attempt_succeeded(name, second_factor=not password_will_do)
    log_event(Kind.PROOF, f"proved with {how}", name)
    return None


def _how(form: ProofForm, name: str, password_will_do: bool) -> str | None:
    """What proves it, or None. Raises AccountError about a passkey."""
    if form.passkey.data:
        return "passkey" if passkey_owner(form.passkey.data) == name else None
    if password_will_do:
        return "password" if services.accounts.verify(name, form.password.data or "") else None
    return services.second_factors.accepts(name, form.code.data or "")


def kept_fields(*prefixes: str) -> list[tuple[str, str]]:
    """The fields of the form that was sent, to go along with another one, except those with these
    prefixes."""
    return [
        (name, text)
        for name, texts in request.form.lists()
        if name != "csrf_token" and not name.startswith(prefixes)
        for text in texts
    ]


def proves_elsewhere(name: str) -> str:
    """Where this operator, who has nothing here to prove it with, proves who they are: the name of
    the OpenID provider, or of the application that the console is mounted into. Otherwise empty."""
    if mounted := mounted_in():
        return "" if services.second_factors.of(name).any else mounted.users.name
    return services.settings.oidc_name if confirms_at_provider(name) else ""


def confirms_at_provider(name: str) -> bool:
    """Whether this operator proves who they are at the OpenID provider: they have neither a second
    factor nor a password that counts, and are linked."""
    return bool(
        services.openid_provider
        and not services.second_factors.of(name).any
        and not (services.settings.lets_in_locally(name) and services.accounts.has_password(name))
        and services.identities.of(name)
    )


def step_up() -> ResponseReturnValue | None:
    """None if the operator proved who they are within STEP_UP_MINUTES, or just now; otherwise the
    form that asks for it, with all that was sent."""
    name, token = g.operator.name, cookie["token"]
    since = services.sessions.verified_at(token)
    if since and datetime.now(UTC) - since < timedelta(minutes=services.settings.step_up_minutes):
        return None
    if request.method == "GET":
        return redirect(url_for("web.confirm_identity", next=this_address()))
    form, sentence, status = ProofForm(), "", 422
    if form.passkey.name in request.form:
        refusal = prove(form, name, password_will_do=not g.operator.has_second_factor)
        if refusal is None:
            services.sessions.verified(token)
            return None
        sentence, status = refusal.sentence, refusal.status
    action = this_address()
    # Whatever a button would have replaced: the dialog is where it is answered.
    in_dialog = {"HX-Retarget": "#dialog-body", "HX-Reswap": "innerHTML"}
    headers = in_dialog if "HX-Request" in request.headers else {}
    return proof_page(form, action, sentence, kept_fields(PREFIX)), status, headers


@bp.route("/confirm-identity", methods=["GET", "POST"])
@sets_up
def confirm_identity() -> ResponseReturnValue:
    """Step up, then go on to a page that needs it."""
    address = local_path(request.args.get("next", ""))
    form = ProofForm()
    action = url_for("web.confirm_identity", next=address)
    if request.method == "GET":
        return proof_page(form, action)
    refusal = prove(form, g.operator.name, password_will_do=not g.operator.has_second_factor)
    if refusal:
        return proof_page(form, action, refusal.sentence), refusal.status, refusal.headers
    services.sessions.verified(cookie["token"])
    return redirect(address, 303)


@bp.post("/passkey-options")
@public
def passkey_options() -> ResponseReturnValue:
    """What a browser needs to ask for a passkey: of who is signed in or has given the password, or
    of anyone."""
    if refusal := begin_options():
        return refusal
    name = g.operator.name if g.operator else services.sessions.waiting(cookie.get("token", ""))
    options, cookie["challenge"] = services.passkeys.authentication_options(site(), name or "")
    return options, 200, {"Content-Type": "application/json"}


def begin_options() -> ResponseReturnValue | None:
    """Each set of options is a row, so making them is limited like signing in."""
    wait = services.sign_in_rates.wait_of(request.remote_addr or "")
    return ("Too many attempts.", 429, {"Retry-After": str(wait)}) if wait else None


def proof_page(
    form: ProofForm,
    action: str,
    error: str = "",
    kept: list[tuple[str, str]] | None = None,
    *,
    signing_in: str = "",
) -> str:
    """The form that asks for a proof. `kept`: fields of a form that go along. `signing_in`: whose
    second step of signing in it is."""
    in_dialog = kept is not None and "HX-Request" in request.headers
    name = signing_in or g.operator.name
    return render_template(
        "auth/_proof.html" if in_dialog else "auth/proof.html",
        form=form,
        error=error,
        kept=kept or (),
        action=action,
        in_dialog=in_dialog,
        signing_in=signing_in,
        restart=RESTART,
        factors=services.second_factors.of(name),
        elsewhere=proves_elsewhere(name),
        elsewhere_url=_elsewhere_url(
            local_path("" if kept is not None else request.args.get("next"))
        ),
    )


def _elsewhere_url(next_address: str) -> str:
    if mounted := mounted_in():
        return mounted.ask(lambda users: users.proof_address(next_address))
    return url_for("web.provider_start", next=next_address, **{"for": "confirm"})  # type: ignore[arg-type]
