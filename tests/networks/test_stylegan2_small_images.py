"""StyleGAN2 as its authors configure it for small images, CIFAR-10 in the code of ADA."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.networks import StyleGAN2Discriminator, StyleGAN2Generator
from zerosum.networks.layers.minibatch import GroupStddev


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_without_shortcuts_a_block_is_the_two_convolutions():
    plain = StyleGAN2Discriminator(size=8, shortcuts=False).build((1, 16, 16), None).body[1]
    residual = StyleGAN2Discriminator(size=8).build((1, 16, 16), None).body[1]
    residual.load_state_dict(plain.state_dict(), strict=False)
    nn.init.zeros_(residual.skip.weight)
    x = torch.randn(2, 8, 16, 16)
    assert torch.allclose(plain(x), residual(x) * math.sqrt(2), atol=1e-5)
    assert {*plain.state_dict()} == {f"{layer}.{name}" for layer in ("first", "second") for name in ("weight", "bias")}


def test_the_configuration_for_small_images_has_the_published_layers():
    """ADA's --cfg=cifar at 32x32: 512 channels at every size, two layers of mapping, D without shortcuts, groups of 32.

    Layers are counted by hand: convolutions with bias, noise and style in G, convolutions with bias in D.
    """
    with torch.device("meta"):
        G = StyleGAN2Generator(size=512, depth=2, mixing=0.0).build(512, (3, 32, 32), None)
        D = StyleGAN2Discriminator(size=512, shortcuts=False, group=32).build((3, 32, 32), None)
    n = 512
    style = n * n + n
    conv, show = n * n * 9 + n + style + 1, n * 3 + 3 + style
    assert count(G) == 2 * (n * n + n) + n * 16 + 7 * conv + 4 * show
    plain = n * n * 9 + n
    assert count(D) == (3 * n + n) + 3 * 2 * plain + (n + 1) * n * 9 + n + (n * 16 * n + n) + (n + 1)
    assert [layer.group for layer in D.modules() if isinstance(layer, GroupStddev)] == [32]


def test_the_group_is_that_over_which_samples_are_compared():
    D = StyleGAN2Discriminator(size=8, group=8).build((1, 8, 8), None).double()
    x = torch.randn(16, 1, 8, 8).double()
    seen = []
    comparing = next(layer for layer in D.modules() if isinstance(layer, GroupStddev))
    comparing.register_forward_hook(lambda layer, given, out: seen.append((given[0], out)))
    D(x)
    h, out = (part.detach().numpy() for part in seen[0])
    groups = h.reshape(8, 2, *h.shape[1:])
    wanted = np.sqrt(groups.var(0) + 1e-8).mean((1, 2, 3))
    np.testing.assert_allclose(out[:, -1, 0, 0], np.tile(wanted, 8), rtol=1e-10)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StyleGAN2Generator(depth=0), "depth counts the layers of the mapping network, at least 1; found 0"),
        (lambda: StyleGAN2Discriminator(group=1), "needs groups of at least 2 samples; found group=1"),
    ],
)
def test_no_layers_and_groups_of_one_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
