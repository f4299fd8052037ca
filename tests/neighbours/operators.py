"""What an operator does with an account of their own, and what is left once time has passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyotp
from sqlalchemy import Table, insert, select, update

from cqrs_app.kernel.store import tables
from cqrs_app.kernel.store.columns import UtcDateTime
from cqrs_app.platform.alerts.tables import alert_notices
from cqrs_app.platform.notifications.tables import notification_mails
from cqrs_app.platform.operators.identities import Identity
from cqrs_app.platform.transfer.schedules.files import ExportFiles
from tests.neighbours.console import SOMEDAY, Console, Somebody, Step

AGE = timedelta(days=1_000)
"""More than anything is kept."""
LOGS = ("events", "command_log", "streams", "claims", "seals", "subject_keys")
"""Tables that nothing is deleted from."""
FORGOTTEN = {
    *("batch_counts", "batch_items", "batches", "export_files", "failure_hours"),
    *("failure_occurrences", "failures", "import_chunks", "notification_mails", "notifications"),
    *("order_claims", "order_presence", "queue_skips", "sessions", "alert_notices"),
}
"""Tables from which housekeeping deletes."""


def own_account(me: Somebody) -> Iterator[Step]:
    name = me.name
    tokens: list[str] = []

    def signed_in(console: Console) -> None:
        tokens.append(console.services.sessions.open(name, "10.0.0.1", me.name))

    def add_app(console: Console) -> None:
        factors = console.services.second_factors
        new = factors.new_app(name)
        factors.add_app(name, new.sealed, pyotp.TOTP(new.key).now())

    yield signed_in
    yield signed_in
    yield signed_in
    yield lambda console: console.services.sessions.verified(tokens[0])
    yield lambda console: console.services.sessions.revoke(tokens[0])
    yield lambda console: console.services.sessions.end(
        name, console.services.sessions.key_of(tokens[1])
    )
    yield lambda console: console.services.sessions.end_all(name)
    yield add_app
    yield lambda console: console.services.second_factors.new_recovery_codes(name)
    yield lambda console: console.services.second_factors.remove_app(name)
    yield lambda console: console.services.tokens.create(me.named("token"), "viewer", made_by=name)
    yield lambda console: console.services.tokens.revoke(me.named("token"), name)
    yield lambda console: console.services.identities.link(name, Identity("https://id", name))
    yield lambda console: console.services.identities.unlink(name)
    yield lambda console: console.services.throttle.begin(name, "10.0.0.1")
    yield lambda console: console.services.throttle.succeeded(name, "10.0.0.1")
    yield lambda console: console.services.accounts.set_timezone(name, "Europe/Paris")
    yield lambda console: console.services.inbox.mark_read(name)


def own_queue(me: Somebody) -> Iterator[Step]:
    order = me.named("7")
    yield lambda console: console.services.runs.start(me.name, "status=placed")
    yield lambda console: console.services.claims.claim(order, me.name)
    yield lambda console: console.services.claims.attend(order, me.name)
    yield lambda console: console.services.runs.count(me.name, console.kernel.clock())
    yield lambda console: console.services.claims.release(order, me.name)
    yield lambda console: console.services.claims.claim(me.named("8"), me.name)
    yield lambda console: console.services.runs.skip(order, me.name, SOMEDAY)


def leftovers(me: Somebody) -> Iterator[Step]:
    """What other systems would have taken, and what somebody never came back for."""

    def add(table: Table, **values: Any) -> Step:
        def step(console: Console) -> None:
            now = console.kernel.clock()
            times = {each.name: now for each in table.c if isinstance(each.type, UtcDateTime)}
            nothing = {each.name: None for each in table.c if each.nullable}
            with console.kernel.engines.write.begin() as connection:
                connection.execute(insert(table).values({**times, **nothing, **values}))

        return step

    yield lambda console: console.services.sessions.open(me.name, "10.0.0.1", me.name)
    mail = {
        "mail_id": me.uuid(60),
        "operator": me.name,
        "address": "a@b",
        "subject": "",
        "body": "",
    }
    yield add(notification_mails, **mail, state="sent", attempts=1, error="")
    notice = {"alert_id": me.named("gone"), "channel": "mail", "kind": "raised", "title": me.name}
    yield add(
        alert_notices, **notice, position=me.sent, body="", state="sent", attempts=1, error=""
    )
    yield export_file(me, me.named("old"))


def export_file(me: Somebody, schedule: str) -> Step:
    """The step that keeps a file of a scheduled export."""

    def step(console: Console) -> None:
        about = {"schedule": schedule, "owner": me.name, "list": "orders", "format": "csv"}
        about |= {"name": me.name, "made_at": console.kernel.clock()}
        me.words.add(ExportFiles(console.kernel.engines.write).keep([b"1"], 1_000, **about))

    return step


def endings(me: Somebody) -> Iterator[Step]:
    do = me.do
    yield export_file(me, me.named("schedule"))
    yield do("DeleteScheduledExport", schedule=me.named("schedule"))
    yield do("RemoveWebhook", webhook_id=me.named("hook"))
    yield do("MergeCustomers", customer_id=me.named("d"), into=me.named("e"))
    yield do("EraseCustomer", customer_id=me.named("c"), reason="Asked for it in writing.")
    yield do("RemoveRole", role=me.name)


def time_passes(me: Somebody) -> Iterator[Step]:
    """All that is known of one is old, and the sweep does its housekeeping."""

    def housekeep(console: Console) -> None:
        _age(console, me)
        before = _held(console, me)
        for dispatcher in console.kernel.tasks.values():
            dispatcher.task.housekeep(console.kernel)
        after = _held(console, me)
        kept = {table for table in FORGOTTEN if after[table] >= before[table]}
        assert not kept

    yield housekeep


def _about(console: Console, me: Somebody) -> Iterator[tuple[Table, Any]]:
    with console.kernel.engines.write.connect() as connection:
        for table in tables.write_tables.sorted_tables:
            if table.name not in LOGS:
                for row in connection.execute(select(table)):
                    if any(word in repr(tuple(row)).casefold() for word in me.words):
                        yield table, row


def _held(console: Console, me: Somebody) -> Counter[str]:
    """Table -> its rows about one."""
    return Counter(table.name for table, row in _about(console, me))


def _age(console: Console, me: Somebody) -> None:
    found = list(_about(console, me))
    with console.kernel.engines.write.begin() as connection:
        for table, row in found:
            times = [each for each in table.c if isinstance(each.type, UtcDateTime)]
            older = {
                each.name: value - AGE
                for each in times
                if (value := row._mapping[each]) is not None and not each.primary_key
            }
            if older:
                here = [each == row._mapping[each] for each in table.primary_key]
                connection.execute(update(table).where(*here).values(older))
