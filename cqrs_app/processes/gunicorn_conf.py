"""gunicorn's configuration: `gunicorn -c python:cqrs_app.processes.gunicorn_conf app:app`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from cqrs_app.environment import SettingsError
from cqrs_app.services import NAME, services_of
from cqrs_app.settings import Settings

try:
    _settings = Settings.from_environment()
except SettingsError as error:
    # gunicorn would show a traceback.
    sys.exit(error.message)
_host = f"[{_settings.host}]" if ":" in _settings.host else _settings.host
_shared_memory = Path("/dev/shm")  # noqa: S108 - gunicorn makes a private, unlinked file in it

bind = f"{_host}:{_settings.port}"
worker_class = "cqrs_app.processes.web_worker.RequestWorker"
# Load the application before the workers are forked, so that they share its memory.
preload_app = True
workers = _settings.web_workers
threads = _settings.web_threads
# The default is one socket in the home folder, which two consoles on one machine would share.
control_socket_disable = True
# The heartbeat file must not be on a disk: a slow one makes the arbiter kill healthy workers.
worker_tmp_dir = str(_shared_memory) if _shared_memory.is_dir() else None
timeout = 60
graceful_timeout = 8
keepalive = 15
# Restart workers now and then, to limit slow leaks in libraries.
max_requests = 50_000
max_requests_jitter = 5_000
loglevel = "warning"


def worker_exit(server: Any, worker: Any) -> None:
    """Write the counts of this process. A worker that could not load the application has none."""
    if NAME in getattr(worker.wsgi, "extensions", {}):
        services_of(worker.wsgi).close()
