"""The command line: one file a verb. Standard output is data, standard error is talk.

Nothing here imports torch before a verb runs, so `zerosum --help` answers at once.
"""

import os
import sys

import typer

from zerosum.cli import bench, compare, data, evaluate, recipes, report, sample, train

app = typer.Typer(
    help="zerosum: train generative adversarial networks, watch them, sample from them.",
    epilog="Start with: zerosum train digits",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("train")(train.train)
app.command("sample")(sample.sample)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("report")(report.report)
app.command("recipes")(recipes.recipes)
app.add_typer(data.app, name="data")
app.add_typer(bench.app, name="bench")


@app.callback(invoke_without_command=True)
def root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit.", is_eager=True),
) -> None:
    """What comes before any verb."""
    if version:
        from zerosum import __version__

        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line; what a user got wrong is told in one sentence, without a traceback.

    With ZEROSUM_TRACEBACK=1 in the environment, errors are raised as they are.
    """
    try:
        app()
    except (ValueError, ArithmeticError, OSError, MemoryError) as error:
        if os.environ.get("ZEROSUM_TRACEBACK"):
            raise
        from zerosum._text import printable

        typer.echo(printable(f"zerosum: {error}", kept="\n"), err=True)
        sys.exit(1)
