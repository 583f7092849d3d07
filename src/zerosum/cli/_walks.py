"""The frames of a walk through a latent space."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from zerosum.cli._films import Frames
from zerosum.latent.direction import Direction
from zerosum.latent.model import Inputs, LatentModel, latent_model
from zerosum.latent.paths import loop, truncated
from zerosum.latent.space import space_of
from zerosum.runs.facts import check_at_most
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.images import to_bytes

_MOST_PATHS, _MOST_FRAMES = 100, 10_000  # side by side, and one after another: three minutes at 60 ms
_REACH = 2.5  # units of a direction, to each side


@dataclass(frozen=True)
class WalkOptions:
    """The path of a walk: as the options of `zerosum walk`."""

    points: int = 5
    steps: int = 12
    n: int = 4
    seed: int = 0
    classes: tuple[str, ...] = ()
    space: str = ""
    truncation: float = 1.0

    def __post_init__(self) -> None:
        if self.n < 1 or not 0 <= self.truncation <= 1:
            raise ValueError(f"a walk has n of 1 or more and a truncation in [0, 1]; found {self.n}, {self.truncation}")
        check_at_most(_MOST_PATHS, {"n": self.n})
        check_at_most(_MOST_FRAMES, {"frames": self.points * self.steps})


@torch.no_grad()
def walked(generator: TrainedGenerator, options: WalkOptions, along: Direction | None = None) -> Frames:
    """The frames of a walk, uint8 `(H, W, C)`, n paths side by side in each."""
    model, paths = latent_model(generator), options.n
    wanted: Any = None
    if options.classes:
        if model.condition is None or not model.condition.classes:
            raise ValueError(f"this {generator.recipe.name} generator has no classes: it was trained without labels")
        wanted = model.condition.parse(options.classes, paths)
    if along is not None:
        along.check(model)
    space = space_of(model, options.space if along is None else along.space)
    inputs = model.inputs(paths, options.seed, wanted)
    if along is None:
        if options.points < 2:
            raise ValueError(f"a walk passes through 2 points or more; found {options.points}")
        path = loop(
            torch.stack([space.at(one) for one in _ends(model, inputs, space.name, options)]), options.steps, space.name
        )
    else:
        turns = torch.linspace(0, 2 * math.pi, options.points * options.steps + 1)[:-1]
        path = torch.stack([space.at(inputs) + _REACH * math.sin(turn) * along.vector for turn in turns.tolist()])
    if options.truncation < 1:
        path = truncated(path, space.prior().mean, options.truncation)
    frames = [to_bytes(space.images(points, inputs)) for points in path]
    return [np.concatenate([*frame], axis=1) for frame in frames]


def _ends(model: LatentModel, inputs: Inputs, space: str, options: WalkOptions) -> list[Inputs]:
    """The inputs of each point of the path, for every one of n paths.

    Paths have a condition each; where they move in the condition itself, they have a latent each, and pass through the
    classes in turn.
    """
    if space != "condition":
        latents = [model.inputs(options.n, options.seed + i).z for i in range(options.points)]
        return [Inputs(z, inputs.c) for z in latents]
    wanted = model.condition.parse(options.classes, options.points) if model.condition and options.classes else None
    c = model.inputs(options.points, wanted=wanted).c
    assert c is not None
    return [Inputs(inputs.z, one.expand(options.n, *one.shape)) for one in c]
