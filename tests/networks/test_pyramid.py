"""Down and up the pyramid: every size is met, for any height and width."""

import pytest
import torch

from zerosum.networks.layers.pyramid import ascend, channels, descend, ladder


def test_sides_halve_rounding_up_while_both_are_above_4():
    assert ladder(28, 28) == [(28, 28), (14, 14), (7, 7), (4, 4)]
    assert ladder(64, 64) == [(64, 64), (32, 32), (16, 16), (8, 8), (4, 4)]
    assert ladder(17, 100) == [(17, 100), (9, 50), (5, 25), (3, 13)]
    assert ladder(8, 8) == [(8, 8), (4, 4)]


def test_channels_double_up_to_eight_times():
    assert channels(3, 6) == [3, 6, 12, 24, 24, 24]


@pytest.mark.parametrize("side", range(8, 41))
def test_down_and_up_again_meet_at_every_size(side):
    for sizes in (ladder(side, side), ladder(side, 2 * side + 3)):
        top = channels(1, len(sizes) - 1)[-1]
        down = descend(sizes, 2, 1, "none", "leaky")(torch.randn(1, 2, *sizes[0]))
        assert down.shape == (1, top, *sizes[-1])
        up = ascend(sizes, 2, 1, "none", "relu")(down)
        assert up.shape == (1, 2, *sizes[0])


@pytest.mark.parametrize("side", [16, 28, 30, 33])
def test_every_pixel_counts_and_can_be_reached(side):
    """No border is cropped away: each pixel of the input is seen, and each of the output is painted."""
    sizes = ladder(side, side)
    x = torch.randn(1, 1, side, side, requires_grad=True)
    down = descend(sizes, 1, 4, "none", "silu")(x)
    (gradient,) = torch.autograd.grad(down.square().sum(), x)
    assert gradient.all()
    bottom = torch.randn(1, channels(4, len(sizes) - 1)[-1], *sizes[-1], requires_grad=True)
    up = ascend(sizes, 1, 4, "none", "silu")(bottom)
    for corner in (up[..., 0, 0], up[..., 0, -1], up[..., -1, 0], up[..., -1, -1]):
        assert torch.autograd.grad(corner.sum(), bottom, retain_graph=True)[0].any()
