"""Claims of orders and who has them open, on each kind of database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.queue import end_of_day
from cqrs_app.platform.queue.claims import Claims
from cqrs_app.platform.queue.runs import Runs
from cqrs_app.platform.queue.tables import order_claims, order_presence, queue_skips
from cqrs_app.services import services_of
from tests.leases import end_leases


@pytest.fixture
def console(make_console: Callable[..., Flask]) -> Flask:
    return make_console(claim_minutes=3)


@pytest.fixture
def claims(console: Flask) -> Claims:
    return services_of(console).claims


@pytest.fixture
def kernel(console: Flask) -> Kernel:
    return services_of(console).kernel


def test_an_order_is_claimed_by_one_operator_until_it_is_released(claims: Claims) -> None:
    assert claims.claim("1", "ana")
    assert claims.claim("1", "ana")
    assert not claims.claim("1", "ben")
    assert not claims.claim_free("1", "ana")
    assert claims.held(["1", "2"])["1"].operator == "ana"
    assert claims.held(["1"])["1"].minutes == 3
    claims.release("1", "ben")
    assert not claims.claim("1", "ben")
    claims.release("1", "ana")
    assert claims.held(["1"]) == {}
    assert claims.claim("1", "ben")


def test_a_claim_ends_with_its_lease(claims: Claims, kernel: Kernel) -> None:
    claims.claim("1", "ana")
    end_leases(kernel.engines.write, order_claims.c.lease_until)
    assert claims.held(["1"]) == {}
    assert claims.attend("1", "cleo").claim is None
    assert claims.claim_free("1", "ben")
    assert not claims.claim("1", "ana")


def test_of_many_who_claim_at_once_one_gets_the_order(claims: Claims) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda n: claims.claim_free("1", f"operator-{n}"), range(24)))
    assert taken.count(True) == 1
    assert claims.held(["1"])["1"].operator == f"operator-{taken.index(True)}"


def test_a_page_that_stays_open_renews_the_claim_and_writes_only_now_and_then(
    claims: Claims, kernel: Kernel
) -> None:
    claims.claim("1", "ana")
    first = claims.attend("1", "ana").claim
    assert first is not None
    assert claims.held(["1"])["1"].seconds <= first.seconds
    soon = datetime.now(UTC) + timedelta(seconds=60)
    with kernel.engines.write.begin() as connection:
        connection.execute(update(order_claims).values(lease_until=soon))
    assert claims.attend("1", "ben").claim is not None
    assert claims.held(["1"])["1"].seconds < 61
    claims.attend("1", "ana")
    assert claims.held(["1"])["1"].seconds > 120


def test_who_has_an_order_open_is_known_for_a_minute(claims: Claims, kernel: Kernel) -> None:
    assert claims.attend("1", "ana").also_open == ()
    assert claims.attend("1", "ben").also_open == ("ana",)
    assert claims.attend("1", "ana").also_open == ("ben",)
    assert claims.attend("2", "ana").also_open == ()
    end_leases(kernel.engines.write, order_presence.c.lease_until)
    assert claims.attend("1", "ana").also_open == ()


def test_a_claim_is_taken_over(claims: Claims) -> None:
    claims.claim("1", "ana")
    assert claims.take_over("1", "ana", "ben")
    assert claims.held(["1"])["1"].operator == "ben"
    assert not claims.take_over("1", "ana", "cleo")
    assert claims.held(["1"])["1"].operator == "ben"


def test_a_claim_that_has_ended_is_not_taken_over(claims: Claims, kernel: Kernel) -> None:
    claims.claim("1", "ana")
    claims.claim("2", "ana")
    end_leases(kernel.engines.write, order_claims.c.lease_until)
    claims.claim("2", "ana")
    assert not claims.take_over("1", "ana", "ben")
    assert claims.held(["1"]) == {}
    assert claims.take_over("2", "ana", "ben")


def test_rows_of_leases_that_ended_are_deleted(
    claims: Claims, console: Flask, kernel: Kernel
) -> None:
    claims.claim("1", "ana")
    claims.attend("1", "ben")
    runs = services_of(console).runs
    runs.skip("1", "ana", datetime.now(UTC) - timedelta(seconds=1))
    runs.skip("2", "ana", datetime.now(UTC) + timedelta(hours=1))
    for until in (order_claims.c.lease_until, order_presence.c.lease_until):
        end_leases(kernel.engines.write, until)
    claims.claim("2", "ana")
    kernel.registry.tasks["queue"].housekeep(kernel)
    with kernel.engines.write.connect() as connection:
        for table, left in ((order_claims, 1), (order_presence, 0), (queue_skips, 1)):
            count = select(func.count()).select_from(table)
            assert connection.execute(count).scalar_one() == left


def test_what_an_operator_skipped_stays_out_until_its_time(console: Flask) -> None:
    runs: Runs = services_of(console).runs
    runs.skip("1", "ana", datetime.now(UTC) + timedelta(hours=1))
    runs.skip("2", "ana", datetime.now(UTC) - timedelta(seconds=1))
    assert runs.skipped("ana") == {"1"}
    assert runs.skipped("ben") == set()


def test_the_mean_time_is_that_of_the_present_list(console: Flask) -> None:
    runs: Runs = services_of(console).runs
    assert runs.of("ana") is None
    runs.start("ana", "stage=on_hold")
    started = runs.of("ana")
    assert started is not None
    assert started.mean_seconds is None
    runs.count("ana", datetime.now(UTC) - timedelta(seconds=20))
    runs.count("ana", datetime.now(UTC) - timedelta(seconds=40))
    run = runs.of("ana")
    assert run is not None
    assert run.mean_seconds == pytest.approx(30, abs=2)
    runs.start("ana", "")
    again = runs.of("ana")
    assert again is not None
    assert (again.list, again.handled) == ("", 0)


def test_a_day_ends_at_midnight_of_the_shop() -> None:
    zone = ZoneInfo("Europe/Berlin")
    late = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)  # already the 2nd in Berlin
    assert end_of_day(late, zone) == datetime(2026, 6, 2, 22, 0, tzinfo=UTC)
