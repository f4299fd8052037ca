"""`flask operators`: make, list, disable and enable accounts, and set passwords."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import click
from flask.cli import AppGroup

from cqrs_app.installed_areas import ROLES
from cqrs_app.interfaces.cli.acting import owner
from cqrs_app.interfaces.cli.sentences import in_one_sentence
from cqrs_app.platform.operators import passwords
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.platform.operators.commands import ResetSecondFactor
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.identities import Identity
from cqrs_app.platform.operators.names import account_of
from cqrs_app.services import services

operators = AppGroup("operators", help="Accounts of the people who work here.")
# More is no password; it also keeps a piped file from filling the memory.
LONGEST_LINE = 10_000
LONGEST_REASON = 300

logger = logging.getLogger(__name__)


def _password_options(command: Callable[..., None]) -> Callable[..., None]:
    for name, text in (
        ("--password-stdin", "Read the password from standard input."),
        ("--generate", "Make up a password and show it once."),
    ):
        command = click.option(name, is_flag=True, help=text)(command)
    return command


@operators.command("create")
@click.argument("name")
@click.option("--role", required=True, help=f"{', '.join(ROLES)}, or a custom role.")
@click.option("--display-name", default="", help="How the name is shown; default: NAME.")
@_password_options
@in_one_sentence
def create(name: str, role: str, display_name: str, password_stdin: bool, generate: bool) -> None:
    """Make an operator who can sign in at once, and then chooses a password."""
    password, shown = _password(password_stdin, generate)
    operator = _accounts().create(
        name, role, password, display_name, must_change_password=True, by=owner()
    )
    click.echo(f"{operator.name} can sign in as {role}, and then chooses a password.{shown}")


@operators.command("list")
def list_operators() -> None:
    """Show every operator with role and state."""
    for operator in _accounts().list():
        state = "can sign in"
        if operator.disabled_at:
            state = f"disabled since {operator.disabled_at:%Y-%m-%d %H:%M} UTC"
        factor = "second factor" if operator.has_second_factor else ""
        click.echo(
            f"{operator.name:<20} {operator.role:<10} {operator.team or '-':<12} {state:<33} "
            f"{factor:<14} "
            f"{operator.display_name}"
        )


@operators.command("disable")
@click.argument("name")
@in_one_sentence
def disable(name: str) -> None:
    """Close an account; its sessions end and its API tokens stop with the next request."""
    now = datetime.now(UTC)
    tokens = [each for each in services.tokens.list() if each.made_by == account_of(name)]
    working = ", ".join(each.name for each in tokens if each.works_at(now))
    _accounts().disable(name, by=owner())
    click.echo(f"{name} is signed out and cannot sign in any more.")
    if working:
        click.echo(f"API tokens that {name} made stopped working: {working}.")


@operators.command("enable")
@click.argument("name")
@in_one_sentence
def enable(name: str) -> None:
    """Open a disabled account again."""
    _accounts().enable(name, by=owner())
    click.echo(f"{name} can sign in again, with the password from before.")


@operators.command("team")
@click.argument("name")
@click.argument("team", default="")
@in_one_sentence
def team_command(name: str, team: str) -> None:
    """Put an operator into a team, to which orders can be assigned; without TEAM, into none."""
    _accounts().set_team(name, team, by=owner())
    operator = _accounts().get(name)
    click.echo(f"{operator.name} is in {f'team {operator.team}' if operator.team else 'no team'}.")


@operators.command("password")
@click.argument("name")
@_password_options
@in_one_sentence
def password_command(name: str, password_stdin: bool, generate: bool) -> None:
    """Set a password for the next sign-in, when the operator chooses another; all sessions end."""
    operator = _accounts().get(name)
    password, shown = _password(password_stdin, generate)
    _accounts().set_password(operator.name, password, must_change_password=True, by=owner())
    click.echo(
        f"{operator.name} is signed out everywhere, and chooses a password after signing in with "
        f"this one.{shown}"
    )


@operators.command("link")
@click.argument("name")
@click.argument("subject")
@in_one_sentence
def link(name: str, subject: str) -> None:
    """Let the person with this SUBJECT at the OpenID provider sign in as NAME."""
    provider = services.openid_provider
    if provider is None:
        raise click.UsageError("OIDC_ISSUER names no provider.")
    operator = _accounts().get(name)
    try:
        identity = Identity.of(provider.client.issuer, subject)
    except ValueError:
        raise click.UsageError("SUBJECT cannot be used: write the claim sub.") from None
    services.identities.link(operator.name, identity)
    logger.warning("single sign-on of %s linked by %s", operator.name, owner().name)
    click.echo(f"{operator.name} can sign in with {provider.name}.")


@operators.command("unlink")
@click.argument("name")
@in_one_sentence
def unlink(name: str) -> None:
    """Remove the link to the OpenID provider; all sessions of the operator end."""
    operator = _accounts().get(name)
    if not services.identities.unlink(operator.name):
        raise AccountError(f"{operator.name} is not linked. Nothing was changed.")
    logger.warning("single sign-on of %s unlinked by %s", operator.name, owner().name)
    click.echo(f"{operator.name} is signed out everywhere and no longer linked.")


@operators.command("reset-second-factor")
@click.argument("name")
@click.option("--reason", required=True, help="Shown to the operator at the next sign-in.")
@in_one_sentence
def reset_second_factor(name: str, reason: str) -> None:
    """Remove authenticator app, passkeys and recovery codes of who lost them; all sessions end."""
    operator = _accounts().get(name)
    given = " ".join(reason.split())[:LONGEST_REASON]
    _accounts().send(ResetSecondFactor(operator=operator.name, reason=given), owner())
    logger.warning("second factors of %s removed by %s: %s", name, owner().name, reason)
    click.echo(f"{operator.name} signs in with the password alone, and is signed out everywhere.")


def _accounts() -> Accounts:
    return services.accounts


def _password(from_stdin: bool, generate: bool) -> tuple[str, str]:
    """The password, and what to say about it: a generated one is shown."""
    if from_stdin and generate:
        raise click.UsageError("Use either --password-stdin or --generate.")
    if from_stdin:
        return sys.stdin.readline(LONGEST_LINE).rstrip("\r\n"), ""
    if not generate and sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return typed, ""
    password = passwords.generate()
    return password, f" The password is {password} (shown this once)."
