"""Halving and doubling maps, against the filters written out."""

import numpy as np
import pytest
import torch

from zerosum.networks.layers.resample import downsample, filter_matrix, upsample

SIDES = [(8, 8), (7, 12), (16, 9), (13, 13)]


def by_hand(x, weights, up, down, pad):
    """Insert zeros, pad, correlate and take every `down`-th place of one line."""
    spread = np.zeros(len(x) * up)
    spread[::up] = x
    padded = np.pad(spread, pad)
    full = [padded[i : i + len(weights)] @ weights for i in range(len(padded) - len(weights) + 1)]
    return np.array(full[::down])


def kernel(side):
    return np.array([1, 2, 1]) / 4 if side % 2 else np.array([1, 3, 3, 1]) / 8


def along_both(x, rows, columns):
    return np.apply_along_axis(columns, 3, np.apply_along_axis(rows, 2, x))


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("sides", SIDES)
def test_downsampling_is_the_filter_at_every_other_place(sides):
    x = drawn(2, 3, *sides)
    rows, columns = (lambda line, s=s: by_hand(line, kernel(s), 1, 2, (1, 1)) for s in sides)
    wanted = along_both(x.double().numpy(), rows, columns)
    assert wanted.shape[2:] == tuple((s + 1) // 2 for s in sides)
    np.testing.assert_allclose(downsample(sides)(x).numpy(), wanted, atol=1e-6)


@pytest.mark.parametrize("sides", SIDES)
def test_upsampling_is_the_filter_between_inserted_zeros(sides):
    x = drawn(2, 3, *((s + 1) // 2 for s in sides))
    rows, columns = (
        lambda line, s=s: by_hand(line, 2 * kernel(s), 2, 1, (2, 1) if s % 2 == 0 else (1, 0)) for s in sides
    )
    wanted = along_both(x.double().numpy(), rows, columns)
    assert wanted.shape[2:] == sides
    np.testing.assert_allclose(upsample(sides)(x).numpy(), wanted, atol=1e-6)


@pytest.mark.parametrize("sides", SIDES)
def test_a_flat_map_stays_flat_away_from_the_border(sides):
    ones = torch.ones(1, 1, *sides)
    small = downsample(sides)(ones)
    assert small[:, :, 1:-1, 1:-1].sub(1).abs().max() < 1e-6
    large = upsample(sides)(torch.ones_like(small))
    assert large[:, :, 2:-2, 2:-2].sub(1).abs().max() < 1e-6


def test_a_matrix_counts_its_padding_from_the_left():
    wanted = [[2.0, 3.0, 0.0, 0.0], [0.0, 1.0, 2.0, 3.0]]
    assert filter_matrix(2, 4, (1.0, 2.0, 3.0), stride=2, pad=1).tolist() == wanted


def test_the_format_is_channels_last_and_the_matrices_are_not_saved():
    layer = downsample((8, 8))
    x = drawn(2, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    assert layer(x).is_contiguous(memory_format=torch.channels_last)
    assert layer.state_dict() == {}
    assert layer(x.bfloat16()).dtype == torch.bfloat16
