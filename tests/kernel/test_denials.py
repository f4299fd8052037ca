"""Commands without the permission: what the log keeps of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context, new_id
from cqrs_app.kernel.commands.denials import DENIALS_PER_MINUTE
from cqrs_app.kernel.errors import BusError, NotAllowed, Refused
from cqrs_app.kernel.store.tables import command_log
from tests.kernel.conftest import by_ana
from tests.kernel.shop import Add


def by(name: str, command_id: str | None = None) -> Context:
    """Somebody who may do nothing."""
    return Context(actor=Actor(name), channel="test", command_id=command_id or new_id())


def rows_of(kernel: Kernel, operator: str) -> int:
    found = select(func.count()).where(command_log.c.operator == operator)
    with kernel.engines.write.connect() as connection:
        return connection.execute(found).scalar_one()


def test_a_denied_command_is_logged_without_its_fields(kernel: Kernel) -> None:
    for act in (kernel.commands.execute, kernel.commands.enqueue):
        context = by("eve")
        with pytest.raises(NotAllowed):
            act(Add(counter_id="a"), context)
        entry = kernel.log.find(context.command_id)
        assert entry is not None
        assert (entry.payload, entry.code, entry.stream) == ("{}", "not_allowed", "counter-a")
    [denied] = kernel.commands.execute_batch([(Add(counter_id="a"), context := by("eve"))])
    assert isinstance(denied.error, NotAllowed)
    entry = kernel.log.find(context.command_id)
    assert entry is not None
    assert entry.payload == "{}"


def test_one_actor_is_denied_in_so_many_rows_a_minute(kernel: Kernel) -> None:
    now = datetime(2026, 3, 31, 12, 0, 30, tzinfo=UTC)
    kernel.commands._denials._clock = lambda: now
    for _ in range(DENIALS_PER_MINUTE + 5):
        with pytest.raises(NotAllowed):
            kernel.commands.execute(Add(counter_id="a"), by("eve"))
        with pytest.raises(NotAllowed):
            kernel.commands.authorise(Add, by("bob"))
    assert (rows_of(kernel, "eve"), rows_of(kernel, "bob")) == (DENIALS_PER_MINUTE,) * 2
    now += timedelta(minutes=1)
    with pytest.raises(NotAllowed):
        kernel.commands.execute(Add(counter_id="a"), by("eve"))
    assert rows_of(kernel, "eve") == DENIALS_PER_MINUTE + 1


def test_a_denial_is_answered_again_once_the_permission_is_there(kernel: Kernel) -> None:
    with pytest.raises(NotAllowed):
        kernel.commands.execute(Add(counter_id="a"), by("ana", "one"))
    with pytest.raises(Refused) as refused:
        kernel.commands.execute(Add(counter_id="a"), by_ana(command_id="one"))
    assert refused.value.code == "not_allowed"


def test_who_knows_the_id_of_a_queued_command_does_not_end_it(kernel: Kernel) -> None:
    kernel.commands.enqueue(Add(counter_id="a"), by_ana(command_id="one"))
    with pytest.raises(BusError):
        kernel.commands.execute(Add(counter_id="a"), by("eve", "one"))
    entry = kernel.log.find("one")
    assert entry is not None
    assert (entry.outcome, entry.operator) == ("queued", "ana")
    receipt = kernel.commands.run_queued("one")
    assert receipt is not None
    assert receipt.status == "succeeded"
