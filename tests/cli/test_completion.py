"""What a shell completes, as the shell asks for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.platform.processes import PROJECT, clean_environment
from tests.services.obtainable import unobtainable

ASK = """
eval "$(_FLASK_COMPLETE=bash_source flask)"
COMP_WORDS=({words}); COMP_CWORD=$(({count} - 1))
_flask_completion flask
echo "${{COMPREPLY[@]}}"
"""


def completed(folder: Path, *words: str) -> list[str]:
    """What bash offers for the last of these words."""
    bash = shutil.which("bash")
    if bash is None:
        unobtainable("bash", "apt-get install bash.")
    tools = f"{Path(sys.executable).parent}:{clean_environment({})['PATH']}"
    result = subprocess.run(
        [bash, "-c", ASK.format(words=" ".join(words), count=len(words))],
        cwd=PROJECT,
        env=clean_environment({"PATH": tools, "DATA_DIR": str(folder)}),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return result.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("flask", "command", "Appr"), ["ApproveOrder"]),
        (("flask", "command", "HoldOrder", "--reas"), ["--reason"]),
        (("flask", "command", "HoldOrder", "--reason", "pay"), ["payment_check"]),
        (
            ("flask", "query", "Order"),
            ["OrderActions", "OrderPayments", "OrderTimeline", "OrdersByDay", "OrdersByStatus"],
        ),
        (("flask", "doc"), ["doctor"]),
    ],
)
def test_bash_completes_names_options_and_choices(
    tmp_path: Path, words: tuple[str, ...], offered: list[str]
) -> None:
    assert completed(tmp_path, *words) == offered
