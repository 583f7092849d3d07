"""Overhead of the training loop over a hand-written step with the same networks, precision and data.

    python -m benchmarks.speed.overhead [--iterations 64] [--pairs 9]

The bare step is a fast implementation of exactly this game: gradients of the own parameters, fused Adam, R1 in every
fourth update, the moving average, data in memory. The loop does the same through recipes, turns and terms, and also
draws random numbers by position, checks for NaN and Inf, and logs every part of the losses. Blocks of both alternate in
one process, and the ratio is the median over the pairs of blocks.
"""

import argparse
import copy
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch.nn.functional import logsigmoid

from zerosum.game.device import choose_device
from zerosum.recipes.named_recipes import named
from zerosum.recipes.recipe import Recipe
from zerosum.training.build import build_game
from zerosum.training.device import choose_precision, precision_context
from zerosum.training.loop import Loop
from zerosum.training.progress import TrainingProgress


def bare(recipe: Recipe, precision: str) -> Callable[[], None]:
    """A hand-written iteration of the `digits` recipe."""
    dataset, device = recipe.data.open(), torch.device("cpu")
    game = build_game(recipe, dataset, device, precision)
    G, D, ema = game.G.network, game.D.network, copy.deepcopy(game.ema.module)
    g_parameters, d_parameters = [*G.parameters()], [*D.parameters()]
    g_adam = torch.optim.Adam(g_parameters, 8e-4, (0.0, 0.99), fused=True)
    d_adam = torch.optim.Adam(d_parameters, 8e-4, (0.0, 0.99), fused=True)
    averaged = [*ema.parameters(), *(b for b in ema.buffers() if b.is_floating_point())]
    followed = [*G.parameters(), *(b for b in G.buffers() if b.is_floating_point())]
    pixels = dataset.read(torch.arange(len(dataset)))
    autocast = precision_context(precision, device)
    updates = 0

    def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        index = torch.randint(len(dataset), (recipe.batch,))
        x = pixels[index].float().div_(127.5).sub_(1).contiguous(memory_format=torch.channels_last)
        return x, dataset.labels[index], torch.randn(recipe.batch, recipe.latent.size)

    def step() -> None:
        nonlocal updates
        x, c, z = batch()
        x.requires_grad_()
        with torch.no_grad(), autocast():
            fake = G(z, c)
        with autocast():
            real_score, fake_score = D(x, c).score.float(), D(fake, c).score.float()
            loss = -logsigmoid(real_score).mean() - logsigmoid(-fake_score).mean()
            if updates % 4 == 0:
                (gradient,) = torch.autograd.grad(real_score.sum(), x, create_graph=True)
                gamma = 3.0 * 0.1 ** (updates * recipe.batch / recipe.images)
                loss = loss + 4 * gamma / 2 * gradient.square().flatten(1).sum(1).mean()
            gradients = torch.autograd.grad(loss, d_parameters)
        for p, g in zip(d_parameters, gradients, strict=True):
            p.grad = g
        d_adam.step()
        x, c, z = batch()
        with autocast():
            loss = -logsigmoid(D(G(z, c), c).score.float()).mean()
            gradients = torch.autograd.grad(loss, g_parameters)
        for p, g in zip(g_parameters, gradients, strict=True):
            p.grad = g
        g_adam.step()
        with torch.no_grad():
            torch._foreach_lerp_(averaged, followed, 0.004)
        updates += 1

    return step


def seconds(iteration: Callable[[], None], count: int) -> float:
    """Time of a block of iterations."""
    started = time.perf_counter()
    for _ in range(count):
        iteration()
    return time.perf_counter() - started


def pair(one: Callable[[], None], other: Callable[[], None], count: int, swapped: bool) -> tuple[float, float]:
    """Times of a block of each; if swapped, the other goes first."""
    if swapped:
        second, first = seconds(other, count), seconds(one, count)
        return first, second
    return seconds(one, count), seconds(other, count)


def measure(iterations: int, pairs: int, precision: str) -> dict[str, float | str | int]:
    """Alternate blocks of both; return the medians of the ratios and of the speeds."""
    recipe = named("digits")
    dataset, device = recipe.data.open(), choose_device("cpu")
    precision = choose_precision(precision, device, dataset.is_image)
    game = build_game(recipe, dataset, device, precision)
    with TemporaryDirectory() as folder:
        loop = Loop(recipe, Path(folder), dataset, game, TrainingProgress(recipe.images, quiet=True))
        hand = bare(recipe, precision)
        for iteration in (loop.iteration, hand):
            seconds(iteration, 16)
        times = [pair(loop.iteration, hand, iterations, swapped=bool(i % 2)) for i in range(pairs)]
    ratios = sorted(ours / theirs for ours, theirs in times)
    return {
        "precision": precision,
        "threads": torch.get_num_threads(),
        "iterations": iterations,
        "pairs": pairs,
        "loop_iterations_per_second": round(iterations / statistics.median(t for t, _ in times), 2),
        "bare_iterations_per_second": round(iterations / statistics.median(t for _, t in times), 2),
        "ratio_median": round(statistics.median(ratios), 4),
        "ratio_low": round(ratios[0], 4),
        "ratio_high": round(ratios[-1], 4),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=64, help="iterations in a block; a multiple of 8")
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--precision", default="auto")
    chosen = parser.parse_args()
    print(json.dumps(measure(chosen.iterations, chosen.pairs, chosen.precision), indent=1))
