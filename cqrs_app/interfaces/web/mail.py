"""Notifications by e-mail: where to, which, and that the address is the operator's."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import abort, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from itsdangerous import BadData, URLSafeTimedSerializer
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than stubs
from wtforms.validators import ValidationError

from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.platform.notifications.words import NotificationKind
from cqrs_app.platform.operators.tables import EMAIL_LENGTH
from cqrs_app.services import services
from cqrs_app.standards.email import email_address

CONFIRM_SECONDS = 24 * 60 * 60
HOW = [
    SelectChoice("", "No"),
    SelectChoice("at_once", "At once"),
    SelectChoice("daily", "Every morning"),
]
TOO_SOON = "A mail was sent to you just now. Nothing was saved. Try again in a minute."


class MailForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """Where to, and how for each kind of notification: a field named like it."""

    address = StringField(
        "E-mail address",
        description="Sign-in links are sent there too. A new address is used once you have "
        "opened the link that is mailed to it. Leave empty for no mail.",
        render_kw={"autocomplete": "email", "spellcheck": "false", "autocapitalize": "none"},
    )

    def validate_address(self, field: StringField) -> None:
        text = (field.data or "").strip()
        try:
            field.data = email_address(text) if text else ""
        except ValueError as error:
            raise ValidationError(str(error)) from None
        if len(field.data) > EMAIL_LENGTH:
            raise ValidationError(f"Enter at most {EMAIL_LENGTH} characters.")


for _kind in NotificationKind:
    setattr(MailForm, _kind.value, SelectField(f"When {_kind.label}", choices=HOW, default=""))


def mail_form(*, sent: bool = False) -> MailForm | None:
    """With what was `sent`, or else what the operator has chosen; None where the console has no
    mail server."""
    if not services.settings.smtp_url:
        return None
    known = services.mail_addresses.of(g.operator.name)
    chosen: dict[str, Any] = dict(g.operator.preferences.mailed)
    formdata = request.form if sent else None
    return MailForm(formdata, address=known.address, **chosen)


def save_mail(form: MailForm) -> bool:
    """Choose the address and the kinds; False where the form has errors."""
    name = g.operator.name
    if not form.validate():
        return False
    if not _choose(name, form.address.data or ""):
        form.address.errors = [TOO_SOON]
        return False
    console = url_for("web.home", _external=True)
    chosen = {kind.value: form[kind.value].data for kind in NotificationKind}
    mailed = {kind: how for kind, how in chosen.items() if how}
    services.accounts.change_preferences(
        name, lambda now: msgspec.structs.replace(now, mailed=mailed, console=console)
    )
    return True


def changes_address(form: MailForm) -> bool:
    """Whether another address would be used, for which operators prove who they are: whoever gets
    sign-in links can sign in."""
    return bool(form.address.data != services.mail_addresses.of(g.operator.name).address)


def _choose(name: str, address: str) -> bool:
    known = services.mail_addresses.of(name)
    if address == known.address and (known.confirmed_at or not address):
        return True
    if not address:
        services.mail_addresses.record(name, "")
        return True
    token = _signer().dumps([name, address])
    link = url_for("web.mail_confirm", token=token, _external=True)
    return services.mail_addresses.choose(name, address, link=link)


@bp.route("/account/mail/confirm", methods=["GET", "POST"])
def mail_confirm() -> ResponseReturnValue:
    """The link of the mail: a page with a button, so that nothing that only follows links confirms
    an address."""
    try:
        name, address = _signer().loads(request.args.get("token", ""), max_age=CONFIRM_SECONDS)
    except BadData:
        abort(404, "This link cannot be used any more. Save your e-mail address again.")
    known = services.mail_addresses.of(g.operator.name)
    if name != g.operator.name or known.chosen != address:
        abort(404, "This link is not for your account, or you have chosen another address since.")
    if request.method == "GET":
        return render_template("auth/mail_confirm.html", address=address)
    services.mail_addresses.confirm(name)
    flash("E-mail address confirmed.", "good")
    return redirect(url_for("web.account"), 303)


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="notification-address")
