"""`flask tokens`: make, list and revoke API tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
from flask.cli import AppGroup

from cqrs_app.installed_areas import ROLES
from cqrs_app.interfaces.cli.acting import SHELL, owner
from cqrs_app.interfaces.cli.sentences import in_one_sentence
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.operators.tokens import DAYS, LONGEST_DAYS, Token, Tokens
from cqrs_app.services import services

tokens = AppGroup("tokens", help="API tokens: how programs get in.")
permission_names = click.Choice(sorted(frozenset[str]().union(*ROLES.values())))


@tokens.command("create")
@click.argument("name")
@click.option("--role", required=True, help=f"{', '.join(ROLES)}, or a custom role.")
@click.option(
    "--permission",
    "permissions",
    multiple=True,
    type=permission_names,
    metavar="PERMISSION",
    help="Only this of what the role may do; repeat for more.",
)
@click.option(
    "--expires-days", type=click.IntRange(1, LONGEST_DAYS), default=DAYS, show_default=True
)
@click.option(
    "--from",
    "networks",
    default="",
    metavar="NETWORKS",
    help="Networks that it works from, with commas; default: any.",
)
@click.option("--never-expires", is_flag=True, help="It works until it is revoked.")
@in_one_sentence
def create(
    name: str,
    role: str,
    permissions: tuple[str, ...],
    expires_days: int,
    networks: str,
    never_expires: bool,
) -> None:
    """Make a token. Its secret is the last line of the output, and is shown this once."""
    expires_at = None if never_expires else datetime.now(UTC) + timedelta(days=expires_days)
    made_by = owner().name
    secret = _tokens().create(
        name,
        role,
        permissions=permissions,
        networks=networks,
        made_by=made_by,
        expires_at=expires_at,
    )
    services.audit.record(Kind.TOKEN_CREATED, made_by, f"token:{name}", detail=role, at=SHELL)
    rights = f"{', '.join(sorted(permissions))} of {role}" if permissions else f"all of {role}"
    until = f" until {expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else ""
    click.echo(f"The token may do {rights}{until}. Keep it now: it cannot be shown again.")
    click.echo(secret)


@tokens.command("list")
def list_tokens() -> None:
    """Show every token with role, state, last use and who made it."""
    now = datetime.now(UTC)
    for token in _tokens().list():
        rights = f" ({' '.join(sorted(token.permissions)) or 'nothing'})"
        used = "never used"
        if token.last_used_at:
            used = f"used {token.last_used_at:%Y-%m-%d %H:%M} UTC"
        click.echo(
            f"{token.name:<20} {token.role + (rights if token.is_narrowed else ''):<12} "
            f"{_state(token, now):<35} {used:<26} made by {token.made_by}"
            + (f", from {token.networks}" if token.networks else "")
        )


@tokens.command("revoke")
@click.argument("name")
@in_one_sentence
def revoke(name: str) -> None:
    """End a token; whoever uses it is refused with the next request."""
    _tokens().revoke(name, owner().name)
    services.audit.record(Kind.TOKEN_REVOKED, owner().name, f"token:{name}", at=SHELL)
    click.echo(f"{name} is revoked.")


def _state(token: Token, now: datetime) -> str:
    if token.revoked_at:
        return f"revoked {token.revoked_at:%Y-%m-%d %H:%M} UTC"
    if not token.expires_at:
        return "works"
    word = "works until" if token.works_at(now) else "expired"
    return f"{word} {token.expires_at:%Y-%m-%d %H:%M} UTC"


def _tokens() -> Tokens:
    return services.tokens
