"""An event's shape is a promise: it changes only together with its schema number."""

from __future__ import annotations

import inspect
from pathlib import Path

import msgspec
import pytest

from cqrs_app.installed_areas import build_registry
from cqrs_app.kernel.events import contracts
from cqrs_app.kernel.messages.messages import Event, event
from cqrs_app.kernel.registry import Area, Registry

CONTRACTS = Path(__file__).parent.parent / "docs" / "contracts"


def test_every_event_of_the_product_keeps_its_stored_contract() -> None:
    registry = build_registry()
    assert contracts.faults(registry.codec, registry.codec.types, CONTRACTS) == []


def test_a_changed_shape_without_a_new_number_is_found(tmp_path: Path) -> None:
    @event()
    class Happened(Event):
        what: str

    before = Registry([Area(name="test", events=[Happened])])
    assert list(contracts.write_missing(before.events.values(), tmp_path)) == [
        "Happened.1.json",
        "SubjectErased.1.json",
    ]
    assert contracts.faults(before.codec, before.codec.types, tmp_path) == []

    changed = msgspec.defstruct("Happened", [("what", int)], namespace={"schema": 1})
    after = Registry([Area(name="test", events=[changed])])  # type: ignore[list-item]
    [fault] = contracts.faults(after.codec, after.codec.types, tmp_path)
    assert "changed without a new schema number" in fault


def test_another_docstring_needs_no_new_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @event()
    class Happened(Event):
        """What happened.

        And to whom.
        """

        what: str

    registry = Registry([Area(name="test", events=[Happened])])
    list(contracts.write_missing(registry.events.values(), tmp_path))
    monkeypatch.setattr(Happened, "__doc__", inspect.getdoc(Happened))
    assert contracts.faults(registry.codec, registry.codec.types, tmp_path) == []


def test_a_new_number_needs_a_way_up_from_the_old_one(tmp_path: Path) -> None:
    @event(schema=2)
    class Happened(Event):
        what: str

    without = Registry([Area(name="test", events=[Happened])])
    list(contracts.write_missing(without.events.values(), tmp_path))
    assert contracts.faults(without.codec, without.codec.types, tmp_path) == [
        "Happened has no upcaster from schema 1."
    ]
    upcasters = {("Happened", 1): dict}
    with_way = Registry([Area(name="test", events=[Happened], upcasters=upcasters)])
    assert contracts.faults(with_way.codec, with_way.codec.types, tmp_path) == []
