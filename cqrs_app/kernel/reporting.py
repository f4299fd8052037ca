"""Where unexpected exceptions are reported to. The kernel reports them and keeps none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE

R = TypeVar("R")


class Reporter(Protocol):
    """Keeps one occurrence of a failure. It returns at once and never raises.

    `kind` is "command", "delivery", "job" or "page", and `place` says which one failed. `subject`
    is the stream concerned, `reference` what leads to this occurrence, such as a command's id, and
    `message` the command or event that was being processed. Its personal values are kept out, and
    so are the texts in `hidden`. An exception that was reported before is not reported again.
    """

    def __call__(
        self,
        error: Exception,
        *,
        kind: str,
        place: str,
        subject: str = "",
        reference: str = "",
        message: Any = None,
        hidden: Iterable[str] = (),
    ) -> None: ...


def unreported(error: Exception, **_: Any) -> None:
    """A Reporter that keeps nothing."""


def reporting(report: Reporter, place: str, work: Callable[..., R]) -> Callable[..., R]:
    """`work`, with each exception reported as that of a job before it goes on. An outage of the
    database is not: the work is repeated when it is over."""

    def reported(*arguments: Any) -> R:
        try:
            return work(*arguments)
        except DATABASE_TROUBLE:
            raise
        except Exception as error:
            report(error, kind="job", place=place)
            raise

    return reported
