"""`flask batch`: one command for many items."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import click
import msgspec
from flask.cli import AppGroup

from cqrs_app.interfaces.cli.acting import CHANNEL, acting_as
from cqrs_app.interfaces.cli.exports import pairs
from cqrs_app.interfaces.cli.sentences import in_one_sentence
from cqrs_app.interfaces.cli.whole_file import whole_file
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.messages.messages import Command, parse
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.batches.commands import (
    CancelBatch,
    PauseBatch,
    ResumeBatch,
    RetryBatchItems,
    StartBatch,
)
from cqrs_app.platform.batches.creating import NewBatch
from cqrs_app.platform.batches.queries import (
    BatchView,
    GetBatch,
    ItemRow,
    ListBatches,
    ListBatchItems,
)
from cqrs_app.platform.batches.words import RETRIED, BatchState, Outcome
from cqrs_app.platform.transfer.exports.formats import FORMATS
from cqrs_app.platform.transfer.exports.rows import pages
from cqrs_app.services import kernel, services

batch = AppGroup("batch", help="Send one command to many items, and follow what becomes of each.")
_as = click.option("--as", "operator", metavar="OPERATOR", help="Act with this operator's role.")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_id = click.argument("batch_id")
OVER = (BatchState.READY, BatchState.PAUSED, BatchState.ENDED, BatchState.CANCELLED)


@batch.command("create")
@click.argument("command", required=False, default="")
@click.option("--macro", default="", help="Instead of COMMAND: yours, or the team's.")
@click.option("--ids", help="The ids of the items, separated by commas.")
@click.option("--file", "file", type=click.File(), help="A file with one id per line; - for stdin.")
@click.option("--filter", "given", multiple=True, metavar="NAME=VALUE", help="All that match.")
@click.option("--all", "everything", is_flag=True, help="All there are.")
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="Same for all items.")
@click.option("--start", is_flag=True, help="Start at once, without a check.")
@_as
@in_one_sentence
def create(
    command: str,
    macro: str,
    ids: str | None,
    file: TextIO | None,
    given: Sequence[str],
    fields: Sequence[str],
    operator: str | None,
    *,
    everything: bool,
    start: bool,
) -> None:
    """Create a batch of COMMAND, such as ApproveOrder, or of a macro; prints its id."""
    named = [*(ids or "").split(","), *(file or [])]
    named = [each.strip() for each in named if each.strip()]
    if bool(command) == bool(macro):
        raise click.UsageError("Give either COMMAND or --macro.")
    if bool(named) == bool(given or everything):
        raise click.UsageError("Give either --ids or --file, or --filter or --all.")
    new = NewBatch(
        batch_id=str(uuid.uuid4()),
        command=command,
        macro=macro,
        fields={name: texts[-1] for name, texts in pairs(fields).items()},
        named=[(each, None) for each in named],
        filters=None if named else pairs(given),
        start=start,
    )
    services.batches.create(new, acting_as(operator), CHANNEL)
    click.echo(new.batch_id)


@batch.command("list")
@_as
@_json
@in_one_sentence
def list_(operator: str | None, *, as_json: bool) -> None:
    """The newest batches."""
    rows = _ask(ListBatches(), operator).rows
    if as_json:
        click.echo(msgspec.json.encode(rows))
    for each in () if as_json else rows:
        when, name = f"{each.created_at:%Y-%m-%d %H:%M}", each.macro or each.command
        click.echo(f"{each.batch_id}  {when}  {each.state:9}  {each.total:>7,}  {name}")


@batch.command("show")
@_id
@click.option("--wait", is_flag=True, help="Until it waits for somebody, or is over.")
@_as
@_json
@in_one_sentence
def show(batch_id: str, operator: str | None, *, wait: bool, as_json: bool) -> None:
    """How far a batch is. Exit status 1 when an item was not done."""
    view = _view(batch_id, operator)
    while wait and view.row.state not in OVER:
        time.sleep(0.5)
        view = _view(batch_id, operator)
    if as_json:
        click.echo(msgspec.json.encode(view))
    else:
        _print(view)
    bad = (Outcome.REFUSED, Outcome.CONFLICTED, Outcome.FAILED)
    if any(view.counts.get(each) for each in bad):
        raise click.exceptions.Exit(1)


@batch.command("items")
@_id
@click.option("--outcome", type=click.Choice([str(each) for each in Outcome]))
@click.option("--format", "ending", type=click.Choice(sorted(FORMATS)), default="csv")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), default="-"
)
@_as
@in_one_sentence
def items(batch_id: str, outcome: str | None, ending: str, out: Path, operator: str | None) -> None:
    """Write every item with its outcome."""
    _view(batch_id, operator)
    values = {"batch_id": batch_id, "limit": 500, **({"outcome": outcome} if outcome else {})}
    portions = pages(kernel.queries, parse(ListBatchItems, values), acting_as(operator))
    with whole_file(out) as file:
        file.writelines(
            FORMATS[ending].write(hints_of(ItemRow), portions, services.settings.locale)
        )


def _decision(name: str, cls: type[Command], summary: str, *options: Any) -> None:
    @in_one_sentence
    def decide(batch_id: str, operator: str | None, **fields: Any) -> None:
        command = parse(cls, {"batch_id": batch_id, **fields})
        context = Context(actor=acting_as(operator), channel=CHANNEL)
        kernel.commands.execute(command, context)
        click.echo(f"{cls.declaration.label}: done.")

    for option in (*options, _as, _id):
        decide = option(decide)
    batch.command(name, help=summary)(decide)


_decision(
    "start",
    StartBatch,
    "Send the command to each item.",
    click.option("--leave-out", is_flag=True, help="Leave out what would be refused."),
)
_decision("pause", PauseBatch, "Stop after the items that are being sent.")
_decision("resume", ResumeBatch, "Continue after a pause.")
_decision("cancel", CancelBatch, "Do not send the remaining items.")
_decision(
    "retry",
    RetryBatchItems,
    "Send the items with an outcome again.",
    click.option("--outcome", type=click.Choice([str(each) for each in RETRIED]), required=True),
)


def _ask(question: Any, operator: str | None) -> Any:
    return kernel.queries.ask(question, QueryContext(actor=acting_as(operator))).value


def _view(batch_id: str, operator: str | None) -> BatchView:
    view: BatchView | None = _ask(parse(GetBatch, {"batch_id": batch_id}), operator)
    if view is None:
        raise click.ClickException(f"There is no batch {batch_id}.")
    return view


def _print(view: BatchView) -> None:
    row = view.row
    click.echo(f"{row.macro or row.command}: {row.state.label}, {row.finished:,} of {row.total:,}")
    for outcome in Outcome:
        if view.counts.get(outcome):
            worth = ", ".join(
                f"{each.currency} {each.amount}" for each in view.worth if each.outcome is outcome
            )
            click.echo(f"  {outcome.label:14} {view.counts[outcome]:>7,}  {worth}")
    for group in view.groups:
        click.echo(f"  {group.items:,} x {group.sentence}")
