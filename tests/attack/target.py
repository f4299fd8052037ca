"""The console that is attacked: all its processes, on this machine, with stores of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
from flask import Flask
from sqlalchemy import func, select
from werkzeug.routing import Rule

from cqrs_app import create_app
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.tables import events
from cqrs_app.processes import embedded_redis
from cqrs_app.services import Services, services_of
from cqrs_app.settings import Settings
from tests.attack.visitor import Reply, Visitor
from tests.console import close
from tests.processes.running import PROJECT, clean_environment, eventually, free_port
from tests.services.swift import swift_place

PASSWORD = "nine grey geese on a lake"
REQUEST_SECONDS = 3
SETTINGS: dict[str, Any] = {
    "demo_orders": 60,
    "demo_seconds": 0,
    "undo_seconds": 0,
    "workers": 1,
    "trusted_hosts": "desk.example",
    "request_seconds": REQUEST_SECONDS,
    # The attacks count what comes through, not how soon they are slowed down.
    "sign_in_attempts_per_address": 0,
    "sign_in_attempts_in_all": 0,
    "api_requests_per_minute": 0,
}
KNOWN = {
    "ListOrders": "order_id",
    "ListRegisteredCustomers": "customer_id",
    "ListProducts": "sku",
    "ListPayments": "payment_id",
}
"""Queries, and the field of their rows that names one."""
ARGUMENT = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
PATIENCE_SECONDS = 300


@dataclass(slots=True)
class Target:
    """`app` is the same console in this process, to prepare and to look behind."""

    app: Flask
    port: int
    supervisor: psutil.Process
    log: Path
    known: dict[str, Any] = field(default_factory=dict)
    """Names of fields -> something there is."""
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def services(self) -> Services:
        return services_of(self.app)

    @property
    def kernel(self) -> Kernel:
        return self.services.kernel

    def anyone(self) -> Visitor:
        """A browser that is not signed in."""
        return Visitor(self.port)

    def operator(self, name: str, role: str = "") -> Visitor:
        """A browser with a new session of this operator, whose account is made if there is none.
        `role` is `name` by default."""
        if name not in {each.name for each in self.services.accounts.list()}:
            self.services.accounts.create(name, role or name, PASSWORD)
        return self.with_session(self.services.sessions.open(name, "127.0.0.1", "attack"))

    def with_session(self, token: str) -> Visitor:
        """A browser whose cookie, signed by the console, names this session."""
        interface: Any = self.app.session_interface
        cookie = interface.get_signing_serializer(self.app).dumps({"token": token})
        return Visitor(self.port, cookies={self.cookie_name: cookie})

    @property
    def cookie_name(self) -> str:
        return str(self.app.config["SESSION_COOKIE_NAME"])

    def program(self, role: str) -> Visitor:
        """A client of the API with a token of this role; "nobody" has none."""
        if role not in ROLES:
            return self.anyone()
        if role not in self._tokens:
            self._tokens[role] = self.services.tokens.create(role, role, made_by="attack")
        return Visitor(self.port, {"Authorization": f"Bearer {self._tokens[role]}"})

    def look_up(self) -> None:
        """Fill in `known`: something of each kind that there is."""
        asked = self.program("admin")
        for query, name in KNOWN.items():
            [row] = rows_of(asked.get(f"/api/v1/queries/{query}?limit=1"))
            self.known[name] = row[name]

    def settle(self) -> None:
        """Wait until every projection shows every event."""
        if not eventually(lambda: not self.kernel.runner.behind(), PATIENCE_SECONDS):
            raise SystemExit("The workers of the attacked console do not keep up.")

    def written(self, *types: str) -> int:
        """How many events of these types there are."""
        found = select(func.count()).select_from(events).where(events.c.type.in_(types))
        with self.kernel.engines.write.connect() as connection:
            return int(connection.execute(found).scalar_one())

    def memory(self) -> float:
        """Resident memory of its web server and workers, in MB."""
        family = [self.supervisor, *self.supervisor.children(recursive=True)]
        return sum(each.memory_info().rss for each in family if each.is_running()) / 1e6


@contextmanager
def running() -> Iterator[Target]:
    """A console with a made-up shop, stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="countersign-attack-", dir=swift_place()) as name:
        folder, port = Path(name), free_port()
        log = folder / "attack.log"
        environment = {key.upper(): str(value) for key, value in SETTINGS.items()}
        environment |= {"DATA_DIR": str(folder), "PORT": str(port), "ADMIN_PASSWORD": PASSWORD}
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "cqrs_app"],
                cwd=PROJECT,
                env=clean_environment(environment),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            if not eventually(lambda: "is ready at" in log.read_text(), PATIENCE_SECONDS):
                raise SystemExit(f"The console did not start:\n{log.read_text()}")
            with _in_process(folder) as app:
                target = Target(app, port, psutil.Process(process.pid), log)
                target.settle()
                target.look_up()
                yield target
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


@contextmanager
def _in_process(folder: Path) -> Iterator[Flask]:
    settings = Settings(data_dir=folder, redis_url=embedded_redis.url(folder), **SETTINGS)
    app = create_app(settings.resolved())
    try:
        yield app
    finally:
        close(app)


def rows_of(reply: Reply) -> list[dict[str, Any]]:
    """The rows of a list that the API answered with."""
    value = reply.json["value"]
    rows: list[dict[str, Any]] = value["rows"] if isinstance(value, dict) else value
    return rows


def path_of(rule: Rule, value: Callable[[str], str]) -> str:
    """The path of a route with a value for each of its arguments, which is asked by its name."""
    return ARGUMENT.sub(lambda found: quote(value(found[1]), safe="") or "%20", rule.rule)
