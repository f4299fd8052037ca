"""Verbs where a database or a Redis server cannot be reached: a sentence, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from cqrs_app import create_app
from cqrs_app.interfaces.cli import VERBS
from cqrs_app.settings import Settings
from tests.console import close
from tests.processes.running import free_port, run_flask

ARGUMENTS = {
    "import": ["README.md --profile countersign --dry-run"],
    "export": ["orders", "canonical"],
    "db": ["upgrade", "check", "current", "downgrade read -1 --yes"],
    "projections": ["list", "catch-up", "rebuild orders"],
    "events": ["tail", "verify", "seal", "contracts"],
    "cache": ["invalidate"],
    "operators": [
        *("list", "create ada --role admin", "password ada"),
        *("disable ada", "enable ada", "reset-second-factor ada --reason lost", "unlink ada"),
    ],
    "keys": ["list", "rotate"],
    "tokens": ["list", "create x --role admin --as ada", "revoke x"],
    "command": ["PauseProjection --projection orders --reason maintenance"],
    "query": ["ListOrders"],
    "catalogue": [""],
    "doctor": [""],
    "top": ["--once", "--once --json"],
    "batch": ["create ApproveOrder --all", "list", "show ID", "items ID --out items.csv"],
    "reconcile": [""],
    "statistics": ["", "commands"],
    "demo": ["remove --yes"],
    "areas": ["list", "check"],
}
PROCESSES = ("up", "sweep", "worker", "webhook-worker", "payment-worker")
PATIENT = {"run-import"}
"""It waits for a database that is away."""
WITHOUT = {"new", "reference"}
"""They write files and read no database."""
UNREACHABLE = (
    "postgresql://127.0.0.1:1/db",
    "postgresql://127.0.0.1:99999/db",
    "postgresql://127.0.0.1:1/db?target_session_attrs=anything",
    "postgresql://127.0.0.1:1,127.0.0.1:2/db?target_session_attrs=read-write",
    "sqlite:///{folder}/a_file",
    "sqlite:///{folder}",
    "sqlite:///{folder}/no/folder/file",
)
PASSWORD = "a long password 12\n"


@pytest.mark.parametrize("url", UNREACHABLE)
def test_every_verb_says_that_the_database_cannot_be_used(url: str, tmp_path: Path) -> None:
    (tmp_path / "a_file").write_text("no database" * 1000)
    settings = Settings(
        data_dir=tmp_path / "var",
        database_url=url.format(folder=tmp_path),
        redis_url="redis://127.0.0.1:1/0",
    ).resolved()
    app = create_app(settings, pages=False)
    runner = app.test_cli_runner()
    for verb, choices in ARGUMENTS.items():
        for arguments in choices:
            done = runner.invoke(args=[verb, *arguments.split()], input=PASSWORD * 2)
            assert done.exception is None or isinstance(done.exception, SystemExit), (
                verb,
                arguments,
                done.exception,
            )
            assert "Traceback" not in done.output
    close(app)


def test_no_verb_is_left_out_here(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path).resolved(), pages=False)
    with app.app_context():
        known = {*VERBS, *(kind.replace(" ", "-") for kind in app.cli._workers)}  # type: ignore[attr-defined]
    close(app)
    assert known == {*ARGUMENTS, *PROCESSES} | PATIENT | WITHOUT


@pytest.mark.parametrize("verb", PROCESSES)
def test_every_process_says_so_too(verb: str, tmp_path: Path) -> None:
    done = run_flask(
        verb,
        DATABASE_URL="postgresql://127.0.0.1:1/db",
        DATA_DIR=str(tmp_path),
        PORT=str(free_port()),
    )
    assert done.returncode == 1
    assert "The database cannot be used: connection failed" in done.stderr
    assert "Traceback" not in done.stderr
