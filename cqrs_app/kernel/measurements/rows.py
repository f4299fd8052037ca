"""Rows of measurements: one per resolution, metric and time slot holds all its series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Connection

from cqrs_app.kernel.measurements.distribution import Distribution, merged
from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.kernel.store.tables import measurements

SLOT_SECONDS = 10
"""What processes write."""

KEPT = {
    SLOT_SECONDS: timedelta(hours=1),
    60: timedelta(days=1),
    600: timedelta(days=8),
    3_600: timedelta(days=35),
    21_600: timedelta(days=400),
}
"""Seconds per slot -> how long such rows are kept, finest first. Each is a multiple of the one
before."""

MOST_SERIES = 200
"""Series per row. The rarest beyond it are added up as `OTHER`, so that rows stay bounded."""
OTHER = "(other)"

Labels = tuple[str, ...]
Series = dict[Labels, Distribution]
"""The values of one metric in one slot, by the values of its labels."""

_decode = msgspec.json.Decoder(list[tuple[Labels, Distribution]]).decode


def start_of(moment: datetime, seconds: int) -> datetime:
    """The start of the slot with this moment."""
    stamp = int(moment.timestamp())
    return datetime.fromtimestamp(stamp - stamp % seconds, UTC)


def decoded(text: str) -> Series:
    return dict(_decode(text))


def added_up(many: Iterable[Series]) -> Series:
    """One slot made of several."""
    found: dict[Labels, Distribution] = {}
    for series in many:
        for labels, distribution in series.items():
            if labels not in found:
                found[labels] = Distribution()
            found[labels].merge(distribution)
    return found


def bounded(series: Series) -> Series:
    """At most MOST_SERIES of them: those with the largest sums, and the rest as one."""
    if len(series) <= MOST_SERIES:
        return series
    ranked = sorted(series, key=lambda labels: (OTHER in labels, -series[labels].total))
    kept, rest = ranked[: MOST_SERIES - 1], ranked[MOST_SERIES - 1 :]
    other = (OTHER,) * len(rest[0])
    return {each: series[each] for each in kept} | {other: merged(series[each] for each in rest)}


def save(
    connection: Connection,
    seconds: int,
    source: str,
    slots: Mapping[tuple[datetime, str], Series],
) -> None:
    """Write the rows of these slots and metrics, or replace those of the same source."""
    if not slots:
        return
    insert = insert_into(connection, measurements)
    upsert = insert.on_conflict_do_update(
        index_elements=list(measurements.primary_key), set_={"series": insert.excluded.series}
    )
    rows = [
        {
            "seconds": seconds,
            "metric": metric,
            "start": start,
            "source": source,
            "series": msgspec.json.encode(list(bounded(series).items())).decode(),
        }
        # Sorted, so that two processes lock rows in the same order.
        for (start, metric), series in sorted(slots.items(), key=lambda each: each[0])
    ]
    connection.execute(upsert, rows)
