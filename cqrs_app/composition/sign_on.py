"""Single sign-on, and the roles that settings name."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import ProgrammingError

from cqrs_app.environment import SettingsError
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.platform.operators.openid_provider import Client, OpenIdProvider
from cqrs_app.platform.operators.roles import KnownRoles, Roles
from cqrs_app.platform.operators.sign_on_rules import SignOnRules
from cqrs_app.settings import Settings


def known_roles(engine: Engine, built_in: Roles, settings: Settings) -> Roles:
    """The roles that settings may name: the built-in ones, and the shop's own if they name any.
    Those are taken as they are while the store is down, or not made yet."""
    others = settings.named_roles.difference(built_in)
    if not others:
        return built_in
    try:
        return KnownRoles(engine, built_in).all()
    except (*DATABASE_TROUBLE, ProgrammingError):
        return {**built_in, **dict.fromkeys(others, frozenset[str]())}
    finally:
        engine.dispose()  # processes that are forked from this one open connections of their own


def refuse_unknown_roles(settings: Settings, roles: Collection[str]) -> None:
    for name, named in (
        ("SECOND_FACTOR_ROLES", settings.roles_with_second_factor),
        ("ROLE_NETWORKS", settings.networks_of_roles),
    ):
        for role in set(named).difference(roles):
            raise SettingsError(
                f"{name} has {role!r}, which is no role. Roles are: {', '.join(roles)}."
            )


def openid_provider(settings: Settings, roles: Roles) -> OpenIdProvider | None:
    """The provider of single sign-on, if the settings name one. Raises SettingsError."""
    if not settings.oidc_issuer:
        return None
    client = Client(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        name=settings.oidc_name,
        scopes=settings.oidc_scopes,
    )
    rules = SignOnRules(
        name_claim=settings.oidc_name_claim,
        roles_claim=settings.oidc_roles_claim,
        roles=_mapped_roles("OIDC", settings.oidc_role_pairs, settings.oidc_default_role, roles),
        default_role=settings.oidc_default_role,
        factors=settings.oidc_factors,
        creates=settings.oidc_create_operators,
    )
    return OpenIdProvider(client, rules)


def provisioning_rules(settings: Settings, roles: Roles) -> SignOnRules:
    """The roles that groups give which an identity provider provisions. Raises SettingsError."""
    default = settings.scim_default_role
    return SignOnRules(
        roles=_mapped_roles("SCIM", settings.scim_role_pairs, default, roles),
        default_role=default,
    )


def _mapped_roles(
    prefix: str, found: Sequence[tuple[str, str]], default: str, roles: Roles
) -> list[tuple[str, str]]:
    """The pairs of the setting _ROLES, the role with the fewest permissions first. Raises
    SettingsError."""
    for name, role in (
        *((f"{prefix}_ROLES", role) for _, role in found),
        *([(f"{prefix}_DEFAULT_ROLE", default)] if default else []),
    ):
        if role not in roles:
            raise SettingsError(
                f"{name} has {role!r}, which is no role. Roles are: {', '.join(roles)}."
            )
    return sorted(found, key=lambda pair: len(roles[pair[1]]))
