"""One running console: what `flask up` starts, in which order, and what it tells the person."""

from __future__ import annotations

import dataclasses
import os
import sys
import time

import click

from cqrs_app.processes import embedded_redis, kinship, readiness
from cqrs_app.processes.preflight import CannotStart, project_folder
from cqrs_app.processes.stopping import StopSwitch
from cqrs_app.processes.supervisor import Child, Program, Supervisor, how_it_ended
from cqrs_app.settings import Settings

# After this many seconds with pages but without a worker or the sweep (a Redis server that is
# away, say) the address is printed all the same, with what is missing.
PATIENCE = 45.0


class Console:
    """Starts everything that `settings` ask for and keeps it running until told to stop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.supervisor = Supervisor(say)
        self.password: str | None = None
        self._workers: list[str] = []

    def run(self) -> None:
        """Return only by an exception: StopRequested, or the reason why it cannot run."""
        kinship.adopt_orphans()
        for name, meant in self.settings.misspelt().items():
            say(f"{name} is no setting of the console. Did you mean {meant}?")
        switch = StopSwitch(hurry=self._hurry)
        try:
            self._start_redis()
            self._prepare_stores()
            web = self._start_processes()
            self._announce(self._wait_until_ready(web))
            while True:
                self.supervisor.tick()
                time.sleep(0.2)
        finally:
            switch.stopping()
            if self.password:  # it was made, and the line that shows it was never reached
                say(self._how_to_sign_in())
            say("Stopping.")
            self.supervisor.stop()

    def _hurry(self) -> None:
        self.supervisor.grace = 0.0

    def _start_redis(self) -> None:
        if self.settings.redis_url:
            return
        data_dir = self.settings.data_dir
        embedded_redis.stop_left_over(data_dir)
        if not self._redis_starts():
            aside = embedded_redis.set_aside(data_dir)
            if aside is not None:
                say(f"Redis cannot read its files; they are in {aside} now, and it starts empty.")
            if aside is None or not self._redis_starts():
                raise embedded_redis.RedisUnavailable(
                    "The embedded Redis server did not start; its own words are above or in "
                    f"{embedded_redis.log_file(data_dir)}"
                )
        self.settings = dataclasses.replace(
            self.settings,
            redis_url=embedded_redis.url(data_dir),
            cache_redis_url=self.settings.cache_redis_url or embedded_redis.url(data_dir),
        )

    def _redis_starts(self) -> bool:
        command = embedded_redis.command(self.settings.data_dir)
        child = self.supervisor.start(self._program("Redis", *command, stop_last=True))
        if embedded_redis.wait_until_ready(self.settings.data_dir, child.alive):
            return True
        self.supervisor.discard(child)
        return False

    def _prepare_stores(self) -> None:
        # Imported here: the checks before this answer at once, without loading the product.
        from cqrs_app import create_app
        from cqrs_app.database import upgrade
        from cqrs_app.kernel.subscriptions.tasks import WORKER
        from cqrs_app.platform.demo import load_if_empty
        from cqrs_app.platform.operators.first import ensure_first_operator
        from cqrs_app.services import services_of

        self.settings.ensure_secret_key()
        upgrade(self.settings)
        made = services_of(create_app(self.settings, pages=False))
        kinds = made.kernel.registry.workers().items()
        self._workers = [
            kind
            for kind, tasks in kinds
            if kind == WORKER or any(task.supervised for task in tasks)
        ]
        self.password = ensure_first_operator(self.settings, made.accounts)
        load_if_empty(made.kernel, self.settings.demo_orders, say)

    def _start_processes(self) -> Child:
        for kind in self._workers:
            for number in range(1, self.settings.processes_of(kind) + 1):
                verb = kind.replace(" ", "-")
                self.supervisor.start(self._flask(f"{kind.capitalize()} {number}", verb))
        self.supervisor.start(self._flask("The sweep", "sweep"))
        return self.supervisor.start(
            self._python(
                "The web server",
                "gunicorn",
                "-c",
                "python:cqrs_app.processes.gunicorn_conf",
                "app:app",
            )
        )

    def _flask(self, name: str, command: str) -> Program:
        return self._python(name, "flask", "--app", "app", command)

    def _python(self, name: str, module: str, *arguments: str) -> Program:
        return self._program(name, sys.executable, "-m", module, *arguments)

    def _program(self, name: str, *command: str, stop_last: bool = False) -> Program:
        return Program(name, command, self._environment(), project_folder(), stop_last)

    def _environment(self) -> dict[str, str]:
        # The one place beside Settings that touches the environment: it is not read here but
        # handed on whole, with what has been decided since.
        environment = {
            **os.environ,
            "DATA_DIR": str(self.settings.data_dir),
            "REDIS_URL": self.settings.redis_url,
            "PYTHONUNBUFFERED": "1",
        }
        environment.pop("ADMIN_PASSWORD", None)  # only the first operator's making needs it
        return environment

    def _wait_until_ready(self, web: Child) -> readiness.Readiness:
        deadline = time.monotonic() + PATIENCE
        while True:
            self.supervisor.tick()
            answer = readiness.ask(self.settings)
            if answer.complete or (answer.pages and time.monotonic() > deadline):
                return answer
            if web.last_status is not None and not answer.pages:
                raise CannotStart(
                    f"The web server {how_it_ended(web.last_status)} before it served a page; "
                    f"its own words are above."
                )
            time.sleep(0.1)

    def _announce(self, answer: readiness.Readiness) -> None:
        say("")
        say(f"{self.settings.shop_name} is ready at {readiness.address(self.settings)}")
        say(self._how_to_sign_in())
        self.password = None
        if answer.missing:
            say(f"Not up yet: {', '.join(answer.missing)}. The console goes on trying.")
        say("Ctrl-C stops everything.")

    def _how_to_sign_in(self) -> str:
        start = f"Sign in as {self.settings.admin_name} with"
        if self.password:
            return f"{start} the password {self.password} (shown this once)."
        if self.settings.admin_password:
            return f"{start} the password in ADMIN_PASSWORD."
        return (
            f"{start} the password you were shown the first time; to set a new one: "
            f".venv/bin/flask operators password {self.settings.admin_name}"
        )


def say(text: str) -> None:
    """One line to the person. A terminal that is gone must not keep the console from stopping."""
    try:
        click.echo(text)
    except OSError:
        return
