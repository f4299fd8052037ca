"""Accounts on a write store, with a command bus of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.clock import utc_now
from cqrs_app.kernel.commands.bus import CommandBus
from cqrs_app.kernel.commands.log import CommandLog
from cqrs_app.kernel.commands.options import BusOptions
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.store import event_store
from cqrs_app.platform.operators import operators_area
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.changes import OperatorChanges

KEY = "for tests only"


def bus_on(engine: Engine, clock: Callable[[], datetime] = utc_now) -> CommandBus:
    """The bus of the area operators alone."""
    changes = OperatorChanges(engine)
    registry = Registry([operators_area([changes])])
    changes.bind(ROLES, registry.commands)
    return CommandBus(
        registry.routes,
        registry.codec,
        event_store(engine),
        CommandLog(engine),
        Vault(engine, lambda: [KEY], "test"),
        BusOptions(log_lines=False),
        middleware=registry.middleware,
        after_commit=lambda types: None,
        wake=lambda command_id: None,
        count=lambda name, result, ms, error="": None,
        clock=clock,
    )


def accounts_on(engine: Engine, clock: Callable[[], datetime] = utc_now) -> Accounts:
    return Accounts(engine, ROLES, bus_on(engine, clock).execute, clock)
