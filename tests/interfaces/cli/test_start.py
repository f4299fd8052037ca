"""What a verb, and a console, load before they do anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes.running import PROJECT, clean_environment, run_python


def test_looking_for_a_verb_loads_neither_database_nor_redis() -> None:
    loaded = "import sys, cqrs_app.interfaces.cli; print({'sqlalchemy', 'redis'} & {*sys.modules})"
    assert run_python("-c", loaded).stdout == "set()\n"


def test_a_console_starts_without_the_models_of_scim(tmp_path: Path) -> None:
    loaded = "import sys, app; print({'pydantic', 'scim2_models'} & {*sys.modules})"
    assert run_python("-c", loaded, DATA_DIR=str(tmp_path)).stdout == "set()\n"


def test_the_collector_passes_over_what_was_loaded_and_goes_on(tmp_path: Path) -> None:
    script = "import gc, app; print(gc.isenabled(), gc.get_freeze_count() > len(gc.get_objects()))"
    done = run_python("-c", script, DATA_DIR=str(tmp_path))
    assert done.stdout == "True True\n", done.stderr


@pytest.mark.slow
def test_a_verb_finds_what_belongs_to_the_project_from_any_folder(tmp_path: Path) -> None:
    environment = clean_environment({"DATA_DIR": str(tmp_path)})
    del environment["PYTHONPATH"]
    flask = (sys.executable, "-m", "flask", "--app", str(PROJECT / "app"))
    for verb in ("events contracts", "db upgrade", "db check"):
        done = subprocess.run(
            [*flask, *verb.split()],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
