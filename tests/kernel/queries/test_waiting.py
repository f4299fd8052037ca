"""Of requests that wait for a version, few block a thread at once."""

from __future__ import annotations

from contextlib import ExitStack

from cqrs_app.kernel.queries.waiting import WAITS_PER_ACTOR, Waits


def test_nobody_waits_more_than_twice_at_once_and_others_wait_beside_them() -> None:
    waits = Waits(most=10)
    with ExitStack() as held:
        granted = [held.enter_context(waits.turn("ana")) for _ in range(WAITS_PER_ACTOR + 1)]
        assert granted == [True] * WAITS_PER_ACTOR + [False]
        assert held.enter_context(waits.turn("ben"))
    with waits.turn("ana") as again:
        assert again


def test_all_together_wait_at_most_so_often_and_a_turn_that_ends_is_free_again() -> None:
    waits = Waits(most=2)
    with waits.turn("ana"):
        with waits.turn("ben") as second, waits.turn("cem") as third:
            assert (second, third) == (True, False)
        with waits.turn("cem") as second:
            assert second
