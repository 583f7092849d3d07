"""What the tests of augmentations share: draws whose numbers are given, and turns of given scores."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from zerosum.game import Clock, Draws, Turn


@dataclass(frozen=True, eq=False)
class GivenDraws(Draws):
    """Draws that give the same numbers for every purpose: one for each sample, or those of the shape asked for."""

    numbers: torch.Tensor = field(default_factory=lambda: torch.zeros(1))

    def uniform(self, purpose, shape):
        numbers = self.numbers.view(-1, *(1,) * (len(shape) - 1)) if self.numbers.dim() == 1 else self.numbers
        return numbers.reshape(shape) if numbers.numel() == np.prod(shape) else numbers.expand(shape)

    normal = uniform


@pytest.fixture
def given():
    """Draws of given numbers."""
    return lambda numbers: GivenDraws(0, 0, numbers=torch.as_tensor(numbers, dtype=torch.float32))


@pytest.fixture
def images():
    """Random images of a shape, between -1 and 1."""
    return lambda *shape, seed=0: torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.fixture
def turn():
    """A turn over given samples, at a progress, whose D gives the scores of the sums of samples."""

    def make(x, x_fake=None, *, progress=0.0, position=0, seed=0, player="D"):
        x_fake = torch.zeros_like(x) if x_fake is None else x_fake
        clock, draws = Clock(progress=progress), Draws(seed, position)
        return Turn(player, lambda x: x.flatten(1).sum(1), None, x, x_fake, None, None, clock, draws)

    return make
