from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import Table, select, update

from cqrs_app.kernel.assembly import Engines, Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.options import BusOptions
from cqrs_app.kernel.errors import CommandReused, NotAllowed, Refused
from cqrs_app.kernel.events.recorded import FIRST_HASH
from cqrs_app.kernel.privacy.data_keys import CACHED_SECONDS, WrongPersonalDataKey
from cqrs_app.kernel.privacy.personal import ERASED, redacted, written
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.store import tables
from cqrs_app.platform.runtime.command_log import GetCommand
from cqrs_app.platform.runtime.pending import RawEvents
from tests.kernel.club import Join, Leave, ParcelsProjection, Readdress, Send, Sent, club, parcels
from tests.kernel.conftest import by_ana, vault_on
from tests.kernel.control import control_of
from tests.kernel.shop import test_tables

SECRET = "Rue Haute 5"


@pytest.fixture
def kernel(make_kernel: Callable[..., Kernel]) -> Kernel:
    return make_kernel(area=club())


def do(kernel: Kernel, command: Any, command_id: str | None = None) -> None:
    kernel.commands.execute(command, by_ana(**({"command_id": command_id} if command_id else {})))


def all_texts(engines: Engines) -> Iterator[str]:
    """Every value of every table of both stores."""
    for engine, metadata in (
        (engines.write, tables.write_tables),
        (engines.read, tables.read_tables),
        (engines.read, test_tables),
    ):
        with engine.connect() as connection:
            there = [
                t for t in metadata.sorted_tables if engine.dialect.has_table(connection, t.name)
            ]
            for table in there:
                for row in connection.execute(select(table)):
                    yield from (str(value) for value in row)


def holds(engines: Engines, secret: str = SECRET) -> bool:
    return any(secret in text for text in all_texts(engines))


def shown(kernel: Kernel, table: Table = parcels) -> dict[str, str]:
    with kernel.engines.read.connect() as connection:
        return {row.parcel_id: row.to for row in connection.execute(select(table))}


def test_a_personal_value_is_stored_sealed_and_read_open(kernel: Kernel) -> None:
    do(kernel, Send(parcel_id="p", member_id="m", to=SECRET), "one")
    do(kernel, Readdress(parcel_id="p", to=SECRET + "0"), "two")
    assert not holds(kernel.engines)
    asker = QueryContext(actor=Actor("ana", frozenset({"commands.view", "events.view"})))
    command = kernel.queries.ask(GetCommand(command_id="two"), asker).value
    assert SECRET in command.entry.payload
    assert SECRET in command.events[0].payload
    events = kernel.queries.ask(RawEvents(stream="parcel-p"), asker).value
    assert [SECRET in event.payload for event in events] == [True, True]
    kernel.runner.advance("parcels")
    assert shown(kernel) == {"p": SECRET + "0"}
    assert [report.fault for report in kernel.verify_streams()] == [None]


def test_an_empty_value_needs_no_key(kernel: Kernel) -> None:
    do(kernel, Send(parcel_id="p", member_id="m"))
    with kernel.engines.write.connect() as connection:
        assert connection.execute(select(tables.subject_keys)).all() == []


def test_a_rehearsal_makes_no_key_and_minds_who_was_erased(kernel: Kernel) -> None:
    send = Send(parcel_id="p", member_id="m", to=SECRET)
    assert kernel.commands.preview(send, by_ana())[0].to == SECRET  # type: ignore[attr-defined]
    with kernel.engines.write.connect() as connection:
        assert connection.execute(select(tables.subject_keys)).all() == []
    do(kernel, Leave(member_id="m"))
    with pytest.raises(Refused, match="erased for good"):
        kernel.commands.preview(send, by_ana())


def test_values_from_before_stay_readable(kernel: Kernel) -> None:
    event = Sent(parcel_id="p", member_id="m", to=SECRET)
    do(kernel, Send(parcel_id="p", member_id="m"))
    stored = kernel.store.events_of("parcel-p")[0]
    with kernel.engines.write.begin() as connection:
        plain = msgspec.json.encode(event).decode()
        connection.execute(update(tables.events).values(payload=plain))
    assert kernel.registry.codec.decode(kernel.store.events_of("parcel-p")[0]).event == event
    assert stored.hash_after(FIRST_HASH) == stored.hash


def test_erasing_leaves_the_events_valid_and_empty_of_the_value(kernel: Kernel) -> None:
    do(kernel, Join(member_id="m", email="ana@example.org"))
    do(kernel, Send(parcel_id="p", member_id="m", to=SECRET))
    do(kernel, Send(parcel_id="q", to=SECRET))
    do(kernel, Readdress(parcel_id="p", to=SECRET + "1"))
    kernel.runner.advance("parcels")
    do(kernel, Leave(member_id="m"))
    kernel.runner.advance("parcels")
    assert shown(kernel) == {"p": ERASED, "q": SECRET}
    decode = kernel.registry.codec.decode
    text = [decode(event).event.to for event in kernel.store.events_of("parcel-p")]  # type: ignore[attr-defined]
    assert text == [ERASED, ERASED]
    assert all(report.fault is None for report in kernel.verify_streams())
    kernel.runner.rebuild("parcels", lambda done, total: None)
    assert shown(kernel) == {"p": ERASED, "q": SECRET}


def test_nothing_personal_is_added_to_somebody_who_was_erased(kernel: Kernel) -> None:
    do(kernel, Send(parcel_id="p", member_id="m"))
    do(kernel, Leave(member_id="m"))
    for number, command in enumerate(
        [
            Join(member_id="m", email="ana@example.org"),
            Send(parcel_id="q", member_id="m", to=SECRET),
            Readdress(parcel_id="p", to=SECRET),
        ]
    ):
        with pytest.raises(Refused) as refusal:
            do(kernel, command, f"late-{number}")
        assert refusal.value.code == "person_erased"
    assert not holds(kernel.engines)
    assert not holds(kernel.engines, "ana@example.org")


def test_refused_commands_are_erased_too_and_forbidden_ones_were_never_kept(kernel: Kernel) -> None:
    asker = QueryContext(actor=Actor("ana", frozenset({"commands.view"})))
    do(kernel, Send(parcel_id="p", member_id="m", to="somewhere"))
    with pytest.raises(Refused):
        do(kernel, Readdress(parcel_id="p", to="nowhere"), "refused")
    nobody = Context(actor=Actor("ben"), channel="test", command_id="forbidden")
    with pytest.raises(NotAllowed):
        kernel.commands.execute(Readdress(parcel_id="p", to=SECRET), nobody)
    assert not holds(kernel.engines)
    do(kernel, Leave(member_id="m"))
    kept = {"refused": f'{{"parcel_id":"p","to":"{ERASED}"}}', "forbidden": "{}"}
    for name, payload in kept.items():
        view = kernel.queries.ask(GetCommand(command_id=name), asker).value
        assert view.entry.payload == payload


def test_a_repeated_command_is_recognised_before_and_after_erasing(kernel: Kernel) -> None:
    send = Send(parcel_id="p", member_id="m", to=SECRET)
    do(kernel, send, "one")
    do(kernel, send, "one")
    with pytest.raises(CommandReused):
        do(kernel, Send(parcel_id="p", member_id="m", to="elsewhere"), "one")
    do(kernel, Leave(member_id="m"))
    do(kernel, send, "one")
    assert kernel.store.head() == 3


def test_a_queued_command_waits_sealed_and_runs_open(make_kernel: Callable[..., Kernel]) -> None:
    kernel = make_kernel(BusOptions(queued=True), area=club())
    kernel.commands.dispatch(Send(parcel_id="p", member_id="m", to=SECRET), by_ana(command_id="q"))
    assert not holds(kernel.engines)
    assert kernel.commands.run_queued("q") is not None
    kernel.runner.advance("parcels")
    assert shown(kernel) == {"p": SECRET}


def test_a_key_that_another_process_destroyed_lets_nothing_in(
    kernel: Kernel, make_kernel: Callable[..., Kernel]
) -> None:
    other = make_kernel(area=club())
    do(kernel, Send(parcel_id="p", member_id="m", to=SECRET))
    # The other process holds the key in its cache by now.
    do(other, Readdress(parcel_id="p", to=SECRET))
    do(kernel, Leave(member_id="m"))
    with pytest.raises(Refused) as refusal:
        do(other, Send(parcel_id="q", member_id="m", to=SECRET))
    assert refusal.value.code == "person_erased"
    with pytest.raises(Refused):
        do(other, Readdress(parcel_id="p", to=SECRET))
    assert other.store.load("parcel-q") is None


def test_a_cached_key_ends_after_seconds(
    kernel: Kernel, make_kernel: Callable[..., Kernel], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_kernel(area=club())
    do(other, Send(parcel_id="p", member_id="m", to=SECRET))
    do(kernel, Leave(member_id="m"))
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + CACHED_SECONDS)
    event = other.store.events_of("parcel-p")[0]
    assert other.registry.codec.decode(event).event.to == ERASED  # type: ignore[attr-defined]


def test_parked_events_keep_no_value_and_do_not_bring_it_back(kernel: Kernel) -> None:
    do(kernel, Send(parcel_id="p", member_id="m", to=SECRET))
    do(kernel, Readdress(parcel_id="p", to="poison street"))
    do(kernel, Readdress(parcel_id="p", to=SECRET))
    kernel.runner.advance("parcels")
    assert not holds(kernel.engines, "poison street")
    with kernel.engines.read.connect() as connection:
        parked = connection.execute(select(tables.parked_events)).all()
    assert [row.error for row in parked] == ["LookupError: no place called [personal]", None]
    do(kernel, Leave(member_id="m"))
    kernel.runner.advance("parcels")
    assert shown(kernel) == {"p": ERASED}
    with kernel.engines.read.begin() as connection:
        assert control_of(kernel).release(connection, "parcels", "parcel-p") == 2
    assert shown(kernel) == {"p": ERASED}


def test_erasing_waits_behind_no_parked_event(kernel: Kernel) -> None:
    projection = kernel.registry.projections["parcels"]
    assert isinstance(projection, ParcelsProjection)
    do(kernel, Send(parcel_id="p", member_id="m", to=SECRET))
    kernel.runner.advance("parcels")
    do(kernel, Readdress(parcel_id="p", to="poison street"))
    do(kernel, Leave(member_id="m"))
    kernel.runner.advance("parcels")
    assert shown(kernel) == {"p": ERASED}


def test_another_personal_data_key_opens_nothing_and_says_so(kernel: Kernel) -> None:
    do(kernel, Send(parcel_id="p", member_id="m", to=SECRET))
    stored = kernel.store.events_of("parcel-p")[0]
    vault = vault_on(kernel.engines.write, "another")
    with pytest.raises(WrongPersonalDataKey, match="PERSONAL_DATA_KEY"):
        vault.open(stored.payload, stored.stream)


def test_a_sealed_value_opens_in_its_own_stream_only(kernel: Kernel) -> None:
    do(kernel, Send(parcel_id="p", member_id="m", to=SECRET))
    payload = kernel.store.events_of("parcel-p")[0].payload
    assert SECRET in kernel.vault.open(payload, "parcel-p")
    assert kernel.vault.open(payload, "parcel-q") == payload


def test_only_texts_can_be_personal() -> None:
    with pytest.raises(TypeError, match="only texts"):
        written(Sent(parcel_id="p", member_id="", to=5), lambda text: text)  # type: ignore[arg-type]


def test_what_an_exception_says_hides_values() -> None:
    text = redacted(
        f"no {SECRET}\nDETAIL: Key (x)=({SECRET}) exists.", Send(parcel_id="p", to=SECRET)
    )
    assert text == "no [personal]\nDETAIL: [left out]"
