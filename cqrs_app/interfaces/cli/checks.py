"""The checks of `flask doctor`. Each reports one finding and what to do about it."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, make_url

from cqrs_app import database
from cqrs_app.areas.fulfilment.queries import FollowerStatus, follower_status
from cqrs_app.encrypted_files import files_of, is_plain
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.messages.sentences import counted
from cqrs_app.kernel.privacy.data_keys import WrongPersonalDataKey
from cqrs_app.kernel.privacy.rotation import Rotation
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.cursors import Cursor
from cqrs_app.kernel.subscriptions.subscription import Store
from cqrs_app.networks import is_loopback
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.retention.rules import RULES
from cqrs_app.platform.runtime import health
from cqrs_app.platform.runtime.status import (
    ParkedStreams,
    ParkedSubscriptionStreams,
    parked_streams,
    parked_subscription_streams,
)
from cqrs_app.settings import Settings

OK, ATTENTION, FAULT = "ok", "attention", "fault"
LITTLE_SPACE = 2 * 1024**3
NO_SPACE = 200 * 1024**2
WAITS_TOO_LONG = timedelta(seconds=30)
START = "Start the console with bin/run, or `flask worker` and `flask sweep` on their own."


@dataclass(frozen=True, slots=True)
class Finding:
    """`state` is ok, attention or fault; `todo` is empty if there is nothing to do."""

    name: str
    state: str
    sentence: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Console:
    """What is checked."""

    settings: Settings
    kernel: Kernel
    accounts: Accounts


def findings(console: Console) -> Iterator[Finding]:
    """The findings of every check, in the order in which to fix them; never raises."""
    for name, check in CHECKS.items():
        try:
            yield from check(console)
        except Exception as error:  # noqa: BLE001 - whatever it was, the other checks still tell
            yield Finding(
                name, FAULT, f"This could not be looked at: {_first_line(error)}.", _MEND_FIRST
            )


_MEND_FIRST = "Mend what is listed before it, then look again."


def _data_folder(console: Console) -> Iterator[Finding]:
    folder = console.settings.data_dir
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
            file.flush()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield Finding(
            "Data folder",
            FAULT,
            f"{folder} cannot be written: {error.strerror}.",
            "Make room on the disk and the folder writable for this user, or set DATA_DIR.",
        )
        return
    text = f"{folder} can be written and has {free / 1024**3:,.1f} GiB left."
    state = OK if free >= LITTLE_SPACE else ATTENTION if free >= NO_SPACE else FAULT
    todo = "Make room on the disk: without it no command can be saved." if state != OK else ""
    yield Finding("Data folder", state, text, todo)
    others = _open_to_others(folder)
    yield Finding(
        "Private files",
        ATTENTION if others else OK,
        f"Other users of this machine can reach {', '.join(others)}."
        if others
        else "Only this user can reach the data folder.",
        f"Run chmod -R go= {shlex.quote(str(folder))}" if others else "",
    )


def _open_to_others(folder: Path) -> list[str]:
    """The data folder and what is in it, as far as other users may reach it."""
    if not folder.stat().st_mode & 0o077:
        return []
    return [
        str(path)
        for path in (folder, *sorted(folder.iterdir()))
        if path.lstat().st_mode & 0o077 and not path.is_symlink()
    ]


def _stores(console: Console) -> Iterator[Finding]:
    engines, settings = console.kernel.engines, console.settings
    yield _store("Write store", engines.write, "write", "DATABASE_URL")
    yield _store("Read store", engines.read, "read", "READ_DATABASE_URL")
    if settings.has_replica:
        yield _store("Replica", engines.query, "read", "QUERY_DATABASE_URL")


def _personal_data(console: Console) -> Iterator[Finding]:
    name, keys = "Personal data", console.kernel.vault.data_keys
    rotation = Rotation(console.kernel.engines.write, keys, console.kernel.clock)
    try:
        console.kernel.vault.check()
    except WrongPersonalDataKey:
        text = "Its keys were made with another PERSONAL_DATA_KEY: no name or address can be read."
        todo = (
            "Put the former one back, into the setting or the file personal_data_key in the data "
            "folder. It must be the same on every host."
        )
        yield Finding(name, FAULT, text, todo)
        return
    if rotation.is_due() or rotation.waiting():
        text = "The master key is being replaced, and not all keys are wrapped with the new one."
        yield Finding(name, ATTENTION, text, "Run `flask keys rotate`.")
    elif len(keys.masters()) > 1:
        text = "The previous master key is still set, and opens nothing any more."
        todo = "Remove PERSONAL_DATA_KEY_PREVIOUS and restart the processes."
        yield Finding(name, ATTENTION, text, todo)
    elif console.settings.keeps_personal_data_key and _is_relied_on(console.settings):
        text = "The master key is in the data folder: whoever has the disk has both."
        todo = "Move it to PERSONAL_DATA_KEY_FILE on another disk, or PERSONAL_DATA_KEY_COMMAND."
        yield Finding(name, ATTENTION, text, todo)
    else:
        yield Finding(name, OK, "Its keys can be opened.")


def _encryption(console: Console) -> Iterator[Finding]:
    settings = console.settings
    plain = [str(path) for path in files_of(settings) if is_plain(path)]
    if plain and _is_relied_on(settings):
        text = f"Whoever has the disk can read {' and '.join(plain)}."
        yield Finding("Encryption", ATTENTION, text, "Run `flask db encrypt`.")
    elif plain:
        yield Finding("Encryption", OK, "The files of the databases are not encrypted.")
    else:
        yield Finding("Encryption", OK, "No database is an unencrypted file.")


def _is_relied_on(settings: Settings) -> bool:
    """Whether others use a console whose databases are files on its own disk."""
    reached = settings.secure_cookies or not is_loopback(settings.host)
    return reached and bool(files_of(settings))


def _retention(console: Console) -> Iterator[Finding]:
    kept = (f"{rule.kind} {getattr(console.settings, rule.setting)}" for rule in RULES)
    yield Finding("Retention", OK, f"Days kept: {', '.join(kept)}.")


def _fulfilment(console: Console) -> Iterator[Finding]:
    with reader_of(console.kernel.engines.write).connect() as connection:
        found = follower_status(FollowerStatus(), connection)
    waits = found.waiting_since
    if waits is None or console.kernel.clock() - waits < WAITS_TOO_LONG:
        yield Finding("Fulfilment", OK, f"It is {counted(found.behind, 'event')} behind.")
    else:
        text = (
            f"Nobody has reacted to {counted(found.behind, 'event')}, the first of "
            f"{waits:%-d %b %H:%M}."
        )
        yield Finding("Fulfilment", FAULT, text, f"{START} The worker's output says what fails.")


def _store(name: str, engine: Engine, store: str, setting: str) -> Finding:
    address = make_url(str(engine.url)).render_as_string(hide_password=True)
    try:
        with reader_of(engine).connect() as connection:
            migrated = database.is_migrated(connection, store)
    except Exception as error:  # noqa: BLE001 - drivers raise their own; all mean the same here
        text = f"{address} does not answer: {_first_line(error)}."
        return Finding(name, FAULT, text, f"Start the database, and check {setting}.")
    if not migrated:
        text = f"{address} answers, but its tables are not those of this release."
        return Finding(name, FAULT, text, "Run `flask db upgrade`.")
    return Finding(name, OK, f"{address} answers and is migrated.")


def _redis(console: Console) -> Iterator[Finding]:
    found = health.look(console.kernel)
    if not found.redis:
        text = "Redis is down. Changes are saved; pages may lag."
        todo = "Start it, and check REDIS_URL; without REDIS_URL it runs while the console does."
        yield Finding("Redis", ATTENTION, text, todo)
    elif found.failed_jobs:
        text = f"Redis answers. Wake-ups that failed within the hour: {found.failed_jobs}."
        yield Finding("Redis", ATTENTION, text, "Look into the workers' output for the reason.")
    else:
        yield Finding("Redis", OK, f"Redis answers; wake-ups waiting: {found.waiting_jobs}.")


def _processes(console: Console) -> Iterator[Finding]:
    found = health.look(console.kernel)
    if not found.write_store:
        text = "Nobody knows who is alive: they say so in the write store."
        yield Finding("Workers", FAULT, text, _MEND_FIRST)
        return
    alone = ATTENTION if found.workers or found.sweeps else FAULT
    for name, count, without in (
        ("Workers", found.workers, "Pages update late, or not at all without the sweep."),
        ("Sweep", found.sweeps, "A wake-up that gets lost is not noticed."),
    ):
        if count:
            yield Finding(name, OK, f"Alive: {count}.")
        else:
            yield Finding(name, alone, f"None is running. {without}", START)


def _subscriptions(console: Console, store: Store) -> Iterator[Finding]:
    runner, registry = console.kernel.runner, console.kernel.registry
    found = runner.cursors(store)
    known = {name for name, each in registry.subscriptions.items() if each.store == store}
    if missing := sorted(known - found.keys()):
        text = f"Not begun yet: {', '.join(missing)}."
        yield Finding("Subscriptions", ATTENTION, text, START)
    for cursor in found.values():
        yield _subscription(console, cursor)


def _subscription(console: Console, row: Cursor) -> Finding:
    settings, kernel, about = console.settings, console.kernel, row.subscription
    projection = about in kernel.registry.projections
    name = f"{'Projection' if projection else 'Subscription'} {about}"
    if row.state == "failed":
        todo = "Mend the reason; it then goes on by itself."
        if projection:
            todo = f"Mend the reason, then run `flask projections rebuild {about}`."
        text = f"It has stopped at position {row.position:,}: {row.error}"
        return Finding(name, FAULT, f"{text.rstrip('.')}.", todo)
    if row.state != "running":
        todo = f"`flask command ResumeProjection --projection {about}` when it may go on."
        return Finding(name, ATTENTION, f"It is {row.state}.", todo)
    lag = max(kernel.store.head() - row.position, 0)
    since = kernel.store.recorded_after(row.position) if lag else None
    seconds = max((kernel.clock() - since).total_seconds(), 0.0) if since else 0.0
    if seconds < settings.amber_lag_seconds:
        return Finding(name, OK, f"Up to date at position {row.position:,}.")
    state = ATTENTION if seconds < settings.red_lag_seconds else FAULT
    text = f"It lacks {counted(lag, 'event')}, the oldest {counted(round(seconds), 'second')} old."
    todo = "See that a worker and the sweep run; `flask projections catch-up` does it here and now."
    return Finding(name, state, text, todo)


def _reconciliation(console: Console) -> Iterator[Finding]:
    name, kernel = "Reconciliation", console.kernel
    records = kernel.reconciler.records()
    for about, each in records.items():
        if each.has_drift:
            rows = counted(each.differences, "row") if each.differences else "Some rows"
            differ = "differs" if each.differences == 1 else "differ"
            todo = f"Run `flask reconcile {about} --repair`."
            yield Finding(name, FAULT, f"{rows} of {about} {differ} from the log.", todo)
    compared = [each.compared_at for each in records.values() if each.compared_at]
    if not compared:
        todo = "It happens at night (RECONCILE_WINDOW); `flask reconcile` does it now."
        yield Finding(name, OK, "No read model was compared yet.", todo)
        return
    age = kernel.clock() - min(compared)
    proven = sum(each.rows for each in records.values() if not each.has_drift)
    text = f"{counted(proven, 'row')} proven equal {_age(age)} ago."
    hours = console.settings.reconcile_hours
    if hours and age > timedelta(hours=2 * hours):
        todo = "See that the sweep runs in RECONCILE_WINDOW; `flask reconcile` does it now."
        yield Finding(name, ATTENTION, text, todo)
    else:
        yield Finding(name, OK, text)


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"


def _parked(console: Console) -> Iterator[Finding]:
    engines = console.kernel.engines
    with reader_of(engines.query).connect() as connection:
        rows = parked_streams(ParkedStreams(), connection)
    with reader_of(engines.write).connect() as connection:
        rows += parked_subscription_streams(ParkedSubscriptionStreams(), connection)
    if not rows:
        yield Finding("Parked events", OK, "None.")
    for row in rows:
        about = f"--projection {row.projection} --stream {row.stream}"
        yield Finding(
            "Parked events",
            ATTENTION,
            f"{row.projection} has not taken in {row.waiting} of {row.stream}, from position "
            f"{row.position:,}: {row.error}",
            f"Mend the reason, then run `flask command RetryParkedEvents {about}`.",
        )


def _queued(console: Console) -> Iterator[Finding]:
    waiting = console.kernel.log.waiting(console.kernel.clock() - WAITS_TOO_LONG)
    if waiting:
        text = f"Accepted more than {WAITS_TOO_LONG.seconds} seconds ago and not done: "
        yield Finding("Queued commands", ATTENTION, f"{text}{len(waiting)}.", START)
    else:
        yield Finding("Queued commands", OK, "None waits longer than it should.")


def _settings(console: Console) -> Iterator[Finding]:
    settings, found = console.settings, False
    for name in settings.unchecked_permissions:
        found = True
        text = f"Permissions are not checked: {name} is false."
        yield Finding("Settings", FAULT, text, f"Remove {name}; it is for tests.")
    if not settings.cqrs_enabled:
        found = True
        text = "Maintenance mode: CQRS_ENABLED is false, so no command is carried out."
        yield Finding("Settings", ATTENTION, text, "Remove it when maintenance is over.")
    for name, meant in settings.misspelt().items():
        found = True
        text = f"{name} is no setting of the console."
        yield Finding("Settings", ATTENTION, text, f"If you mean {meant}, correct the name.")
    if not found:
        yield Finding("Settings", OK, "None is misspelt, and nothing is switched off.")


def _operators(console: Console) -> Iterator[Finding]:
    working = [each for each in console.accounts.list() if each.disabled_at is None]
    if any(each.role == "admin" for each in working):
        yield Finding("Operators", OK, f"Can sign in: {len(working)}.")
    else:
        todo = "Run `flask operators create NAME --role admin`."
        yield Finding("Operators", ATTENTION, "No administrator can sign in.", todo)


def _first_line(error: Exception) -> str:
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


CHECKS: dict[str, Callable[[Console], Iterator[Finding]]] = {
    "Settings": _settings,
    "Data folder": _data_folder,
    "Stores": _stores,
    "Personal data": _personal_data,
    "Encryption": _encryption,
    "Retention": _retention,
    "Redis": _redis,
    "Processes": _processes,
    "Projections": partial(_subscriptions, store="read"),
    "Subscriptions": partial(_subscriptions, store="write"),
    "Parked events": _parked,
    "Reconciliation": _reconciliation,
    "Queued commands": _queued,
    "Fulfilment": _fulfilment,
    "Operators": _operators,
}
