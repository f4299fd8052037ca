"""The write store's tables for operators."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    false,
)

from cqrs_app.kernel.store.columns import UtcDateTime
from cqrs_app.kernel.store.tables import write_tables

NAME_LENGTH = 40
ROLE_LENGTH = 20
EMAIL_LENGTH = 254
ADDRESS_LENGTH = 64
USER_AGENT_LENGTH = 300
MAKER_LENGTH = 100
ZONE_LENGTH = 60
CREDENTIAL_LENGTH = 1_364
"""The 1,023 bytes that WebAuthn allows for a credential id, in base64url."""
ISSUER_LENGTH = 300
SUBJECT_LENGTH = 255
EXTERNAL_LENGTH = 200
"""What OpenID Connect allows for a subject."""

operators = Table(
    "operators",
    write_tables,
    Column("name", String(NAME_LENGTH), primary_key=True),
    Column("display_name", String(100), nullable=False),
    Column("role", String(ROLE_LENGTH), nullable=False),
    # Empty for who signs in with an OpenID provider only, or has yet to choose one.
    Column("password_hash", String(200), nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("password_changed_at", UtcDateTime, nullable=False),
    Column("last_sign_in_at", UtcDateTime),
    # The time zone in which times are shown; empty for the shop's.
    Column("timezone", String(ZONE_LENGTH), nullable=False, server_default=""),
    # Orders can be assigned to a team; empty for none.
    Column("team", String(NAME_LENGTH), nullable=False, server_default=""),
    # JSON: see preferences.py.
    Column("preferences", Text, nullable=False, server_default="{}"),
    # Whether somebody else chose the password: see accounts.py.
    Column("must_change_password", Boolean, nullable=False, server_default=false()),
    # What changed in the account since the last sign-in, one sentence a line.
    Column("security_notice", Text, nullable=False, server_default=""),
    # Where sign-in links are sent, and notifications once it is confirmed. NULL until it is carried
    # over from an earlier release: see notifications/addresses.py.
    Column("email", String(EMAIL_LENGTH)),
    # Another one that the operator has chosen and not confirmed yet.
    Column("email_chosen", String(EMAIL_LENGTH)),
    Column("email_confirmed_at", UtcDateTime),
)

operator_links = Table(
    "operator_links",
    write_tables,
    Column("operator", String(NAME_LENGTH), primary_key=True),
    # The command that made it, from which the link is derived: see links.py.
    Column("command_id", String(100), nullable=False),
    Column("made_by", String(MAKER_LENGTH), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    # Whether who made it has seen it or had it sent.
    Column("taken", Boolean, nullable=False, server_default=false()),
)

operator_roles = Table(
    "operator_roles",
    write_tables,
    Column("name", String(ROLE_LENGTH), primary_key=True),
    Column("based_on", String(ROLE_LENGTH), nullable=False),
    # Separated by spaces, with `limited` if it has limits.
    Column("permissions", Text, nullable=False),
    # JSON: see types.CustomRole.
    Column("definition", Text, nullable=False),
)

sessions = Table(
    "sessions",
    write_tables,
    # SHA-256 of the token in hexadecimal, so that a copy of the database opens no session.
    Column("token_hash", String(64), primary_key=True),
    Column("operator", String(NAME_LENGTH), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("address", String(ADDRESS_LENGTH), nullable=False),
    Column("user_agent", String(USER_AGENT_LENGTH), nullable=False),
    # Only the password was right so far: nobody is signed in with this session.
    Column("second_factor_due", Boolean, nullable=False, server_default=false()),
    # When the operator last proved who they are: see stepping up in docs/signing-in.md.
    Column("verified_at", UtcDateTime),
    # Of whom an OpenID provider signed in: hashes of who that is there and of the provider's
    # session, by which it ends ours, and whether it checked a second factor.
    Column("identity", String(64), nullable=False, server_default=""),
    Column("provider_session", String(64), nullable=False, server_default=""),
    Column("provider_factor", Boolean, nullable=False, server_default=false()),
)
Index("ix_sessions_operator", sessions.c.operator)
Index("ix_sessions_expires_at", sessions.c.expires_at)

operator_identities = Table(
    "operator_identities",
    write_tables,
    Column("issuer", String(ISSUER_LENGTH), primary_key=True),
    Column("subject", String(SUBJECT_LENGTH), primary_key=True),
    Column("operator", String(NAME_LENGTH), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),
)
Index("ix_operator_identities_operator", operator_identities.c.operator, unique=True)

# What an identity provider calls an operator whom it provisions.
scim_users = Table(
    "scim_users",
    write_tables,
    Column("operator", String(NAME_LENGTH), primary_key=True),
    Column("external_id", String(EXTERNAL_LENGTH), nullable=False),
    # Since when the provider has deleted the user; the operator is disabled, and kept.
    Column("deleted_at", UtcDateTime),
)

scim_groups = Table(
    "scim_groups",
    write_tables,
    Column("group_id", String(36), primary_key=True),
    Column("display_name", String(EXTERNAL_LENGTH), nullable=False, unique=True),
    Column("external_id", String(EXTERNAL_LENGTH), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

scim_members = Table(
    "scim_members",
    write_tables,
    Column("group_id", String(36), primary_key=True),
    Column("operator", String(NAME_LENGTH), primary_key=True),
)
Index("ix_scim_members_operator", scim_members.c.operator)

authenticator_apps = Table(
    "authenticator_apps",
    write_tables,
    Column("operator", String(NAME_LENGTH), primary_key=True),
    # Sealed with the operator's key: see authenticator_apps.py.
    Column("secret", Text, nullable=False),
    # The time step of the last code that was accepted. It and earlier ones are refused.
    Column("last_step", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

HAS_SECOND_FACTOR = (
    "(EXISTS (SELECT 1 FROM passkeys WHERE passkeys.operator = operators.name) OR "
    "EXISTS (SELECT 1 FROM authenticator_apps WHERE authenticator_apps.operator = operators.name))"
)
"""Of a row of `operators`, as SQL."""

recovery_codes = Table(
    "recovery_codes",
    write_tables,
    # SHA-256 of the code in hexadecimal.
    Column("code_hash", String(64), primary_key=True),
    Column("operator", String(NAME_LENGTH), nullable=False),
    Column("used_at", UtcDateTime),
)
Index("ix_recovery_codes_operator", recovery_codes.c.operator)

passkeys = Table(
    "passkeys",
    write_tables,
    # In base64url, as browsers send it.
    Column("credential_id", String(CREDENTIAL_LENGTH), primary_key=True),
    Column("operator", String(NAME_LENGTH), nullable=False),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    # Whether it may be copied to other devices, and whether it was.
    Column("backup_eligible", Boolean, nullable=False),
    Column("backed_up", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),
)
Index("ix_passkeys_operator", passkeys.c.operator)

passkey_challenges = Table(
    "passkey_challenges",
    write_tables,
    # In base64url; deleted when it is used.
    Column("challenge", String(100), primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False),
)
Index("ix_passkey_challenges_expires_at", passkey_challenges.c.expires_at)

sign_in_failures = Table(
    "sign_in_failures",
    write_tables,
    Column("account", String(NAME_LENGTH), primary_key=True),
    Column("network", String(ADDRESS_LENGTH), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("wait_until", UtcDateTime),
)
Index("ix_sign_in_failures_last_at", sign_in_failures.c.last_at)

api_tokens = Table(
    "api_tokens",
    write_tables,
    # SHA-256 of the secret in hexadecimal, so that a copy of the database contains no usable token.
    Column("secret_hash", String(64), primary_key=True),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("role", String(ROLE_LENGTH), nullable=False),
    # Separated by spaces; empty for all permissions of the role.
    Column("permissions", Text, nullable=False, server_default=""),
    # With commas; empty for any.
    Column("networks", Text, nullable=False, server_default=""),
    Column("made_by", String(MAKER_LENGTH), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("revoked_by", String(MAKER_LENGTH)),
)
_living = api_tokens.c.revoked_at.is_(None)
Index(
    "ix_api_tokens_name",
    api_tokens.c.name,
    unique=True,
    postgresql_where=_living,
    sqlite_where=_living,
)
