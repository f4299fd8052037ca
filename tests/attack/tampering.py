"""Changes made behind the console's back, in a copy of its write store: each is found by what
`flask events verify` does."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from cqrs_app import create_app
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.verification.seals import Seals
from cqrs_app.services import services_of
from cqrs_app.settings import Settings
from tests.attack.outcome import Outcome
from tests.attack.plan import Plan
from tests.attack.target import Target
from tests.console import NO_REDIS, close

WHOLE, CHANGED = "whole.sqlite3", "changed.sqlite3"
Change = Callable[[sqlite3.Connection, random.Random], None]


def _event(connection: sqlite3.Connection, chance: random.Random) -> int:
    [(last,)] = connection.execute("SELECT max(position) FROM events")
    return chance.randint(1, last)


def _set(column: str, value: str) -> Change:
    """One event with another value."""

    def change(connection: sqlite3.Connection, chance: random.Random) -> None:
        place = (_event(connection, chance),)
        connection.execute(f"UPDATE events SET {column} = {value} WHERE position = ?", place)

    return change


def _remove_event(connection: sqlite3.Connection, chance: random.Random) -> None:
    connection.execute("DELETE FROM events WHERE position = ?", (_event(connection, chance),))


def _copy_event(connection: sqlite3.Connection, chance: random.Random) -> None:
    """An event of one stream once more, at the end of it."""
    columns = "type, schema, payload, operator, correlation_id, occurred_at, recorded_at, hash"
    connection.execute(
        f"INSERT INTO events (position, stream, version, command_id, {columns}) "
        "SELECT (SELECT max(position) + 1 FROM events), stream, "
        "(SELECT max(version) + 1 FROM events AS of WHERE of.stream = events.stream), "
        f"'forged', {columns} FROM events WHERE position = ?",
        (_event(connection, chance),),
    )


def _swap(connection: sqlite3.Connection, chance: random.Random) -> None:
    first, second = chance.sample(range(1, _event(connection, random.Random(0)) + 1), 2)
    for old, new in ((first, -1), (second, first), (-1, second)):
        connection.execute("UPDATE events SET position = ? WHERE position = ?", (new, old))


def _remove_stream(connection: sqlite3.Connection, chance: random.Random) -> None:
    """A stream with its head and its rows of the command log."""
    streams = [row[0] for row in connection.execute("SELECT stream FROM streams ORDER BY stream")]
    stream = (chance.choice(streams),)
    for table in ("events", "streams", "command_log"):
        connection.execute(f"DELETE FROM {table} WHERE stream = ?", stream)


def _cut_tail(connection: sqlite3.Connection, chance: random.Random) -> None:
    """The last event of a stream, and its head as it was before."""
    found = connection.execute("SELECT stream, version FROM streams WHERE version > 1")
    stream, version = chance.choice(sorted(found))
    connection.execute("DELETE FROM events WHERE stream = ? AND version = ?", (stream, version))
    connection.execute(
        "UPDATE streams SET version = version - 1, snapshot = NULL, snapshot_version = NULL, hash ="
        " (SELECT hash FROM events WHERE stream = ? AND version = ?) WHERE stream = ?",
        (stream, version - 1, stream),
    )


def _command(column: str, value: str) -> Change:
    """One command whose outcome is final with another value in its row."""

    def change(connection: sqlite3.Connection, chance: random.Random) -> None:
        statement = f"UPDATE command_log SET {column} = {value} WHERE command_id = ?"
        connection.execute(statement, (_final(connection, chance),))

    return change


def _final(connection: sqlite3.Connection, chance: random.Random) -> str:
    query = "SELECT command_id FROM command_log WHERE outcome IN ('succeeded', 'refused')"
    return str(chance.choice(sorted(connection.execute(query)))[0])


def _remove_command(connection: sqlite3.Connection, chance: random.Random) -> None:
    found = (_final(connection, chance),)
    connection.execute("DELETE FROM command_log WHERE command_id = ?", found)


def _change_seal(connection: sqlite3.Connection, chance: random.Random) -> None:
    rows = sorted(connection.execute("SELECT log, number FROM seals"))
    connection.execute(
        "UPDATE seals SET digest = ? WHERE log = ? AND number = ?",
        (chance.randbytes(32).hex(), *chance.choice(rows)),
    )


def _remove_seal(connection: sqlite3.Connection, chance: random.Random) -> None:
    found = connection.execute(
        "SELECT log, number FROM seals AS one WHERE number < (SELECT "
        "max(number) FROM seals WHERE seals.log = one.log)"
    )
    where = chance.choice(sorted(found))
    connection.execute("DELETE FROM seals WHERE log = ? AND number = ?", where)


def _snapshot(connection: sqlite3.Connection, chance: random.Random) -> None:
    query = "SELECT stream FROM streams WHERE snapshot IS NOT NULL"
    stream = chance.choice(sorted(connection.execute(query)))
    connection.execute("UPDATE streams SET snapshot = '{}' WHERE stream = ?", stream)


CLASSES: dict[str, Change] = {
    "an event's content": _set("payload", "payload || ' '"),
    "who did it": _set("operator", "'mallory'"),
    "when it happened": _set("occurred_at", "replace(occurred_at, '20', '19')"),
    "a time that is none": _set("occurred_at", "'no time'"),
    "its type": _set("type", "type || 'x'"),
    "its command": _set("command_id", "'forged'"),
    "its stream": _set("stream", "stream || 'x'"),
    "its hash": _set("hash", "randomblob(32)"),
    "an event removed": _remove_event,
    "an event added": _copy_event,
    "two positions swapped": _swap,
    "the end of a stream cut": _cut_tail,
    "a stream removed with its commands": _remove_stream,
    "a snapshot": _snapshot,
    "a command's content": _command("payload", "payload || ' '"),
    "a command's operator": _command("operator", "'mallory'"),
    "a command's outcome": _command("sentence", "coalesce(sentence, '') || '!'"),
    "a command's time that is none": _command("finished_at", "'2000-no'"),
    "a command in another seal": _command("seal", "seal + 1"),
    "a command removed": _remove_command,
    "a seal changed": _change_seal,
    "a seal removed": _remove_seal,
}


def run(target: Target, plan: Plan) -> Iterator[Outcome]:
    """Each class as often as the plan says, at places of chance."""
    chance = plan.chance("tampering")
    with tempfile.TemporaryDirectory(prefix="countersign-attack-copy-") as name:
        folder = Path(name)
        with _copy(target, folder) as kernel:
            _seal(kernel)
            _restore(folder / CHANGED, folder / WHOLE)
            for about, change in CLASSES.items():
                outcome = Outcome(f"tampering: {about}")
                for _ in range(max(plan.times // 4, 2)):
                    _restore(folder / WHOLE, folder / CHANGED)
                    with closing(sqlite3.connect(folder / CHANGED)) as connection:
                        change(connection, chance)
                        connection.commit()
                    outcome.expect(bool(_faults(kernel)), f"{about}: not found")
                yield outcome


@contextmanager
def _copy(target: Target, folder: Path) -> Iterator[Kernel]:
    """The kernel of a copy of the write store, with the same keys."""
    for key in target.services.settings.data_dir.glob("*key*"):
        shutil.copy(key, folder)
    _restore(target.services.settings.data_dir / "write.sqlite3", folder / CHANGED)
    url = f"sqlite:///{folder / CHANGED}"
    app = create_app(Settings(data_dir=folder, database_url=url, redis_url=NO_REDIS).resolved())
    try:
        yield services_of(app).kernel
    finally:
        close(app)


def _seal(kernel: Kernel) -> None:
    """Seal all there is."""
    sealer = Seals(kernel.engines.write, kernel.store, kernel.seals._key_of, most=100)
    while sealer.extend():
        pass
    if found := _faults(kernel):
        raise SystemExit(f"The store is not whole before anything was changed: {found}")


def _faults(kernel: Kernel) -> list[str]:
    reports = [*kernel.verify_streams(), *kernel.verify_logs()]
    return [f"{each.about}: {each.fault}" for each in reports if each.fault]


def _restore(source: Path, destination: Path) -> None:
    """Make one SQLite file what another is, under the connections that are open on it."""
    with closing(sqlite3.connect(source)) as whole, closing(sqlite3.connect(destination)) as copy:
        whole.backup(copy)
