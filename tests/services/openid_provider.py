"""An OpenID provider that others certified, oidc-provider, which a console is signed in with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.processes.running import PROJECT, running
from tests.services.obtainable import unobtainable

ENVIRONMENT = PROJECT / ".venv-clients"
PROGRAM = PROJECT / "tests" / "clients" / "openid_provider.mjs"


def settings_for(port: int, **others: Any) -> dict[str, Any]:
    """The settings of a console that is signed in with the provider on this port."""
    return {
        "oidc_issuer": f"http://127.0.0.1:{port}",
        "oidc_client_id": "countersign",
        "oidc_client_secret": "a secret of the test",
        "oidc_name": "Acme",
        **others,
    }


@contextmanager
def openid_provider(port: int, console: str, folder: Path) -> Iterator[None]:
    """The provider on this port, for the console at this address."""
    node, modules = ENVIRONMENT / "bin" / "node", ENVIRONMENT / "node_modules"
    if not (modules / "oidc-provider").is_dir():
        unobtainable("oidc-provider", "bin/install clients")
    shutil.copy(PROGRAM, folder)
    (folder / "node_modules").symlink_to(modules)
    with running(node, folder / PROGRAM.name, str(port), console) as process:
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.strip() == "ready":
                break
        else:
            raise AssertionError("".join(lines))
        yield
