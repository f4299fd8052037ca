"""Every line of docs/examples.md works as written, and its result is shown on the page beside
it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import client_in
from tests.processes.running import PROJECT

GUIDE = (PROJECT / "docs" / "examples.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| .* \| (?P<here>.*) \| `flask (?P<line>.*)` \| `(?P<page>/.*)` \|$")
# The least that must be among them, whatever else is.
TOLD = {
    "RegisterCustomer",
    "ChangeCustomerEmail",
    "DeactivateCustomer",
    "PlaceOrder",
    "CancelOrder",
    "ReserveStock",
    "ReleaseStock",
    "CapturePayment",
    "ShipOrder",
    "CancelFulfilment",
}
STANDS: dict[str, tuple[Any, ...]] = {
    "GetCustomerProfile --customer-id C1": ("status", "active"),
    "GetProduct --sku MUG": ("product", "on_hand", 19),
    "GetOrder --order-id 1001 --strong": ("status", "approved"),
    "GetPayment --payment-id P1": ("status", "part_refunded"),
    "GetFulfilment --order-id 1001": ("stage", "to_ship"),
}
"""Question -> where in its answer what stands, once the lines above it were run."""


def rows() -> list[tuple[str, str, str]]:
    """What it is called here, the line without `flask`, and the page."""
    table = [line for line in GUIDE.splitlines() if "`flask " in line and line.startswith("|")]
    found = [(line, ROW.match(line)) for line in table]
    assert [line for line, match in found if match is None] == []
    return [(match["here"], match["line"], match["page"]) for _, match in found if match]


def settle(app: Flask) -> None:
    """What the sweep of a running console does, until nothing is left to be done."""
    kernel: Kernel = services_of(app).kernel
    before = -1
    while before != kernel.store.head():
        before = kernel.store.head()
        kernel.runner.advance_all(kernel.registry.subscriptions)
        for task in ("fulfilment", "gateway_requests"):
            kernel.tasks[task].look_after(patience=0)
            kernel.tasks[task].join(60)


def at(value: Any, path: list[str]) -> Any:
    for name in path:
        value = value[name]
    return value


def test_every_line_runs_and_shows_on_its_page(make_console: Callable[..., Flask]) -> None:
    app = make_console(payment_gateway="sandbox")
    runner, browser = app.test_cli_runner(), client_in(app, "admin")
    seen = set()
    for _, line, page in rows():
        result = runner.invoke(args=shlex.split(line))
        assert result.exit_code == 0, f"{line}: {result.output}"
        settle(app)
        if line.startswith("query "):
            value = json.loads(result.stdout)["value"]
            assert value, line
            question = line.removeprefix("query ")
            if question in STANDS:
                *path, expected = STANDS[question]
                assert at(value, path) == expected
                seen.add(question)
        shown = browser.get(page)
        assert shown.status_code == 200, f"{line}: {page}"
    assert seen == STANDS.keys()


def test_the_names_are_those_on_screen(console: Flask) -> None:
    kernel: Kernel = services_of(console).kernel
    messages = {each.__name__: each for each in _messages(kernel)}
    for here, line, _ in rows():
        name = line.split()[1]
        assert here.startswith(messages[name].declaration.label), name
    assert {line.split()[1] for _, line, _ in rows()} >= TOLD


def _messages(kernel: Kernel) -> Iterator[Any]:
    yield from kernel.registry.commands.values()
    yield from kernel.registry.queries.values()
