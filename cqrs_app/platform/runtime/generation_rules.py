"""What stands against a command on the second generation of a projection."""

from __future__ import annotations

from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.middleware import Middleware, Proceed
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.subscriptions.subscription import GenerationOperation
from cqrs_app.platform.runtime.commands import (
    CompareGenerations,
    DropGeneration,
    RebuildBeside,
    RepairProjection,
    SwapProjection,
    SwitchBack,
)
from cqrs_app.platform.runtime.control import ReadStoreControl
from cqrs_app.platform.runtime.projection_control import NO_PROJECTION, NOT_READY

_OPERATIONS: dict[type[Command], GenerationOperation] = {
    RebuildBeside: "begin",
    CompareGenerations: "compare",
    SwapProjection: "swap",
    SwitchBack: "back",
    DropGeneration: "drop",
}


def generation_rules(control: ReadStoreControl) -> Middleware:
    """Refuse what the read store would not carry out. It asks again when it does: see
    kernel/projections/generation_control.py."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        operation = _OPERATIONS.get(type(call.command))
        if operation is not None or isinstance(call.command, RepairProjection):
            name: str = getattr(call.command, "projection")  # noqa: B009 - all of them have it
            if not control.is_projection(name):
                raise NO_PROJECTION.because(f"{name} is no projection and cannot be rebuilt.")
        if operation is not None:
            accepted = getattr(call.command, "accept_differences", 0)
            if objection := control.objection(operation, name, accepted):
                raise NOT_READY.because(f"{objection}")
        return proceed(call)

    return check
