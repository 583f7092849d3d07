"""Networks that enlarge an image: exactly bicubic at first, for every factor, at any sides."""

import numpy as np
import pytest
import torch

from zerosum.conditions import Image, Labels
from zerosum.networks import SuperResolution
from zerosum.recipes.reader import read

BODIES = ["edsr", "rrdb"]
FACTORS = [2, 3, 4, 6, 8]


def bicubic(side, factor):
    """The matrix `(factor * side, side)` of Keys' cubic convolution with a = -0.75, whose border repeats."""

    def kernel(t):
        t, a = abs(t), -0.75
        if t <= 1:
            return (a + 2) * t**3 - (a + 3) * t**2 + 1
        return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0

    matrix = np.zeros((factor * side, side))
    for i in range(factor * side):
        at = (i + 0.5) / factor - 0.5
        for j in range(int(np.floor(at)) - 1, int(np.floor(at)) + 3):
            matrix[i, min(max(j, 0), side - 1)] += kernel(at - j)
    return matrix


def enlarging(factor, **options):
    options = {"size": 4, "blocks": 1} | options
    return SuperResolution(**options).build(5, (3, 5 * factor, 6 * factor), Image((3, 5, 6)))


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("factor", FACTORS)
def test_a_sample_is_at_first_the_bicubic_enlargement_and_then_what_the_network_adds(factor, body):
    G = enlarging(factor, body=body, noise=True).double()
    z, c = torch.randn(2, 5).double(), torch.randn(2, 3, 5, 7).double()
    expected = bicubic(5, factor) @ c.numpy() @ bicubic(7, factor).T
    assert np.allclose(G(z, c).detach().numpy(), expected, rtol=1e-9, atol=1e-12)
    torch.nn.init.normal_(G.end.weight)
    h = G.enter(c) + G.latent(z)[:, :, None, None]
    added = G.end(G.enlarge(h + G.body(h))).detach().numpy()
    assert np.abs(added).max() > 1e-2
    assert np.allclose(G(z, c).detach().numpy(), expected + added, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize("body", BODIES)
def test_every_parameter_is_reached_and_z_matters_only_as_noise(body, noise):
    G = enlarging(4, body=body, noise=noise, blocks=2)
    torch.nn.init.normal_(G.end.weight)
    z, c = torch.randn(2, 5), torch.randn(2, 3, 5, 6)
    x = G(z, c)
    gradients = torch.autograd.grad((x * torch.randn_like(x)).sum(), [*G.parameters()])
    assert all(g.isfinite().all() and g.any() for g in gradients)
    assert torch.equal(G(-z, c), x) != noise
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert G(z, c).dtype == torch.float32
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in G.modules())


def test_blocks_are_those_of_their_papers():
    plain, dense = (enlarging(2, body=body, size=8).body[0].double() for body in BODIES)
    h = torch.randn(1, 8, 4, 4).double()
    first, second = plain.body[0], plain.body[2]
    assert torch.allclose(plain(h), h + 0.1 * second(first(h).relu()))
    inner = h
    for block in dense.body:
        known = inner
        for layer in block.layers[:-1]:
            y = layer(known)
            known = torch.cat([known, torch.where(y > 0, y, 0.2 * y)], 1)
        inner = inner + 0.2 * block.layers[-1](known)
    assert [layer.in_channels for layer in dense.body[0].layers] == [8, 12, 16, 20, 24]
    assert torch.allclose(dense(h), h + 0.2 * inner)


@pytest.mark.parametrize("factor", FACTORS)
def test_pixels_are_shuffled_by_two_and_three(factor):
    steps = [s.upscale_factor for s in enlarging(factor).modules() if isinstance(s, torch.nn.PixelShuffle)]
    assert set(steps) <= {2, 3} and np.prod(steps) == factor


def test_what_it_cannot_do_is_refused():
    known = r"enlarges an image by one of 2, 3, 4, 6, 8, with the channels of the sample; found a condition of"
    for size in ((3, 16, 16), (3, 8, 4), (3, 3, 3), (1, 8, 8)):
        with pytest.raises(ValueError, match=known):
            SuperResolution().build(5, (3, 16, 16), Image(size))
    for condition in (None, Labels(3)):
        with pytest.raises(ValueError, match="SuperResolution needs an image as the condition; found"):
            SuperResolution().build(5, (3, 16, 16), condition)
    with pytest.raises(ValueError, match="convolutional networks take images"):
        SuperResolution().build(5, (2,), Image((1, 8, 8)))
    with pytest.raises(ValueError, match="blocks counts residual blocks, at least 0; found -1"):
        SuperResolution(blocks=-1)
    with pytest.raises(ValueError, match="body is 'edsr' or 'rrdb'; found 'vdsr'"):
        SuperResolution(body="vdsr")
    with pytest.raises(ValueError, match="size is a number of channels"):
        SuperResolution(size=0)
    with pytest.raises(ValueError, match="this network is conditional: call it with a condition c"):
        enlarging(2)(torch.zeros(1, 5))
    spec = SuperResolution(8, 2, "rrdb", noise=True)
    assert read(repr(spec)) == spec
