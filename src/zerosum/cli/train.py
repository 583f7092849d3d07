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
        str, typer.Argument(help="Name (see `zerosum recipes`), recipe.txt, or a FILE.py with a recipe.")
    ],
    data: Annotated[
        str | None, typer.Option(help="Other data: a folder or zip of images, a .npy/.npz, or a source like 'Ring()'.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder.", show_default="runs/NAME")] = None,
    images: Annotated[int | None, typer.Option(help="Length of the run, in real samples seen.")] = None,
    seed: Annotated[int | None, typer.Option(help="From which all randomness derives.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    precision: Annotated[str | None, typer.Option(help="auto, float32 or bfloat16.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any field of the recipe, like batch=32.")
    ] = None,
    evaluate: Annotated[
        str | None,
        typer.Option(
            metavar="METRICS", help="Score the samples during training, such as fid,kid; keeps the best generator."
        ),
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option("--from", metavar="RUN", help="Start from the weights of another run's newest checkpoint."),
    ] = None,
    keep: Annotated[int, typer.Option(metavar="N", help="Checkpoints kept, the newest ones; at least 2.")] = 2,
    on_nonfinite: Annotated[
        str,
        typer.Option(
            metavar="stop|rollback",
            help="At a number that is not finite: stop, or go back to the last checkpoint at half the learning rates.",
        ),
    ] = "stop",
    as_json: JsonFlag = False,
) -> None:
    """Train a recipe into a run folder, or continue the run that is there.

    Running the same command again continues an interrupted run exactly where it stopped.
    """
    from dataclasses import replace

    from zerosum.runs.files import GENERATOR
    from zerosum.training.options import RunOptions
    from zerosum.training.ranks import alike, speaks
    from zerosum.training.train import train as play

    with alike():
        options = RunOptions(keep, on_nonfinite, start_from)
        chosen = configured(recipe, data, settings or [], evaluate)
        chosen = chosen if precision is None else replace(chosen, precision=precision)
    run = play(chosen, out, images=images, seed=seed, device=device, options=options)
    if not speaks():
        return
    if as_json:
        facts = {"run": run, "images": images or chosen.images, "report": run.report, "generator": run / GENERATOR}
        print_json({**facts, "scores": run.scores})
        return
    typer.echo(f"look at      {run.report}", err=True)
    typer.echo(f"sample with  zerosum sample {run}", err=True)


def configured(recipe: str, data: str | None, settings: list[str], evaluate: str | None = None) -> "Recipe":
    """The recipe by name or file, with other data, metrics to score and then its settings.

    Raises `ValueError` for what does not fit.
    """
    from dataclasses import replace

    from zerosum.recipes.evaluation import Evaluation
    from zerosum.recipes.named_recipes import named
    from zerosum.recipes.reader import read_recipe, with_setting
    from zerosum.recipes.using import is_file, recipe_in

    if is_file(recipe):
        own, chosen = known([recipe]), recipe_in(recipe)
    else:
        own = known()
        is_text = recipe.endswith(".txt") or "/" in recipe
        chosen = read_recipe(_text(Path(recipe)), own) if is_text else named(recipe)
    if data is not None:
        chosen = replace(chosen, data=data_source(data))
    if evaluate is not None:
        metrics = tuple(name.strip() for name in evaluate.split(","))
        chosen = replace(chosen, evaluation=replace(chosen.evaluation or Evaluation(), metrics=metrics))
    for setting in settings:
        chosen = with_setting(chosen, setting, own)
    return chosen


def data_source(text: str) -> "Source":
    """The source that a user means: the constructor of one, as `Ring(modes=5)`, or a path."""
    from zerosum.data.resolve import source
    from zerosum.recipes.reader import read

    if text.endswith(")") and not Path(text).exists():
        return source(read(text, known()))
    return source(text)


def _text(path: Path) -> str:
    from zerosum._disk import read_text
    from zerosum.runs.files import COMMAND, MOST_TEXT

    if (path / COMMAND).is_file():
        raise ValueError(f"{path} is a run: to go on with it give its own command, which {path / COMMAND} holds")
    if not path.is_file():
        raise ValueError(f"there is no recipe file {path}")
    return read_text(path, MOST_TEXT)
