"""The pages: GET runs queries, POST sends one command; nothing else happens here."""

from __future__ import annotations

from flask import Flask

from cqrs_app.areas.desk.queries.order_list import CountChanges
from cqrs_app.interfaces.web import (  # noqa: F401 - each adds its views to the blueprint
    account,
    batches,
    callbacks,
    catalogue,
    command_log,
    commands,
    exports,
    freshness,
    health,
    home,
    lookups,
    macro_forms,
    notifications,
    operator_sessions,
    passwords,
    past,
    search,
    second_factors,
    shift,
    shift_removal,
    sign_in_links,
    single_sign_on,
    statistics,
    tokens,
    undo,
)
from cqrs_app.interfaces.web.areas import audit  # noqa: F401 - it has pages only
from cqrs_app.interfaces.web.areas.orders import order_list
from cqrs_app.interfaces.web.auditing import init_audit
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.compression import init_compression
from cqrs_app.interfaces.web.errors import init_errors
from cqrs_app.interfaces.web.formats import formats_of
from cqrs_app.interfaces.web.gate import init_auth
from cqrs_app.interfaces.web.html import register_html
from cqrs_app.interfaces.web.page_freshness import init_page_freshness
from cqrs_app.interfaces.web.polling import init_polling
from cqrs_app.interfaces.web.presentation import register
from cqrs_app.interfaces.web.security import init_security
from cqrs_app.interfaces.web.shell import init_shell
from cqrs_app.settings import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Register the pages. Signing in comes first: whoever is signed out sees nothing else."""
    init_audit(app)
    init_polling(app, {order_list.CHANGES: CountChanges})
    init_auth(app)
    init_security(app)
    init_compression(app)
    formats = formats_of(settings.locale)
    register(app, formats)
    register_html(app, formats)
    init_page_freshness(app)
    init_shell(app, settings)
    init_errors(app)
    # Their messages are signed, and they use no session that a foreign page could misuse.
    app.extensions["csrf"].exempt(callbacks.payment_callback)
    app.extensions["csrf"].exempt(single_sign_on.provider_logout)
    app.register_blueprint(bp)
