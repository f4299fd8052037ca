"""Controls a kernel's subscriptions directly, without commands."""

from __future__ import annotations

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.subscriptions.control import Control


def control_of(kernel: Kernel) -> Control:
    registry = kernel.registry
    engines = {"read": kernel.engines.read, "write": kernel.engines.write}
    return Control(registry.subscriptions, registry.codec, kernel.store, kernel.vault, engines)
