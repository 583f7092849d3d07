"""Estimate the time and memory of a run from a few updates, without a run folder."""

__all__ = ()

import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

import torch

from zerosum._text import duration
from zerosum.game.device import choose_device
from zerosum.game.random import derived_seed
from zerosum.recipes.recipe import Recipe
from zerosum.training.batches import Batches
from zerosum.training.build import build_game
from zerosum.training.device import choose_precision, keep_memory, seed_layers
from zerosum.training.ranks import is_distributed

_SECONDS = 3.0  # of measured iterations, or one iteration if that takes longer
_FIRST = 2  # iterations before them, which allocate and compile


@dataclass(frozen=True)
class Estimate:
    """What a run would take.

    Attributes:
        seconds: of training; evaluations, sample images and the report take more.
        images_per_second: real samples per second.
        memory: largest memory of the process so far in bytes, on a GPU that of the GPU.
        images: training length.
        iterations: iterations that were measured.
        device: where they ran, in words.
    """

    seconds: float
    images_per_second: float
    memory: int
    images: int
    iterations: int
    device: str

    def as_dict(self) -> dict[str, Any]:
        """The values by name."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"about {duration(self.seconds)} for {self.images:,} images, at {self.images_per_second:,.0f} images/s, "
            f"with {self.memory / 1e9:.2f} GB of memory, on {self.device}; from {self.iterations} iterations, without "
            f"evaluations and the report"
        )


def estimate(recipe: Recipe, device: str = "auto", progress: Callable[[int, int], None] | None = None) -> Estimate:
    """Train for a few seconds, and return what the whole run would take. Nothing is written.

    `progress` is called with the iterations done and a guess of their number.

    Raises `ValueError` where the recipe cannot be trained, and in one of several processes.
    """
    if is_distributed():
        raise ValueError("a dry run estimates one process: start it without torchrun")
    place = choose_device(device)
    dataset = recipe.data.open()
    precision = choose_precision(recipe.precision, place, dataset.is_image)
    keep_memory()
    game = build_game(recipe, dataset, place, precision)
    batches = Batches(dataset, recipe.batch, recipe.conditional, recipe.seed, place, 0, recipe.label_dropout)
    done, images, started = 0, 0, time.perf_counter()
    with closing(batches):
        while done <= _FIRST or time.perf_counter() - started < _SECONDS:
            seed_layers(derived_seed(recipe.seed, "layers", batches.position, 0), place)
            game.step(batches)
            done += 1
            if done == _FIRST:
                _synchronise(place)
                images, started = game.images, time.perf_counter()
            if progress is not None:
                progress(done, max(done, _FIRST + 1))
        _synchronise(place)
    game.check_finite()
    rate = (game.images - images) / (time.perf_counter() - started)
    threads = torch.get_num_threads()
    where = place.type + (f" with {threads} thread{'s' * (threads > 1)}" if place.type == "cpu" else "")
    return Estimate(recipe.images / rate, rate, _memory(place), recipe.images, done - _FIRST, f"{where} in {precision}")


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _memory(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.max_memory_reserved(device))
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
