"""The steps that `benchmarks.speed.speed` compares, each in its own process, which runs iterations on request.

    python -m benchmarks.speed.speed_steps GAME STEP        # then a number of iterations on each line of standard input

A separate process, since settings of the process, such as keeping freed memory, are part of a run.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from benchmarks.speed.overhead import bare
from zerosum.data.dataset import Dataset, in_memory
from zerosum.game.latents import Normal
from zerosum.game.player import Term
from zerosum.game.turn import Turn
from zerosum.networks.layers import fused, residual
from zerosum.networks.r3gan import R3GANDiscriminator, R3GANGenerator
from zerosum.networks.resnet import ResNetDiscriminator, ResNetGenerator
from zerosum.objectives.relativistic import Relativistic
from zerosum.recipes.named_recipes import named
from zerosum.recipes.recipe import Recipe
from zerosum.terms.finite_differences import FiniteDifferenceR1, FiniteDifferenceR2
from zerosum.terms.gradient_penalties import R1, R2, squared_gradient_norm
from zerosum.training.batches import Batches
from zerosum.training.build import build_game
from zerosum.training.device import choose_precision, keep_memory
from zerosum.training.loop import Loop
from zerosum.training.progress import TrainingProgress

CPU = torch.device("cpu")
Step = Callable[[], object]


def recipe_of(game: str) -> Recipe:
    """The recipe of a comparison."""
    if game == "digits":
        return named("digits")
    dcgan = named("dcgan")
    if game == "dcgan":
        return dcgan
    if game == "resnet":
        pair = {"generator": ResNetGenerator(size=64), "discriminator": ResNetDiscriminator(size=64, norm="none")}
        return replace(dcgan, latent=Normal(128), **pair)
    if game == "r3gan":
        pair = {"generator": R3GANGenerator(size=16), "discriminator": R3GANDiscriminator(size=16)}
        return replace(dcgan, objective=Relativistic(), d_terms=(R1(1.0), R2(1.0)), batch=32, **pair)
    if game == "hinge":
        return replace(named("hinge"), d_terms=(R1(1.0), R2(1.0)))
    raise ValueError(f"unknown game {game!r}; available are digits, dcgan, resnet, r3gan and hinge")


def data(game: str) -> Dataset:
    """The digits, or made-up images for the networks at 32x32: the content does not affect the speed."""
    if game in ("digits", "dcgan", "hinge"):
        return recipe_of(game).data.open()
    draw = torch.Generator().manual_seed(0)
    return in_memory("made up", torch.randint(256, (512, 3, 32, 32), generator=draw, dtype=torch.uint8), None, ())


def usual(recipe: Recipe, dataset: Dataset) -> Step:
    """A conventional step: both updates on the same samples, `backward()` through both networks."""
    game = build_game(recipe, dataset, CPU, "float32")
    G, D = (p.network.to(memory_format=torch.contiguous_format) for p in (game.G, game.D))
    g_adam, d_adam = (torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999)) for network in (G, D))
    pixels = dataset.read(torch.arange(len(dataset)))

    def loss(scores: Tensor, label: float) -> Tensor:
        return binary_cross_entropy_with_logits(scores, torch.full_like(scores, label))

    def step() -> None:
        x = pixels[torch.randint(len(pixels), (recipe.batch,))].float().div_(127.5).sub_(1)
        fake = G(recipe.latent.draw(recipe.batch, torch.default_generator))
        d_adam.zero_grad()
        (loss(D(x).score, 1) + loss(D(fake.detach()).score, 0)).backward()
        d_adam.step()
        g_adam.zero_grad()
        loss(D(fake).score, 1).backward()
        g_adam.step()

    return step


def as_published() -> None:
    """Let residual blocks resample in separate layers, as in papers and most code."""
    residual.convolved_and_halved = lambda layer, h: fused.halved(layer(h))
    residual.raised_and_convolved = lambda layer, h, target: layer(interpolate(h, target, mode="nearest"))


def loop(recipe: Recipe, dataset: Dataset, precision: str) -> Step:
    """An iteration of `zerosum train`."""
    keep_memory()
    game = build_game(recipe, dataset, CPU, precision)
    return Loop(recipe, Path("unwritten"), dataset, game, TrainingProgress(recipe.images, quiet=True)).iteration


@dataclass(frozen=True)
class Separate:
    """R1 or R2 as a term with its own forward pass, as where a penalty is a function of D and x.

    Args:
        term: the penalty.
    """

    term: R1 | R2

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty's value on this turn."""
        own = isinstance(self.term, R1)
        x = (turn.x if own else turn.x_fake).detach().requires_grad_()
        return self.term.gamma / 2 * squared_gradient_norm(turn, turn.judge(x, "real" if own else "fake"), x).mean()


def difference(term: R1 | R2) -> Term:
    """The penalty estimated by differences of scores."""
    return (FiniteDifferenceR1 if isinstance(term, R1) else FiniteDifferenceR2)(term.gamma)


def updates_of_D(recipe: Recipe, dataset: Dataset, terms: Callable[[R1 | R2], Term] | None = None) -> Step:
    """An update of D, with penalties on the forward passes of the loss, or with other terms in their place."""
    keep_memory()
    game = build_game(recipe, dataset, CPU, choose_precision("auto", CPU, True))
    if terms is not None:
        game.D.terms = tuple(terms(term) for term in recipe.d_terms if isinstance(term, R1 | R2))
    batches = Batches(dataset, recipe.batch, False, 0, CPU)
    return lambda: game.update_D(next(batches))


def step_of(game: str, step: str) -> Step:
    """The named step of the named game; raises `ValueError` for an unknown one."""
    recipe, dataset = recipe_of(game), data(game)
    best = choose_precision("auto", CPU, True)
    steps: dict[str, Callable[[], Step]] = {
        "usual": lambda: usual(recipe, dataset),
        "float32": lambda: loop(recipe, dataset, "float32"),
        "best": lambda: loop(recipe, dataset, best),
        "compiled": lambda: loop(replace(recipe, compile=True), dataset, best),
        "compiled float32": lambda: loop(replace(recipe, compile=True), dataset, "float32"),
        "bare": lambda: bare(recipe, best),
        "shared": lambda: updates_of_D(recipe, dataset),
        "separate": lambda: updates_of_D(recipe, dataset, Separate),
        "differences": lambda: updates_of_D(recipe, dataset, difference),
        "without": lambda: updates_of_D(replace(recipe, d_terms=()), dataset),
    }
    if step not in steps:
        raise ValueError(f"unknown step {step!r}; available are {', '.join(steps)}")
    if step == "usual":
        as_published()
    if step == "bare":
        keep_memory()
    return steps[step]()


def main(game: str, step: str) -> None:
    """For each line of the input, run this number of iterations and answer with the seconds."""
    iteration = step_of(game, step)
    for line in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        for _ in range(int(line)):
            iteration()
        spent = {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}
        print(json.dumps(spent), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
