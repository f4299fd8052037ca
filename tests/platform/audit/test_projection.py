"""Erasing an operator empties what is listed about them, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

from cqrs_app.kernel import testing
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.privacy.personal import ERASED
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.registry import Registry
from cqrs_app.platform.audit import audit_area
from cqrs_app.platform.audit.events import SecurityEventRecorded
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.audit.projection import PERSON
from cqrs_app.platform.audit.read_models import audit_entries
from tests.areas.customers.history import unreadable

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def of(who: str, account: str = "", address: str = "203.0.113.7") -> SecurityEventRecorded:
    return SecurityEventRecorded(
        kind=Kind.SIGNED_IN,
        success=True,
        who=who,
        account=account,
        about="",
        channel="web",
        address=address,
        session="",
        detail="",
        count=1,
        since=NOON,
    )


def addresses(registry: Registry, history: testing.History) -> list[tuple[str, str, str]]:
    rows = Rows()
    registry.projections["audit"].apply(history.recorded, rows)
    return [(row["who"], row["account"], row["address"]) for row in rows.all(audit_entries)]


def test_addresses_of_an_erased_operator_go_and_those_of_others_stay() -> None:
    registry = Registry([audit_area()])
    history = testing.History(registry, NOON)
    mine = (of("mia"), of("mia", "ben"), of("", "mia"), of("mia", "mia", ""))
    others = (of("ben"), of("ben", "mia"), of("", "ben"), of(""))
    history.record("security-1", (*mine, *others))
    before = addresses(registry, history)
    history.record(f"{PERSON}mia", [SubjectErased(subject=f"{PERSON}mia")])
    history.record("customer-mia", [SubjectErased(subject="customer-ben")])
    gone = {(each.who, each.account, each.address) for each in mine}
    assert sorted(addresses(registry, history)) == sorted(
        (who, account, (ERASED if address else "") if (who, account, address) in gone else address)
        for who, account, address in before
    )
    # Replayed without the key of the erased one, it is the same.
    replayed = testing.History(registry, NOON)
    replayed.recorded = [
        unreadable(each, registry.codec) if each.event in mine else each
        for each in history.recorded
    ]
    assert sorted(addresses(registry, replayed)) == sorted(addresses(registry, history))
