"""VGG16 and AlexNet: what their networks compute, by the package's own code and by the definition of their layers."""

import sys

import pytest
import torch
from benchmarks.made_up import trunk_weights
from torch.nn.functional import avg_pool2d, conv2d, interpolate, max_pool2d

from zerosum.features import perceptual_networks as module
from zerosum.features._trunk_networks import ALEX, VGG
from zerosum.features.extractor import extractor_named
from zerosum.features.perceptual_networks import VGG16, AlexNet

# The first three features of the second image of `ramps`, and the norm of all, that the networks of the PyPI package
# stlpips-pytorch 0.0.2 give with its weights, as means over the places of their maps.
EXPECTED = {
    "alexnet": (0.16720791, 0.09851623, 0.03888595, 4.52107137),
    "vgg16": (0.44530794, 0.0, 0.10485418, 721.0443217),
}
KINDS = {"vgg16": VGG16, "alexnet": AlexNet}
PARAMETERS = {"vgg16": 14_714_688, "alexnet": 2_469_696}  # of the convolutions of torchvision's networks


@pytest.fixture(params=KINDS)
def real(request):
    """The network with the weights of the package."""
    return KINDS[request.param]()


def ramps(factor=7, modulus=251):
    numbers = torch.arange(2 * 36 * 52 * 3) * factor % modulus
    return numbers.to(torch.uint8).view(2, 36, 52, 3)


def test_it_computes_what_the_package_computes(real):
    row = real(ramps()).features[1]
    assert (*row[:3].tolist(), float(row.double().norm())) == pytest.approx(EXPECTED[real.name], rel=1e-5, abs=1e-6)
    assert row.shape == (sum(real.trunk.widths),) == (int(real.facts["dimensions"]),)
    assert not any(name.startswith("stlpips_pytorch") for name in sys.modules)


def test_the_weights_of_the_package_are_public_and_not_negative(real):
    assert real.facts["weights"].startswith({"vgg16": "44597da6", "alexnet": "b356b382"}[real.name])
    assert all(bool((weight >= 0).all()) for weight in real.linear_weights())
    assert [len(weight) for weight in real.linear_weights()] == [*real.trunk.widths]
    assert extractor_named(real.name).facts == real.facts


def convolved(x, state, name, padding=1):
    """A convolution as a product with patches, in float64."""
    weight, bias = (state[f"{name}.{part}"].double() for part in ("weight", "bias"))
    patches = torch.nn.functional.unfold(x, weight.shape[2:], padding=padding)
    sides = [side + 2 * padding - len(weight[0, 0]) + 1 for side in x.shape[2:]]
    return (weight.flatten(1) @ patches + bias[:, None]).view(len(x), len(weight), *sides)


def blurred(x):
    """[1 2 1] / 4 along both axes at every second place from the one outside on, the map continued by reflection."""
    for axis in (2, 3):
        places = torch.arange(-1, x.shape[axis] + 1, 2)[:, None] + torch.arange(-1, 2)
        places = places.abs()
        places = torch.where(places >= x.shape[axis], 2 * (x.shape[axis] - 1) - places, places)
        taken = x.index_select(axis, places.flatten()).unflatten(axis, tuple(places.shape)).movedim(axis + 1, -1)
        x = taken @ torch.tensor([0.25, 0.5, 0.25], dtype=x.dtype)
    return x


def layers_of_vgg16(x, state):
    names = iter(sorted((name[: -len(".bias")] for name in state if name.endswith("bias")), key=order))
    for stage, count in enumerate((2, 2, 3, 3, 3)):
        x = blurred(max_pool2d(x, 2, 1)) if stage else x
        for _ in range(count):
            x = convolved(x, state, next(names)).clamp_min(0)
        yield x


def layers_of_alexnet(x, state):
    one, two, three, four, five = sorted((n[: -len(".bias")] for n in state if n.endswith("bias")), key=order)
    x = blurred(convolved(x, state, one, 2)).clamp_min(0)
    yield x
    x = convolved(blurred(max_pool2d(x, 3, 1)), state, two, 2).clamp_min(0)
    yield x
    x = convolved(blurred(max_pool2d(x, 3, 1)), state, three).clamp_min(0)
    yield x
    for name in (four, five):
        x = convolved(x, state, name).clamp_min(0)
        yield x


def order(name):
    return int(name.rpartition(".")[2])


@pytest.mark.parametrize(
    ("kind", "trunk", "layers"), [(VGG16, VGG, layers_of_vgg16), (AlexNet, ALEX, layers_of_alexnet)]
)
def test_the_maps_are_those_of_the_layers(kind, trunk, layers):
    state = trunk_weights(trunk)
    state["scaling_layer.shift"] = torch.tensor([-0.03, -0.088, -0.188]).view(1, 3, 1, 1)
    state["scaling_layer.scale"] = torch.tensor([0.458, 0.448, 0.45]).view(1, 3, 1, 1)
    images = ramps()[:1, :, :37]
    x = images.permute(0, 3, 1, 2).double() / 127.5 - 1
    x = (x - state["scaling_layer.shift"].double()) / state["scaling_layer.scale"].double()
    wanted = [*layers(x, state)]
    network = kind(state, dtype=torch.float64).module()
    found = network.maps(images.permute(0, 3, 1, 2) / 127.5 - 1)
    assert [each.shape for each in found] == [each.shape for each in wanted]
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6 * float(other.max()))
    means = torch.cat([each.mean((2, 3)) for each in wanted], 1)
    features = kind(state)(images).features
    torch.testing.assert_close(features.double(), means, rtol=1e-4, atol=1e-4 * float(means.max()))


def test_they_have_the_parameters_of_the_papers():
    for trunk, name in ((VGG, "vgg16"), (ALEX, "alexnet")):
        shapes = {key: shape for key, shape in trunk.shapes.items() if key.startswith("net.") and "filt" not in key}
        assert sum(torch.Size(shape).numel() for shape in shapes.values()) == PARAMETERS[name]


def test_small_images_are_enlarged_to_32(alexnet):
    small = ramps()[:, :9, :]
    whole = interpolate(small.permute(0, 3, 1, 2).float(), (32, 52), mode="bilinear")
    network = alexnet.module()
    torch.testing.assert_close(
        alexnet(small).features, network(whole / 127.5 - 1), rtol=1e-4, atol=1e-4 * float(network(whole / 255).max())
    )
    assert alexnet.facts["resize"] == "none; sides below 32 by bilinear to 32"


def test_a_shift_by_a_pixel_changes_little(real):
    """What the blur is for: less than that of the same network whose filters only take every second place."""
    x = avg_pool2d(ramps(factor=13)[:1].permute(0, 3, 1, 2).float(), 3, 1, 1) / 127.5 - 1
    one, other = x[..., :, :-1], x[..., :, 1:]
    plain = type(real)()
    for name, tensor in plain._weights.items():
        if name.endswith("filt"):
            tensor.copy_(torch.eye(3)[1].outer(torch.eye(3)[1]).expand(tensor.shape))

    def change(extractor):
        a, b = extractor.module()(one), extractor.module()(other)
        return float((a - b).norm() / a.norm())

    assert change(real) < change(plain)


@pytest.mark.parametrize(("dtype", "name"), [(torch.bfloat16, "bfloat16"), (torch.float64, "float64")])
def test_it_computes_in_the_format_asked_for(made_up_alexnet, alexnet, conv_formats, dtype, name):
    other = AlexNet(made_up_alexnet, dtype=dtype)
    conv_formats.clear()
    found = other(ramps()).features
    assert {dtype} == {format_ for pair in conv_formats for format_ in pair} and found.dtype == torch.float32
    expected = alexnet(ramps()).features
    off = float((found - expected).norm() / expected.norm())
    assert 1e-4 < off < 0.1 if dtype == torch.bfloat16 else off < 1e-5
    assert other.facts["dtype"] == name


def test_large_images_are_read_a_few_at_once(alexnet, monkeypatch):
    counts = []

    def watched(x, weight, *rest, **options):
        counts.append(len(x))
        return conv2d(x, weight, *rest, **options)

    images = ramps().repeat(3, 1, 1, 1)
    expected = alexnet(images).features
    monkeypatch.setattr(torch.nn.functional, "conv2d", watched)
    monkeypatch.setattr(module, "_AT_ONCE", 36 * 52 * 4)
    torch.testing.assert_close(alexnet(images).features, expected)
    assert {*counts} == {4, 2}


def test_no_gradients_are_kept_whatever_the_weights_are(made_up_alexnet):
    made = AlexNet({name: torch.nn.Parameter(tensor) for name, tensor in made_up_alexnet.items()})
    assert not made(ramps()).features.requires_grad and not any(w.requires_grad for w in made.linear_weights())


def test_refusals(made_up_alexnet, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match=r"weights of AlexNet hold net.slice1.0.bias \(64,\); found none of that name"):
        AlexNet({name: tensor for name, tensor in made_up_alexnet.items() if name != "net.slice1.0.bias"})
    with pytest.raises(
        ValueError, match=r"weights of VGG16 hold net.slice1.0.weight \(64, 3, 3, 3\); found \(64, 3, 11"
    ):
        VGG16(made_up_alexnet)
    with pytest.raises(ValueError, match=r"a network computes in float32, bfloat16, float64; found torch.float16"):
        AlexNet(made_up_alexnet, dtype=torch.float16)
    with pytest.raises(ValueError, match=r"there is no file of weights .*gone.pth"):
        extractor_named(f"alexnet:{tmp_path / 'gone.pth'}")
    monkeypatch.setattr(module, "PACKAGE", "no_such_package_of_weights")
    for name in KINDS:
        with pytest.raises(
            ValueError, match=rf"{name} needs the weights of the package .*: pip install 'zerosum\[perceptual\]'"
        ):
            extractor_named(name)
