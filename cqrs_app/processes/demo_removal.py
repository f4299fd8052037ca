"""Puts the demo shop aside, so that the console starts empty. Nothing of it is deleted.

Three files in the data folder say how far that is: ASKED that an operator wants it, BEGUN where
everything is moved to, and DEMO_REMOVED that it is done. What is killed in between is undone or
finished at the next start.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cqrs_app.processes import forking
from cqrs_app.processes.preflight import CannotStart
from cqrs_app.settings import DEMO_REMOVED, Settings

if TYPE_CHECKING:
    from cqrs_app.kernel.assembly import Kernel

ASKED = "demo_removal"
BEGUN = "demo_removal_begun"
ASIDE = "demo-"
"""How the names of the folders begin that demo shops are put into."""
STAYS = frozenset({"lock", BEGUN, DEMO_REMOVED, "lost+found"})
"""What is not moved, besides those folders."""


def ask(folder: Path) -> None:
    """From now on it is wanted: the supervisor of the console on this data folder looks for it."""
    (folder / ASKED).touch(mode=0o600)


def is_asked(folder: Path) -> bool:
    """Whether it is wanted, and not begun."""
    return (folder / ASKED).exists()


def begin(settings: Settings, kernel: Kernel) -> None:
    """From now on the demo shop goes, whatever happens. No other process uses the data folder, and
    this one must no longer use it. Raises NotRemovable, and it is wanted no longer then."""
    # Imported here, so that the supervisor can ask without loading the application.
    from cqrs_app.platform.demo.removal import require_removable

    folder = settings.data_dir
    (folder / ASKED).unlink(missing_ok=True)
    require_removable(settings, kernel)
    if settings.cache_redis_url:
        kernel.cache.forget_all()
    kernel.engines.dispose()
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as file:
        file.write(f"{ASIDE}{kernel.clock():%Y%m%d-%H%M%S}")
    Path(file.name).replace(folder / BEGUN)


def finish(folder: Path) -> Path | None:
    """Move everything in the data folder into one below it, and return that; None if it was not
    begun. Raises CannotStart if something cannot be moved."""
    begun = folder / BEGUN
    if not begun.exists():
        return None
    aside = folder / begun.read_text()
    try:
        aside.mkdir(mode=0o700, exist_ok=True)
        for path in sorted(folder.iterdir()):
            if path.name not in STAYS and not path.name.startswith(ASIDE):
                _move(path, aside / path.name)
        begun.replace(folder / DEMO_REMOVED)
    except OSError as error:
        raise CannotStart(
            f"The demo shop is half removed: {error.filename} cannot be moved into {aside} "
            f"({error.strerror}). Make that possible, and start again."
        ) from error
    return aside


def carry_out(settings: Settings, say: Callable[[str], None]) -> Settings:
    """Do what was asked for, and finish what was begun; returns the settings to start with. The
    caller holds the data folder, and no process uses it. If the demo shop cannot be removed, it
    stays and `say` gets the reason. Raises CannotStart if it is half removed."""
    if is_asked(settings.data_dir):
        # In a child process: this one must have no connections when it forks others.
        refusal = forking.call_in_child("Removing the demo shop", partial(_begun, settings))
        if refusal:
            say(f"The demo shop stays. {refusal}")
    if aside := finish(settings.data_dir):
        say(f"The demo shop is in {aside}, and opens again with DATA_DIR={aside}.")
    return settings.resolved()


def _begun(settings: Settings) -> str:
    """Empty, or why it stays."""
    from cqrs_app import create_app
    from cqrs_app.platform.demo.removal import NotRemovable
    from cqrs_app.services import services_of

    services = services_of(create_app(settings, pages=False))
    try:
        begin(settings, services.kernel)
    except NotRemovable as error:
        return str(error)
    finally:
        services.close()
    return ""


def _move(path: Path, target: Path) -> None:
    if target.exists():
        raise CannotStart(
            f"The demo shop is half removed, and {path} was made since. Look at what it holds, "
            "move it elsewhere, and start again."
        )
    path.rename(target)
