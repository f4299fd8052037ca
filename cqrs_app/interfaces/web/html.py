"""The HTML of small things that a page shows by the hundred: icons, amounts, times, states.

They are functions that every template knows, and not macros: a list shows a few of them in each
of its rows, and a macro, which has to be imported too, takes several times as long.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, g
from markupsafe import Markup, escape

from cqrs_app.areas.desk.words import OrderStage
from cqrs_app.interfaces.web.formats import NONE, Formats, as_utc
from cqrs_app.interfaces.web.forms_fields import is_blank
from cqrs_app.interfaces.web.line_amounts import line_amounts
from cqrs_app.interfaces.web.lookups import lookup_of
from cqrs_app.interfaces.web.presentation import age, seconds_since, utc_attribute, utc_text
from cqrs_app.interfaces.web.zones import days_since, shop_zone, shown_zone
from cqrs_app.kernel import ERASED
from cqrs_app.standards.countries import is_country

ICONS_KEPT = 512
TIMES_KEPT = 4_096
SHAPES = MappingProxyType(
    {
        OrderStage.NEEDS_APPROVAL: "placed",
        OrderStage.ON_HOLD: "held",
        OrderStage.AWAITING_PAYMENT: "waiting",
        OrderStage.PAYMENT_FAILED: "failed",
        OrderStage.OUT_OF_STOCK: "missing",
        OrderStage.PROCESSING: "waiting",
        OrderStage.READY_TO_SHIP: "approved",
        OrderStage.PARTLY_SHIPPED: "partly",
        OrderStage.REJECTED: "cancelled",
    }
)
"""Stages whose label differs from the stage's own."""
_UNKNOWN_COUNTRY = Markup(
    '{} <span class="quiet small" title="As imported, not in ISO 3166">unknown country</span>'
)
NO_TIME = Markup('<span class="quiet">{}</span>').format(NONE)


def register_html(app: Flask, formats: Formats) -> None:
    """Make them known to templates. Needs `static_url`."""
    static_url: Any = app.jinja_env.globals["static_url"]

    def when_html(moment: datetime | None) -> Markup:
        """A moment as `when` says it, exactly on hover."""
        if not moment:
            return NO_TIME
        zone = shown_zone()
        return kept(moment, zone, datetime.now(zone).date())

    @lru_cache(TIMES_KEPT)
    def kept(moment: datetime, zone: ZoneInfo, today: date) -> Markup:
        """A list shows the same moments again and again."""
        return _time(as_utc(moment), formats.when(moment, zone, today))

    def money(value: Decimal | int | None, currency: str) -> Markup:
        """An amount after its currency, exactly on hover."""
        if value is None:
            return Markup('<span class="money">{}</span>').format(NONE)
        amount, exact = formats.amount(value, currency), formats.exact(value, currency)
        title = "" if amount == exact else f' title="Exactly {exact}"'
        unit = f'<span class="currency">{escape(currency)}</span>'
        return Markup(f'<span class="money"{title}>{unit}\N{NO-BREAK SPACE}{amount}</span>')  # noqa: S704

    def country(name: str) -> Markup:
        """A country in this language; one not in ISO 3166, from imported history, is marked."""
        known = not name or name == ERASED or is_country(name)
        return escape(formats.country(name)) if known else _UNKNOWN_COUNTRY.format(name)

    app.jinja_env.globals.update(
        icon=lambda name: _icon(static_url("icons.svg"), name),
        glyph=lambda name: _glyph(static_url("icons.svg"), name),
        money=money,
        when=when_html,
        since=since,
        since_day=since_day,
        country_names=formats.country_names,
        currency_names=formats.currency_names,
        language_tag=formats.language_tag,
        shared_list=shared_list,
        lookup_of=lookup_of,
        is_blank=is_blank,
        line_amounts=lambda lines, form: line_amounts(lines, form, formats),
    )
    app.jinja_env.filters.update(
        money=money,
        when=when_html,
        country=country,
        sentence=lambda text: formats.sentence(text, shown_zone()),
        stage=lambda stage: _stage(static_url("icons.svg"), stage),
    )


def shared_list(name: str, list_id: str) -> str:
    """The id of the list of these texts in this response: that of the first field which offers
    them."""
    lists: dict[str, str] = g.setdefault("lists", {})
    return lists.setdefault(name, list_id)


def since(moment: datetime | None) -> Markup:
    """How long ago."""
    return _time(moment, age(seconds_since(moment))) if moment else NO_TIME


def since_day(moment: datetime) -> Markup:
    """How many days of the shop ago, as views count them; on the same day, how long ago."""
    days = days_since(moment.astimezone(shop_zone()).date())
    return _time(moment, f"{days} d" if days else age(seconds_since(moment)))


def _time(moment: datetime, text: str) -> Markup:
    exact = f'datetime="{utc_attribute(moment)}" title="{utc_text(moment)}"'
    return Markup(f"<time {exact}>{text}</time>")  # noqa: S704 - digits and names of months


@lru_cache(ICONS_KEPT)
def _icon(file: str, name: str) -> Markup:
    """A decorative outline; the text beside it carries the meaning."""
    return Markup(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>'
    ).format(file, name)


@lru_cache(ICONS_KEPT)
def _glyph(file: str, name: str) -> Markup:
    """One of the small filled shapes for states (fresh-*, status-*)."""
    return Markup(
        '<svg class="glyph" viewBox="0 0 16 16" aria-hidden="true" focusable="false">'
        '<use href="{}#{}"></use></svg>'
    ).format(file, name)


@lru_cache(ICONS_KEPT)
def _stage(file: str, stage: OrderStage) -> Markup:
    """An order's stage: its words with a shape."""
    shape = SHAPES.get(stage, stage.value)
    glyph = _glyph(file, f"status-{shape}")
    return Markup('<span class="status status-{}">{}{}</span>').format(stage, glyph, stage.label)
