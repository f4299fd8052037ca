"""Local times of a file as moments, on the two days of a year when clocks are changed too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from cqrs_app.kernel.errors import Refusal, Refused
from cqrs_app.kernel.messages.fields import USABLE_YEARS

NO_SUCH_HOUR = Refusal(
    "no_such_hour", "The clocks went forward over the time that a file has for it."
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A moment in UTC, and what cannot be about the time that the file has."""

    at: datetime
    doubts: tuple[Refused, ...] = ()


class LocalClock:
    """Reads the times of one column, row after row.

    An hour that is repeated when clocks go back is the one that continues the order of the rows,
    which may rise or fall. An hour that clocks leave out is taken as if they had not yet gone
    forward, and doubted.
    """

    def __init__(self, zone: tzinfo = UTC) -> None:
        self._zone = zone
        self._last: datetime | None = None
        self._falling = False

    def read(self, text: str) -> Reading:
        """Raises ValueError for what is no time as ISO 8601, and for a year that no page could
        show."""
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
        return Reading(at, (self._left_out(local, at),) if left_out else ())

    def _of(self, first: datetime, second: datetime) -> datetime:
        """Which of two moments with one local time continues the rows; without any, the first."""
        last = self._last
        if last is None:
            return first
        if self._falling:
            return second if second <= last or first > last else first
        return first if first >= last or second < last else second

    def _left_out(self, local: datetime, at: datetime) -> Refused:
        return NO_SUCH_HOUR(
            f"The time in the file, {local:%Y-%m-%d %H:%M}, does not exist in {self._zone}: the "
            f"clocks went forward. It was taken as {at:%Y-%m-%d %H:%M} UTC."
        )


def moment(text: str) -> datetime:
    """A time as ISO 8601, in UTC where it says no zone -> UTC. Raises ValueError as above."""
    return LocalClock().read(text).at


def _in_utc(local: datetime) -> datetime:
    try:
        at = local.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{local} is no time of this calendar") from None
    if at.year not in USABLE_YEARS:
        raise ValueError(f"{local} is in no year that can be used")
    return at
