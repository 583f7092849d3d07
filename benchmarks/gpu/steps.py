"""Measures a training step at published size, in one way of computing it.

    python -m benchmarks.gpu.steps GAME WAY PRECISION DEVICE [--small] [--seconds 4] [--batch 8]

`usual` is the step as it is usually written: contiguous tensors, `backward()` through a discriminator that is not
frozen, both updates on the same samples, Adam and the moving average without fusion; penalties are taken on the forward
pass of the loss. The others are iterations of `zerosum train`: in eager mode, compiled, and with CUDA graphs. All have
the same objective and penalties, of which `compile` supports each; StyleGAN2 is without path length regularisation.
"""

import argparse
import copy
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.gpu.rows import Row
from benchmarks.speed.full_size_games import games, high_water, noise, wait
from zerosum._faults import is_of_memory
from zerosum.data.dataset import Dataset
from zerosum.game.game import Game
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import R1, R2
from zerosum.terms.schedules import Every
from zerosum.training.batches import Batches
from zerosum.training.build import build_game
from zerosum.training.compiled import CompiledUpdates
from zerosum.training.device import precision_context
from zerosum.training.loop import Loop
from zerosum.training.progress import TrainingProgress
from zerosum.training.ranks import RankGroup

WAYS = ("usual", "eager", "compiled", "CUDA graphs")
LAZY = 16  # updates, in which each term has had its turn
WARM = {"CUDA graphs": 2 * LAZY + 1}  # steps: a graph runs, is recorded and is replayed, with the lazy term and without
LEAST = 3  # steps before the measurement, of the other ways
TERMS = {"r3gan": (R1(1.0), R2(1.0)), "stylegan2": (Every(LAZY, R1(10.0)),)}
BATCH = {"r3gan": 64, "stylegan2": 8}
Step = Callable[[], object]


def game_of(name: str, batch: int, small: bool) -> tuple[str, Recipe, Dataset]:
    """The game in words, its recipe, and a batch of noise."""
    (full,) = games([name], 4 if small else None)
    full = replace(full, batch=batch)
    recipe = replace(full.recipe, d_terms=TERMS[name], g_terms=(), batch=batch)
    return f"{name}: {full.words}, batch {batch}", recipe, noise(full)


def usual(recipe: Recipe, dataset: Dataset, device: torch.device, precision: str) -> Step:
    """A conventional step."""
    game, context = build_game(recipe, dataset, device, precision), precision_context(precision, device)
    assert isinstance(game, Game)
    G, D = (p.network.to(memory_format=torch.contiguous_format) for p in (game.G, game.D))
    average = copy.deepcopy(G)
    g_adam, d_adam = (torch.optim.Adam(network.parameters(), 1e-4, (0.0, 0.99)) for network in (G, D))
    batches, updates = Batches(dataset, recipe.batch, False, 0, device), 0

    def step() -> None:
        nonlocal updates
        x = next(batches).x.contiguous().requires_grad_()
        with context():
            fake = G(torch.randn(len(x), recipe.latent.size, device=device)).float()
            shown = fake.detach().requires_grad_()
            scores, fake_scores = D(x).score.float(), D(shown).score.float()
            loss = recipe.objective.d_loss(scores, fake_scores)
            for term in recipe.d_terms:
                every = term if isinstance(term, Every) else Every(1, term)
                if updates % every.n == 0:
                    own = isinstance(every.term, R1)
                    value = penalty(*((scores, x) if own else (fake_scores, shown)))
                    loss = loss + every.n * every.term.gamma / 2 * value
        d_adam.zero_grad()
        loss.backward()
        d_adam.step()
        with context():
            real = D(x.detach()).score.float() if recipe.objective.reads_real else None
            loss = recipe.objective.g_loss(D(fake).score.float(), real)
        g_adam.zero_grad()
        loss.backward()
        g_adam.step()
        with torch.no_grad():
            for mine, theirs in zip(average.parameters(), G.parameters(), strict=True):
                mine.lerp_(theirs, 0.001)
        updates += 1

    return step


def penalty(scores: Tensor, x: Tensor) -> Tensor:
    """The mean squared norm of the gradient of scores with respect to samples."""
    (gradient,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean()


def ours(recipe: Recipe, dataset: Dataset, device: torch.device, precision: str, way: str) -> Step:
    """An iteration of `zerosum train`."""
    game = build_game(replace(recipe, compile=way != "eager"), dataset, device, precision)
    assert isinstance(game, Game)
    if way == "CUDA graphs":
        game.compiled = CompiledUpdates(cuda_graphs=True)
    group, progress = RankGroup(device), TrainingProgress(recipe.images, quiet=True)
    return Loop(recipe, Path("unwritten"), dataset, game, progress, group=group).iteration


def pace(step: Step, warm: int, batch: int, device: torch.device, seconds: float) -> float:
    """Images per second, over whole cycles of lazy terms and at least so many seconds."""
    for _ in range(warm):
        step()
    wait(device)
    started, done, spent = time.perf_counter(), 0, 0.0
    while spent < seconds:
        for _ in range(LAZY):
            step()
        wait(device)
        done, spent = done + LAZY, time.perf_counter() - started
    return done * batch / spent


def measure(name: str, way: str, precision: str, device: torch.device, batch: int, small: bool, seconds: float) -> Row:
    """Measure a step; raises `MemoryError` where it does not fit."""
    before = high_water(device)
    what, recipe, dataset = game_of(name, batch, small)
    try:
        data = (recipe, dataset, device, precision)
        step = usual(*data) if way == "usual" else ours(*data, way)
        speed = pace(step, WARM.get(way, LEAST), batch, device, seconds)
    except (MemoryError, RuntimeError) as error:
        if not is_of_memory(error):
            raise
        raise MemoryError(f"does not fit into the memory at batch {batch}: give a smaller --batch") from None
    return Row(f"{what}: {way}, {precision}", refused(way), speed, peak(device, before))


def peak(device: torch.device, before: int) -> float:
    """Peak memory in gigabytes: of a GPU what PyTorch reserved, of the process what it has more than `before`."""
    return (torch.cuda.max_memory_reserved(device) if device.type == "cuda" else high_water(device) - before) / 1e9


def refused(way: str) -> str:
    """How many graphs inductor would not record as CUDA graphs; empty where none."""
    if way != "CUDA graphs":
        return ""
    from torch._dynamo.utils import counters

    count = counters["inductor"]["cudagraph_skips"]
    return f"{count} graphs were not recorded" if count else ""


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print a row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("game", choices=[*TERMS])
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("precision", choices=("float32", "bfloat16"))
    parser.add_argument("device", type=torch.device)
    parser.add_argument("--small", action="store_true", help="tiny networks on tiny images")
    parser.add_argument("--seconds", type=float, default=4.0, help="of measured steps")
    parser.add_argument("--batch", type=int, help="batch size")
    chosen = parser.parse_args(arguments)
    batch = chosen.batch or (4 if chosen.small else BATCH[chosen.game])
    try:
        found = measure(chosen.game, chosen.way, chosen.precision, chosen.device, batch, chosen.small, chosen.seconds)
    except MemoryError as error:
        print(error, file=sys.stderr)
        return 1
    found.print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
