"""The last units, wanted by several real processes at once, and by one that is killed."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack

import pytest
from flask import Flask

from cqrs_app.areas.inventory import commands as do
from cqrs_app.areas.inventory.queries.one_product import GetProduct, ProductView
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.queries.context import QueryContext
from tests.areas.inventory.given import SKU, add, receive, reserve
from tests.console import environment_of
from tests.processes.running import start

ADA = Actor("ada", ROLES["admin"])
RIVALS = 4

# Reserves all stock for its own order, on command.
RIVAL = """
import sys
from cqrs_app import create_app
from cqrs_app.areas.inventory.commands import ReserveStock
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import Refused
from cqrs_app.installed_areas import ROLES
app = create_app()
command = ReserveStock(sku="85123A", order_id=sys.argv[1], quantity=3)
context = Context(actor=Actor("ada", ROLES["admin"]), channel="test")
with app.app_context():
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        print(*app.extensions["services"].kernel.commands.execute(command, context).events)
    except Refused as refusal:
        print(refusal.code)
"""

# Stops for good just before its event is written, or just after.
HANGING = """
import sys, time
from cqrs_app import create_app
from cqrs_app.areas.inventory.commands import ReserveStock
from cqrs_app.areas.inventory.stock_item import StockItem
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.handling import handles
from cqrs_app.installed_areas import ROLES

def hang(*arguments):
    print("hanging", flush=True)
    time.sleep(60)

if sys.argv[1] == "before":
    StockItem.reserve = handles(ReserveStock)(hang)
app = create_app()
context = Context(actor=Actor("ada", ROLES["admin"]), channel="test", command_id="step-1")
with app.app_context():
    command = ReserveStock(sku="85123A", order_id="W1", quantity=3)
    app.extensions["services"].kernel.commands.execute(command, context)
    hang()
"""


def run(app: Flask, program: str, argument: str) -> subprocess.Popen[str]:
    return start(
        *(sys.executable, "-c", program, argument),
        environment=environment_of(app),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def stocked(kernel: Kernel) -> Kernel:
    """Three of the product are there."""
    for command in (add(), receive(3)):
        kernel.commands.execute(command, Context(actor=ADA, channel="test"))
    return kernel


def product(kernel: Kernel) -> ProductView:
    view: ProductView = kernel.queries.ask(
        GetProduct(sku=SKU), QueryContext(actor=ADA, strong=True)
    ).value
    return view


def test_of_many_who_want_the_last_units_one_gets_them(console: Flask, stocked: Kernel) -> None:
    with ExitStack() as stack:
        rivals = [
            stack.enter_context(run(console, RIVAL, f"W{number}")) for number in range(RIVALS)
        ]
        assert [line_of(each) for each in rivals] == ["ready"] * RIVALS
        for each in rivals:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        answers = sorted(line_of(each) for each in rivals)
    assert answers == ["StockReserved", *["out_of_stock"] * (RIVALS - 1)]
    view = product(stocked)
    assert (view.product.on_hand, view.product.available) == (3, 0)
    assert [each.quantity for each in view.reservations] == [3]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_who_is_killed_while_reserving_has_reserved_once_in_the_end(
    console: Flask, stocked: Kernel, moment: str
) -> None:
    with run(console, HANGING, moment) as process:
        assert line_of(process) == "hanging"
        process.kill()
    assert product(stocked).product.available == (3 if moment == "before" else 0)
    # A process manager repeats its step under another id too: the order reserves once.
    for command_id in ("step-2", "step-3"):
        context = Context(actor=ADA, channel="test", command_id=command_id)
        stocked.commands.execute(reserve("W1", 3), context)
    assert product(stocked).product.available == 0
    stocked.commands.execute(
        do.CommitStock(sku=SKU, order_id="W1"), Context(actor=ADA, channel="test")
    )
    assert product(stocked).product.on_hand == 0
