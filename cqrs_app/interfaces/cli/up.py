"""`flask up`: the whole console under one foreground command."""

from __future__ import annotations

import click

from cqrs_app.environment import SettingsError
from cqrs_app.interfaces.cli.faults import database_in_one_sentence
from cqrs_app.processes.console import Console, say
from cqrs_app.processes.demo_removal import carry_out
from cqrs_app.processes.embedded_redis import RedisUnavailable
from cqrs_app.processes.preflight import CannotStart, claim_data_folder, require_free_port
from cqrs_app.processes.stopping import StopRequested
from cqrs_app.settings import Settings

CHECK_URL = "Nothing was started. Check DATABASE_URL, and that the server runs."


@click.command("up")
def up() -> None:
    """Run pages, workers, sweep and, without REDIS_URL, Redis. Ctrl-C stops all of it."""
    try:
        settings = Settings.from_environment()
        with database_in_one_sentence(CHECK_URL), claim_data_folder(settings.data_dir):
            while True:
                settings = carry_out(settings, say)
                require_free_port(settings.host, settings.port)
                Console(settings).run()
    except StopRequested:
        return
    except (SettingsError, CannotStart, RedisUnavailable) as error:
        raise click.ClickException(str(error)) from error
