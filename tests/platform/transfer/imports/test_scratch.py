"""What an import writes on disk is gone once it ends, and once it was killed."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest

from cqrs_app.platform.transfer.imports.scratch import (
    PREFIX,
    YOUNG_SECONDS,
    remove_abandoned,
    scratch,
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def made_long_ago(folder: Path) -> None:
    before = time.time() - 2 * YOUNG_SECONDS
    os.utime(folder, (before, before))


def test_a_folder_is_private_and_gone_at_the_end(place: Path) -> None:
    with scratch() as folder:
        assert folder.parent == place
        assert folder.stat().st_mode & 0o077 == 0
    assert list(place.iterdir()) == []


def test_what_a_killed_process_left_is_removed(place: Path) -> None:
    child = os.fork()
    if child == 0:
        with scratch() as folder:
            (folder / "customers.csv").write_text("Ana Lima")
            os._exit(9)
    os.waitpid(child, 0)
    [left] = place.glob(f"{PREFIX}*")
    remove_abandoned()
    assert left.exists()  # it may just have been made
    made_long_ago(left)
    remove_abandoned()
    assert list(place.iterdir()) == []


def test_what_is_used_or_not_ours_stays(place: Path) -> None:
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    made_long_ago(elsewhere)
    (place / f"{PREFIX}link").symlink_to(elsewhere)
    with scratch() as folder:
        (folder / "customers.csv").write_text("Ana Lima")
        made_long_ago(folder)
        remove_abandoned()
        assert (folder / "customers.csv").exists()
    assert elsewhere.exists()
