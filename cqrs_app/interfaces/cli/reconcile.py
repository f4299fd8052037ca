"""`flask reconcile`: compare read models with their digests and their events, and repair them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

import click
import msgspec
from flask.cli import with_appcontext

from cqrs_app.interfaces.cli.acting import CHANNEL, acting_as
from cqrs_app.interfaces.cli.rebuilding import known
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.messages.sentences import counted
from cqrs_app.kernel.reconciliation.comparison import Difference
from cqrs_app.kernel.reconciliation.reconciler import Found
from cqrs_app.kernel.reconciliation.records import Reconciliation
from cqrs_app.platform.runtime.commands import RepairProjection
from cqrs_app.platform.runtime.control import ReadStoreControl
from cqrs_app.platform.runtime.reconciliation import due_names
from cqrs_app.services import kernel, services

SHOWN = 20
"""Differences of one projection that are printed; JSON has 100."""


@click.command()
@click.argument("names", nargs=-1)
@click.option("--repair", is_flag=True, help="Correct the rows that differ from the events.")
@click.option("--only", default="", help="Repair only rows of this order, customer or product.")
@click.option("--events", is_flag=True, help="Compare all of them with their events.")
@click.option("--due", is_flag=True, help="Only what the schedule, or a repair, asks for now.")
@click.option("--quiet", is_flag=True, help="Print only what differs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--as", "as_name", metavar="OPERATOR", help="Repair with this operator's role.")
@with_appcontext
def reconcile(
    names: tuple[str, ...],
    as_name: str | None,
    *,
    repair: bool,
    only: str,
    events: bool,
    due: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Compare the rows of NAMES, or of all projections, with what their projections have written,
    and those whose turn it is with their events. Exit status 1 when any differ."""
    if only and not repair:
        raise click.UsageError("--only says what to repair. Add --repair.")
    started, wanted = time.monotonic(), list(known(names)) or list(kernel.registry.projections)
    if due:
        schedule = services.reconciliation_schedule
        wanted = due_names(kernel.reconciler, schedule, kernel.clock())
    with kernel.reconciler.leased(wanted) as mine:
        compared = _compare(mine, all_events=events)
        if repair:
            for name, each in compared.items():
                if each.differs:
                    _request(name, only, as_name)
                    kernel.reconciler.repair(name, each, only)
        records = kernel.reconciler.records()
    outcome = Outcome([records[name] for name in mine], compared, time.monotonic() - started)
    if as_json:
        click.echo(msgspec.json.encode(outcome.as_json(), enc_hook=str))
    else:
        outcome.print(quiet=quiet)
    if busy := sorted(set(wanted) - set(mine)):
        click.echo(f"Left out, another process compares them now: {', '.join(busy)}.", err=True)
    if not outcome.is_equal:
        raise click.exceptions.Exit(1)


def _compare(names: Sequence[str], *, all_events: bool) -> dict[str, Found]:
    """Compare all with their digests, and with their events those that differ, are to be repaired
    or whose turn it is. Carries out the repairs that were asked for."""
    reconciler = kernel.reconciler
    records = {name: reconciler.compare(name) for name in names}
    turn = names if all_events else reconciler.to_prove(names)
    found = reconciler.prove(
        [
            name
            for name, each in records.items()
            if name in turn or each.drifted or each.repair is not None
        ]
    )
    for name, each in found.items():
        if (only := records[name].repair) is not None:
            reconciler.repair(name, each, only)
    return found


def _request(name: str, only: str, as_name: str | None) -> None:
    """Log the repair as a command, and let the read store note it."""
    context = Context(actor=acting_as(as_name), channel=CHANNEL)
    kernel.commands.execute(RepairProjection(projection=name, only=only), context)
    kernel.runner.advance(ReadStoreControl.name)


class Outcome:
    """What one run has found. `found` are the projections that were compared with their events."""

    def __init__(
        self, records: Sequence[Reconciliation], found: dict[str, Found], seconds: float
    ) -> None:
        self._records = records
        self._found = found
        self._seconds = seconds

    @property
    def is_equal(self) -> bool:
        return not any(each.has_drift or each.problem for each in self._records)

    def as_json(self) -> dict[str, Any]:
        return {
            "equal": self.is_equal,
            "rows": sum(each.rows for each in self._records),
            "seconds": round(self._seconds, 3),
            "projections": [self._row(each) for each in self._records],
        }

    def _row(self, record: Reconciliation) -> dict[str, Any]:
        found = self._found.get(record.projection)
        return {
            "projection": record.projection,
            "rows": record.rows,
            "equal": not record.has_drift and not record.problem,
            "tables_changed": record.drifted,
            "events_compared": found is not None,
            "proven_position": record.proven_position,
            "differences": found.count if found else record.differences,
            "repaired": found.repaired if found else 0,
            "problem": record.problem,
            "samples": [_as_json(each) for each in found.differences[:100]] if found else [],
        }

    def print(self, *, quiet: bool) -> None:
        for record in self._records:
            found = self._found.get(record.projection)
            if record.problem:
                click.echo(f"{record.projection:<20}{record.problem}")
            elif not quiet or record.has_drift or (found and found.count):
                click.echo(
                    f"{record.projection:<20}{record.rows:>12,} rows  {_state(record, found)}"
                )
                for line in _lines(found.differences if found else ()):
                    click.echo(f"    {line}")
        if not quiet:
            rows = sum(each.rows for each in self._records)
            proven = len(self._found)
            click.echo(
                f"{counted(rows, 'row')} of {counted(len(self._records), 'projection')} compared, "
                f"{proven} of them "
                f"also with their events, in {self._seconds:.1f} seconds."
            )


def _state(record: Reconciliation, found: Found | None) -> str:
    if found is None or not (found.count or found.missing):
        return "differ from what was written" if record.drifted else "equal"
    if not found.count:
        return "digest corrected" if not record.has_drift else "digest differs"
    repaired = f", {found.repaired:,} repaired" if record.repaired_at and found.repaired else ""
    differs = "differs" if found.count == 1 else "differ"
    return f"{found.count:,} {differs} from the events{repaired}"


def _lines(differences: Sequence[Difference]) -> Iterable[str]:
    for each in differences[:SHOWN]:
        about = f"{each.table.name} {' '.join(map(str, each.key))}"
        if each.kind != "changed":
            yield f"{about}: {each.kind} row"
        for name, (there, right) in each.fields.items():
            yield f"{about}: {name} is {_text(there)}, should be {_text(right)}"
    if len(differences) > SHOWN:
        yield f"... and {len(differences) - SHOWN:,} more rows"


def _text(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _as_json(each: Difference) -> dict[str, Any]:
    return {
        "table": str(each.table.name),
        "key": each.key,
        "kind": each.kind,
        "fields": {name: {"is": one, "should_be": two} for name, (one, two) in each.fields.items()},
    }
