"""What every page shows around its content: the shop's name and what is not working."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from flask import Flask, Response, g, render_template, request
from jinja2 import Environment
from markupsafe import Markup

from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.columns import COLUMNS
from cqrs_app.interfaces.web.navigation import ENTRIES, GROUPS, Entry, open_to
from cqrs_app.interfaces.web.places import about
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.interfaces.web.views import default_views, given_of, list_url
from cqrs_app.kernel.errors import BusError
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.platform.alerts.queries import open_counts
from cqrs_app.platform.approvals.lists import waiting_by_name
from cqrs_app.platform.batches.queries import BatchRow, live_batches
from cqrs_app.platform.runtime import health
from cqrs_app.platform.views.views import SavedView
from cqrs_app.services import kernel
from cqrs_app.settings import Settings

LOOK_EVERY_SECONDS = 2.0
IN_TRAY = timedelta(minutes=1)
"""How long a batch that has ended is still shown."""
NAVIGATIONS_KEPT = 256


class Watch:
    """Looks at what every page shows at most every two seconds per process, when a page asks for
    its banners, which come first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._banners: list[dict[str, str]] = []
        self._open_counts = {"failures": 0, "alerts": 0}
        self._defaults: tuple[SavedView, ...] = ()
        self._batches: tuple[BatchRow, ...] = ()
        self._approvals: Mapping[str, int] = {}

    def banners(self) -> list[dict[str, str]]:
        """What is away now: {level, text}."""
        self._look()
        return self._banners

    def open_counts(self) -> dict[str, int]:
        """How many failures are open and alerts are on; what was known last while the write store
        is down."""
        return self._open_counts

    def default_views(self, role: str) -> list[SavedView]:
        """The views that the navigation opens for this role, one for a list at most."""
        return [each for each in self._defaults if each.default_for == role]

    def batches(self, operator: str) -> list[BatchRow]:
        """What the tray shows: the batches of an operator that run, or ended just now."""
        return [each for each in self._batches if each.created_by == operator]

    def waiting_for(self, name: str) -> int:
        """How many requests this operator is asked to approve, likewise."""
        return self._approvals.get(name, 0)

    def _look(self) -> None:
        if time.monotonic() - self._looked > LOOK_EVERY_SECONDS and self._lock.acquire(False):
            try:
                found = health.banners(health.look(kernel))
                self._banners = [{"level": level, "text": text} for level, text in found]
                self._looked = time.monotonic()
                with suppress(BusError, *DATABASE_TROUBLE):
                    with reader_of(kernel.engines.write).connect() as connection:
                        self._open_counts = open_counts(connection, kernel.clock())
                        self._approvals = waiting_by_name(connection)
                    self._defaults = default_views()
                    ended_after = datetime.now(UTC) - IN_TRAY
                    self._batches = live_batches(kernel.engines.write, ended_after)
            finally:
                self._lock.release()


@bp.get("/banners")
@background
def banners() -> Response:
    """What is not working now, for an open page."""
    return fragment(render_template("_banners.html"))


class Navigation:
    """The places of the console that the signed-in operator may open."""

    def __init__(self, templates: Environment, watch: Watch) -> None:
        self._templates = templates
        self._watch = watch
        self._rendered = lru_cache(NAVIGATIONS_KEPT)(self._render)

    def menu(self, active: str) -> Markup:
        """As the page shows them; cached, as there are few combinations."""
        mine = _permissions()
        found = self._watch.open_counts().items()
        counts = tuple((name, count) for name, count in found if f"{name}.view" in mine)
        if "approvals.sign" in mine:
            counts += (("approvals", self._watch.waiting_for(g.operator.name)),)
        urls = tuple(self.default_urls().items())
        return self._rendered(request.script_root, mine, active, counts, urls)

    def default_urls(self) -> dict[str, str]:
        """List -> address of the view that the operator's role opens first."""
        views = self._watch.default_views(g.operator.counts_as) if g.get("operator") else []
        return {each.list: list_url(each.list, given_of(each)) for each in views}

    def shortcuts(self) -> list[Entry]:
        """The places that a key leads to."""
        return open_to(_permissions(), ENTRIES)

    def _render(
        self,
        root: str,
        permissions: frozenset[str],
        active: str,
        counts: tuple[tuple[str, int], ...],
        defaults: tuple[tuple[str, str], ...],
    ) -> Markup:
        template = self._templates.get_template("_navigation.html")
        groups = [(title, open_to(permissions, entries)) for title, entries in GROUPS]
        return Markup(  # noqa: S704 - our own template
            template.render(groups=groups, active=active, counts=dict(counts), urls=dict(defaults))
        )


def init_shell(app: Flask, settings: Settings) -> None:
    """Give every template `shop_name` and `about(stream)`, for who is signed in also `banners`,
    `navigation(active)` and `shortcuts()`."""
    watch = Watch()
    navigation = Navigation(app.jinja_env, watch)
    always = [{"level": level, "text": text} for level, text in _unusual(settings)]
    app.jinja_env.globals.update(
        about=about,
        navigation=navigation.menu,
        shortcuts=navigation.shortcuts,
        default_urls=navigation.default_urls,
        list_columns=COLUMNS.__getitem__,
    )

    @app.context_processor
    def _shell() -> dict[str, object]:
        signed_in = g.get("operator") is not None
        return {
            "shop_name": settings.shop_name,
            "banners": always + watch.banners() if signed_in else [],
            "tray": watch.batches(g.operator.name) if signed_in else [],
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
