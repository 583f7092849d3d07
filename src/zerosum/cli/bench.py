"""`zerosum bench modes`, `zerosum bench probes` and `zerosum bench augmentation`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._output import JsonFlag, echo, print_json
from zerosum.cli._use import flags, known, using

if TYPE_CHECKING:
    from zerosum.bench.probes import ProbeScores
    from zerosum.bench.tasks import Task
    from zerosum.recipes.recipe import Recipe

app = typer.Typer(
    help="Compare GANs over seeds, on data with known ground truth or by their use to a classifier.",
    no_args_is_help=True,
)
_LABELS = (10, 20, 50, 200)  # a class, by default


@app.command("modes")
@using
def modes(
    recipe: Annotated[
        list[str] | None,
        typer.Option(help="Recipe name or file. Repeatable.", show_default="a selection"),
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option(help="Task (data set, networks and length). Repeatable.", show_default="all")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Runs of each recipe on each task.")] = 10,
    data: Annotated[
        str | None,
        typer.Option(help="Digits for stacked-digits: an .npz file such as mnist.npz.", show_default="embedded"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Set a recipe field in every run, like images=20000. Repeatable."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Output folder.")] = Path("runs/bench/modes"),
    jobs: Annotated[int, typer.Option(help="Runs in parallel.")] = 2,
    threads: Annotated[int, typer.Option(help="Threads per run.")] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Count the modes that recipes find.

    All recipes are trained with the same networks and budget, over seeds.

    A task (ring-8, grid-25, mixture-64d, stacked-digits) sets data, networks and length; the recipe keeps its
    objective, terms, optimisers and update ratio. Some image recipes have a variant for points. The same command
    resumes an interrupted benchmark. Exit status 1 if a run failed.
    """
    from zerosum.bench.modes import plan, real_coverage, run_games
    from zerosum.bench.summary import mode_summary, mode_table
    from zerosum.bench.tasks import tasks
    from zerosum.cli._bar import messages_and_bar

    chosen = _chosen(tasks(data), task or [])
    planned, notes = plan(chosen, _games(recipe or []), seeds, settings or [], default=not recipe)
    with messages_and_bar("training") as (say, progress):
        for note in notes:
            say(note)
        results, failures = run_games(planned, out, jobs, threads, say, progress, flags())
        summaries = [mode_summary(one, results, real_coverage(one, out)) for one in chosen]
    if as_json:
        print_json({"out": out, "tasks": summaries, "failures": failures})
    else:
        echo(*(line for one in summaries for line in mode_table(one).split("\n")))
    if failures:
        raise typer.Exit(1)


@app.command("probes")
@using
def probes(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(help="Trained runs to measure, instead of training new ones.", metavar="RUN"),
    ] = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option(help="Recipe name or file. Repeatable.", show_default="each task's own"),
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option(help="Task (data set, networks and length). Repeatable.", show_default="all")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Runs of each recipe on each task.")] = 1,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Set a recipe field in every run, like images=20000. Repeatable."
        ),
    ] = None,
    samples: Annotated[int, typer.Option(help="Number of samples measured per run.")] = 2_500,
    out: Annotated[Path, typer.Option(help="Output folder.")] = Path("runs/bench/probes"),
    jobs: Annotated[int, typer.Option(help="Runs in parallel.")] = 2,
    threads: Annotated[int, typer.Option(help="Threads per run.")] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Measure how often samples violate constraints of the data (count, symmetry, parts, perspective).

    A task (three-objects, objects-asked, mirrored, faces, solids) sets data, networks and length. A trained run is
    measured by the constraint of its training data. The same command resumes an interrupted benchmark. Exit status 1
    if a run failed.
    """
    from dataclasses import asdict, replace

    from zerosum.bench.modes import plan
    from zerosum.bench.probes import in_words, probe_summary, probe_table, probe_tasks, run_probes
    from zerosum.cli._bar import messages_and_bar

    if samples < 1:
        raise ValueError(f"--samples is at least 1; found {samples}")
    if runs:
        measured = {str(run): _measure(run, samples) for run in runs}
        if as_json:
            print_json({"samples": samples, "runs": {run: asdict(kept) for run, kept in measured.items()}})
        else:
            echo(*(f"{run}: {in_words(kept)}" for run, kept in measured.items()))
        return
    chosen = [replace(one, samples=samples) for one in _chosen(probe_tasks(), task or [])]
    games = _games(recipe) if recipe else []
    planned, notes = plan(chosen, games, seeds, settings or [], default=not recipe)
    with messages_and_bar("training") as (say, progress):
        for note in notes:
            say(note)
        results, failures = run_probes(planned, out, jobs, threads, say, progress, flags())
        summaries = [probe_summary(one, results) for one in chosen]
    if as_json:
        print_json({"out": out, "tasks": summaries, "failures": failures})
    else:
        echo(*probe_table(summaries).split("\n"))
    if failures:
        raise typer.Exit(1)


@app.command("augmentation")
@using
def augmentation(
    labels: Annotated[
        list[int] | None,
        typer.Option(help="Labelled images of each class. Repeatable.", show_default="10, 20, 50, 200"),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Runs of each number of labels.")] = 10,
    data: Annotated[
        str | None,
        typer.Option(help="Labelled images: folder, zip, .npz file, or a source.", show_default="embedded digits"),
    ] = None,
    size: Annotated[int | None, typer.Option(help="Height and width that images are resized to.")] = None,
    recipe: Annotated[
        str | None, typer.Option(help="Conditional recipe, name or file.", show_default="a small one for few images")
    ] = None,
    images: Annotated[int | None, typer.Option(help="Training length of each game, in images.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set a recipe field in every run, like batch=64. Repeatable."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Output folder.")] = Path("runs/bench/augmentation"),
    jobs: Annotated[int, typer.Option(help="Runs in parallel.")] = 2,
    threads: Annotated[int, typer.Option(help="Threads per run.")] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Measure whether samples of a GAN help a classifier with few labels.

    Classifiers are trained on few labelled images alone, with shifts and rotations, with samples of a conditional GAN
    trained on the same few images, and with both, and tested on the half of each class that is held out. The
    same command resumes an interrupted benchmark. Exit status 1 if a run failed.
    """
    from zerosum.bench.augmentation import default_game, plan_augmentation, run_augmentation
    from zerosum.bench.augmentation_summary import augmentation_summary, augmentation_table
    from zerosum.cli._bar import messages_and_bar
    from zerosum.cli._recipe import RecipeOptions, chosen

    options = RecipeOptions(data=data, images=images, size=size, settings=settings)
    game = chosen(recipe, options)[0] if recipe else options.applied(default_game(), known())
    planned = plan_augmentation(game, labels or list(_LABELS), seeds)
    with messages_and_bar("training") as (say, progress):
        results, failures = run_augmentation(planned, out, jobs, threads, say, progress, flags())
    summary = augmentation_summary(results)
    if as_json:
        print_json({"out": out, "data": repr(game.data), "labels": summary, "failures": failures})
    else:
        echo(*augmentation_table(summary).rstrip().split("\n"))
    if failures:
        raise typer.Exit(1)


def _measure(run: Path, samples: int) -> "ProbeScores":
    from zerosum.bench.probes import read_generator
    from zerosum.runs.generator import load

    return read_generator(load(run, known()), samples)


def _chosen(tasks: "tuple[Task, ...]", names: list[str]) -> "list[Task]":
    known = {task.name: task for task in tasks}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no task is called {unknown[0]!r}; there are {', '.join(known)}")
    return [known[name] for name in names or known]


def _games(names: list[str]) -> "list[Recipe]":
    from zerosum.bench.modes import default_games
    from zerosum.cli._recipe import chosen

    return [chosen(name)[0] for name in names or default_games()]
