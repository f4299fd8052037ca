"""A console in this process, for the tours. The environment has the settings of an empty one."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from cqrs_app import create_app, database
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.approvals.commands import SetApprovalPolicy
from cqrs_app.platform.batches.creating import NewBatch
from cqrs_app.services import Services, services_of
from cqrs_app.settings import Settings


class Console:
    """The application, its services, and somebody who may do everything."""

    def __init__(self) -> None:
        settings = Settings.from_environment()
        self.app: Flask = create_app(settings)
        self.app.config["WTF_CSRF_ENABLED"] = False
        self.services: Services = services_of(self.app)
        database.upgrade(settings)
        database.check(settings)
        self.services.kernel.runner.prepare()
        self.ada = self.browser("ada", "admin")
        secret = self.services.tokens.create("test", "admin", made_by="ada")
        self._bearer = {"Authorization": f"Bearer {secret}"}

    @property
    def admin(self) -> Actor:
        return Actor("ada", self.services.kernel.registry.roles["admin"])

    def catch_up(self) -> None:
        for name in self.services.kernel.runner.behind():
            self.services.kernel.runner.advance(name)

    def browser(self, name: str, role: str) -> FlaskClient:
        client = self.app.test_client()
        self.services.accounts.create(name, role, "seven brown herons")
        with client.session_transaction() as cookie:
            cookie["token"] = self.services.sessions.open(name, "127.0.0.1", "test")
        return client

    def run(self, command: Command, **context: Any) -> Any:
        """The receipt of a command, after pages show what it did."""
        given = Context(actor=self.admin, channel="cli", command_id=str(uuid.uuid4()), **context)
        receipt = self.services.kernel.commands.dispatch(command, given)
        self.catch_up()
        return receipt

    def send_form(self, name: str, **fields: Any) -> Any:
        data = {**fields, "command_id": str(uuid.uuid4())}
        answer = self.ada.post(f"/commands/{name}", data=data)
        self.catch_up()
        return answer

    def api(self, method: str, path: str, **more: Any) -> Any:
        answer = self.app.test_client().open(
            f"/api/v1{path}", method=method, headers=self._bearer, **more
        )
        self.catch_up()
        return answer

    def flask(self, *words: str, **more: Any) -> Any:
        return self.app.test_cli_runner().invoke(args=[*words], **more)

    def pages(self, *seen: tuple[str, str]) -> None:
        """Each address has the words on its page."""
        for address, words in seen:
            answer = self.ada.get(address, follow_redirects=True)
            assert answer.status_code == 200, (address, answer.status_code, answer.text[-3000:])
            assert words in answer.text, (address, words)

    def batch(self, command: str, filters: dict[str, list[str]], **fields: Any) -> None:
        """Carry out a batch of all that match."""
        batch_id, kernel = str(uuid.uuid4()), self.services.kernel
        new = NewBatch(
            batch_id=batch_id, command=command, fields=fields, filters=filters, start=True
        )
        self.services.batches.create(new, self.admin, "api")
        self.catch_up()
        while kernel.registry.tasks["batches"].work(kernel, batch_id):
            self.catch_up()
        self.catch_up()

    def needs_a_second_signature(self, command: Command, subject: str) -> None:
        """A policy holds the command back, and whoever may sign sees it."""
        name = type(command).__name__
        signer = self.browser(f"signer-{name.lower()}", "supervisor")
        self.run(SetApprovalPolicy(policy=f"policy-{name.lower()}", commands=(name,)))
        receipt = self.run(command)
        assert receipt.status == "requested", receipt
        assert subject in signer.get("/approvals").text

    def remove(self, area: str) -> None:
        """Its tables go, and its events still verify."""
        kernel = self.services.kernel
        kept = kernel.store.head()
        removed = self.flask("areas", "remove", area, input="y\n")
        assert removed.exit_code == 0, removed.output
        assert kernel.store.head() == kept
        self.verify()

    def verify(self) -> None:
        """Every stream verifies, and every snapshot is the state of its events."""
        faults = [each for each in self.services.kernel.verify_streams() if each.fault]
        assert not faults, faults
