"""What a shell completes, as the shell asks for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes.running import PROJECT, clean_environment
from tests.services.obtainable import unobtainable

pytestmark = pytest.mark.slow

ASK = """
{functions}
COMP_WORDS=({words}); COMP_CWORD=$(({count} - 1))
_flask_completion flask
echo "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def completed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[str]]:
    """`completed(*words)`: what bash offers for the last of these words."""
    bash = shutil.which("bash")
    if bash is None:
        unobtainable("bash", "apt-get install bash.")
    folder = tmp_path_factory.mktemp("completion")
    tools = f"{Path(sys.executable).parent}:{clean_environment({})['PATH']}"

    def run(script: str, **more: str) -> str:
        return subprocess.run(
            [bash, "-c", script],
            cwd=PROJECT,
            env=clean_environment({"PATH": tools, "DATA_DIR": str(folder), **more}),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout

    functions = run("flask", _FLASK_COMPLETE="bash_source")

    def complete(*words: str) -> list[str]:
        script = ASK.format(functions=functions, words=" ".join(words), count=len(words))
        return run(script).split()

    return complete


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("flask", "command", "Appr"), ["ApproveExpenseClaim", "ApproveOrder"]),
        (("flask", "command", "HoldOrder", "--reas"), ["--reason"]),
        (("flask", "command", "HoldOrder", "--reason", "pay"), ["payment_check"]),
        (
            ("flask", "query", "Order"),
            [
                "OrderActions",
                "OrderAttachments",
                "OrderChoices",
                "OrderPayments",
                "OrderTimeline",
                "OrdersByDay",
                "OrdersByStage",
                "OrdersByStatus",
                "OrdersWaitingFor",
            ],
        ),
        (("flask", "doc"), ["doctor"]),
    ],
)
def test_bash_completes_names_options_and_choices(
    completed: Callable[..., list[str]], words: tuple[str, ...], offered: list[str]
) -> None:
    assert completed(*words) == offered
