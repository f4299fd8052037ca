"""Second factors: authenticator apps (TOTP, RFC 6238) and recovery codes; passkeys are counted, and
kept by passkeys.py."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, insert, select, update

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.privacy.personal import TOKEN
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.notices import add_notice
from cqrs_app.platform.operators.tables import authenticator_apps, passkeys, recovery_codes

RECOVERY_CODES = 10
WRONG_CODE = "The code is wrong, or was used already. Wait for the next one, then try again."
UNUSABLE_KEY = "This form cannot be used. Open the page again, and scan the new QR code."
ADJACENT_STEPS = 1
"""Time steps of 30 s before and after the current one whose codes count, as clocks differ."""
# Without characters that are easily confused. 24 of them are 118 bits: enough for a plain hash
# (OWASP ASVS 5.0, 6.5.2).
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

_apps = authenticator_apps.c
_codes = recovery_codes.c


@dataclass(frozen=True, slots=True)
class NewApp:
    """What sets an app up: `key` to type, `uri` for a QR code; `sealed` comes back with the first
    code, until when nothing is stored."""

    key: str
    uri: str
    sealed: str


@dataclass(frozen=True, slots=True)
class FactorsOf:
    """What an operator has. `app_since` is None without an app."""

    app_since: datetime | None
    passkeys: int
    recovery_codes: int

    @property
    def any(self) -> bool:
        return self.app_since is not None or self.passkeys > 0


class SecondFactors:
    """Every change is one transaction. Raises AccountError if it is not possible."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        issuer: str,
        clock: Clock = utc_now,
    ) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._vault = vault
        self._issuer = issuer
        self._clock = clock

    def of(self, operator: str) -> FactorsOf:
        with self._reader.connect() as connection:
            return _of(connection, operator)

    def new_app(self, operator: str, sealed: str = "") -> NewApp:
        """A new key for an app; or the one that `sealed` holds. Raises AccountError if it holds
        none of this operator's."""
        import pyotp  # here, since few processes need it

        key = self._opened(operator, sealed) if sealed else pyotp.random_base32()
        uri = pyotp.TOTP(key).provisioning_uri(name=operator, issuer_name=self._issuer)
        return NewApp(key, uri, sealed or self._vault.seal(key, _stream(operator)))

    def add_app(self, operator: str, sealed: str, code: str) -> list[str]:
        """Store the app that shows this code, in place of a former one. Returns new recovery codes
        for an operator who has none."""
        now = self._clock()
        step = _step(self._opened(operator, sealed), code, now)
        if step is None:
            raise AccountError(WRONG_CODE)
        values = {"secret": sealed, "last_step": step, "created_at": now}
        with self._engine.begin() as connection:
            row = insert_into(connection, authenticator_apps).values(operator=operator, **values)
            connection.execute(row.on_conflict_do_update(index_elements=["operator"], set_=values))
            add_notice(connection, operator, "An authenticator app was added.", now)
            return first_recovery_codes(connection, operator)

    def remove_app(self, operator: str) -> None:
        with self._engine.begin() as connection:
            if connection.execute(delete(authenticator_apps).where(_mine(operator))).rowcount:
                add_notice(
                    connection, operator, "The authenticator app was removed.", self._clock()
                )
            drop_unneeded_codes(connection, operator)

    def accepts(self, operator: str, code: str) -> str | None:
        """What kind of code it is, or None if it is wrong. Each is accepted once."""
        code = "".join(code.split()).lower()
        if code.isdecimal():
            return "authenticator app" if self._accepts_of_app(operator, code) else None
        return "recovery code" if self._accepts_recovery(operator, code) else None

    def new_recovery_codes(self, operator: str) -> list[str]:
        """Ten new codes in place of all others. Raises AccountError without a second factor."""
        with self._engine.begin() as connection:
            if not _of(connection, operator).any:
                raise AccountError("Add an authenticator app or a passkey first.")
            add_notice(connection, operator, "New recovery codes were made.", self._clock())
            return _make_codes(connection, operator)

    def _accepts_of_app(self, operator: str, code: str) -> bool:
        with self._reader.connect() as connection:
            stored = connection.execute(select(_apps.secret).where(_mine(operator))).scalar()
        if stored is None:
            return False
        step = _step(self._opened(operator, stored), code, self._clock())
        if step is None:
            return False
        # Of two who send the same code at once, one finds the step taken.
        newer = update(authenticator_apps).where(_mine(operator), _apps.last_step < step)
        with self._engine.begin() as connection:
            return connection.execute(newer.values(last_step=step)).rowcount == 1

    def _accepts_recovery(self, operator: str, code: str) -> bool:
        now = self._clock()
        unused = (_codes.operator == operator, _codes.used_at.is_(None))
        this = update(recovery_codes).where(_codes.code_hash == _hash_of(code), *unused)
        with self._engine.begin() as connection:
            if connection.execute(this.values(used_at=now)).rowcount != 1:
                return False
            add_notice(connection, operator, "A recovery code was used.", now)
            return True

    def _opened(self, operator: str, sealed: str) -> str:
        key = self._vault.open(sealed, _stream(operator))
        if key == sealed or not TOKEN.fullmatch(sealed):  # it was not sealed for this operator
            raise AccountError(UNUSABLE_KEY)
        return key


def first_recovery_codes(connection: Connection, operator: str) -> list[str]:
    """Ten codes for an operator who has none, used ones included; otherwise none."""
    any_code = select(_codes.code_hash).where(_codes.operator == operator).limit(1)
    return [] if connection.execute(any_code).first() else _make_codes(connection, operator)


def drop_unneeded_codes(connection: Connection, operator: str) -> None:
    """Recovery codes without a second factor open nothing, and would seem to."""
    if not _of(connection, operator).any:
        connection.execute(delete(recovery_codes).where(_codes.operator == operator))


def _of(connection: Connection, operator: str) -> FactorsOf:
    count = select(func.count()).select_from
    unused = (_codes.operator == operator, _codes.used_at.is_(None))
    return FactorsOf(
        connection.execute(select(_apps.created_at).where(_mine(operator))).scalar(),
        connection.execute(count(passkeys).where(passkeys.c.operator == operator)).scalar_one(),
        connection.execute(count(recovery_codes).where(*unused)).scalar_one(),
    )


def _make_codes(connection: Connection, operator: str) -> list[str]:
    connection.execute(delete(recovery_codes).where(_codes.operator == operator))
    made = [_new_code() for _ in range(RECOVERY_CODES)]
    rows = [{"code_hash": _hash_of(code), "operator": operator} for code in made]
    connection.execute(insert(recovery_codes), rows)
    return made


def _new_code() -> str:
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(6)) for _ in range(4))


def _step(key: str, code: str, now: datetime) -> int | None:
    """The time step that this is the code of, if it is a current one."""
    import pyotp
    from pyotp.exceptions import OTPVerificationError

    try:
        return pyotp.TOTP(key).verify_and_get_timecode(
            "".join(code.split()), for_time=now, valid_window=ADJACENT_STEPS
        )
    except OTPVerificationError:
        return None


def _hash_of(code: str) -> str:
    return hashlib.sha256(code.replace("-", "").encode("utf-8", "surrogatepass")).hexdigest()


def _mine(operator: str) -> ColumnElement[bool]:
    return _apps.operator == operator


def _stream(operator: str) -> str:
    """The name that the key which seals the operator's secrets is kept under."""
    return f"operator-{operator}"
