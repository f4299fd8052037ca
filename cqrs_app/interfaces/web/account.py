"""Your account: time zone, preferences and notifications; the page leads to all of signing in."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import msgspec
from flask import abort, flash, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField

from cqrs_app.interfaces.web.auth import keeps_form, local_path
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.columns import COLUMNS
from cqrs_app.interfaces.web.forms_fields import CheckboxesField
from cqrs_app.interfaces.web.mail import MailForm, changes_address, mail_form, save_mail
from cqrs_app.interfaces.web.operator_sessions import device_of
from cqrs_app.interfaces.web.proofs import step_up
from cqrs_app.interfaces.web.zones import shop_zone
from cqrs_app.platform.notifications.words import NotificationKind
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.preferences import Preferences
from cqrs_app.services import services


class AccountForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """What an operator may choose for themselves."""

    timezone = StringField(
        "Time zone",
        description="Times on your pages are shown in it. Leave empty for the shop's.",
        render_kw={"list": "timezones", "spellcheck": "false", "autocapitalize": "none"},
    )
    notified = CheckboxesField(
        "Notify me when", choices=[(kind.value, kind.label) for kind in NotificationKind]
    )
    shortcuts = BooleanField(
        "Single-key shortcuts", description="Press ? on any page for the list of them."
    )


def account_form_again(*, sentence: str, possible: bool) -> str | None:
    """The page with what was chosen and not saved; `sentence` says why. None for who may not use
    the console from where they are."""
    return _page(_form(sent=True), mail_form(), sentence) if possible else None


def mail_form_again(*, sentence: str, possible: bool) -> str | None:
    """The same for what is mailed."""
    return _page(_form(), mail_form(sent=True), sentence) if possible else None


@bp.route("/account", methods=["GET", "POST"])
@keeps_form(account_form_again)
def account() -> ResponseReturnValue:
    """The form; once submitted, the choice applies to every session of the operator."""
    form, status = _form(sent=request.method == "POST"), 200
    if form.validate_on_submit():
        try:
            services.accounts.set_timezone(g.operator.name, form.timezone.data or "")
        except AccountError as error:
            form.timezone.errors = [str(error)]
            status = 422
        else:
            chosen = form.notified.data or []
            unwanted = tuple(kind.value for kind in NotificationKind if kind not in chosen)
            _prefer(shortcuts=form.shortcuts.data, unwanted=unwanted)
            flash("Preferences saved.", "good")
            return redirect(url_for("web.account"), 303)
    return _page(form, mail_form()), status


@bp.post("/account/mail")
@keeps_form(mail_form_again)
def account_mail() -> ResponseReturnValue:
    """Choose which notifications are mailed, and where to."""
    mail = mail_form(sent=True)
    if mail is None:
        abort(404, "This console sends no mail.")
    if mail.validate() and changes_address(mail) and (asked := step_up()):
        return asked
    if not save_mail(mail):
        return _page(_form(), mail), 422
    flash("Preferences saved.", "good")
    return redirect(url_for("web.account"), 303)


def _form(*, sent: bool = False) -> AccountForm:
    preferences = g.operator.preferences
    wanted = [kind.value for kind in NotificationKind if kind not in preferences.unwanted]
    return AccountForm(
        request.form if sent else None,
        timezone=g.operator.timezone,
        shortcuts=preferences.shortcuts,
        notified=wanted,
    )


def _page(form: AccountForm, mail: MailForm | None, sentence: str = "") -> str:
    return render_template(
        "auth/account.html",
        form=form,
        sentence=sentence,
        mail=mail,
        mail_address=services.mail_addresses.of(g.operator.name),
        kinds=list(NotificationKind),
        shop_zone=shop_zone().key,
        timezones=_timezones(),
        factors=services.second_factors.of(g.operator.name),
        passkeys=services.passkeys.of(g.operator.name),
        has_password=services.settings.lets_in_locally(g.operator.name)
        and services.accounts.has_password(g.operator.name),
        provider=services.settings.oidc_name if services.openid_provider else "",
        is_linked=services.identities.of(g.operator.name) is not None,
        sessions=[
            (device_of(each.user_agent), each) for each in services.sessions.list(g.operator.name)
        ],
        this_session=services.sessions.key_of(cookie["token"]),
    )


@cache
def _timezones() -> tuple[str, ...]:
    """Every time zone, by name. Python looks for them in hundreds of files."""
    return tuple(sorted(available_timezones()))


@bp.post("/account/shortcuts")
def account_shortcuts() -> ResponseReturnValue:
    """Turn single-key shortcuts on or off, from the list of shortcuts."""
    _prefer(shortcuts="on" in request.form)
    return "", 204


@bp.post("/account/lists/<name>")
def account_list(name: str) -> ResponseReturnValue:
    """Choose the columns of a list, and the density of all lists; then return to the list."""
    if name not in COLUMNS:
        abort(404, "There is no list of this name.")
    shown = request.form.getlist("column")
    hidden = tuple(column for column in COLUMNS[name] if column not in shown)
    compact = request.form.get("density") == "compact"
    _change(
        lambda now: msgspec.structs.replace(
            now, compact=compact, hidden=now.hidden | {name: hidden}
        )
    )
    return redirect(local_path(request.form.get("next", "")), 303)


def _prefer(**changed: Any) -> None:
    _change(lambda now: msgspec.structs.replace(now, **changed))


def _change(change: Callable[[Preferences], Preferences]) -> None:
    services.accounts.change_preferences(g.operator.name, change)
