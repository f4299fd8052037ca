from __future__ import annotations

import multiprocessing
from collections.abc import Callable

import pytest
from redis import Redis
from sqlalchemy import func, select

from cqrs_app.kernel.assembling import Assembly
from cqrs_app.kernel.assembly import Engines, Kernel, Tuning
from cqrs_app.kernel.commands.aggregate import Claim
from cqrs_app.kernel.commands.claims import claiming
from cqrs_app.kernel.commands.guards import guarding
from cqrs_app.kernel.commands.options import BusOptions
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.queries.bus import QueryOptions
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.store import tables
from cqrs_app.platform.runtime import runtime_area
from tests.kernel.club import Join, Leave, club
from tests.kernel.conftest import JOBS, LOADED, by_ana, engine_on, vault_on


@pytest.fixture
def members(make_kernel: Callable[..., Kernel]) -> Kernel:
    return make_kernel(area=club())


def join(kernel: Kernel, member: str, email: str) -> str:
    """The refusal's code, or nothing."""
    try:
        kernel.commands.execute(Join(member_id=member, email=email), by_ana())
    except Refused as refusal:
        return refusal.code
    return ""


def test_a_value_is_held_by_one_stream_until_it_is_given_up(members: Kernel) -> None:
    assert join(members, "a", "Ana@example.org") == ""
    assert join(members, "b", "ana@EXAMPLE.org") == "email_taken"
    assert members.store.load("member-b") is None
    assert join(members, "a", "ana@example.org") == ""
    assert join(members, "a", "new@example.org") == ""
    assert join(members, "b", "ana@example.org") == ""
    members.commands.execute(Leave(member_id="b"), by_ana())
    assert join(members, "c", "ana@example.org") == ""


def test_giving_up_a_value_leaves_what_others_hold(members: Kernel) -> None:
    assert join(members, "a", "ana@example.org") == ""
    assert join(members, "b", "ben@example.org") == ""
    members.commands.execute(Leave(member_id="b"), by_ana())
    assert join(members, "c", "ana@example.org") == "email_taken"
    assert join(members, "c", "ben@example.org") == ""


def test_a_stream_gives_up_or_changes_one_kind_of_its_values_and_keeps_the_others(
    members: Kernel,
) -> None:
    taken = Refused("taken", "Somebody else has it.")

    def kept() -> dict[str, bytes]:
        with members.engines.write.connect() as connection:
            found = select(tables.claims.c.kind, tables.claims.c.hash)
            return dict(connection.execute(found).all())

    def claim(kind: str, value: str) -> None:
        with members.engines.write.begin() as connection:
            claiming(Claim(kind, value, taken), "member-a", members.vault.fingerprint)(connection)

    claim("test_email", "ana@example.org")
    claim("test_phone", "123")
    with members.engines.write.begin() as connection:
        guarding(members.store, members.vault, "test_guard", "member-a", "one")(connection)
    before = kept()
    claim("test_phone", "456")
    after = kept()
    assert after["test_phone"] != before["test_phone"]
    assert {name for name in before if before[name] == after[name]} == {"test_email", "test_guard"}
    claim("test_email", "")
    assert kept() == {name: after[name] for name in ("test_phone", "test_guard")}


def test_a_taken_claim_is_in_the_log_and_a_repetition_answers_alike(members: Kernel) -> None:
    assert join(members, "a", "ana@example.org") == ""
    context = by_ana(command_id="second")
    for _ in range(2):
        with pytest.raises(Refused, match="Somebody else"):
            members.commands.execute(Join(member_id="b", email="ana@example.org"), context)
    entry = members.log.find("second")
    assert entry is not None
    assert (entry.outcome, entry.code) == ("refused", "email_taken")


def test_only_a_hash_of_the_value_is_kept(members: Kernel) -> None:
    join(members, "a", "ana@example.org")
    with members.engines.write.connect() as connection:
        row = connection.execute(select(tables.claims)).one()
    assert len(row.hash) == 32
    assert row.stream == "member-a"


def test_each_item_of_a_batch_has_its_own_fate(members: Kernel) -> None:
    emails = {"a": "one@x.org", "b": "two@x.org", "c": "ONE@x.org", "d": "four@x.org"}
    items = [(Join(member_id=name, email=email), by_ana()) for name, email in emails.items()]
    codes = [
        outcome.error and outcome.error.code for outcome in members.commands.execute_batch(items)
    ]
    assert codes == [None, None, "email_taken", None]
    assert members.store.head() == 3


def test_a_rehearsal_says_what_is_taken_and_claims_nothing(members: Kernel) -> None:
    assert join(members, "a", "ana@example.org") == ""
    with pytest.raises(Refused, match="Somebody else"):
        members.commands.preview(Join(member_id="b", email="ana@example.org"), by_ana())
    members.commands.preview(Join(member_id="b", email="ben@example.org"), by_ana())
    assert join(members, "c", "ben@example.org") == ""


def _join_all(
    urls: tuple[str, str],
    redis_url: str,
    prefix: str,
    codes: multiprocessing.Queue[str],
) -> None:
    write, read = (engine_on(url) for url in urls)
    redis = Redis.from_url(redis_url)
    kernel = Assembly(
        Registry([club(), runtime_area(club().projections)]),
        Engines(write=write, read=read, query=read),
        redis=redis,
        cache_redis=redis,
        vault=vault_on(write),
        commands=BusOptions(),
        queries=QueryOptions(),
        tuning=Tuning(projection_batch=4, amber_lag=5, red_lag=60, cache_ttl=60),
        jobs=JOBS,
    ).kernel()
    for number in range(25):
        codes.put(join(kernel, f"{prefix}{number}", f"member{number}@example.org"))
    kernel.close()


def test_of_processes_that_claim_the_same_one_gets_it(
    engines: Engines, urls: tuple[str, str], redis_url: str
) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    codes = context.Queue()
    processes = [
        context.Process(target=_join_all, args=(urls, redis_url, prefix, codes)) for prefix in "xyz"
    ]
    for process in processes:
        process.start()
    found = [codes.get(timeout=60) for _ in range(75)]
    for process in processes:
        process.join(60)
    assert sorted(found) == [""] * 25 + ["email_taken"] * 50
    with engines.write.connect() as connection:
        events = select(func.count()).select_from(tables.events)
        assert connection.execute(events).scalar_one() == 25
