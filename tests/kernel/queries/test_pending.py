"""What a page marks as pending: per stream the last write, and the first command that waits."""

from __future__ import annotations

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.runtime.pending import Pending, PendingWrites
from tests.kernel.conftest import by_ana
from tests.kernel.shop import Add

STREAMS = ("counter-a", "counter-b", "counter-c")


def pending(kernel: Kernel) -> Pending:
    asker = QueryContext(actor=Actor("ana", frozenset({PendingWrites.declaration.permission})))
    found: Pending = kernel.queries.ask(PendingWrites(streams=STREAMS), asker).value
    return found


def test_of_the_commands_that_wait_for_a_stream_the_first_is_shown(kernel: Kernel) -> None:
    for command_id, counter in (("1", "a"), ("2", "b"), ("3", "a"), ("4", "b"), ("5", "other")):
        kernel.commands.enqueue(Add(counter_id=counter), by_ana(command_id=command_id))
    kernel.log.take("1")
    waiting = pending(kernel).waiting
    assert {each.stream: each.command_id for each in waiting.values()} == {
        "counter-a": "1",
        "counter-b": "2",
    }
    kernel.log.take("2")
    kernel.commands.run_queued("3")
    assert pending(kernel).waiting == waiting


def test_the_last_write_of_each_stream_is_shown_and_no_command_that_ended(kernel: Kernel) -> None:
    for command_id, counter in (("1", "a"), ("2", "b"), ("3", "a"), ("4", "other")):
        kernel.commands.enqueue(Add(counter_id=counter), by_ana(command_id=command_id))
        kernel.commands.run_queued(command_id)
    found = pending(kernel)
    assert {stream: each.version for stream, each in found.written.items()} == {
        "counter-a": 2,
        "counter-b": 1,
    }
    assert found.waiting == {}
