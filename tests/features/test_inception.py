"""Inception against what public code computes with the same weights, and against plain twins."""

from pathlib import Path

import numpy as np
import pytest
import torch

from zerosum.features._folding import Sketch, finder, folded
from zerosum.features._resize import tensorflow_bilinear
from zerosum.features.inception import LAYERS, Inception

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "inception.npz"
# The first three features of the second image of `ramps`, and the norm over both, that torch-fidelity 0.4.0 gives
# with the weights of `benchmarks/made_up.py`.
TWIN = {
    "64": (0.06869, 0.14490, 0.01630, 4.42126),
    "192": (0.68957, 0.15627, 0.50448, 12.56094),
    "768": (0.15218, 0.50245, 0.00201, 14.62978),
    "2048": (1.24709, 0.00176, 0.00454, 25.51011),
    "logits_unbiased": (-0.07274, 0.52209, -0.02006, 16.72739),
    "logits": (-0.06282, 0.50070, 0.00331, 16.76598),
}


def ramps(count=2, height=20, width=30, channels=3):
    """Images that no generator draws: the same everywhere."""
    numbers = torch.arange(count * height * width * channels) * 7 % 251
    return numbers.to(torch.uint8).view(count, height, width, channels)


@pytest.fixture
def golden():
    if not GOLDEN.exists():
        pytest.skip("the golden numbers are not at ../shared/golden/inception.npz")
    with np.load(GOLDEN, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


@pytest.mark.parametrize("sides", ["28x28", "32x32", "64x64", "200x331", "299x299"])
def test_every_layer_gives_what_torch_fidelity_gives(inception, golden, sides):
    images = torch.from_numpy(golden[f"{sides}/images"]).permute(0, 2, 3, 1)
    for layer, found in inception.layers(images).items():
        assert np.abs(found.numpy() - golden[f"{sides}/{layer}"]).max() < 1e-5, layer


def test_names_and_shapes_are_those_of_the_public_file(made_up_inception, golden):
    ours = {f"{name} {tuple(tensor.shape)}" for name, tensor in made_up_inception.items()}
    assert ours == set(golden["keys"].tolist())


def test_every_layer_gives_what_was_noted_of_torch_fidelity(inception):
    for layer, found in inception.layers(ramps()).items():
        measured = (*found[1, :3].tolist(), float(found.double().norm()))
        assert measured == pytest.approx(TWIN[layer], abs=3e-5), layer


def test_features_and_logits_are_those_of_the_layers(inception, made_up_inception):
    images = ramps(3)
    layers = inception.layers(images)
    found = inception(images)
    assert torch.equal(found.features, layers["2048"]) and torch.equal(found.logits, layers["logits_unbiased"])
    assert torch.allclose(layers["logits"], layers["logits_unbiased"] + made_up_inception["fc.bias"], atol=1e-6)
    assert inception.facts["dimensions"] == "2048" and inception.facts["logits"] == "unbiased"


@pytest.mark.parametrize("layer", ["64", "768", "logits"])
def test_another_layer(made_up_inception, inception, conv_formats, layer):
    images = ramps()
    other = Inception(made_up_inception, layer=layer)
    conv_formats.clear()
    found = other(images)
    asked = len(conv_formats)
    assert torch.equal(found.features, inception.layers(images)[layer])
    assert (found.logits is None) == (layer in ("64", "768"))
    assert asked == {"64": 3, "768": 70, "logits": 94}[layer]  # convolutions: the network ends behind the layer
    assert other.facts["layer"] == layer and other.facts["dimensions"] == str(found.features.shape[1])
    assert other.facts["logits"] == ("none" if found.logits is None else "unbiased")


def test_a_grey_image_is_one_of_equal_colours(inception):
    grey = ramps(2, 13, 9, 1)
    assert torch.equal(inception(grey).features, inception(grey.expand(-1, -1, -1, 3)).features)


@pytest.mark.parametrize(("dtype", "name"), [(torch.bfloat16, "bfloat16"), (torch.float64, "float64")])
def test_it_computes_in_the_format_asked_for(made_up_inception, inception, conv_formats, dtype, name):
    images = ramps()
    expected = inception(images)
    assert {torch.float32} == {format_ for pair in conv_formats for format_ in pair}
    other = Inception(made_up_inception, dtype=dtype)
    conv_formats.clear()
    found = other(images)
    assert len(conv_formats) == 94 and {dtype} == {format_ for pair in conv_formats for format_ in pair}
    assert found.features.dtype == torch.float32
    off = float((found.features - expected.features).abs().max())
    assert 1e-4 < off < 0.05 if dtype == torch.bfloat16 else off < 1e-5
    assert other.facts["dtype"] == name and inception.facts["dtype"] == "float32"


def test_more_images_than_are_read_together(inception):
    images = ramps(9, 5, 5)
    found = inception(images)
    assert found.features.shape == (9, 2048) and found.logits.shape == (9, 1008)
    assert torch.allclose(found.features[8:], inception(images[8:]).features, atol=1e-5)


def plain_resize(row, side):
    """A row of numbers resized as TensorFlow 1 does, one by one."""
    scale = np.float32(len(row) / side)
    found = []
    for i in range(side):
        at = np.float32(i) * scale
        low = int(at)
        high = min(low + 1, len(row) - 1)
        found.append(row[low] + (row[high] - row[low]) * float(at - np.float32(low)))
    return np.array(found)


@pytest.mark.parametrize("sides", [(1, 1), (1, 6), (7, 3), (32, 32), (298, 301), (299, 299), (601, 450)])
def test_the_resize_is_that_of_tensorflow(sides):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(1, 1, *sides))
    expected = np.apply_along_axis(plain_resize, 0, np.apply_along_axis(plain_resize, 1, x[0, 0], 299), 299)
    found = tensorflow_bilinear(torch.from_numpy(x), 299)
    assert found.shape == (1, 1, 299, 299)
    assert np.abs(found[0, 0].numpy() - expected).max() < 1e-12
    in_float32 = tensorflow_bilinear(torch.from_numpy(x).float(), 299)
    assert np.abs(in_float32[0, 0].numpy() - expected).max() < 1e-5


def test_folded_convolutions_do_the_work_of_the_batch_norm():
    def network(find, x):
        weight, bias = find("conv", "norm", (5, 3, 3, 3))
        yield torch.nn.functional.conv2d(x, weight, bias)

    draw = torch.Generator().manual_seed(0)
    sketch = Sketch(network, 8)
    assert sketch.pairs == [("conv", "norm")]
    state = {name: torch.rand(shape, generator=draw) + 0.5 for name, shape in sketch.shapes.items()}
    convolution, norm = torch.nn.Conv2d(3, 5, 3, bias=False), torch.nn.BatchNorm2d(5, eps=0.2)
    convolution.load_state_dict({"weight": state["conv.weight"]})
    parts = ("weight", "bias", "running_mean", "running_var")
    norm.load_state_dict({part: state[f"norm.{part}"] for part in parts}, strict=False)
    x = torch.rand(2, 3, 8, 8, generator=draw)
    (found,) = network(finder(folded(state, sketch, 0.2, torch.float32, torch.device("cpu"))), x)
    assert torch.allclose(found, norm.eval()(convolution(x)), atol=1e-5)


def test_the_hash_tells_weights_apart(made_up_inception, inception):
    other = Inception(made_up_inception | {"fc.bias": made_up_inception["fc.bias"] + 1})
    assert other.facts["weights"] != inception.facts["weights"] and len(other.facts["weights"]) == 64
    assert Inception(dict(reversed(made_up_inception.items()))).facts == inception.facts


def test_refusals(made_up_inception):
    with pytest.raises(
        ValueError, match="Inception has the layers 64, 192, 768, 2048, logits_unbiased, logits; found '1"
    ):
        Inception(made_up_inception, layer="1024")
    with pytest.raises(ValueError, match=r"computes in float32, bfloat16, float64; found torch\.float16"):
        Inception(made_up_inception, dtype=torch.float16)
    with pytest.raises(
        ValueError, match=r"hold Mixed_5b.branch1x1.conv.weight \(64, 192, 1, 1\); found none of that name"
    ):
        Inception({name: t for name, t in made_up_inception.items() if name != "Mixed_5b.branch1x1.conv.weight"})
    with pytest.raises(ValueError, match=r"weights of Inception hold fc.bias \(1008,\); found \(1000,\)"):
        Inception(made_up_inception | {"fc.bias": torch.zeros(1000)})
    with pytest.raises(
        ValueError, match=r"hold nothing by the name of AuxLogits.fc.bias: these are of another network"
    ):
        Inception(made_up_inception | {"AuxLogits.fc.bias": torch.zeros(1)})


def test_the_layers_are_named_as_torch_fidelity_names_them():
    assert tuple(TWIN) == LAYERS
