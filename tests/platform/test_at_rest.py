"""What a stolen disk yields, and that an erasure reaches every place.

A console is filled through every door: tasks, an import, an attachment, a webhook, an approval,
accounts with every kind of credential, logged queries, cached answers, mails.
"""

from __future__ import annotations

import io
import re
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyotp
import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.engine import make_url

from cqrs_app.areas.customers import commands as do
from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.areas.orders import commands as orders
from cqrs_app.areas.orders.types import ShippingAddress
from cqrs_app.database import upgrade
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.tables import events
from cqrs_app.platform.approvals.commands import SetApprovalPolicy
from cqrs_app.platform.notifications import mails
from cqrs_app.platform.retention.events import OldDataDeleted
from cqrs_app.platform.transfer.attachments.files import OrderFiles
from cqrs_app.platform.transfer.schedules.files import ExportFiles
from cqrs_app.platform.transfer.uploads.receiving import Files
from cqrs_app.platform.webhooks.commands import AddWebhook
from cqrs_app.platform.webhooks.queries import GetWebhookSecret
from cqrs_app.services import services_of
from tests.areas.customers.test_erasure import (
    VALUES,
    WHY,
    ask,
    order,
    run,
    texts_in,
    texts_of,
)
from tests.console import consoles_on
from tests.platform.transfer.imports.test_online_retail import HEADER, ROWS
from tests.platform.transfer.uploads.conftest import take_in
from tests.services.postgres import find_programs
from tests.services.stores import in_files

PASSWORD = "correct horse battery staple zebra"
OPERATOR = ("Wilhelmina Featherstonehaugh", "wilhelmina@desk.example")
COPIED = re.compile(r"COPY public\.(\w+) ")
BINARY = "\\\\x"
"""Before the bytes of a value in a dump."""
KEY_FILES = {"personal_data_key", "secret_key", "database_key"}
ELSEWHERE = ShippingAddress(
    name="Quintessa Z", line1="Xylophonweg 8", city="Ulm", country="Germany"
)
SETTINGS = {
    "query_log_share": 1.0,
    "webhook_allowed_networks": "203.0.113.0/24",
    "personal_data_key": "kept elsewhere, far from the disk",
}
IN_CLEAR = {
    "import_chunks": "files that are imported, for 30 days",
    "imports": "examples of rows that an import set aside, and why one failed",
    "order_files": "attachments of orders",
    "operators": "names of the people who work here",
    "export_chunks": "files of scheduled exports, for a week",
    "notification_mails": "mails to them, for a week",
}
"""Tables of the write store that hold values unsealed: docs/operating.md names the same."""


@dataclass(frozen=True)
class Filled:
    """`credentials` are those that let somebody in."""

    app: Flask
    credentials: tuple[str, ...]

    @property
    def kernel(self) -> Kernel:
        return services_of(self.app).kernel


def fill(app: Flask) -> Filled:
    services = services_of(app)
    kernel = services.kernel
    services.accounts.create("wil", "admin", PASSWORD, OPERATOR[0])
    registered = do.RegisterCustomer(
        customer_id="C1",
        name="Quintessa Zabriskie",
        email="quintessa@zabriskie.example",
        phone="5550142",
    )
    run(kernel, registered, "register")
    run(kernel, order("1"), "place")
    run(kernel, do.DeactivateCustomer(customer_id="C1", reason="Said so by telephone."))
    run(kernel, do.ReactivateCustomer(customer_id="C1"))
    policy = SetApprovalPolicy(policy="moves", commands=("ChangeShippingAddress",))
    run(kernel, policy)
    run(kernel, orders.ChangeShippingAddress(order_id="1", address=ELSEWHERE), "address")
    later = do.UpdateCustomerProfile(customer_id="C1", name="Quintessa Zabriskie-Z")
    run(kernel, later)
    _imports(app)
    attached = OrderFiles(kernel.engines.write).receive(
        str(uuid.uuid4()), "1", "note.txt", b"Quintessa lives at Xylophonweg 7."
    )
    run(kernel, attached)
    ExportFiles(kernel.engines.write).keep(
        [b"Quintessa Zabriskie"],
        100,
        schedule="daily",
        owner="ana",
        list="orders",
        format="csv",
        name="a.csv",
        made_at=datetime.now(UTC),
    )
    run(kernel, AddWebhook(webhook_id="warehouse", url="http://203.0.113.9/hook"))
    advance(kernel)
    ask(kernel, ListOrders(q="quintessa"))
    ask(kernel, ListOrders())
    return Filled(app, tuple(_credentials(app)))


def _imports(app: Flask) -> None:
    """A file with a row that is set aside, and one that cannot be imported."""
    bad = [
        "Quintessa Zabriskie" if name == "Quantity" else value
        for name, value in zip(HEADER, ROWS[0], strict=True)
    ]
    lines = (HEADER, bad)
    content = "\n".join(",".join(f'"{value}"' for value in line) for line in lines).encode()
    assert _import(app, content).set_aside > 0
    assert _import(app, b"Quintessa Zabriskie").state == "failed"


def _import(app: Flask, content: bytes) -> Any:
    """The row of an import of this file, once it has ended."""
    files = Files(services_of(app).kernel.engines.write)
    sent = files.receive(
        str(uuid.uuid4()), "online-retail", "day.csv", io.BytesIO(content), "ana", 10**6
    )
    run(services_of(app).kernel, sent.task)
    return take_in(app, sent.task.import_id)


def _credentials(app: Flask) -> Iterator[str]:
    """One of each kind, as its owner knows it."""
    services = services_of(app)
    yield PASSWORD
    yield services.sessions.open("wil")
    yield services.tokens.create("robot", "viewer", made_by="ana").removeprefix("cs_")
    made = services.second_factors.new_app("wil")
    yield made.key
    yield from services.second_factors.add_app("wil", made.sealed, pyotp.TOTP(made.key).now())
    secret = ask(services.kernel, GetWebhookSecret(webhook_id="warehouse"))
    yield secret.removeprefix("whsec_")
    now = datetime.now(UTC)
    with services.kernel.engines.write.begin() as connection:
        mails.add(connection, "wil", OPERATOR[1], "Confirm", "Confirm this address.", now)
    advance(services.kernel)


def advance(kernel: Kernel) -> None:
    kernel.runner.advance_all(kernel.registry.subscriptions)


def in_clear(filled: Filled, wanted: tuple[str, ...]) -> dict[str, set[str]]:
    """Table of the write store -> which of these texts it holds."""
    found: dict[str, set[str]] = {}
    for table, text in texts_of(filled.kernel.engines.write):
        for each in wanted:
            if each.casefold() in text.casefold():
                found.setdefault(table, set()).add(each)
    return found


def in_dump_of(url: str, wanted: tuple[str, ...]) -> dict[str, set[str]]:
    """Table -> which of these texts a dump of this PostgreSQL database holds of it."""
    programs = find_programs()
    dumped = subprocess.run(
        [programs / "pg_dump" if programs else "pg_dump", "--no-owner", "--dbname", libpq(url)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found: dict[str, set[str]] = {}
    table = ""
    for line in dumped.splitlines():
        if start := COPIED.match(line):
            table = start[1]
        plain = " ".join(
            bytes.fromhex(text[3:]).decode("latin-1") if text.startswith(BINARY) else text
            for text in line.split("\t")
        ).casefold()
        if held := {each for each in wanted if each.casefold() in plain}:
            found.setdefault(table, set()).update(held)
    return found


def libpq(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def in_files_of(folder: Path, wanted: tuple[str, ...]) -> dict[str, set[str]]:
    """File below the folder -> which of these texts its bytes hold; without key files."""
    found = {}
    for path in (each for each in folder.rglob("*") if each.is_file()):
        content = path.read_bytes().lower()
        held = {each for each in wanted if each.lower().encode() in content}
        if held and path.name not in KEY_FILES:
            found[path.name] = held
    return found


@pytest.fixture
def filled(make_console: Callable[..., Flask]) -> Filled:
    return fill(make_console(**SETTINGS))


def test_the_write_store_holds_no_credential_and_values_only_where_the_docs_say(
    filled: Filled,
) -> None:
    assert len(filled.credentials) > 10
    assert in_clear(filled, filled.credentials) == {}
    found = in_clear(filled, (*VALUES, *OPERATOR))
    assert found.keys() == IN_CLEAR.keys()
    docs = Path("docs/operating.md").read_text()
    assert [what for what in IN_CLEAR.values() if what not in docs] == []


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_dump_of_postgresql_yields_no_credential_and_values_only_where_the_docs_say(
    filled: Filled,
) -> None:
    settings = services_of(filled.app).settings
    write = in_dump_of(settings.database_url, (*VALUES, *OPERATOR, *filled.credentials))
    assert write == in_clear(filled, (*VALUES, *OPERATOR))
    assert write.keys() == IN_CLEAR.keys()
    read = in_dump_of(settings.read_database_url, (*VALUES, *OPERATOR, *filled.credentials))
    assert {"orders", "customer_profiles"} <= read.keys()
    assert not set().union(*read.values()) & set(filled.credentials)


def test_a_stolen_disk_with_encrypted_files_yields_nothing(tmp_path: Path, redis_url: str) -> None:
    """Neither while it runs nor afterwards: no name, address, e-mail or credential."""
    databases = in_files(tmp_path)
    settings = {**SETTINGS, "sqlite_encryption": True}
    upgrade(databases.settings(**settings))
    with consoles_on(databases, redis_url) as make:
        filled = fill(make(**settings))
        wanted = (*VALUES, *OPERATOR, *filled.credentials)
        assert "quintessa" in repr(ask(filled.kernel, ListOrders())).casefold()
        assert (tmp_path / "write.sqlite3-wal").stat().st_size > 0
        assert in_files_of(tmp_path, (*wanted, "CREATE TABLE", "customer")) == {}
    assert in_files_of(tmp_path, (*wanted, "CREATE TABLE", "customer")) == {}
    assert (tmp_path / "write.sqlite3").stat().st_size > 100_000


def test_an_erasure_reaches_every_place(filled: Filled, kind: str, tmp_path: Path) -> None:
    kernel = filled.kernel

    def places() -> set[str]:
        texts = [*texts_of(kernel.engines.write), *texts_of(kernel.engines.read)]
        texts += texts_in(kernel.redis)
        return {place for place, text in texts if any(each in text.casefold() for each in VALUES)}

    assert {"orders", "import_chunks", "imports", "order_files"} <= places()
    run(kernel, do.EraseCustomer(customer_id="C1", reason=WHY))
    advance(kernel)
    for dispatcher in kernel.tasks.values():
        dispatcher.task.housekeep(kernel)
    assert places() == set()
    if kind == "sqlite":
        assert in_files_of(tmp_path, VALUES) == {}


def test_what_is_kept_no_longer_is_deleted_and_recorded(filled: Filled) -> None:
    late = replace(filled.kernel, clock=lambda: datetime.now(UTC) + timedelta(days=200))
    task = late.tasks["retention"].task
    task.housekeep(filled.kernel)
    assert deletions(filled) == {}
    for _ in range(2):
        task.housekeep(late)
        recorded = deletions(filled)
        assert recorded.items() >= {"uploads": 2, "mails": 1, "sessions": 1}.items()
        assert in_clear(filled, (*VALUES, *OPERATOR)).keys() == {
            "order_files",
            "operators",
            "export_chunks",
        }
    assert services_of(filled.app).sessions.list("wil") == []


def deletions(filled: Filled) -> dict[str, int]:
    """Kind -> how much was deleted of it, by the log."""
    with filled.kernel.engines.write.connect() as connection:
        found = select(events.c.payload).where(events.c.type == OldDataDeleted.__name__)
        each = [msgspec.json.decode(row) for row in connection.execute(found).scalars()]
    assert len({one["kind"] for one in each}) == len(each)
    return {one["kind"]: one["deleted"] for one in each}
