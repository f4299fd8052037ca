"""`flask top`: the console at a glance, again and again."""

from __future__ import annotations

import shutil
import sys

import click
import msgspec
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from cqrs_app.interfaces.cli.faults import database_sentence
from cqrs_app.interfaces.cli.pausing import pause
from cqrs_app.interfaces.cli.screen import full_screen
from cqrs_app.interfaces.cli.top_rows import Row, rows
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.platform.alerts.queries import AlertRow, ListAlerts, list_alerts
from cqrs_app.platform.runtime.overview import overview
from cqrs_app.services import kernel

INTERRUPTED = 130
"""The exit status that shells use for a process ended by Ctrl-C."""


@click.command()
@click.option(
    "--interval",
    type=click.FloatRange(min=0.5, max=3600),
    default=2.0,
    show_default=True,
    help="Seconds between two looks.",
)
@click.option("--once", is_flag=True, help="Print it once.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per look.")
@with_appcontext
def top(interval: float, once: bool, as_json: bool) -> None:
    """Show problems, alerts, rates, lag, queues, processes and what takes longest, until q or
    Ctrl-C. Through a pipe, one look is printed after the other."""
    try:
        if once:
            _print(as_json=as_json)
        elif as_json or not (sys.stdout.isatty() and sys.stdin.isatty()):
            _print_again_and_again(interval, as_json=as_json)
        else:
            _show_until_left(interval)
    except KeyboardInterrupt:
        raise click.exceptions.Exit(INTERRUPTED) from None


def _print(*, as_json: bool) -> None:
    found, alerts = overview(kernel), _alerts()
    if as_json:
        both = msgspec.to_builtins(found) | {"alerts": msgspec.to_builtins(alerts)}
        click.echo(msgspec.json.encode(both))
    else:
        for row in rows(found, alerts):
            click.echo(row.styled())


def _alerts() -> tuple[AlertRow, ...]:
    """Those that are on; none while the write store is down, which is a problem itself."""
    try:
        with reader_of(kernel.engines.write).connect() as connection:
            return list_alerts(ListAlerts(), connection)
    except DATABASE_TROUBLE:
        return ()


def _print_again_and_again(interval: float, *, as_json: bool) -> None:
    while True:
        try:
            _print(as_json=as_json)
        except DBAPIError as error:
            click.echo(database_sentence(error), err=True)
        if not as_json:
            click.echo()
        pause(interval)


def _show_until_left(interval: float) -> None:
    with full_screen() as screen:
        while True:
            try:
                found = rows(overview(kernel), _alerts())
            except DBAPIError as error:
                found = [Row(database_sentence(error), "red")]
            size = shutil.get_terminal_size()
            screen.show([row.styled(size.columns) for row in found[: size.lines]])
            if screen.key(interval) in ("q", "Q"):
                return
