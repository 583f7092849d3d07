"""`zerosum bench modes` and `zerosum bench probes`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._output import JsonFlag, print_json
from zerosum.cli._use import flags, known, using

if TYPE_CHECKING:
    from zerosum.bench.probes import Kept
    from zerosum.bench.tasks import Task
    from zerosum.recipes.recipe import Recipe

app = typer.Typer(help="Compare games on sets whose truth is known.", no_args_is_help=True)


@app.command("modes")
@using
def modes(
    recipe: Annotated[
        list[str] | None,
        typer.Option(help="A game, by a recipe's name or file; may be given several times.", show_default="the usual"),
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option(help="A set to play on; may be given several times.", show_default="all")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Runs of each game.")] = 10,
    data: Annotated[
        str | None, typer.Option(help="Digits to stack, an .npz such as mnist.npz.", show_default="embedded")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A field of every run, like images=20000.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where runs are kept and continued.")] = Path("runs/bench/modes"),
    jobs: Annotated[int, typer.Option(help="Runs side by side.")] = 2,
    threads: Annotated[int, typer.Option(help="Threads of each run.")] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Count the modes that games find: each on the same networks and budget, over seeds.

    On a board (ring-8, grid-25, mixture-64d, stacked-digits) every game gets the board's data, networks and length, and
    keeps its objective, terms, optimisers and moves; some recipes of pictures have a form for points. The same command
    continues an interrupted bench; exit status 1 where a run failed.
    """
    from zerosum.bench.modes import plan, play, real_coverage
    from zerosum.bench.summary import markdown, summed_up
    from zerosum.bench.tasks import tasks
    from zerosum.cli._bar import telling

    chosen = _chosen(tasks(data), task or [])
    cells, notes = plan(chosen, _games(recipe or []), seeds, settings or [], own=not recipe)
    with telling("playing") as (say, progress):
        for note in notes:
            say(note)
        results, failures = play(cells, out, jobs, threads, say, progress, flags())
        told = [summed_up(one, results, real_coverage(one, out)) for one in chosen]
    if as_json:
        print_json({"out": out, "boards": told, "failures": failures})
    else:
        typer.echo("\n".join(markdown(one) for one in told))
    if failures:
        raise typer.Exit(1)


@app.command("probes")
@using
def probes(
    runs: Annotated[
        list[Path] | None, typer.Argument(help="Trained runs to read, instead of playing any.", metavar="[RUN]...")
    ] = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option(help="A game, by a recipe's name or file; may be given several times.", show_default="own games"),
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option(help="A set to play on; may be given several times.", show_default="all")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Runs of each game.")] = 1,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A field of every run, like images=20000.")
    ] = None,
    samples: Annotated[int, typer.Option(help="Samples read of each run.")] = 2_500,
    out: Annotated[Path, typer.Option(help="Where runs are kept and continued.")] = Path("runs/bench/probes"),
    jobs: Annotated[int, typer.Option(help="Runs side by side.")] = 2,
    threads: Annotated[int, typer.Option(help="Threads of each run.")] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Tell how often games break rules that their data always keep: counting, symmetry, one of each part, one view.

    On a board (three-objects, objects-asked, mirrored, faces, solids) every game gets the board's data, networks and
    length. A trained run is read by the rule of the set that it was trained on. The same command continues an
    interrupted bench; exit status 1 where a run failed.
    """
    from dataclasses import asdict, replace

    from zerosum.bench.modes import plan
    from zerosum.bench.probes import in_words, play_probes, probe_summary, probe_table, probe_tasks
    from zerosum.cli._bar import telling

    if samples < 1:
        raise ValueError(f"samples counts what is read of each run, at least 1; found {samples}")
    if runs:
        told = {str(run): _read_run(run, samples) for run in runs}
        if as_json:
            print_json({"samples": samples, "runs": {run: asdict(kept) for run, kept in told.items()}})
        else:
            typer.echo("\n".join(f"{run}: {in_words(kept)}" for run, kept in told.items()))
        return
    chosen = [replace(one, samples=samples) for one in _chosen(probe_tasks(), task or [])]
    games = _games(recipe) if recipe else []
    cells, notes = plan(chosen, games, seeds, settings or [], own=not recipe)
    with telling("playing") as (say, progress):
        for note in notes:
            say(note)
        results, failures = play_probes(cells, out, jobs, threads, say, progress, flags())
        summaries = [probe_summary(one, results) for one in chosen]
    if as_json:
        print_json({"out": out, "boards": summaries, "failures": failures})
    else:
        typer.echo(probe_table(summaries))
    if failures:
        raise typer.Exit(1)


def _read_run(run: Path, samples: int) -> "Kept":
    from zerosum.bench.probes import read_generator
    from zerosum.runs.generator import load

    return read_generator(load(run, known()), samples)


def _chosen(there: "tuple[Task, ...]", names: list[str]) -> "list[Task]":
    known = {task.name: task for task in there}
    strange = [name for name in names if name not in known]
    if strange:
        raise ValueError(f"no task is called {strange[0]!r}; there are {', '.join(known)}")
    return [known[name] for name in names or known]


def _games(names: list[str]) -> "list[Recipe]":
    from zerosum.bench.modes import usual_games
    from zerosum.cli.train import configured

    return [configured(name, None, []) for name in names or usual_games()]
