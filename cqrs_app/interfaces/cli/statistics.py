"""`flask statistics`: the console's statistics now, or some of them over time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import get_args

import click
import msgspec
from flask.cli import with_appcontext

from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.runtime.statistics.catalogue import STATISTICS
from cqrs_app.platform.runtime.statistics.queries import (
    History,
    ListStatistics,
    Span,
    StatisticHistory,
    StatisticNow,
    list_statistics,
    statistic_history,
)
from cqrs_app.services import kernel

BARS = "▁▂▃▄▅▆▇█"
MOST_BARS = 60
SHORT = {
    "per minute": "/min",
    "per second": "/s",
    "ms": " ms",
    "ms per minute": " ms/min",
    "seconds": " s",
}


@click.command()
@click.argument("names", nargs=-1, metavar="[STATISTIC]...")
@click.option(
    "--last", type=click.Choice(get_args(Span)), default="hour", help="How far back. Default: hour."
)
@click.option("--until", type=click.DateTime(), help="The end, in UTC. Default: now.")
@click.option("--split", is_flag=True, help="A line for each type, page, subscription or process.")
@click.option("--only", default="", metavar="LABEL", help="Only that type, page or the like.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def statistics(
    names: tuple[str, ...],
    last: Span,
    until: datetime | None,
    split: bool,
    only: str,
    as_json: bool,
) -> None:
    """Print every statistic as it is now, or those that are named over time."""
    unknown = [name for name in names if name not in STATISTICS]
    if unknown:
        raise click.BadParameter(f"There is no statistic {unknown[0]}. See `flask statistics`.")
    with reader_of(kernel.engines.write).connect() as connection:
        if names:
            end = until.replace(tzinfo=UTC) if until else None
            question = StatisticHistory(
                statistics=names, last=last, until=end, split=split, only=only
            )
            histories = statistic_history(question, connection)
            _print(histories, _lines(histories), as_json=as_json)
        else:
            found = list_statistics(ListStatistics(), connection)
            _print(found, _now(found), as_json=as_json)


def _print(found: object, lines: Iterable[str], *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
        return
    for line in lines:
        click.echo(line)


def _now(found: tuple[StatisticNow, ...]) -> Iterable[str]:
    group = ""
    for each in found:
        if each.group != group:
            group = each.group
            yield click.style(group, bold=True)
        yield f"  {each.name:<22} {value_text(each.value, each.unit):>14}  {each.title}"


def _lines(histories: tuple[History, ...]) -> Iterable[str]:
    for each in histories:
        between = f"{each.start:%Y-%m-%d %H:%M} to {each.end:%Y-%m-%d %H:%M} UTC"
        yield click.style(f"{each.title}, {between}", bold=True)
        for line in each.lines:
            known = [value for value in line.values if value is not None]
            last, most = (known[-1], max(known)) if known else (None, None)
            yield (
                f"  {_bars(line.values)}  last {value_text(last, each.unit)}, "
                f"highest {value_text(most, each.unit)}  {line.label}".rstrip()
            )
        for mark in each.marks:
            yield f"  {mark.start:%Y-%m-%d %H:%M} {mark.kind}: {mark.text}"


def _bars(values: tuple[float | None, ...]) -> str:
    """A bar for each group of values, of the highest in it; a blank where nothing was measured."""
    size = -(-len(values) // MOST_BARS) or 1
    groups = [values[at : at + size] for at in range(0, len(values), size)]
    highest = [max((each for each in group if each is not None), default=None) for group in groups]
    top = max((each for each in highest if each), default=1.0)
    return "".join(
        " " if each is None else BARS[min(7, int(each / top * 7.999))] for each in highest
    )


def value_text(value: float | None, unit: str) -> str:
    if value is None:
        return "none"
    if unit == "share":
        return f"{value:.1%}"
    if unit == "bytes":
        return f"{value / 1024**2:,.1f} MiB"
    if unit in ("events", "count"):
        return f"{value:,.0f}"
    return f"{value:,.1f}{SHORT[unit]}"
