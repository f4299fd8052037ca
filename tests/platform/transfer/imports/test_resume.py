"""An import that was killed is started again and ends with the right result."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from cqrs_app.kernel.store import event_store
from tests.platform.transfer.imports.test_online_retail import write
from tests.processes.running import FLASK, start
from tests.services.stores import Databases


def invoices(folder: Path) -> Path:
    rows = [
        (str(600_000 + n), "A", "x", "2", "2010-12-01 08:26:00", "1.255", str(n % 50), "UK")
        for n in range(1_000)
    ]
    return write(folder / "many.csv", rows)


def whole_lives(folder: Path) -> Path:
    path = folder / "many.jsonl"
    line = {"sku": "A", "quantity": 2, "unit_price": "1.255"}
    day = "2026-01-0{}T10:00:00Z".format
    moments = [
        {"what": "approved", "at": day(2)},
        {"what": "shipped", "at": day(3)},
        {"what": "delivered", "at": day(4)},
        # Against the rules: must be flagged once, however often it is tried.
        {"what": "cancelled", "at": day(5), "reason": "other"},
    ]
    order = {"document": "order", "at": day(1), "country": "UK", "currency": "GBP"}
    order |= {"lines": [line], "moments": moments}
    lives = (json.dumps(order | {"order_id": str(n)}) + "\n" for n in range(300))
    path.write_text("".join(lives))
    return path


EXPECTED: dict[str, dict[str, Any]] = {
    "online-retail": {"orders": 1_000, "gross": "2510.000", "taken": 1_000, "flags": 0},
    "countersign": {
        "orders": 300,
        "gross": "753.000",
        "taken": 300,
        "flags": 300,
        "orders_by_status": {"cancelled": 300},
        "refused_by_code": {},
    },
}
# The 50 customers and the article come in once.
EVENTS = {"online-retail": 1_000 + 50 + 1, "countersign": 300 * 6 + 1}


@pytest.mark.parametrize(
    ("profile", "make"), [("online-retail", invoices), ("countersign", whole_lives)]
)
def test_an_import_killed_in_the_middle_goes_on_and_ends_exact(
    backend: Databases, redis_url: str, tmp_path: Path, profile: str, make: Any
) -> None:
    path, report = make(tmp_path), tmp_path / "out.json"
    environment = {
        "DATA_DIR": str(backend.data_dir),
        "DATABASE_URL": backend.write_url,
        "READ_DATABASE_URL": backend.read_url,
        "REDIS_URL": redis_url,
    }
    command = [*FLASK, "import", str(path)]
    command += ["--profile", profile, "--report", str(report)]
    engine = create_engine(backend.write_url)
    store = event_store(engine)
    process = start(*command, environment=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while store.head() == 0 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 0 < store.head() < EVENTS[profile]
    again = start(*command, environment=environment, stdout=subprocess.DEVNULL)
    assert again.wait(60) == 0
    assert store.head() == EVENTS[profile]
    engine.dispose()
    told = json.loads(report.read_text())
    assert {name: told[name] for name in EXPECTED[profile]} == EXPECTED[profile]
