"""Converts local times of a file to UTC, including on the days when clocks are changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from cqrs_app.kernel.errors import Refusal, Refused
from cqrs_app.kernel.messages.fields import USABLE_YEARS
from cqrs_app.platform.transfer.imports.formats import SHAPES, Dates, iso_time

NO_SUCH_HOUR = Refusal(
    "no_such_hour", "The clocks went forward over the time that a file has for it."
)


class OutOfCalendar(ValueError):
    """A time that no page could show. The text is a sentence."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A time in UTC, and a doubt about the local time in the file, if any. `later` if it is the
    second of two that have the same local time."""

    at: datetime
    doubts: tuple[Refused, ...] = ()
    later: bool = False


class LocalClock:
    """Converts the times of one column, row by row.

    An hour that is repeated when clocks go back is resolved so that it continues the order of the
    rows, ascending or descending. An hour that clocks skip is read as if they had not yet gone
    forward, and doubted. With `later`, the first time is the second of the two if it is repeated.
    """

    def __init__(self, zone: tzinfo = UTC, *, later: bool = False) -> None:
        self._zone = zone
        self._later = later
        self._last: datetime | None = None
        self._falling = False

    def read(self, text: str) -> Reading:
        """Raises ValueError for a text that is no ISO 8601 time, and OutOfCalendar for a year
        outside USABLE_YEARS."""
        local = datetime.fromisoformat(text)
        if local.tzinfo:
            return Reading(_in_utc(local))
        first = _in_utc(local.replace(tzinfo=self._zone, fold=0))
        second = _in_utc(local.replace(tzinfo=self._zone, fold=1))
        at = self._of(first, second) if first < second else first
        if first == second and self._last and at != self._last:
            self._falling = at < self._last
        self._last = at
        left_out = second < first
        doubts = (self._left_out(local, at),) if left_out else ()
        return Reading(at, doubts, later=first < second == at)

    def _of(self, first: datetime, second: datetime) -> datetime:
        """Which of two times with the same local time continues the order of the rows."""
        last = self._last
        if last is None:
            return second if self._later else first
        if self._falling:
            return second if second <= last or first > last else first
        return first if first >= last or second < last else second

    def _left_out(self, local: datetime, at: datetime) -> Refused:
        return NO_SUCH_HOUR(
            f"The time in the file, {local:%Y-%m-%d %H:%M}, does not exist in {self._zone}: the "
            f"clocks went forward. It was taken as {at:%Y-%m-%d %H:%M} UTC."
        )


def time_of(clock: LocalClock, dates: Dates, text: str) -> Reading:
    """Raises ValueError with a sentence."""
    try:
        return clock.read(iso_time(text, dates))
    except OutOfCalendar:
        raise
    except ValueError:
        raise ValueError(f"This is not a date and time like {SHAPES[dates]}.") from None


def moment(text: str) -> datetime:
    """Parse an ISO 8601 time, in UTC if it has no zone, and convert it to UTC. Raises ValueError
    like `LocalClock.read`."""
    return LocalClock().read(text).at


def _in_utc(local: datetime) -> datetime:
    try:
        at = local.astimezone(UTC)
    except OverflowError:
        raise OutOfCalendar("The time is not in the calendar.") from None
    if at.year not in USABLE_YEARS:
        raise OutOfCalendar(f"The year must be from {USABLE_YEARS[0]} to {USABLE_YEARS[-1]}.")
    return at
