"""Which processes are alive, each as it says itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cqrs_app.kernel.assembly import Engines
from cqrs_app.kernel.subscriptions.presence import FORGOTTEN_AFTER, SILENT_AFTER, Presence, seen

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def alive(engines: Engines, now: datetime) -> dict[str, bool]:
    with engines.write.connect() as connection:
        return {each.kind: each.alive for each in seen(connection, now)}


def test_whoever_leaves_or_falls_silent_leaves_the_others_alive(engines: Engines) -> None:
    for kind, at in (("sweep", NOW), ("worker", NOW + 2 * SECOND), ("webhooks", NOW)):
        Presence(engines.write, lambda at=at: at).beat(kind)  # type: ignore[misc]
    Presence(engines.write).leave("webhooks")
    assert alive(engines, NOW + SILENT_AFTER - SECOND) == {"sweep": True, "worker": True}
    assert alive(engines, NOW + SILENT_AFTER + SECOND) == {"sweep": False, "worker": True}
    assert alive(engines, NOW + FORGOTTEN_AFTER + SECOND) == {"worker": False}
