"""A supervisor of dummy children: `python -m tests.processes.stand_in NAME=SHELL_COMMAND...`."""

import os
import sys
import time
from functools import partial

from cqrs_app.processes import kinship
from cqrs_app.processes.stopping import StopRequested, StopSwitch
from cqrs_app.processes.supervisor import Program, Supervisor


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    kinship.adopt_orphans()
    supervisor = Supervisor(say, grace=float(sys.argv[1]))

    def hurry() -> None:
        supervisor.grace = 0.0

    switch = StopSwitch(hurry)
    try:
        for argument in sys.argv[2:]:
            name, script = argument.split("=", 1)
            last = name == "last"
            run = partial(os.execve, "/bin/sh", ("/bin/sh", "-c", script), {})
            supervisor.start(Program(name, run, last))
        say("started")
        while True:
            supervisor.tick()
            time.sleep(0.02)
    finally:
        switch.stopping()
        say("stopping")
        supervisor.stop()


if __name__ == "__main__":
    try:
        main()
    except StopRequested:
        say("stopped")
