"""`zerosum train`."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._groups import grouped
from zerosum.cli._output import JsonFlag, echo, print_json
from zerosum.cli._recipe import RecipeOptions, chosen, completed, data_source, sized
from zerosum.cli._run import RunFlags
from zerosum.cli._use import flags, known, using

if TYPE_CHECKING:
    from zerosum.recipes.recipe import Recipe


@using
@grouped
def train(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE|auto|RUN",
            help="Recipe name (see `zerosum recipes`), recipe.txt, FILE.py with one, auto to choose one for --data, or "
            "a run folder to continue.",
            autocompletion=completed,
        ),
    ],
    changes: RecipeOptions,
    flagged: RunFlags,
    out: Annotated[Path | None, typer.Option(help="Run folder.", show_default="runs/NAME")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    minutes: Annotated[
        float | None, typer.Option(help="Time that the run may take: its images are measured once, at its start.")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print the recipe with all settings, and time and memory from a few updates."),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Train a GAN from a recipe, or continue a run.

    The same command, or the run folder in place of the recipe, resumes a run exactly where it stopped; RUN with more
    --images extends it, where the recipe allows it. Without --out, a run of other settings gets a new folder: NAME-2.
    `auto` looks at --data, prints what it chooses and why, and takes 20 --minutes.
    """
    from zerosum.runs.files import GENERATOR
    from zerosum.training.ranks import is_main_process, report_once
    from zerosum.training.train import train as run_training

    with report_once():
        made, folder, minutes = _chosen(recipe, changes, device, minutes)
        options = flagged.options(minutes)
    if dry_run:
        _show_estimate(made, device, minutes, as_json)
        return
    run = run_training(made, folder if out is None else out, device=device, options=options)
    if as_json and is_main_process():
        facts = {"run": run, "images": run.recipe.images, "report": run.report, "generator": run / GENERATOR}
        print_json({**facts, "scores": run.scores})
    elif is_main_process():
        echo(f"sample with  {shlex.join(('zerosum', 'sample', str(run), *flags()))}", err=True)


def _chosen(
    recipe: str, changes: RecipeOptions, device: str, minutes: float | None
) -> tuple["Recipe", Path | None, float | None]:
    """The recipe with the options, the run folder if it was given, and the time for it."""
    from zerosum.recipes.auto import AUTO, MINUTES

    if minutes is not None and changes.sets_length:
        raise ValueError("--images and --minutes both set the length of a run: give one of them")
    if recipe != AUTO:
        return *chosen(recipe, changes), minutes
    return _chosen_for_data(changes, device), None, MINUTES if minutes is None and not changes.sets_length else minutes


def _chosen_for_data(changes: RecipeOptions, device: str) -> "Recipe":
    """The recipe that fits the data, with the other options; prints why."""
    from zerosum.recipes.auto import choose_recipe
    from zerosum.training.ranks import is_main_process

    if changes.data is None:
        raise ValueError("auto chooses a recipe for data: give --data")
    data = data_source(changes.data)
    choice = choose_recipe(data if changes.size is None else sized(data, changes.size), device)
    if is_main_process():
        for reason in choice.reasons:
            echo(reason, err=True)
    return replace(changes, data=None, size=None).applied(choice.recipe, known())


def _show_estimate(recipe: "Recipe", device: str, minutes: float | None, as_json: bool) -> None:
    from zerosum.cli._bar import bar
    from zerosum.recipes.recipe import pretty
    from zerosum.training.dry_run import estimate

    with bar("trying a few updates") as progress:
        recipe, found = estimate(recipe, device, minutes, progress)
    if as_json:
        print_json({"recipe": pretty(recipe), **found.as_dict()})
        return
    echo(*pretty(recipe).split("\n"))
    echo(*str(found).split("\n"), err=True)
