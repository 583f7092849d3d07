"""Training a recipe into a run folder."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from zerosum.data.dataset import Dataset
from zerosum.data.resolve import source
from zerosum.game.distributed import rank, ranks
from zerosum.game.game import Game
from zerosum.recipes.named_recipes import named
from zerosum.recipes.recipe import Recipe
from zerosum.runs.log import truncate_log
from zerosum.training.build import build_game
from zerosum.training.device import choose_precision
from zerosum.training.evaluating import RunScores
from zerosum.training.folder import Start, open_run, storable, write_circumstances
from zerosum.training.loop import Loop
from zerosum.training.progress import TrainingProgress
from zerosum.training.ranks import Together, joined
from zerosum.training.state import restore


def train(
    recipe: Recipe | str,
    out: str | Path | None = None,
    *,
    data: Any = None,
    images: int | None = None,
    seed: int | None = None,
    device: str = "auto",
    precision: str | None = None,
    quiet: bool = False,
) -> Path:
    """Train a recipe into a run folder, or continue the run that the folder holds, and return the folder.

    The same call on a folder that holds an unfinished run continues it exactly where its newest checkpoint was taken,
    bit for bit as if it had never stopped. SIGINT and SIGTERM finish the round, save, and raise `Interrupted`. Under
    torchrun all processes play one run together, of which the first writes and speaks.

    Args:
        recipe: a recipe, or the name of one.
        out: the run folder; `runs/NAME` by default.
        data: other data than the recipe's: a source, a path, an array or a torch dataset.
        images: another length of the run than the recipe's.
        seed: another seed than the recipe's.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: another than the recipe's: `auto`, `float32` or `bfloat16`.
        quiet: show no progress.

    Raises:
        ValueError: for what cannot be trained, in one sentence.
        NonFiniteError: at the first loss or gradient that is not a number; the last checkpoint stays.
        RankLostError: under torchrun, where another process is gone; the last checkpoint stays.
    """
    recipe = named(recipe) if isinstance(recipe, str) else recipe
    changes: dict[str, Any] = {
        "data": None if data is None else source(data),
        "images": images,
        "seed": seed,
        "precision": precision,
    }
    recipe = replace(recipe, **{name: value for name, value in changes.items() if value is not None})
    run = Path(out) if out is not None else Path("runs") / recipe.name
    with joined(device) as together:
        _play(recipe, run, together, quiet)
    return run


def _play(recipe: Recipe, run: Path, together: Together, quiet: bool) -> None:
    dataset, where, first = recipe.data.open(), together.device, rank() == 0
    number_format = choose_precision(recipe.precision, where, dataset.is_image)
    game = build_game(recipe, dataset, where, number_format)
    # Rank 0 alone looks at the folder and writes into it.
    scores = RunScores(recipe.evaluation, run, dataset, where) if first and recipe.evaluation is not None else None
    start = open_run(run, storable(recipe, dataset)) if first else Start(None)
    checkpoint = together.shared(start.checkpoint)
    if checkpoint is not None:
        restore(game, checkpoint)
    if first:
        truncate_log(run, game.images)
    with TrainingProgress(recipe.images, game.images, quiet or not first) as progress:
        for sentence in (*dataset.notes, *start.sayings):
            progress.say(sentence)
        processes = f"{ranks()} processes, each on " if ranks() > 1 else ""
        machine = f"{processes}{where.type} in {number_format}, {torch.get_num_threads()} threads"
        progress.say(f"{recipe.name}: {_samples(dataset)}; {_players(game)}; {machine}; into {run}")
        if game.images >= recipe.images:
            progress.say("this run has ended; there is nothing left to do")
            return
        if first:
            write_circumstances(run, where, number_format)
        before = checkpoint.numbers if checkpoint else {}
        loop = Loop(recipe, run, dataset, game, progress, before, scores, together)
        with closing(loop.batches):
            loop.play()


def _samples(dataset: Dataset) -> str:
    return f"{len(dataset):,} samples of {dataset.name}"


def _players(game: Game) -> str:
    return f"parameters G {_count(game.G.parameters)}, D {_count(game.D.parameters)}"


def _count(parameters: list[torch.nn.Parameter]) -> str:
    count = sum(p.numel() for p in parameters)
    return f"{count / 1e6:.2f} M" if count >= 100_000 else f"{count:,}"
