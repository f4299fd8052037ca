"""All settings, typed, in one place.

`Settings.from_environment` is the only reader of the process environment. `docs/settings.md`
explains each setting to the person who runs the console. The environment variables are the field
names in upper case.
"""

from __future__ import annotations

import dataclasses
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_type_hints

from cqrs_app.environment import SettingsError, misspelt, parse
from cqrs_app.secret_sources import (
    kept_secret,
    renew_kept_secret,
    secret_in_file,
    secret_of_command,
)
from cqrs_app.settings.fields import SettingsFields
from cqrs_app.settings.rules import PREVIOUS_KEY, check, sources

DEMO_REMOVED = "demo_removed"
"""The file in the data folder that says that its demo shop was removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SettingsFields):
    """The settings that a process runs with, and the secrets that they name or that are kept in the
    data folder."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read every setting from `environment`. Unset ones keep their default.

        Raises SettingsError with one sentence if a value is invalid.
        """
        hints = get_type_hints(cls, include_extras=True)
        values = {
            name: parse(name.upper(), environment[name.upper()], kind)
            for name, kind in hints.items()
            if environment.get(name.upper(), "") != ""
        }
        return cls(**values).resolved()

    @classmethod
    def misspelt(cls, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Names in `environment` that may be misspelled -> the settings they may mean."""
        known = [field.name.upper() for field in dataclasses.fields(cls)]
        return misspelt(environment, known)

    def resolved(self) -> Settings:
        """The same settings with the embedded defaults filled in. Raises SettingsError if they
        contradict each other."""
        data_dir = self.data_dir.expanduser().absolute()
        write = self.database_url or f"sqlite:///{data_dir / 'write.sqlite3'}"
        read = self.read_database_url
        if not self.read_write_separation:
            read = write
        elif not read:
            embedded = write.startswith("sqlite")
            read = f"sqlite:///{data_dir / 'read.sqlite3'}" if embedded else write
        is_trial = not self.database_url
        settings = dataclasses.replace(
            self,
            payment_gateway=self.payment_gateway or ("sandbox" if is_trial else "manual"),
            data_dir=data_dir,
            log_level=self.log_level.lower(),
            database_url=_database("DATABASE_URL", write),
            read_database_url=_database("READ_DATABASE_URL", read),
            query_database_url=_database("QUERY_DATABASE_URL", self.query_database_url or read),
            cache_redis_url=self.cache_redis_url or self.redis_url,
            demo_orders=0 if (data_dir / DEMO_REMOVED).exists() else self.demo_orders,
        )
        check(settings)
        return settings

    def ensure_secret_key(self) -> str:
        """The signing key: the setting, or else one that is generated once and stored in the data
        folder (mode 0600)."""
        return self.secret_key or self._kept_secret("secret_key")

    def personal_data_keys(self) -> tuple[str, ...]:
        """The master key: the setting, what the file or the command that the settings name holds,
        or else one that is stored like the signing key. After it the previous one, while it is
        being replaced. Raises SettingsError."""
        current, previous = self._secret("personal_data_key"), self._secret(PREVIOUS_KEY)
        kept = self.data_dir / PREVIOUS_KEY
        if not (current or previous) and kept.exists():
            previous = kept.read_text()
        found = (current or self._kept_secret("personal_data_key"), previous)
        return tuple(filter(None, found))

    def console_id(self) -> str:
        """Eight hexadecimal digits that identify this console, the same on each of its hosts until
        the master key is replaced."""
        key = self.personal_data_keys()[0].encode()
        return hmac.digest(key, b"countersign console", "sha256").hex()[:8]

    @property
    def keeps_personal_data_key(self) -> bool:
        """Whether the master key is the one in the data folder."""
        return not any(getattr(self, name) for name in sources("personal_data_key"))

    def renew_kept_key(self) -> None:
        """Make a new master key in the data folder and keep the previous one beside it. Does
        nothing if that was begun before. Raises SettingsError."""
        self._kept_secret("personal_data_key")
        try:
            renew_kept_secret(self.data_dir, "personal_data_key", PREVIOUS_KEY)
        except OSError as error:
            raise self._cannot_be_written(error) from error

    def drop_previous_key(self) -> None:
        """Delete the previous master key from the data folder, if it is there."""
        (self.data_dir / PREVIOUS_KEY).unlink(missing_ok=True)

    def _secret(self, name: str) -> str:
        """A secret from its setting, or from the file or the command that the settings name; empty
        without any. Raises SettingsError."""
        text, file, command = (getattr(self, each) for each in sources(name))
        if file:
            return secret_in_file(f"{name.upper()}_FILE", file)
        if command:
            return secret_of_command(f"{name.upper()}_COMMAND", command)
        return str(text)

    def _kept_secret(self, name: str) -> str:
        self.make_data_dir()
        try:
            return kept_secret(self.data_dir, name)
        except OSError as error:
            raise self._cannot_be_written(error) from error

    def make_data_dir(self) -> None:
        """Create the data folder if it is missing, for this user only. Raises SettingsError if that
        fails."""
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self._cannot_be_written(error) from error

    def _cannot_be_written(self, error: OSError) -> SettingsError:
        return SettingsError(
            f"The data folder {self.data_dir} cannot be written ({error.strerror}). "
            "Make it writable for this user, or set DATA_DIR to a folder you may write to."
        )


def _database(name: str, url: str) -> str:
    from cqrs_app.addresses import Unusable, database

    try:
        return database(url)
    except Unusable as reason:
        # Not the address itself: it may hold a password.
        raise SettingsError(
            f"{name} cannot be used: {reason}. Write postgresql://USER:PASSWORD@HOST/NAME, with "
            "commas between several hosts, or sqlite:////ABSOLUTE/PATH."
        ) from None
