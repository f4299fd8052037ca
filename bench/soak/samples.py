"""The samples of a soak, and their evaluation at the end."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.case import Line
from bench.svg import Panel, Series, picture
from bench.table import machine

KINDS = ("web", "worker", "sweep")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """`minute` since the start of the load; commands per second; durations in ms; `lag` in events;
    `memory` in MB, resident, summed over the processes of a kind."""

    minute: float
    rate: float
    median: float
    p99: float
    pages_p99: float
    lag: int
    memory: Mapping[str, float]

    def __str__(self) -> str:
        memory = "".join(f"{self.memory[kind]:>8.1f}" for kind in KINDS)
        return (
            f"{self.minute:>8.2f}{self.rate:>12.1f}{self.median:>9.2f}{self.p99:>9.2f}"
            f"{self.pages_p99:>11.2f}{self.lag:>8}{memory}"
        )


def head() -> str:
    memory = "".join(f"{kind:>8}" for kind in KINDS)
    durations = f"{'p50 ms':>9}{'p99 ms':>9}{'pages p99':>11}"
    return f"{'minute':>8}{'commands/s':>12}{durations}{'lag':>8}{memory}"


def thirds(samples: Sequence[Sample], of: Callable[[Sample], float]) -> tuple[float, float, float]:
    """The median of a figure in the first, second and last third, so that one sample spoiled by a
    noisy machine has no effect. Requires at least three samples."""
    size = len(samples) // 3
    parts = samples[:size], samples[size : len(samples) - size], samples[len(samples) - size :]
    first, second, last = (statistics.median(map(of, part)) for part in parts)
    return first, second, last


def found(samples: Sequence[Sample], lag_at_end: int) -> dict[str, list[float]]:
    """The sides of LINES, with one figure each."""
    sides: dict[str, list[float]] = {"lag": [float(lag_at_end)]}
    for kind in KINDS:
        _, second, last = thirds(samples, lambda sample, kind=kind: sample.memory[kind])  # type: ignore[misc]
        sides |= {f"{kind}, second third": [second], f"{kind}, last third": [last]}
    for name, of in (("commands", lambda each: each.p99), ("pages", lambda each: each.pages_p99)):
        first, _, last = thirds(samples, of)
        sides |= {f"{name}, first third": [first], f"{name}, last third": [last]}
    return sides


def _memory(kind: str, of: str) -> Line:
    return Line(
        name=f"memory of {of}, last against second third",
        of=f"{kind}, last third",
        to=f"{kind}, second third",
        most=1.1,
        unit="MB",
    )


def _p99(name: str, most: float | None) -> Line:
    return Line(
        name=f"p99 of {name}, last against first third",
        of=f"{name}, last third",
        to=f"{name}, first third",
        most=most,
        unit="ms",
    )


LINES = (
    _memory("web", "web processes"),
    _memory("worker", "workers"),
    _memory("sweep", "the sweep"),
    _p99("commands", 1.2),
    _p99("pages", None),
    Line(name="lag after the end", of="lag", most=0, unit="events"),
)


def drawn(taken: Sequence[Sample]) -> str:
    """The picture of a soak."""

    def over_time(name: str, values: list[float]) -> Series:
        return Series(name, list(zip((each.minute for each in taken), values, strict=True)))

    return picture(
        f"{taken[-1].minute:g} minutes at half of capacity, on {machine()}",
        [
            Panel(
                "Resident memory",
                "minutes",
                "MB",
                [over_time(kind, [each.memory[kind] for each in taken]) for kind in KINDS],
            ),
            Panel(
                "99th percentile",
                "minutes",
                "ms",
                [
                    over_time("commands", [each.p99 for each in taken]),
                    over_time("pages", [each.pages_p99 for each in taken]),
                ],
            ),
            Panel(
                "Lag of the slowest projection",
                "minutes",
                "events",
                [over_time("lag", [float(each.lag) for each in taken])],
            ),
        ],
    )
