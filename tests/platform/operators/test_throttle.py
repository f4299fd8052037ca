from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, func, select

from cqrs_app.platform.operators.tables import sign_in_failures
from cqrs_app.platform.operators.throttle import Throttle, network_of, sentence_for
from tests.platform.operators.conftest import Clock

HERE, ELSEWHERE = "203.0.113.7", "198.51.100.9"


def fail(throttle: Throttle, times: int, name: str = "mia", address: str = HERE) -> None:
    for _ in range(times):
        assert throttle.begin(name, address) == 0


def test_the_first_failures_cost_nothing_then_there_is_a_pause(throttle: Throttle) -> None:
    fail(throttle, 5)
    assert throttle.begin("mia", HERE) == 30


def test_the_pause_ends_and_doubles_with_the_next_failure(throttle: Throttle, clock: Clock) -> None:
    fail(throttle, 5)
    pauses = []
    for _ in range(8):
        pauses.append(throttle.begin("mia", HERE))
        clock.advance(seconds=pauses[-1])
        assert throttle.begin("mia", HERE) == 0
    assert pauses == [30, 60, 120, 240, 480, 900, 900, 900]


def test_asking_during_the_pause_does_not_prolong_it(throttle: Throttle, clock: Clock) -> None:
    fail(throttle, 5)
    clock.advance(seconds=20)
    assert throttle.begin("mia", HERE) == 10


def test_the_same_operator_from_another_network_is_not_held_up(throttle: Throttle) -> None:
    fail(throttle, 5)
    assert throttle.begin("mia", HERE) > 0
    assert throttle.begin("mia", ELSEWHERE) == 0


def test_another_operator_of_the_same_network_is_not_held_up(throttle: Throttle) -> None:
    fail(throttle, 5)
    assert throttle.begin("zoe", HERE) == 0


def test_spelling_the_name_differently_is_no_way_around(throttle: Throttle) -> None:
    fail(throttle, 5)
    assert throttle.begin(" MIA", HERE) == 30


def test_success_forgets_the_failures(throttle: Throttle) -> None:
    fail(throttle, 5)
    throttle.succeeded("mia", HERE)
    fail(throttle, 5)


def test_success_forgets_no_failures_of_others(throttle: Throttle) -> None:
    for name, address in (("ben", HERE), ("mia", ELSEWHERE)):
        fail(throttle, 5, name, address)
    throttle.succeeded("mia", HERE)
    assert throttle.begin("ben", HERE) > 0
    assert throttle.begin("mia", ELSEWHERE) > 0


def test_failures_are_forgotten_with_time(throttle: Throttle, clock: Clock, engine: Engine) -> None:
    fail(throttle, 5)
    clock.advance(hours=3)
    assert throttle.begin("zoe", ELSEWHERE) == 0
    with engine.connect() as connection:
        assert connection.execute(select(func.count(sign_in_failures.c.account))).scalar() == 1
    fail(throttle, 5)


def test_guesses_at_the_same_moment_are_all_counted(throttle: Throttle) -> None:
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: throttle.begin("mia", HERE), range(24)))
    assert waits.count(0) == 5


def test_a_long_name_is_no_error(throttle: Throttle) -> None:
    assert throttle.begin("x" * 10_000 + "\x00", "y" * 500) == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("", ""),
        ("not an address", "not an address"),
    ],
)
def test_the_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network


def test_the_sentence_says_how_long_to_wait() -> None:
    assert "Wait 1 second, then" in sentence_for(1)
    assert "Wait 30 seconds, then" in sentence_for(30)
    assert "Wait 15 minutes, then" in sentence_for(900)
