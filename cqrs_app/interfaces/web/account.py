"""Your account: how times are shown to you."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask import flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField

from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.zones import shop_zone
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.services import services


class AccountForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """What an operator may choose for themselves."""

    timezone = StringField(
        "Time zone",
        description="Times on your pages are shown in it. Leave empty for the shop's.",
        render_kw={"list": "timezones", "spellcheck": "false", "autocapitalize": "none"},
    )


@bp.route("/account", methods=["GET", "POST"])
def account() -> ResponseReturnValue:
    """The form; sent, the choice is kept for every session of the operator."""
    form = AccountForm(timezone=g.operator.timezone)
    status = 200
    if form.validate_on_submit():
        try:
            services.accounts.set_timezone(g.operator.name, form.timezone.data or "")
        except AccountError as error:
            form.timezone.errors = [str(error)]
            status = 422
        else:
            flash("Time zone saved.")
            return redirect(url_for("web.account"), 303)
    page = render_template(
        "auth/account.html",
        form=form,
        shop_zone=shop_zone().key,
        timezones=sorted(available_timezones()),
    )
    return page, status
