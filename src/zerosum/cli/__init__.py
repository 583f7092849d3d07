"""The command line, one file per command. Results go to standard output, messages to standard error.

A verb is a public module of this room: it defines a function of the module's name or, for a group of verbs, a
`typer.Typer` named `app`. Verb files import torch inside functions only, so `zerosum --help` answers at once.
"""

import os
import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

import typer

from zerosum._faults import explained_memory
from zerosum._paths import current_folder_exists, user_path
from zerosum._rooms import modules
from zerosum._streams import drop_unwritten, lossy, open_closed_descriptors
from zerosum.cli._output import echo

# The order of the help; further verbs follow by name.
FIRST = ("train", "sample", "evaluate", "compare", "report", "recipes", "parts", "data")

app = typer.Typer(
    help="Train, sample and evaluate generative adversarial networks (GANs).",
    epilog="Example: zerosum train digits",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain text, whose paragraphs wrap to the terminal
)


def verbs() -> dict[str, ModuleType]:
    """The files of all verbs by the verb's name, in the order of the help: those of `FIRST`, then the rest by name."""
    found = {module.__name__.rpartition(".")[2].replace("_", "-"): module for module in modules(__name__)}
    last = len(FIRST)
    return {name: found[name] for name in sorted(found, key=lambda n: (FIRST.index(n) if n in FIRST else last, n))}


def add(to: typer.Typer, name: str, module: ModuleType) -> None:
    """Add a file's verb to an application; raises `ValueError` for a file that has none."""
    parts = vars(module)
    group, command = parts.get("app"), parts.get(name.replace("-", "_"))
    if isinstance(group, typer.Typer):
        for one in group.registered_commands:
            one.callback = None if one.callback is None else _with_paths(one.callback)
        to.add_typer(group, name=name)
    elif callable(command):
        to.command(name)(_with_paths(command))
    else:
        raise ValueError(
            f"{module.__name__} is a file of a verb and has none: define a function {name.replace('-', '_')}, or app, "
            f"or begin the file's name with _"
        )


def _with_paths(command: Callable[..., None]) -> Callable[..., None]:
    """The command, given its paths with ~ expanded: shells do not expand it in `--out=~/runs` or within quotes."""

    @wraps(command)
    def _expanded(*arguments: Any, **options: Any) -> None:
        command(*arguments, **{name: _expand(value) for name, value in options.items()})

    return _expanded


def _expand(value: Any) -> Any:
    if isinstance(value, list):
        return [_expand(one) for one in value]
    return user_path(value) if isinstance(value, Path) else value


for _name, _module in verbs().items():
    add(app, _name, _module)


@app.callback(invoke_without_command=True)
def root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit.", is_eager=True),
) -> None:
    """Train, sample and evaluate generative adversarial networks (GANs)."""
    if version:
        from zerosum import __version__

        echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line; errors of the user are reported in one sentence, without a traceback.

    Messages that cannot be written, since the reader of standard error is gone or its disk full, are lost and end no
    command. With ZEROSUM_TRACEBACK=1 in the environment, errors are raised as they are.
    """
    open_closed_descriptors()
    try:
        with redirect_stderr(lossy(sys.stderr)):
            _run()
    finally:
        drop_unwritten(sys.stdout, sys.stderr)


def _run() -> None:
    if not current_folder_exists():
        echo("zerosum: the current folder no longer exists: change to another one", err=True)
        sys.exit(1)
    try:
        with explained_memory("this command", "number of samples or a smaller --batch"):
            app()
    except (ValueError, ArithmeticError, OSError, MemoryError) as error:
        if os.environ.get("ZEROSUM_TRACEBACK"):
            raise
        echo(*f"zerosum: {error}".split("\n"), err=True)
        sys.exit(1)
