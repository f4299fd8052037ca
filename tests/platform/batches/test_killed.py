"""A batch whose web server, workers, sweep and Redis are killed at any moment: each item has one
outcome, and the log agrees."""

from __future__ import annotations

import json
import random
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, select

from cqrs_app.areas.orders.commands import AddOrderTag, ApproveOrder
from cqrs_app.kernel.store.tables import command_log
from cqrs_app.platform.batches.tables import batches
from cqrs_app.platform.batches.words import BatchState
from cqrs_app.services import services_of
from tests.console import UNCHECKED, MakeConsole, environment_of
from tests.interfaces.web.pages.conftest import wait_until
from tests.leases import end_leases
from tests.platform.batches.conftest import Shop
from tests.processes.running import PROJECT, family, free_port, read_until, running

ORDERS = 500
IDS = [f"K-{number}" for number in range(ORDERS)]
APPROVED_BEFORE = IDS[::50]
CHANGED_SINCE = IDS[7::50]
PARTS = ("gunicorn", "Worker 1", "Worker 2", "sweep", "redis")


@pytest.mark.slow
def test_each_item_has_one_outcome_though_every_part_is_killed(make_console: MakeConsole) -> None:
    shop = Shop(make_console(fulfilment=False))
    shop.place(*IDS)
    for order_id in APPROVED_BEFORE:
        shop.run(ApproveOrder(order_id=order_id))
    for order_id in CHANGED_SINCE:
        shop.run(AddOrderTag(order_id=order_id, tag="gift"))
    port, chance = free_port(), random.Random(ORDERS)
    api = Api(port, services_of(shop.app).tokens.create("till", "supervisor", made_by="sam"))
    given = {name.upper(): str(value) for name, value in UNCHECKED.items()}
    environment = environment_of(shop.app, PORT=str(port), FULFILMENT="0", **given)
    # Its own Redis, which is killed too.
    with running(PROJECT / "bin" / "run", **environment | {"REDIS_URL": ""}) as console:
        read_until(console, "Ctrl-C")
        # A full pipe would stop it.
        Thread(target=console.communicate, daemon=True).start()
        kill(console.pid, "gunicorn")
        batch_id = api.create()
        for logged in (0, 1, 201):
            wait_until(lambda logged=logged: commands(shop) >= logged, 90)  # type: ignore[misc]
            for part in chance.sample(PARTS, len(PARTS)):
                kill(console.pid, part)
                time.sleep(chance.random() / 20)
            # As if its ten seconds were over.
            end_leases(shop.kernel.engines.write, batches.c.lease_until)
        assert api.create() == batch_id, "the same request, sent again"
        wait_until(lambda: api.show(batch_id)["state"] == BatchState.ENDED, 90)
        found = api.show(batch_id)
    known = dict.fromkeys(IDS, "done")
    known |= dict.fromkeys(APPROVED_BEFORE, "refused") | dict.fromkeys(CHANGED_SINCE, "conflicted")
    counts = {outcome: count for outcome, count in found["counts"].items() if count}
    assert counts == {"done": ORDERS - 20, "refused": 10, "conflicted": 10}
    items = shop.items(batch_id)
    assert {name: str(each.outcome) for name, each in items.items()} == known
    for order_id, outcome in known.items():
        approvals = shop.events(order_id).count("OrderApproved")
        assert approvals == (0 if outcome == "conflicted" else 1)
    entries = shop.kernel.log.find_many(f"{batch_id}.{each.number}.1" for each in items.values())
    outcomes = {
        f"order-{name}": "succeeded" if known[name] == "done" else "refused" for name in IDS
    }
    assert {each.stream: each.outcome for each in entries.values()} == outcomes
    assert commands(shop) == ORDERS


def kill(console: int, words: str) -> None:
    """Kill this part of a console with SIGKILL; the supervisor starts another."""
    for process in family(console):
        with suppress(Exception):
            if words in " ".join(process.cmdline()):
                process.kill()
                return


def commands(shop: Shop) -> int:
    """How many commands of the batch are in the log."""
    found = select(func.count()).where(command_log.c.channel == "batch")
    found = found.where(command_log.c.type == ApproveOrder.__name__)
    with shop.kernel.engines.write.connect() as connection:
        return connection.execute(found).scalar_one()


class Api:
    """A client that sends a request again until it is answered."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def create(self) -> str:
        ids = [{"id": each, "version": 1} if each in CHANGED_SINCE else each for each in IDS]
        body = {"command": ApproveOrder.__name__, "ids": ids}
        return str(self._sent("POST", "/api/v1/batches", 202, body)["batch_id"])

    def show(self, batch_id: str) -> Any:
        return self._sent("GET", f"/api/v1/batches/{batch_id}", 200)

    def _sent(self, method: str, path: str, expected: int, body: Any = None) -> Any:
        answer: Any = None
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            connection = HTTPConnection("127.0.0.1", self._port, timeout=20)
            headers = self._headers | {"Idempotency-Key": "one batch"}
            try:
                connection.request(method, path, json.dumps(body) if body else None, headers)
                response = connection.getresponse()
                answer = json.loads(response.read())
                if response.status == expected:
                    return answer
            except (OSError, HTTPException):
                answer = None
            finally:
                connection.close()
            time.sleep(0.1)
        raise AssertionError(f"{method} {path}: {answer}")
