"""One running console: what `flask up` starts, in which order, and what it prints."""

from __future__ import annotations

import dataclasses
import os
import time
from functools import partial

import click

from cqrs_app.processes import demo_removal, embedded_redis, forking, kinship, readiness
from cqrs_app.processes.preflight import CannotStart
from cqrs_app.processes.stopping import StopSwitch
from cqrs_app.processes.supervisor import Child, Program, Supervisor
from cqrs_app.settings import Settings

# After this many seconds with pages but without a worker or the sweep, for example because Redis is
# down, the address is printed anyway, with what is missing.
PATIENCE = 45.0


class Console:
    """Starts everything that `settings` require and keeps it running until it is stopped."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.supervisor = Supervisor(say)
        self.password: str | None = None

    def run(self) -> None:
        """Return, with everything stopped, once the demo shop is to be removed. Otherwise only by
        an exception: StopRequested, or the reason why it cannot run."""
        kinship.adopt_orphans()
        # The settings hold it. Child processes, such as Redis, must not inherit it.
        os.environ.pop("ADMIN_PASSWORD", None)
        for name, meant in self.settings.misspelt().items():
            say(f"{name} is no setting of the console. Did you mean {meant}?")
        switch = StopSwitch(hurry=self._hurry)
        try:
            self._start_redis()
            web = self._start_processes()
            self._announce(self._wait_until_ready(web))
            while not demo_removal.is_asked(self.settings.data_dir):
                self.supervisor.tick()
                time.sleep(0.2)
            say("An operator removes the demo shop.")
        finally:
            switch.stopping()
            if self.password:  # generated, but not shown yet
                say(self._how_to_sign_in())
            say("Stopping.")
            self.supervisor.stop()
        switch.going_on()

    def _hurry(self) -> None:
        self.supervisor.grace = 0.0

    def _start_redis(self) -> None:
        if self.settings.redis_url:
            return
        data_dir = self.settings.data_dir
        embedded_redis.stop_left_over(data_dir)
        if not self._redis_starts():
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
        run = partial(os.execv, command[0], command)
        child = self.supervisor.start(Program("Redis", run, stop_last=True))
        if embedded_redis.wait_until_ready(self.settings.data_dir, child.alive):
            return True
        self.supervisor.discard(child)
        return False

    def _start_processes(self) -> Child:
        # Imported here, so that the checks before this fail at once, without loading the
        # application.
        from cqrs_app.processes import programs

        self.settings.ensure_secret_key()
        app = programs.load(self.settings)
        # In a child process: this one must have no threads or connections when it forks others.
        prepare = partial(programs.prepare_stores, app, say)
        try:
            self.password = forking.call_in_child("Preparing the stores", prepare)
        except ChildProcessError as error:
            raise CannotStart(f"{error}; its own words are above.") from error
        for program in programs.in_background(app):
            self.supervisor.start(program)
        return self.supervisor.start(programs.web_server(self.settings))

    def _wait_until_ready(self, web: Child) -> readiness.Readiness:
        deadline = time.monotonic() + PATIENCE
        while True:
            self.supervisor.tick()
            answer = readiness.ask(self.settings)
            if answer.complete or (answer.pages and time.monotonic() > deadline):
                return answer
            # A killed web server is restarted, but one that exited would exit again.
            if web.last_status is not None and web.last_status >= 0 and not answer.pages:
                how = kinship.how_it_ended(web.last_status)
                raise CannotStart(
                    f"The web server {how} before it served a page; its own words are above."
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
    """Print one line. A terminal that is gone must not keep the console from stopping."""
    try:
        click.echo(text)
    except OSError:
        return
