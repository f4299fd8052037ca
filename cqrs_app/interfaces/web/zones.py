"""Time zones: the shop's, for the days of filters and figures, and the operator's."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from flask import g

from cqrs_app.services import services


def shop_zone() -> ZoneInfo:
    """The zone of the business day."""
    return ZoneInfo(services.settings.timezone)


def shown_zone() -> ZoneInfo:
    """The zone in which times are shown and typed: the operator's choice, or else the shop's."""
    operator = g.get("operator")
    return ZoneInfo((operator and operator.timezone) or services.settings.timezone)


def typed_moment(text: str) -> datetime:
    """What somebody typed, in the zone shown to them unless it names another. Raises ValueError
    with a sentence."""
    zone = shown_zone()
    try:
        typed = datetime.fromisoformat(text)
        moment = (typed if typed.tzinfo else typed.replace(tzinfo=zone)).astimezone(UTC)
        here = moment.astimezone(zone).replace(tzinfo=None)
    except (ValueError, OverflowError):  # also beyond the years of a calendar
        raise ValueError("Enter a date and time, e.g. 2026-03-31 14:05.") from None
    if not typed.tzinfo and here != typed:
        raise ValueError("There is no such time on that day: the clocks went forward.")
    return moment


def moment_to_type(moment: datetime) -> str:
    """The same backwards, as a field for a date and time takes it."""
    return moment.astimezone(shown_zone()).strftime("%Y-%m-%dT%H:%M:%S").removesuffix(":00")


def days_note() -> str:
    """Which zone's days filters and figures use, if times are shown in another one."""
    return "" if shown_zone() is shop_zone() else f"Days in {shop_zone().key}"


def days_since(day: date) -> int:
    """How many days of the shop ago that was."""
    return max(0, (business_day() - day).days)


def business_day() -> date:
    """The present day in the shop's zone."""
    return datetime.now(shop_zone()).date()
