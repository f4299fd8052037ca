"""The master key is replaced: everything opens as before, with the new key only."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, func, select

from cqrs_app.kernel.assembly import Engines, Kernel
from cqrs_app.kernel.privacy import rotation
from cqrs_app.kernel.privacy.data_keys import CLAIMS, DIGESTS, PURPOSES, SEALS, WrongPersonalDataKey
from cqrs_app.kernel.privacy.rotation import Rotated, Rotation
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import data_keys, subject_keys
from tests.kernel.club import Join, Leave, Send, club
from tests.kernel.conftest import LOADED, MASTER_KEY, by_ana, engine_on, vault_on

NEW = "another master key"
SECRET = "Rue Haute 5"


@pytest.fixture
def kernel(make_kernel: Callable[..., Kernel]) -> Kernel:
    """A store of three members, of whom one was erased, with keys of persons."""
    kernel = make_kernel(area=club())
    for member in "abc":
        join = Join(member_id=member, email=f"{member}@example.org")
        kernel.commands.execute(join, by_ana())
        kernel.commands.execute(Send(parcel_id=member, member_id=member, to=SECRET), by_ana())
    kernel.commands.execute(Leave(member_id="c"), by_ana())
    return kernel


def now() -> datetime:
    return datetime.now(UTC)


def rotate(
    engine: Engine, *masters: str, wait: Callable[[float], None] = lambda s: None
) -> Rotated:
    return rotation_of(engine, *masters, wait=wait).run()


def rotation_of(
    engine: Engine, *masters: str, wait: Callable[[float], None] = lambda seconds: None
) -> Rotation:
    return Rotation(engine, vault_on(engine, *masters).data_keys, now, wait)


def opens(vault: Vault, kernel: Kernel, parcel: str = "a") -> bool:
    stored = kernel.store.events_of(f"parcel-{parcel}")[0]
    return SECRET in vault.open(stored.payload, stored.stream)


def generations(engine: Engine) -> set[int]:
    """Those that wrap a key of a person."""
    living = select(subject_keys.c.generation).where(subject_keys.c.wrapped.is_not(None))
    with engine.connect() as connection:
        return set(connection.execute(living).scalars())


@contextmanager
def erased_as_before(engine: Engine) -> Iterator[None]:
    counted = select(func.count()).where(subject_keys.c.erased_at.is_not(None))
    gone = counted.where(subject_keys.c.wrapped.is_(None))
    with reader_of(engine).connect() as connection:
        before = connection.execute(counted).scalar()
    yield
    with reader_of(engine).connect() as connection:
        assert connection.execute(gone).scalar() == before > 0


def test_a_store_of_an_earlier_release_is_rotated_and_reads_as_before(kernel: Kernel) -> None:
    engine = kernel.engines.write
    kernel.seals.extend()
    credential = kernel.vault.seal_credential("whsec_x", "w")
    before = vault_on(engine)
    kept = {purpose: before.data_keys.of(purpose) for purpose in PURPOSES}
    with erased_as_before(engine):
        done = rotate(engine, NEW, MASTER_KEY)
    assert done.of_store == len(PURPOSES)
    assert done.of_persons > 0
    assert generations(engine) == {1}

    after = vault_on(engine, NEW)
    after.check()
    assert opens(after, kernel)
    assert not opens(after, kernel, "c")
    assert after.open_credential(credential, "w") == "whsec_x"
    assert {purpose: after.data_keys.of(purpose) for purpose in PURPOSES} == kept
    assert after.fingerprint("email", "a") == before.fingerprint("email", "a")
    assert [report.fault for report in kernel.seals.verify()] == [None, None]
    with pytest.raises(WrongPersonalDataKey):
        vault_on(engine).check()
    assert rotate(engine, NEW, MASTER_KEY) == Rotated(0, 0)


def test_a_new_store_has_random_keys_and_a_used_one_keeps_its_own(
    engines: Engines, make_kernel: Callable[..., Kernel]
) -> None:
    engine = engines.write
    fresh = vault_on(engine).data_keys
    derived = {purpose: fresh.of(purpose) for purpose in PURPOSES}
    fresh.make(now())
    made = {purpose: fresh.of(purpose) for purpose in PURPOSES}
    assert not set(made.values()) & set(derived.values())
    fresh.make(now())
    assert {purpose: vault_on(engine).data_keys.of(purpose) for purpose in PURPOSES} == made


def test_no_keys_are_made_in_a_store_that_was_used(kernel: Kernel) -> None:
    vault_on(kernel.engines.write).data_keys.make(now())
    with kernel.engines.write.connect() as connection:
        assert connection.execute(select(data_keys)).all() == []
    assert opens(vault_on(kernel.engines.write), kernel)


def test_who_has_the_former_key_and_the_store_opens_nothing(kernel: Kernel) -> None:
    engine = kernel.engines.write
    rotate(engine, NEW, MASTER_KEY)
    with engine.connect() as connection:
        for row in connection.execute(
            select(subject_keys).where(subject_keys.c.wrapped.is_not(None))
        ):
            derived = vault_on(engine, MASTER_KEY).data_keys._derived(MASTER_KEY, "persons")
            with pytest.raises(WrongPersonalDataKey):
                rotation.unwrapped(rotation.AESGCM(derived), bytes(row.wrapped), row.key_id)


def test_processes_with_both_keys_work_on_meanwhile(
    kernel: Kernel, make_kernel: Callable[..., Kernel]
) -> None:
    """One of them makes a key with what it has read before, and another one afterwards."""
    engine = kernel.engines.write
    other = vault_on(engine, NEW, MASTER_KEY)
    other.seal(SECRET, "early")

    def meanwhile(seconds: float) -> None:
        assert seconds > 0
        assert opens(other, kernel)
        other.seal(SECRET, "late")

    with erased_as_before(engine):
        rotate(engine, NEW, MASTER_KEY, wait=meanwhile)
    assert generations(engine) == {1}
    assert opens(other, kernel)
    assert kernel.vault.data_keys.of(CLAIMS) == other.data_keys.of(CLAIMS)


@pytest.mark.parametrize("masters", [("wrong",), ("wrong", "another wrong one")])
def test_wrong_keys_change_nothing(kernel: Kernel, masters: tuple[str, ...]) -> None:
    engine = kernel.engines.write
    rotate(engine, NEW, MASTER_KEY)
    with pytest.raises(WrongPersonalDataKey):
        rotate(engine, *masters)
    assert opens(vault_on(engine, NEW), kernel)


def _rotate_and_die(url: str) -> None:
    rotation.BATCH = 1
    done = rotation_of(engine_on(url), NEW, MASTER_KEY)
    done.run(lambda count: os.kill(os.getpid(), signal.SIGKILL))


def test_a_rotation_that_was_killed_goes_on_where_it_was(
    kernel: Kernel, urls: tuple[str, str]
) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    process = context.Process(target=_rotate_and_die, args=(urls[0],))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    engine = kernel.engines.write
    assert generations(engine) == {0, 1}
    assert opens(vault_on(engine, NEW), kernel)
    again = rotation_of(engine, NEW)
    left = again.waiting()
    assert left > 0
    assert again.run() == Rotated(0, left)
    assert generations(engine) == {1}
    assert all(opens(vault_on(engine, NEW), kernel, parcel) for parcel in "ab")
    for purpose in (SEALS, DIGESTS):
        assert vault_on(engine, NEW).data_keys.of(purpose) == kernel.vault.data_keys.of(purpose)
