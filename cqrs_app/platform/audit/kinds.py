"""What is recorded: each kind of security event, with its class and activity in OCSF 1.3.

https://schema.ocsf.io/1.3.0/classes
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

MINUTE = timedelta(minutes=1)
AT_ONCE = timedelta(0)


@dataclass(frozen=True, slots=True)
class OcsfClass:
    """`category` is the number of its category."""

    uid: int
    name: str
    category: int
    category_name: str


_IAM = 3, "Identity & Access Management"
_APPLICATION = 6, "Application Activity"
_ACCOUNT_CHANGE = OcsfClass(3001, "Account Change", *_IAM)
_AUTHENTICATION = OcsfClass(3002, "Authentication", *_IAM)
_ACCESS_MANAGEMENT = OcsfClass(3005, "User Access Management", *_IAM)
_WEB_RESOURCES = OcsfClass(6001, "Web Resources Activity", *_APPLICATION)
_LIFECYCLE = OcsfClass(6002, "Application Lifecycle", *_APPLICATION)
_API = OcsfClass(6003, "API Activity", *_APPLICATION)
_DATASTORE = OcsfClass(6005, "Datastore Activity", *_APPLICATION)


@dataclass(frozen=True, slots=True)
class Description:
    """`label` is for people. `every`: repetitions within this time, by the same person, from the
    same address and about the same thing, are counted in one event; zero: each is an event and is
    written at once."""

    label: str
    ocsf: OcsfClass
    activity: int
    activity_name: str
    every: timedelta = AT_ONCE


class Kind(StrEnum):
    """A kind of security event, as events and filters name it."""

    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    FIRST_STEP = "first_step"
    PROOF = "proof"
    PROOF_REFUSED = "proof_refused"
    SIGNED_OUT = "signed_out"
    SESSIONS_ENDED = "sessions_ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a name
    PASSWORD_REFUSED = "password_refused"  # noqa: S105
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    RECOVERY_CODES = "recovery_codes"
    IDENTITY_LINKED = "identity_linked"
    TOKEN_CREATED = "token_created"  # noqa: S105
    TOKEN_FIRST_USED = "token_first_used"  # noqa: S105
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    TOKEN_REFUSED = "token_refused"  # noqa: S105
    DENIED = "denied"
    RATE_LIMITED = "rate_limited"
    ADMINISTRATION = "administration"
    EXPORTED = "exported"
    PERSONAL_DATA_SEEN = "personal_data_seen"
    SETTINGS_CHANGED = "settings_changed"

    @property
    def label(self) -> str:
        return KINDS[self].label


KINDS = MappingProxyType(
    {
        Kind.SIGNED_IN: Description("Signed in", _AUTHENTICATION, 1, "Logon"),
        Kind.SIGN_IN_REFUSED: Description("Sign-in refused", _AUTHENTICATION, 1, "Logon", MINUTE),
        Kind.FIRST_STEP: Description("First step of sign-in", _AUTHENTICATION, 6, "Preauth"),
        Kind.PROOF: Description("Identity confirmed", _AUTHENTICATION, 99, "Other"),
        Kind.PROOF_REFUSED: Description(
            "Confirmation refused", _AUTHENTICATION, 99, "Other", MINUTE
        ),
        Kind.SIGNED_OUT: Description("Signed out", _AUTHENTICATION, 2, "Logoff"),
        Kind.SESSIONS_ENDED: Description("Sessions ended", _AUTHENTICATION, 2, "Logoff"),
        Kind.PASSWORD_CHANGED: Description(
            "Password changed", _ACCOUNT_CHANGE, 3, "Password Change"
        ),
        Kind.PASSWORD_REFUSED: Description(
            "Change of password refused", _ACCOUNT_CHANGE, 3, "Password Change", MINUTE
        ),
        Kind.FACTOR_ADDED: Description(
            "Second factor added", _ACCOUNT_CHANGE, 10, "MFA Factor Enable"
        ),
        Kind.FACTOR_REMOVED: Description(
            "Second factor removed", _ACCOUNT_CHANGE, 11, "MFA Factor Disable"
        ),
        Kind.RECOVERY_CODES: Description(
            "New recovery codes", _ACCOUNT_CHANGE, 10, "MFA Factor Enable"
        ),
        Kind.IDENTITY_LINKED: Description("Single sign-on linked", _ACCOUNT_CHANGE, 99, "Other"),
        Kind.TOKEN_CREATED: Description(
            "API token created", _ACCESS_MANAGEMENT, 1, "Assign Privileges"
        ),
        Kind.TOKEN_FIRST_USED: Description("API token used first", _AUTHENTICATION, 1, "Logon"),
        Kind.TOKEN_REVOKED: Description(
            "API token revoked", _ACCESS_MANAGEMENT, 2, "Revoke Privileges"
        ),
        Kind.TOKEN_REFUSED: Description("API token refused", _AUTHENTICATION, 1, "Logon", MINUTE),
        Kind.DENIED: Description("Access denied", _WEB_RESOURCES, 99, "Other", MINUTE),
        Kind.RATE_LIMITED: Description("Too many requests", _WEB_RESOURCES, 99, "Other", MINUTE),
        Kind.ADMINISTRATION: Description("Sensitive action", _API, 3, "Update", MINUTE),
        Kind.EXPORTED: Description("List exported", _WEB_RESOURCES, 7, "Export"),
        Kind.PERSONAL_DATA_SEEN: Description(
            "Personal data seen", _DATASTORE, 4, "Query", 10 * MINUTE
        ),
        Kind.SETTINGS_CHANGED: Description("Settings changed", _LIFECYCLE, 8, "Update"),
    }
)
