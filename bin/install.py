"""Installs one of the pinned requirement files into an environment; run by bin/install.

Standard library only. Safe to run twice at the same time and to interrupt at any moment.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = {
    "run": "requirements.txt",
    "dev": "requirements-dev.txt",
    "traces": "requirements-traces.txt",
    "encryption": "requirements-encryption.txt",
    "parquet": "requirements-parquet.txt",
    "supply": "requirements-supply.txt",
    "bench": "bench/requirements.txt",
    "clients": "tests/clients/requirements.txt",
    "docs": "docs/site/requirements.txt",
}
PLACES = {
    "bench": ".venv-bench",
    "clients": ".venv-clients",
    "docs": ".venv-docs",
    "supply": ".venv-supply",
}
"""Packages of other products are installed separately from those of this one."""
NODE = {"clients": ("package.json", "package-lock.json")}
"""Files beside the requirements from which npm, which is among them, installs."""


def main(project: Path, kind: str, folder: str = "") -> None:
    """Install what the requirement file of `kind` names, or exit with one sentence. `folder` is the
    environment; by default the one of that kind."""
    if kind not in REQUIREMENTS:
        sys.exit("Usage: bin/install [run|dev|traces|parquet|encryption|bench|clients|docs|supply]")
    requirements = project / REQUIREMENTS[kind]
    packages = [requirements.parent / name for name in NODE.get(kind, ())]
    venv = project / (folder or PLACES.get(kind, ".venv"))
    stamp = venv / f".installed-{kind}"
    listed = b"".join(each.read_bytes() for each in (requirements, *packages))
    wanted = hashlib.sha256(listed).hexdigest()
    if is_current(venv, stamp, wanted):
        return
    try:
        lock = (project / ".venv.lock").open("a")
    except OSError as error:
        sys.exit(f"The folder {project} cannot be written ({error.strerror}); .venv goes there.")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # waits for another copy that installs just now
        if not is_current(venv, stamp, wanted):
            install(venv, requirements)
            if packages:
                install_node(venv, packages)
            stamp.write_text(wanted)


def is_current(venv: Path, stamp: Path, wanted: str) -> bool:
    """Whether the environment works and was installed from requirements with the digest
    `wanted`."""
    return (
        not (venv / ".installing").exists()
        and stamp.is_file()
        and stamp.read_text() == wanted
        and works(venv)
    )


def works(venv: Path) -> bool:
    """Whether its Python starts. It does not if the Python it was made from is gone."""
    python = venv / "bin" / "python"
    return os.access(python, os.X_OK) and succeeds(python, "-c", "pass")


def install(venv: Path, requirements: Path) -> None:
    """Install into the environment. It is created first if it is absent, broken or incomplete."""
    marker = venv / ".installing"
    python = venv / "bin" / "python"
    if marker.exists() or not works(venv) or not succeeds(python, "-m", "pip", "--version"):
        shutil.rmtree(venv, ignore_errors=True)
        make(venv)
    say(f"Installing {requirements.name} into {venv.name} (once; needs the network) ...")
    marker.touch()
    # The file names everything: pip must not look for what else it might take. (It refuses the file
    # otherwise as soon as there is a newer release of a package that is pinned with an extra.)
    options = ("--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps")
    command = (python, "-m", "pip", "install", *options, "-r", requirements)
    result = subprocess.run(command, check=False)
    marker.unlink()  # not reached when interrupted: the next run starts afresh
    if result.returncode != 0:
        sys.exit(
            f"The packages of {requirements.name} could not be installed; the reason is above. "
            f"Nothing is lost: run the same command again."
        )


def install_node(venv: Path, packages: list[Path]) -> None:
    """Install exactly the locked npm packages into the environment, none of their scripts run."""
    say(f"Installing {packages[-1].name} into {venv.name} ...")
    for each in packages:
        shutil.copy(each, venv)
    npm = (venv / "bin" / "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    search = {"PATH": f"{venv / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    quietly = {"stdout": subprocess.DEVNULL, "env": os.environ | search}
    if subprocess.run(npm, cwd=venv, check=False, **quietly).returncode != 0:
        sys.exit(
            f"The packages of {packages[-1].name} could not be installed; the reason is above. "
            f"Nothing is lost: run the same command again."
        )


def make(venv: Path) -> None:
    """Create the empty environment, with pip."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(
            f"Python's {' and '.join(missing)} module is missing. On Debian and Ubuntu: "
            f"apt-get install python3-venv"
        )
    say(f"Making {venv.name} with Python {sys.version.split()[0]} ...")
    if not succeeds(sys.executable, "-m", "venv", venv, quiet=False):
        sys.exit(f"Python's venv module could not make {venv}; its own words are above.")


def succeeds(*command: str | Path, quiet: bool = True) -> bool:
    """Whether the command ends with status 0."""
    sink = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, check=False, stdout=sink, stderr=sink).returncode == 0


def say(text: str) -> None:
    """Progress goes to standard error: bin/test and bin/check print results."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), *sys.argv[2:])
    except KeyboardInterrupt:
        sys.exit(130)
