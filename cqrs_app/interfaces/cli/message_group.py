"""A group of the command line with one subcommand per declared command or query."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
from flask.cli import with_appcontext

from cqrs_app.installed_areas import build_registry
from cqrs_app.interfaces.cli.faults import in_shell_words
from cqrs_app.interfaces.cli.field_options import fields_file, options_for, told, values_given
from cqrs_app.interfaces.cli.one_line_log import one_line_each
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Command, Query, parse
from cqrs_app.kernel.registry import Registry

Authorise = Callable[[type[Any], click.Context], None]
Run = Callable[[Any, click.Context], None]


@functools.cache
def registry() -> Registry:
    """The available messages; needs no database."""
    return build_registry()


class MessageCommand(click.Command):
    """Fields may also be written as in JSON: --order_id."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = {name for param in self.params for name in (*param.opts, *param.secondary_opts)}
        return super().parse_args(ctx, [_dashed(word, known) for word in args])


class MessageGroup(click.Group):
    """`messages` lists the classes by name; `run(message, context)` does the work of one after
    `authorise(class, context)` has accepted it: permission is checked before the fields.
    """

    def __init__(
        self,
        name: str,
        messages: Callable[[], Mapping[str, type[Any]]],
        authorise: Authorise,
        run: Run,
        options: Sequence[click.Option],
        **rest: Any,
    ) -> None:
        super().__init__(name, **rest)
        self._messages = messages
        self._authorise = authorise
        self._run = run
        self._options = options

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._messages())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        cls = self._messages().get(cmd_name)
        return self._command_for(cls) if cls else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self._messages() and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self._messages(), n=1)
            hint = f" Did you mean {near[0]}?" if near else f" `flask {self.name}` lists them."
            ctx.fail(f"There is no {self.name} called {args[0]}.{hint}")
        return super().resolve_command(ctx, args)

    def _command_for(self, cls: type[Command] | type[Query]) -> click.Command:
        params = [*options_for(cls), fields_file, *self._options]
        label, permission = cls.declaration.label, cls.declaration.permission
        return MessageCommand(
            cls.__name__,
            params=list(params),
            callback=self._callback(cls),
            help=f"{label}. {cls.__doc__ or ''}\n\nNeeds the permission {permission}.",
            short_help=label,
            context_settings={"max_content_width": 100},
        )

    def _callback(self, cls: type[Command] | type[Query]) -> Callable[..., None]:
        @with_appcontext
        @click.pass_context
        def callback(ctx: click.Context, /, **_: Any) -> None:
            one_line_each()
            with in_shell_words(ctx):
                self._authorise(cls, ctx)
                self._run(message_from(cls, ctx), ctx)

        return callback


def _dashed(word: str, known: set[str]) -> str:
    name, sign, value = word.partition("=")
    dashed = name.replace("_", "-")
    return f"{dashed}{sign}{value}" if name.startswith("--") and dashed in known else word


def message_from(cls: type[Any], ctx: click.Context) -> Any:
    """The typed message. Raises click.UsageError (exit status 2) naming each option."""
    try:
        return parse(cls, values_given(ctx))
    except Invalid as invalid:
        lines = [f"  {told(cls, place, text)}" for place, text in invalid.problems.items()]
        heading = "This cannot be used, so nothing was done:"
        raise click.UsageError("\n".join([heading, *sorted(lines)]), ctx) from None
