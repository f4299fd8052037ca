"""What a soak makes of its samples."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.soak.samples import LINES, Sample, drawn, found, head, thirds
from bench.table import Tally


def sample(number: int, *, p99: float = 10, web: float = 200, worker: float = 100) -> Sample:
    return Sample(
        minute=number / 6,
        rate=100,
        median=2,
        p99=p99,
        pages_p99=30,
        lag=5,
        memory={"web": web, "worker": worker, "sweep": 50},
    )


def verdicts(make: Callable[[int], Sample], lag: int = 0) -> dict[str, str]:
    """Line -> "met" or "missed", after 30 samples; those without a target are left out."""
    sides, told = found([make(number) for number in range(30)], lag), {}
    for line in LINES:
        if line.has_target:
            told[line.name] = "met" if "  met  " in Tally().row(line, sides) else "missed"
    return told


def missed(make: Callable[[int], Sample], lag: int = 0) -> list[str]:
    return [name for name, verdict in verdicts(make, lag).items() if verdict == "missed"]


def test_thirds_are_medians_of_equal_ends() -> None:
    samples = [sample(number, p99=value) for number, value in enumerate((1, 2, 3, 9, 9, 4, 5, 60))]
    # Two, four, two: what does not divide is the middle's.
    assert thirds(samples, lambda each: each.p99) == (1.5, 6.5, 32.5)


def test_one_spoiled_sample_moves_no_third() -> None:
    samples = [sample(number, p99=900 if number == 28 else 10) for number in range(30)]
    assert thirds(samples, lambda each: each.p99) == (10, 10, 10)


def test_a_flat_soak_meets_every_target() -> None:
    told = verdicts(sample)
    assert set(told.values()) == {"met"}
    assert len(told) == 5


def test_memory_that_still_grows_in_the_last_third_is_missed() -> None:
    assert missed(lambda number: sample(number, web=200 + 3 * number)) == [
        "memory of web processes, last against second third"
    ]
    assert missed(lambda number: sample(number, worker=100 if number < 20 else 111)) == [
        "memory of workers, last against second third"
    ]


def test_memory_that_grew_at_the_start_and_then_stood_still_is_met() -> None:
    assert not missed(lambda number: sample(number, web=200 if number < 10 else 400))


def test_commands_that_get_slower_are_missed() -> None:
    assert missed(lambda number: sample(number, p99=10 if number < 20 else 12.1)) == [
        "p99 of commands, last against first third"
    ]


def test_a_single_event_of_lag_is_missed() -> None:
    assert missed(sample, lag=1) == ["lag after the end"]


def test_the_columns_of_a_sample_stand_under_their_names() -> None:
    row = str(sample(6))
    assert len(row) == len(head())
    assert row.split() == ["1.00", "100.0", "2.00", "10.00", "30.00", "5", "200.0", "100.0", "50.0"]


def test_less_than_three_samples_are_no_thirds() -> None:
    with pytest.raises(ValueError, match="median"):
        thirds([sample(0), sample(1)], lambda each: each.p99)


def test_the_picture_has_memory_durations_and_lag_over_the_minutes() -> None:
    text = drawn([sample(6), sample(12, p99=25, web=210)])
    assert "2 minutes at half of capacity" in text
    for told in ("web: 200 at 1, 210 at 2", "commands: 10 at 1, 25 at 2", "lag: 5 at 1, 5 at 2"):
        assert told in text
