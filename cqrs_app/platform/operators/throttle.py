"""A growing pause after wrong passwords, per account and network, kept in the write store.

An attacker can only pause the network that the attack comes from. The operator can sign in from
elsewhere. Second factors are counted without a network: only who knows the password gets to them.
"""

from __future__ import annotations

import ipaddress
import math
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, delete, select, update

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.platform.operators.names import account_of
from cqrs_app.platform.operators.tables import ADDRESS_LENGTH, NAME_LENGTH, sign_in_failures

LONGEST_PAUSE = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=2)

_failures = sign_in_failures.c
_Key = tuple[str, str]


class Throttle:
    """After `attempts` failures, each further one causes a pause: `pause_seconds`, doubled every
    time."""

    def __init__(
        self,
        engine: Engine,
        attempts: int,
        pause_seconds: int,
        clock: Clock = utc_now,
    ) -> None:
        self._engine = engine
        self._attempts = attempts
        self._pause = timedelta(seconds=pause_seconds)
        self._clock = clock

    def begin(self, name: str, address: str) -> int:
        """Start an attempt. Returns 0, or the seconds to wait.

        An attempt counts as failed until `succeeded` is called, so that concurrent guesses cannot
        bypass the count.
        """
        key, now = _key(name, address), self._clock()
        with self._engine.begin() as connection:
            connection.execute(
                delete(sign_in_failures).where(_failures.last_at < now - FORGOTTEN_AFTER)
            )
            row = self._locked(connection, key, now)
            failures, wait_until = row
            if wait_until is not None and wait_until > now:
                return math.ceil((wait_until - now).total_seconds())
            failures += 1
            connection.execute(
                update(sign_in_failures)
                .where(_is(key))
                .values(failures=failures, last_at=now, wait_until=self._wait_until(failures, now))
            )
        return 0

    def succeeded(self, name: str, address: str) -> None:
        """The attempt succeeded: delete the failures before it."""
        with self._engine.begin() as connection:
            connection.execute(delete(sign_in_failures).where(_is(_key(name, address))))

    def _wait_until(self, failures: int, now: datetime) -> datetime | None:
        beyond = failures - self._attempts
        if beyond < 0:
            return None
        # The exponent is limited, since adding 2**1000 seconds to a date overflows.
        pause: timedelta = self._pause * (1 << min(beyond, 20))
        return now + min(pause, LONGEST_PAUSE)

    def _locked(
        self, connection: Connection, key: _Key, now: datetime
    ) -> Row[int, datetime | None]:
        fresh = {"account": key[0], "network": key[1], "failures": 0, "last_at": now}
        connection.execute(
            insert_into(connection, sign_in_failures).values(fresh).on_conflict_do_nothing()
        )
        found = select(_failures.failures, _failures.wait_until).where(_is(key))
        return connection.execute(found.with_for_update()).one()


def sentence_for(seconds: int, *, second_factor: bool = False) -> str:
    """The sentence for a person who has to wait."""
    what = "wrong codes" if second_factor else "attempts with this name from your network"
    wait = f"{seconds} second{'s' if seconds != 1 else ''}"
    if seconds > 90:
        wait = f"{math.ceil(seconds / 60)} minutes"
    return f"Too many {what}. Wait {wait}, then try again."


def network_of(address: str) -> str:
    """The network of an address: a single host on IPv4, the /64 of a household on IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:ADDRESS_LENGTH]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)


def _key(name: str, address: str) -> _Key:
    return account_of(name)[:NAME_LENGTH].replace("\x00", ""), network_of(address)


def _is(key: _Key) -> ColumnElement[bool]:
    return and_(_failures.account == key[0], _failures.network == key[1])
