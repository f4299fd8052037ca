"""Snapshots of read models: taken, restored, refused."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from cqrs_app.kernel.assembly import Engines, Kernel
from cqrs_app.kernel.projections.digests import kept, scanned
from cqrs_app.kernel.projections.snapshots import Snapshot, UnusableSnapshot, take_snapshot
from cqrs_app.kernel.store.tables import checkpoints
from tests.kernel.projections.test_projections import add, checkpoint, shown
from tests.kernel.shop import CountersProjection, counters, shop


@pytest.fixture
def filled(kernel: Kernel) -> Kernel:
    add(kernel, "a", 3)
    add(kernel, "b", 2)
    kernel.runner.advance("counters")
    return kernel


def take(kernel: Kernel, folder: Path) -> Path:
    path = folder / "counters.snapshot.gz"
    projection = kernel.registry.projections["counters"]
    take_snapshot(projection, kernel.engines.read, kernel.clock(), path)
    return path


def restore(kernel: Kernel, path: Path) -> list[tuple[int, int]]:
    """Returns the progress reported."""
    reported = []
    kernel.runner.rebuild("counters", lambda *done: reported.append(done), Snapshot(path))
    return reported


def test_a_restored_read_model_replays_only_what_came_after_the_snapshot(
    filled: Kernel, engines: Engines, tmp_path: Path
) -> None:
    path = take(filled, tmp_path)
    add(filled, "b", 1)
    add(filled, "c", 1)
    with engines.read.begin() as connection:
        connection.execute(text("DELETE FROM test_counters"))
        connection.execute(update(checkpoints).values(position=0, hash=None))
    assert restore(filled, path) == [(7, 7)]
    assert shown(engines) == {"a": (3, 3), "b": (3, 3), "c": (1, 1)}
    assert (checkpoint(engines).position, checkpoint(engines).state) == (7, "running")
    add(filled, "a", 1)
    assert filled.runner.advance("counters") == 1
    assert shown(engines)["a"] == (4, 4)


def test_the_digest_of_a_restored_read_model_is_kept_on(
    filled: Kernel, engines: Engines, tmp_path: Path
) -> None:
    path = take(filled, tmp_path)
    add(filled, "b", 1)
    restore(filled, path)
    projection = filled.registry.projections["counters"]
    with engines.read.connect() as connection:
        noted = kept(connection, [counters])[counters]
        assert noted.digest == scanned(connection, counters, projection.digest_key)
        assert noted.complete


def test_readers_see_the_old_rows_until_all_are_restored(
    filled: Kernel, engines: Engines, tmp_path: Path
) -> None:
    path = take(filled, tmp_path)
    add(filled, "b", 1)
    seen = []
    snapshot = Snapshot(path)
    filled.runner.rebuild("counters", lambda *done: seen.append(shown(engines)), snapshot)
    assert seen == [{"a": (3, 3), "b": (2, 2)}]
    assert shown(engines)["b"] == (3, 3)


def test_a_snapshot_is_one_moment_while_others_go_on_writing(
    filled: Kernel, engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cqrs_app.kernel.projections import snapshots

    read = snapshots.stored_pages

    def while_others_write(connection: object, table: object) -> object:
        add(filled, "a", 1)
        filled.runner.advance("counters")
        return read(connection, table)  # type: ignore[arg-type]

    monkeypatch.setattr(snapshots, "stored_pages", while_others_write)
    path = take(filled, tmp_path)
    assert shown(engines)["a"] == (4, 4)
    assert Snapshot(path).header.position == 5
    restore(filled, path)
    assert shown(engines)["a"] == (4, 4)


def test_an_empty_read_model_has_a_snapshot_too(
    kernel: Kernel, engines: Engines, tmp_path: Path
) -> None:
    path = take(kernel, tmp_path)
    add(kernel)
    restore(kernel, path)
    assert shown(engines) == {"a": (1, 1)}


def test_only_its_owner_can_read_the_file(filled: Kernel, tmp_path: Path) -> None:
    assert take(filled, tmp_path).stat().st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.glob("counters*")] == ["counters.snapshot.gz"]


def changed(path: Path, old: bytes, new: bytes) -> None:
    lines = gzip.decompress(path.read_bytes())
    assert old in lines
    path.write_bytes(gzip.compress(lines.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (b'["a",3,3]', b'["a",4,3]', "not those of its digest"),
        (b'["a",3,3]\n', b"", "ends early"),
        (b'["a",3,3]', b'["a",3]', "damaged"),
        (b'["a",3,3]', b'["a",null,3]', "do not fit"),
        (b'["a",3,3]', b"}", "damaged"),
        (b'"format":1', b'"format":2', "format"),
        (b'"version":1', b'"version":2', "another release"),
        (b'"applied_version"', b'"since"', "another release"),
        (b'"database":"', b'"database":"other', "taken on other"),
        (b'"hash":"', b'"hash":"00', "another log"),
        (b'{"format"', b'{"for', "damaged, or no snapshot"),
    ],
)
def test_a_snapshot_that_is_not_what_it_was_is_refused_and_changes_nothing(
    filled: Kernel, engines: Engines, tmp_path: Path, old: bytes, new: bytes, sentence: str
) -> None:
    path = take(filled, tmp_path)
    add(filled, "b", 1)
    before, revision = shown(engines), checkpoint(engines).revision
    changed(path, old, new)
    with pytest.raises(UnusableSnapshot, match=sentence):
        restore(filled, path)
    assert (shown(engines), checkpoint(engines).revision) == (before, revision)


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", None])
def test_a_file_that_is_none_or_half_of_one_is_refused(
    filled: Kernel, engines: Engines, tmp_path: Path, content: bytes | None
) -> None:
    path = take(filled, tmp_path)
    path.write_bytes(path.read_bytes()[:-40] if content is None else content)
    with pytest.raises(UnusableSnapshot, match="damaged, or no snapshot"):
        restore(filled, path)


def test_a_snapshot_of_a_console_with_other_keys_is_refused(
    filled: Kernel, tmp_path: Path, make_kernel: Callable[..., Kernel]
) -> None:
    path = take(filled, tmp_path)
    filled.registry.projections["counters"].digest_key_of = lambda: b"another"
    with pytest.raises(UnusableSnapshot, match="not those of its digest"):
        restore(filled, path)


def test_days_of_another_time_zone_are_refused(
    make_kernel: Callable[..., Kernel], engines: Engines, tmp_path: Path
) -> None:
    class ByDay(CountersProjection):
        by_day = True

    kernel = make_kernel(area=replace(shop(), projections=[ByDay()]))
    add(kernel)
    kernel.runner.advance("counters")
    path = take(kernel, tmp_path)
    changed(path, b'"zone":"UTC"', b'"zone":"Asia/Tokyo"')
    with pytest.raises(UnusableSnapshot, match="days are those of Asia/Tokyo"):
        restore(kernel, path)


def test_rows_that_lack_parked_events_are_not_taken(
    filled: Kernel, engines: Engines, tmp_path: Path
) -> None:
    add(filled, "poison", 2)
    filled.runner.advance("counters")
    with pytest.raises(UnusableSnapshot, match="parked events"):
        take(filled, tmp_path)


def test_rows_of_another_release_are_not_taken(
    filled: Kernel, engines: Engines, tmp_path: Path
) -> None:
    with engines.read.begin() as connection:
        connection.execute(update(checkpoints).values(version=7))
    with pytest.raises(UnusableSnapshot, match="not those of this release"):
        take(filled, tmp_path)
    with engines.read.connect() as connection:
        assert connection.execute(select(checkpoints.c.version)).scalars().first() == 7
