"""What every area of another package has to keep, as tests for its own test run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import ClassVar

import msgspec

from cqrs_app import database, plugins
from cqrs_app.area_checks import findings
from cqrs_app.installed_areas import MONEY
from cqrs_app.kernel.commands.aggregate import restore
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.testing import History
from cqrs_app.plugins import Plugin
from cqrs_app.settings import Settings


class AreaContract:
    """Tests for pytest. The area is installed, or named in AREAS:

    class TestContract(AreaContract):
        plugin = PLUGIN
    """

    plugin: ClassVar[Plugin]

    def test_nothing_is_wrong_with_the_declaration(self) -> None:
        assert findings(self.plugin) == []

    def test_it_is_found(self) -> None:
        assert self.plugin in plugins.installed(), (
            f"{self.plugin.package} is neither installed nor named in {plugins.SETTING}."
        )

    def test_a_new_aggregate_is_the_same_after_it_was_stored(self) -> None:
        for aggregate in self.plugin.area.aggregates:
            stored = msgspec.json.encode(aggregate())
            assert msgspec.json.decode(stored, type=aggregate) == restore(aggregate, None, [])

    def test_the_demo_leads_to_the_state_that_its_events_lead_to(self) -> None:
        now = datetime.now(UTC)
        history = History(Registry([self.plugin.area], MONEY), now)
        for at, command in self.plugin.demo(now) if self.plugin.demo else ():
            assert history.run(command, at).names, command
        for stream, aggregate in history.aggregates.items():
            folded = restore(type(aggregate), None, history.of(stream))
            # As text, since that is how a snapshot is compared: 5 is not 5.00 there.
            assert msgspec.json.encode(folded) == msgspec.json.encode(aggregate), stream

    def test_its_tables_are_those_of_its_migrations_and_go_again(self) -> None:
        with _new_stores() as settings:
            database.upgrade(settings)
            database.check(settings)
            for store in database.STORES:
                if self.plugin.folder(f"migrations/{store}"):
                    database.downgrade(settings, store, "base", self.plugin.name)
                    database.upgrade(settings)


@contextmanager
def _new_stores() -> Iterator[Settings]:
    """Settings with stores of their own, in SQLite."""
    folder = Path(mkdtemp(prefix="countersign-"))
    try:
        yield Settings.from_environment({"DATA_DIR": str(folder), "SECRET_KEY": "s" * 40})
    finally:
        shutil.rmtree(folder)
