"""Extractors as modules: the same features as a score's, with right gradients to the images and frozen weights."""

import copy
from functools import cache

import pytest
import torch

from zerosum.features.classifier_features import ClassifierFeatures
from zerosum.features.extractor import Extractor
from zerosum.features.feature_network import Differentiable, FeatureNetwork
from zerosum.features.inception import Inception
from zerosum.features.lite0 import Lite0
from zerosum.features.pixels import Pixels
from zerosum.features.random_conv import RandomConv


def random_images(*shape):
    return torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def floats(images):
    """uint8 images `(B, H, W, C)` as networks give them."""
    return images.permute(0, 3, 1, 2).float() / 127.5 - 1


@pytest.fixture(scope="module")
def classifier():
    return ClassifierFeatures.trained(random_images(40, 12, 12, 3), torch.arange(40) % 2, 2, seen=256)


@pytest.fixture(scope="module")
def extractor_called(classifier, request):
    """The extractor of a name, made when it is first asked for."""
    layers = {"early": "192", "logits": "logits"}

    @cache
    def called(name):
        if name in layers:
            return Inception(request.getfixturevalue("made_up_inception"), layer=layers[name])
        own = {"classifier": classifier, "random-conv": RandomConv(seed=3)}
        return own[name] if name in own else request.getfixturevalue(name)

    return called


NAMES = ["classifier", "random-conv", "lite0", "inception", "early", "logits", "vgg16", "alexnet"]
OTHERS_LAYERS = ("inception", "early")  # whose layers "logits" has, too
MAPS = {
    "classifier": 0,
    "random-conv": 4,
    "lite0": 5,
    "inception": 4,
    "early": 2,
    "logits": 4,
    "vgg16": 5,
    "alexnet": 5,
}


@pytest.mark.parametrize(
    ("name", "channels"), [(n, c) for n in NAMES for c in (1, 3) if c == 3 or n not in ("early", "logits")]
)
def test_the_features_are_those_of_the_extractor(extractor_called, name, channels):
    extractor = extractor_called(name)
    assert isinstance(extractor, Extractor) and isinstance(extractor, Differentiable)
    images = random_images(2, 12, 12, channels) if name == "classifier" else random_images(2, 40, 28, channels)
    module, expected = extractor.module(), extractor(images).features
    found = module(floats(images))
    assert found.shape == expected.shape
    assert torch.allclose(found, expected, rtol=1e-3, atol=2e-5 * float(expected.abs().max()))
    maps = module.maps(floats(images))
    assert len(maps) == MAPS[name] and all(each.dim() == 4 and len(each) == 2 for each in maps)
    assert [len(each[0, 0]) for each in maps] == sorted((len(each[0, 0]) for each in maps), reverse=True)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n in OTHERS_LAYERS else []) for n in NAMES]
)
def test_the_gradient_to_the_images_is_that_of_the_features(extractor_called, name):
    module = extractor_called(name).module().double()
    side = 12 if name == "classifier" else 20
    x = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 1.6 - 0.8
    x.requires_grad_()
    draw = torch.Generator().manual_seed(2)
    along = torch.randn(x.shape, generator=draw, dtype=torch.float64)
    weigh = torch.randn(module(x).shape, generator=draw, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((module(x) * weigh).sum(), x)
    step = 1e-7
    with torch.no_grad():
        there, back = ((module(x + sign * step * along) * weigh).sum() for sign in (1, -1))
    assert float((gradient * along).sum()) == pytest.approx(float(there - back) / (2 * step), rel=1e-4)
    assert float(gradient.abs().max()) > 0


@pytest.mark.parametrize("name", ["random-conv", "lite0", "inception", "vgg16"])
def test_a_module_resizes_images_to_a_side(extractor_called, name):
    """The finest map has twice the sides where images have; images of that side are not resized."""
    images = floats(random_images(1, 96, 96, 3))
    small, large = (extractor_called(name).module(side) for side in (96, 192))
    sides = [len(module.maps(images)[0][0, 0]) for module in (small, large)]
    assert 2 * sides[0] <= sides[1] <= 2 * sides[0] + 5
    if name in ("vgg16", "lite0"):  # the others resize in a way of their own
        enlarged = torch.nn.functional.interpolate(images, (192, 192), mode="bicubic", antialias=True).clamp(-1, 1)
        assert torch.allclose(large(images), large(enlarged), atol=1e-3 * float(large(images).abs().max()))


def test_gradcheck_of_a_small_one():
    module = RandomConv().module().double()
    x = torch.rand(1, 1, 3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 0.5
    assert torch.autograd.gradcheck(lambda x: module(x)[:, ::50], x.requires_grad_())


def test_images_may_be_of_any_size_and_the_weights_are_frozen():
    module = RandomConv().module()
    for shape in ((1, 3, 7, 200), (2, 1, 130, 64)):
        assert module(torch.zeros(shape)).shape == (shape[0], 512)
    assert [*module.parameters()] == [] and module.state_dict() == {}
    assert sum(weight.numel() for weight in module.buffers()) == sum(w.numel() for w in RandomConv().weights)
    assert not any(weight.requires_grad for weight in module.buffers())


def test_a_copy_stands_alone_and_the_extractor_is_left_as_it_is():
    extractor = RandomConv()
    module = extractor.module()
    other = copy.deepcopy(module).double()
    assert other(torch.zeros(1, 3, 8, 8, dtype=torch.float64)).dtype == torch.float64
    assert module(torch.zeros(1, 3, 8, 8)).dtype == torch.float32 and extractor.weights[0].dtype == torch.float32


def test_it_sees_what_rounding_to_8_bits_takes_away():
    module = RandomConv().module()
    x = floats(random_images(1, 64, 64, 3))
    finer = x + 0.4 / 127.5
    rounded = ((finer + 1) * 127.5).round() / 127.5 - 1
    assert torch.allclose(module(rounded), module(x), atol=1e-5) and not torch.allclose(
        module(finer), module(x), atol=1e-4
    )


def test_it_can_be_the_frozen_part_of_a_discriminator():
    module = RandomConv().module()
    head = torch.nn.Sequential(module, torch.nn.Linear(512, 1))
    assert len([*head.parameters()]) == 2
    x = floats(random_images(2, 16, 16, 3)).requires_grad_()
    head(x).sum().backward()
    assert x.grad is not None and float(x.grad.abs().sum()) > 0


@pytest.mark.parametrize("images", [random_images(1, 3, 8, 8), torch.zeros(3, 8, 8), torch.zeros(1, 2, 8, 8)])
def test_what_is_no_batch_of_images_is_refused(images):
    with pytest.raises(
        ValueError, match=r"a feature network reads float images \(B, 1 or 3, H, W\) in \[-1, 1\]; found"
    ):
        RandomConv().module()(images)


def test_a_classifier_reads_images_of_its_shape(classifier):
    with pytest.raises(ValueError, match=r"reads images \(B, 3, 12, 12\); found float32 \(1, 3, 9, 9\)"):
        classifier.module()(torch.zeros(1, 3, 9, 9))
    with pytest.raises(ValueError, match="a classifier reads images of the shape of its training; found side=32: leav"):
        classifier.module(32)
    assert not isinstance(Pixels(), Differentiable) and isinstance(Lite0, type)


def test_a_side_of_which_no_map_is_left_is_refused(extractor_called):
    extractor = extractor_called("inception")
    assert extractor.module(75).maps(floats(random_images(1, 8, 8, 3)))[-1].shape == (1, 2048, 1, 1)
    with pytest.raises(ValueError, match="Inception reads images of 75x75 and more; found side=74"):
        extractor.module(74)


@pytest.mark.parametrize("name", NAMES)
def test_a_module_is_a_feature_network(extractor_called, name):
    assert isinstance(extractor_called(name).module(), FeatureNetwork)
