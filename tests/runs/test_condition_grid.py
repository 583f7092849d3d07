"""Rows of a sample grid under images: conditions, samples, real samples."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.conditions import Image, Labels
from zerosum.game import Normal
from zerosum.recipes import dcgan
from zerosum.runs.condition_grid import condition_grid
from zerosum.runs.generator import TrainedGenerator

EXAMPLES = torch.randint(0, 256, (12, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


class Shifted(nn.Module):
    """G(z, c): the condition, darker by the latent."""

    def __init__(self, by):
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, z, c):
        return c - self.by * z.abs().mean(1)[:, None, None, None]


def made(by, condition):
    return TrainedGenerator(replace(dcgan(), latent=Normal(4)), Shifted(by), (1, 8, 8), 0, condition)


@pytest.mark.parametrize(("by", "latents"), [(0.2, 3), (0.0, 1)])
def test_there_is_a_row_for_each_latent_that_changes_samples(by, latents):
    truths = 255 - EXAMPLES
    rows = condition_grid(made(by, Image((1, 8, 8), EXAMPLES, truths)), seed=1)
    assert rows.shape == (10 * (latents + 2), 8, 8, 1)
    seen, *samples, real = (row[..., 0] for row in np.split(rows, latents + 2))
    assert np.array_equal(seen, EXAMPLES[:10, 0].numpy()) and np.array_equal(real, truths[:10, 0].numpy())
    assert len({row.tobytes() for row in samples}) == latents
    assert all((row <= seen).all() for row in samples)
    assert len(condition_grid(made(by, Image((1, 8, 8), EXAMPLES)), seed=1)) == 10 * (latents + 1)


def test_other_conditions_have_none():
    assert condition_grid(made(0.0, Image((1, 8, 8))), 0) is None and condition_grid(made(0.0, Labels(3)), 0) is None
