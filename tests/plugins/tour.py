"""Runs in a process of its own, where the package is installed: every door of its things. The
environment has the settings of an empty console."""

from __future__ import annotations

import sys
import uuid
from datetime import date
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


def catch_up(services: Services) -> None:
    for name in services.kernel.registry.subscriptions:
        services.kernel.runner.advance(name)


def browser(app: Flask, name: str, role: str) -> FlaskClient:
    client = app.test_client()
    services_of(app).accounts.create(name, role, "seven brown herons")
    with client.session_transaction() as cookie:
        cookie["token"] = services_of(app).sessions.open(name, "127.0.0.1", "test")
    return client


def admin(services: Services) -> Actor:
    return Actor("ada", services.kernel.registry.roles["admin"])


def run(services: Services, command: Command) -> Any:
    context = Context(actor=admin(services), channel="cli", command_id=str(uuid.uuid4()))
    receipt = services.kernel.commands.dispatch(command, context)
    catch_up(services)
    return receipt


def main() -> None:
    from visits.messages import CheckIn, CheckOut, ExpectVisitor

    settings = Settings.from_environment()
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    services = services_of(app)
    database.upgrade(settings)
    database.check(settings)
    services.kernel.runner.prepare()
    ada = browser(app, "ada", "admin")

    # The form, the list, the page, the search, the catalogue and the download.
    fields = {"visit_id": "V1", "visitor": "Ana Ruiz", "host": "Ben", "day": "2026-12-01"}
    form = ada.get("/commands/ExpectVisitor").text
    assert "Announce a visitor to the reception." in form
    sent = ada.post("/commands/ExpectVisitor", data={**fields, "command_id": str(uuid.uuid4())})
    assert sent.status_code in (204, 303), sent.text
    assert sent.location == "/visits/V1", sent.location
    catch_up(services)
    for path, words in {
        "/visits": "Ana Ruiz",
        "/visits?state=expected&q=ana": "1 visit",
        "/visits?state=over": "No visits match",
        "/visits/V1": "Visitor expected",
        "/visits/V1/now": "Check in",
        "/search?q=v1": "Visitor expected",
        "/catalogue/CheckIn": "visits.receive",
        "/exports/ListVisits.csv": "Ana Ruiz",
        "/": "/visits",
    }.items():
        answer = ada.get(path, follow_redirects=True)
        assert answer.status_code == 200, (path, answer.status_code)
        assert words in answer.text, (path, words)
    assert ada.get("/visits/V9").status_code == 404
    assert browser(app, "noah", "viewer").get("/visits").status_code == 200

    # The API and the command line.
    secret = services.tokens.create("test", "admin", made_by="ada")
    bearer = {"Authorization": f"Bearer {secret}"}
    answer = app.test_client().post(
        "/api/v1/commands/CheckIn", json={"visit_id": "V1", "badge": 7}, headers=bearer
    )
    assert answer.status_code in (200, 201), answer.text
    catch_up(services)
    answer = app.test_client().get("/api/v1/queries/ListVisits?q=ana", headers=bearer)
    assert answer.json["value"]["rows"][0]["state"] == "inside", answer.text
    again = app.test_cli_runner().invoke(
        args=["command", "CheckIn", "--visit-id", "V1", "--badge", "8"]
    )
    assert "not_expected" in again.output, again.output

    # A batch, from the list.
    for number in ("V2", "V3"):
        day = date(2026, 12, 2)
        run(services, ExpectVisitor(visit_id=number, visitor="Noor", host="Ben", day=day))
        run(services, CheckIn(visit_id=number, badge=9))
    assert 'value="CheckOut"' in ada.get("/visits").text
    batch_id = str(uuid.uuid4())
    new = NewBatch(batch_id=batch_id, command="CheckOut", filters={"q": ["noor"]}, start=True)
    services.batches.create(new, admin(services), "api")
    catch_up(services)
    while services.kernel.registry.tasks["batches"].work(services.kernel, batch_id):
        catch_up(services)
    catch_up(services)
    assert "No visits match" in ada.get("/visits?q=noor&state=inside").text

    # A second signature.
    maria = browser(app, "maria", "supervisor")
    run(services, SetApprovalPolicy(policy="leaving", commands=("CheckOut",)))
    receipt = run(services, CheckOut(visit_id="V1"))
    assert receipt.status == "requested", receipt
    assert "V1" in maria.get("/approvals").text

    # Gone, and its events still verify.
    removed = app.test_cli_runner().invoke(args=["areas", "remove", "visits"], input="y\n")
    assert removed.exit_code == 0, removed.output
    assert all(not each.fault for each in services.kernel.verify_streams())
    services.close()


if __name__ == "__main__":
    main()
    sys.stdout.write("The tour is done.\n")
