"""Moves laid out by hand, in float64."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from zerosum.game import Clock, Draws, Turn


def as_tensor(value):
    """Arrays of numbers in float64; whole numbers and None as they are."""
    if value is None or isinstance(value, torch.Tensor):
        return value
    array = np.asarray(value)
    return torch.tensor(array) if array.dtype.kind == "i" else torch.tensor(array, dtype=torch.float64)


@pytest.fixture
def build_turn() -> Callable[..., Turn]:
    """Build a turn, with x, x_fake, z and c given by name: on D's, samples are leaves that need gradients.

    Where no generated samples are given, G makes them of z.
    """

    def make(player, D=None, G=None, updates=0, position=0, **given):
        x, x_fake, z, c = (as_tensor(given.pop(name, None)) for name in ("x", "x_fake", "z", "c"))
        assert not given
        if x_fake is None and G is not None and z is not None:
            x_fake = G(z) if c is None else G(z, c)
            x_fake = x_fake.detach() if player == "D" else x_fake
        x = torch.zeros_like(x_fake).detach() if x is None else x
        if player == "D":
            x, x_fake = (None if a is None else a.detach().requires_grad_() for a in (x, x_fake))
        return Turn(player, D, G, x, x_fake, z, c, Clock(updates), Draws(seed=0, position=position))

    return make


@pytest.fixture
def differences() -> Callable[..., np.ndarray]:
    """The gradient of a function of one array, by central differences."""

    def gradient(function, array, step=1e-5):
        found = np.zeros_like(array)
        for place in np.ndindex(*array.shape):
            shift = np.zeros_like(array)
            shift[place] = step
            found[place] = (function(array + shift) - function(array - shift)) / (2 * step)
        return found

    return gradient
