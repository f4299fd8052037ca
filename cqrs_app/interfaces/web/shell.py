"""What every page shows around its content: the shop's name and what is not working."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache

from flask import Flask, Response, g, render_template, request
from markupsafe import Markup

from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.columns import COLUMNS
from cqrs_app.interfaces.web.navigation import ENTRIES, INTEGRATIONS, Entry, open_to
from cqrs_app.interfaces.web.places import about
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.platform.alerts.queries import on_by_severity
from cqrs_app.platform.approvals.queries import waiting_by_name
from cqrs_app.platform.runtime import health
from cqrs_app.services import kernel, services
from cqrs_app.settings import Settings

LOOK_EVERY_SECONDS = 2.0
NAVIGATIONS_KEPT = 256


class Watch:
    """Checks the console's parts at most every two seconds per process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._banners: list[dict[str, str]] = []
        self._open_failures = self._alerts = 0
        self._approvals: Mapping[str, int] = {}

    def banners(self) -> list[dict[str, str]]:
        """What is away now: {level, text}."""
        self._look()
        return self._banners

    def open_failures(self) -> int:
        """How many failures are open; what was known last while the write store is down."""
        self._look()
        return self._open_failures

    def alerts(self) -> int:
        """How many alerts are raised or acknowledged, likewise."""
        self._look()
        return self._alerts

    def waiting_for(self, name: str) -> int:
        """How many requests this operator is asked to approve, likewise."""
        self._look()
        return self._approvals.get(name, 0)

    def _look(self) -> None:
        if time.monotonic() - self._looked > LOOK_EVERY_SECONDS and self._lock.acquire(False):
            try:
                found = health.banners(health.look(kernel))
                self._banners = [{"level": level, "text": text} for level, text in found]
                self._looked = time.monotonic()
                with suppress(*DATABASE_TROUBLE):
                    self._open_failures = services.stored_failures.count_open()
                    with reader_of(kernel.engines.write).connect() as connection:
                        self._alerts = sum(on_by_severity(connection).values())
                        self._approvals = waiting_by_name(connection)
            finally:
                self._lock.release()


@bp.get("/banners")
@background
def banners() -> Response:
    """What is not working now, for an open page."""
    return fragment(render_template("_banners.html"))


def init_shell(app: Flask, settings: Settings) -> None:
    """Give every template `shop_name` and `about(stream)`, for who is signed in also `banners`,
    `navigation(active)` and `shortcuts()`."""
    watch = Watch()
    always = [{"level": level, "text": text} for level, text in _unusual(settings)]

    @lru_cache(NAVIGATIONS_KEPT)
    def navigation_of(
        root: str,
        permissions: frozenset[str],
        active: str,
        failures: int,
        alerts: int,
        approvals: int,
    ) -> Markup:
        template = app.jinja_env.get_template("_navigation.html")
        groups = [("", open_to(permissions, ENTRIES))]
        groups += [("Other systems", open_to(permissions, INTEGRATIONS))]
        counts = {"failures": failures, "alerts": alerts, "approvals": approvals}
        return Markup(template.render(groups=groups, active=active, counts=counts))  # noqa: S704

    def navigation(active: str) -> Markup:
        """The places of the console that this operator may open; cached, as there are few
        combinations.
        """
        mine = _permissions()
        failures = watch.open_failures() if "failures.view" in mine else 0
        alerts = watch.alerts() if "alerts.view" in mine else 0
        approvals = watch.waiting_for(g.operator.name) if "approvals.sign" in mine else 0
        return navigation_of(request.script_root, mine, active, failures, alerts, approvals)

    def shortcuts() -> list[Entry]:
        """The places that a key leads to."""
        return open_to(_permissions(), (*ENTRIES, *INTEGRATIONS))

    app.jinja_env.globals.update(
        about=about, navigation=navigation, shortcuts=shortcuts, list_columns=COLUMNS.__getitem__
    )

    @app.context_processor
    def _shell() -> dict[str, object]:
        signed_in = g.get("operator") is not None
        return {
            "shop_name": settings.shop_name,
            "banners": always + watch.banners() if signed_in else [],
        }


def _permissions() -> frozenset[str]:
    operator = g.get("operator")
    return operator.actor.permissions if operator else frozenset()


def _unusual(settings: Settings) -> Iterator[tuple[str, str]]:
    """What these settings have switched off and every page must say: (level, sentence)."""
    if not settings.cqrs_enabled:
        yield "warn", "Maintenance mode: you can view everything, and nothing can be changed."
    for name in settings.unchecked_permissions:
        yield "bad", f"Permissions are not checked ({name}=false): everybody may do everything."
