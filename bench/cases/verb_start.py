"""The duration of a `flask` command from start to end, against importing Flask alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from bench import product
from bench.case import Sides
from bench.rounds import Plan, median_ms
from tests.console import environment_of
from tests.processes.running import PROJECT

FLASK = ("-m", "flask", "--app", "app")


@contextmanager
def sides(plan: Plan) -> Iterator[Sides]:
    """The help of a command, which needs no store, and a query on an empty console on SQLite."""
    with product.console("sqlite") as app:
        environment = environment_of(app)
        # Allow compiled modules, as in any folder where a command has run before.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        run = partial(_python, environment)
        yield {
            "doctor --help": median_ms(run(*FLASK, "doctor", "--help")),
            "query": median_ms(run(*FLASK, "query", "ListOrders")),
            "import flask": median_ms(run("-c", "import flask")),
        }


def _python(environment: dict[str, str], *arguments: str) -> Callable[[], object]:
    command = [sys.executable, *arguments]
    return partial(
        subprocess.run,
        command,
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
