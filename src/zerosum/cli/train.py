"""`zerosum train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._output import JsonFlag, print_json
from zerosum.cli._use import known, using

if TYPE_CHECKING:
    from zerosum.data.dataset import Source
    from zerosum.recipes.recipe import Recipe


@using
def train(
    recipe: Annotated[
        str,
        typer.Argument(metavar="RECIPE", help="Recipe name (see `zerosum recipes`), recipe.txt, or FILE.py with one."),
    ],
    data: Annotated[
        str | None,
        typer.Option(help="Training data: folder or zip of images, .npy/.npz file, or a source like 'Ring()'."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder.", show_default="runs/NAME")] = None,
    images: Annotated[int | None, typer.Option(help="Training length, in real samples.")] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    precision: Annotated[str | None, typer.Option(help="auto, float32 or bfloat16.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set a field of the recipe, like batch=32. Repeatable."),
    ] = None,
    evaluate: Annotated[
        str | None,
        typer.Option(metavar="METRICS", help="Metrics to compute during training; saves the best generator."),
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option("--from", metavar="RUN", help="Warm start: initialise from the newest checkpoint of another run."),
    ] = None,
    keep: Annotated[int, typer.Option(metavar="N", help="Number of checkpoints to keep, at least 2.")] = 2,
    on_nonfinite: Annotated[
        str,
        typer.Option(
            metavar="stop|rollback",
            help="On NaN/Inf: stop, or roll back to the last checkpoint and halve the learning rates.",
        ),
    ] = "stop",
    as_json: JsonFlag = False,
) -> None:
    """Train a GAN from a recipe, or resume an interrupted run.

    The same command resumes a run exactly where it stopped.
    """
    from dataclasses import replace

    from zerosum.runs.files import GENERATOR
    from zerosum.training.options import RunOptions
    from zerosum.training.ranks import is_main_process, report_once
    from zerosum.training.train import train as run_training

    with report_once():
        options = RunOptions(keep, on_nonfinite, start_from)
        chosen = configured(recipe, data, settings or [], evaluate)
        chosen = chosen if precision is None else replace(chosen, precision=precision)
    run = run_training(chosen, out, images=images, seed=seed, device=device, options=options)
    if not is_main_process():
        return
    if as_json:
        facts = {"run": run, "images": images or chosen.images, "report": run.report, "generator": run / GENERATOR}
        print_json({**facts, "scores": run.scores})
        return
    typer.echo(f"report       {run.report}", err=True)
    typer.echo(f"sample with  zerosum sample {run}", err=True)


def configured(recipe: str, data: str | None, settings: list[str], evaluate: str | None = None) -> "Recipe":
    """The recipe by name or file, with data, metrics and then settings applied.

    Raises `ValueError` for values that do not fit.
    """
    from dataclasses import replace

    from zerosum._paths import user_path
    from zerosum.recipes.evaluation import Evaluation
    from zerosum.recipes.named_recipes import named
    from zerosum.recipes.reader import read_recipe, with_setting
    from zerosum.recipes.using import is_file, recipe_in

    if is_file(recipe):
        own, chosen = known([recipe]), recipe_in(recipe)
    else:
        own = known()
        is_text = recipe.endswith(".txt") or "/" in recipe
        chosen = read_recipe(_text(user_path(recipe)), own) if is_text else named(recipe)
    if data is not None:
        chosen = replace(chosen, data=data_source(data))
    if evaluate is not None:
        metrics = tuple(name.strip() for name in evaluate.split(","))
        plan = chosen.evaluation or Evaluation()
        chosen = replace(chosen, evaluation=replace(plan, metrics=metrics, known={**plan.known, **own}))
    for setting in settings:
        chosen = with_setting(chosen, setting, own)
    return chosen


def data_source(text: str) -> "Source":
    """The source for a constructor, as `Ring(modes=5)`, or a path."""
    from zerosum._paths import is_constructor
    from zerosum.data.resolve import source
    from zerosum.recipes.reader import read

    if is_constructor(text):
        return source(read(text, known()))
    return source(text)


def _text(path: Path) -> str:
    from zerosum._disk import read_text
    from zerosum.runs.files import COMMAND, MOST_TEXT

    if (path / COMMAND).is_file():
        raise ValueError(f"{path} is a run folder: to resume it, run the command in {path / COMMAND}")
    if not path.is_file():
        raise ValueError(f"there is no recipe file {path}")
    return read_text(path, MOST_TEXT)
