"""A console in which two live side by side, and what their lives are made of."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import Flask

from cqrs_app.installed_areas import ROLES, build_registry
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context, Receipt
from cqrs_app.kernel.messages.messages import Command, Query, parse
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.services import Services, services_of
from tests.interfaces.web.pages.conftest import catch_up

REGISTRY = build_registry()
EVERYTHING = frozenset(ROLES["admin"]) | {
    each.declaration.permission for each in REGISTRY.commands.values()
}
SOMEDAY = datetime(2099, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Console:
    """While `broken`, the list of orders cannot apply the tag `broken`."""

    app: Flask
    broken: bool = False

    @property
    def services(self) -> Services:
        return services_of(self.app)

    @property
    def kernel(self) -> Kernel:
        return self.services.kernel

    def settle(self) -> None:
        """Do what workers would do, except for what waits for other systems."""
        self.services.failures.flush()
        for _ in range(5):
            catch_up(self.kernel)
            for name in ("fulfilment", "approvals", "failures"):
                task = self.kernel.tasks[name].task
                for key in task.due(self.kernel):
                    task.work(self.kernel, key)
            if not self.kernel.runner.behind():
                return

    def run(self, command: Command, by: str, command_id: str) -> Receipt:
        context = Context(actor=Actor(by, EVERYTHING), channel="test", command_id=command_id)
        return self.kernel.commands.execute(command, context)

    def ask(self, question: Query) -> Any:
        return self.kernel.queries.ask(question, QueryContext(actor=Actor("ana", EVERYTHING))).value

    def work(self, task: str, key: str) -> None:
        """Do all that there is to do for this key."""
        found = self.kernel.tasks[task].task
        while found.work(self.kernel, key):
            pass


Step = Callable[[Console], Any]


@dataclass(slots=True)
class Somebody:
    """One of two neighbours. `words` are what rows about this one contain: its name, how its ids
    begin, and ids that were derived from them."""

    name: str
    hex: str = ""
    words: set[str] = field(default_factory=set)
    sent: int = 0

    def __post_init__(self) -> None:
        self.words |= {self.name, self.hex or self.name}

    def uuid(self, number: int) -> str:
        return str(uuid.UUID(f"{self.hex}-0000-4000-8000-{number:012}"))

    def named(self, *parts: str) -> str:
        return "-".join((self.name, *parts))

    def next_id(self) -> str:
        """The id of the next command."""
        self.sent += 1
        return self.named("command", str(self.sent))

    def do(self, command: str, by: str = "ana", **fields: Any) -> Step:
        """The step that sends this command."""
        cls = REGISTRY.commands[command]
        return lambda console: console.run(parse(cls, fields), by, self.next_id())
