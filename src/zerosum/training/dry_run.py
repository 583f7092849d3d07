"""Estimate the time and memory of a run from a few updates, without a run folder."""

__all__ = ()

import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch

from zerosum._text import duration
from zerosum.game.device import choose_device
from zerosum.recipes.recipe import Recipe
from zerosum.training.device import choose_precision, keep_memory
from zerosum.training.pace import measured_pace, of_length
from zerosum.training.ranks import RankGroup, is_distributed


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


def estimate(
    recipe: Recipe,
    device: str = "auto",
    minutes: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Recipe, Estimate]:
    """Train for a few seconds, and return the recipe and what the whole run would take. Nothing is written.

    With `minutes` the recipe is of the length that takes so long. `progress` is called with the iterations done and a
    guess of their number.

    Raises `ValueError` where the recipe cannot be trained, and in one of several processes.
    """
    if is_distributed():
        raise ValueError("a dry run estimates one process: start it without torchrun")
    place = choose_device(device)
    dataset = recipe.data.open()
    precision = choose_precision(recipe.precision, place, dataset.is_image)
    keep_memory()
    pace = measured_pace(recipe, dataset, RankGroup(place), precision, progress)
    recipe = recipe if minutes is None else of_length(recipe, pace, minutes)
    threads = torch.get_num_threads()
    where = place.type + (f" with {threads} thread{'s' * (threads > 1)}" if place.type == "cpu" else "")
    seconds = recipe.images / pace.images_per_second
    facts = (pace.images_per_second, _memory(place), recipe.images, pace.iterations, f"{where} in {precision}")
    return recipe, Estimate(seconds, *facts)


def _memory(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.max_memory_reserved(device))
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
