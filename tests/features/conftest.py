"""Networks with made-up weights, made once."""

import pytest
import torch
from benchmarks.made_up import inception_weights, lite0_weights, trunk_weights

from zerosum.features._trunk_networks import ALEX, VGG
from zerosum.features.inception import Inception
from zerosum.features.lite0 import Lite0
from zerosum.features.perceptual_networks import VGG16, AlexNet


@pytest.fixture(scope="session")
def made_up_inception():
    """Made-up weights of Inception."""
    return inception_weights()


@pytest.fixture(scope="session")
def inception(made_up_inception):
    """Inception with made-up weights."""
    return Inception(made_up_inception)


@pytest.fixture(scope="session")
def made_up_lite0():
    """Made-up weights of EfficientNet-Lite0."""
    return lite0_weights()


@pytest.fixture(scope="session")
def lite0(made_up_lite0):
    """EfficientNet-Lite0 with made-up weights."""
    return Lite0(made_up_lite0)


@pytest.fixture(scope="session")
def vgg16():
    """VGG16 with made-up weights."""
    return VGG16(trunk_weights(VGG))


@pytest.fixture(scope="session")
def made_up_alexnet():
    """Made-up weights of AlexNet."""
    return trunk_weights(ALEX)


@pytest.fixture(scope="session")
def alexnet(made_up_alexnet):
    """AlexNet with made-up weights."""
    return AlexNet(made_up_alexnet)


@pytest.fixture
def conv_formats(monkeypatch):
    """The number formats in which convolutions are computed from now on, in a list that grows."""
    found = []
    plain = torch.nn.functional.conv2d

    def watched(x, weight, *rest, **options):
        found.append((x.dtype, weight.dtype))
        return plain(x, weight, *rest, **options)

    monkeypatch.setattr(torch.nn.functional, "conv2d", watched)
    return found
