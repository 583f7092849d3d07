"""The perceptual distance, against the formula in float64 and the package whose weights it takes."""

import copy

import numpy as np
import pytest
import torch

from zerosum.features.classifier_features import ClassifierFeatures
from zerosum.features.perceptual_distance import PerceptualDistance
from zerosum.features.perceptual_networks import VGG16, AlexNet
from zerosum.features.pixels import Pixels
from zerosum.features.random_conv import RandomConv

# Distances of two pairs of images by stlpips-pytorch 0.0.2: stlpips.LPIPS(net=..., variant="shift_tolerant")(x, y).
EXPECTED = {VGG16: (0.07033456862, 0.07315210998), AlexNet: (0.07834522426, 0.07794634998)}


def ramps(factor, modulus):
    numbers = torch.arange(2 * 36 * 52 * 3) * factor % modulus
    return numbers.view(2, 36, 52, 3).permute(0, 3, 1, 2) / 127.5 - 1


def noise(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def by_hand(network, x, y, weights=None):
    """The sum over the maps of the mean over the places of the weighted squared differences."""
    total = np.zeros(len(x))
    for place, (one, other) in enumerate(zip(network.maps(x), network.maps(y), strict=True)):
        a, b = (maps.double().numpy() for maps in (one, other))
        w = np.ones(a.shape[1]) if weights is None else weights[place].double().numpy()
        for n, i, j in np.ndindex(len(a), *a.shape[2:]):
            p, q = a[n, :, i, j], b[n, :, i, j]
            p, q = (v / np.linalg.norm(v) if v.any() else v for v in (p, q))
            total[n] += (w * (p - q) ** 2).sum() / (a.shape[2] * a.shape[3])
    return total


@pytest.mark.parametrize("kind", EXPECTED)
def test_it_is_that_of_the_package(kind):
    found = PerceptualDistance(kind())(ramps(7, 251), ramps(21, 241))
    assert found.tolist() == pytest.approx(EXPECTED[kind], rel=1e-5)


def test_it_is_the_formula_with_learned_weights_and_without(alexnet):
    x, y = noise(2, 3, 33, 40), noise(2, 3, 33, 40, seed=1)
    found = PerceptualDistance(alexnet)(x, y)
    np.testing.assert_allclose(found, by_hand(alexnet.module(), x, y, alexnet.linear_weights()), rtol=1e-5)
    extractor = RandomConv()
    found = PerceptualDistance(extractor)(x, y)
    np.testing.assert_allclose(found, by_hand(extractor.module(), x, y), rtol=1e-5)


def test_it_is_a_symmetric_distance_of_each_pair():
    distance, x, y = PerceptualDistance(RandomConv()), noise(4, 1, 20, 24), noise(4, 1, 20, 24, seed=1)
    found = distance(x, y)
    assert found.shape == (4,) and bool((found > 0).all()) and torch.equal(distance(x, x), torch.zeros(4))
    torch.testing.assert_close(distance(y, x), found)
    torch.testing.assert_close(distance(x[2:3], y[2:3]), found[2:3])
    near, far = (distance(x, x + size * (y - x)) for size in (0.1, 0.3))
    assert bool((near < far).all())


def test_gradients_pass_to_both_images_even_where_all_features_are_zero():
    distance = PerceptualDistance(RandomConv()).double()
    x, y = (noise(1, 1, 3, 2, seed=seed).double().requires_grad_() for seed in (0, 1))
    assert torch.autograd.gradcheck(distance, (x, y))
    grey = torch.zeros(1, 1, 8, 8, requires_grad=True)  # of which all features of a network without biases are 0
    (gradient,) = torch.autograd.grad(PerceptualDistance(RandomConv())(grey, noise(1, 1, 8, 8)).sum(), grey)
    assert gradient.isfinite().all()


def test_nothing_of_it_is_trained_or_saved_and_it_can_be_moved(alexnet):
    distance = PerceptualDistance(alexnet)
    assert [*distance.parameters()] == [] and distance.state_dict() == {}
    x, y = noise(1, 3, 32, 32), noise(1, 3, 32, 32, seed=1)
    double = copy.deepcopy(distance).double()(x.double(), y.double())
    assert double.dtype == torch.float64
    torch.testing.assert_close(double.float(), distance(x, y), rtol=1e-4, atol=0)
    with torch.autocast("cpu", torch.bfloat16):
        rough = distance(x, y)
    assert rough.dtype == torch.float32 and rough.item() == pytest.approx(double.item(), rel=0.1)


def test_refusals():
    with pytest.raises(
        ValueError, match="needs an extractor with a module, as vgg16, alexnet or random-conv; found Pix"
    ):
        PerceptualDistance(Pixels())
    distance = PerceptualDistance(RandomConv())
    with pytest.raises(ValueError, match=r"equal shapes; found float32 \(1, 1, 8, 8\) and float32 \(1, 1, 8, 9\)"):
        distance(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 9))
    with pytest.raises(ValueError, match=r"a feature network reads float images \(B, 1 or 3, H, W\) in \[-1, 1\]"):
        distance(torch.zeros(1, 8, 8), torch.zeros(1, 8, 8))
    images = torch.randint(256, (20, 12, 12, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    classifier = ClassifierFeatures.trained(images, torch.arange(20) % 2, 2, seen=64)
    with pytest.raises(ValueError, match="compares feature maps, and this extractor's module has none"):
        PerceptualDistance(classifier)(torch.zeros(1, 1, 12, 12), torch.zeros(1, 1, 12, 12))
