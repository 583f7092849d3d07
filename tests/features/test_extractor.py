"""What is asked of every extractor, functions as extractors, and names."""

import math

import numpy as np
import pytest
import torch

from zerosum.features.extractor import Extractor, Features, Function, extractor_named
from zerosum.features.pixels import Pixels
from zerosum.features.random_conv import RandomConv

EXTRACTORS = ("pixels", "random-conv", "inception", "lite0", "vgg16", "alexnet")


@pytest.fixture
def extractor(name, request):
    """The extractor of a name, with made-up weights where it has some."""
    plain = {"pixels": Pixels(), "random-conv": RandomConv()}
    return plain[name] if name in plain else request.getfixturevalue(name)


def random_images(count=5, height=17, width=40, channels=3, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, height, width, channels), dtype=torch.uint8, generator=draw)


def means(images):
    """Mean and extremes of every image: a user's own function, `package.module:means` to the command line."""
    flat = images.flatten(1).double()
    return torch.stack([flat.mean(1), flat.amin(1), flat.amax(1)], 1)


@pytest.mark.parametrize("name", EXTRACTORS)
def test_every_image_is_read_by_itself(extractor):
    """Alone, in a batch, in another order, in another layout of memory: the same features."""
    images = random_images(6)
    together = extractor(images).features
    assert together.dtype == torch.float32 and together.device.type == "cpu" and not together.requires_grad
    alone = torch.cat([extractor(images[i : i + 1]).features for i in range(6)])
    assert torch.allclose(together, alone, atol=1e-5)
    order = torch.tensor([4, 0, 5, 2, 1, 3])
    assert torch.allclose(extractor(images[order]).features, together[order], atol=1e-5)
    planes = images.permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)
    assert planes.stride() != images.stride()
    assert torch.allclose(extractor(planes).features, together, atol=1e-5)
    assert float(together.std(0).max()) > 0.01


@pytest.mark.parametrize("name", EXTRACTORS)
@pytest.mark.parametrize(("height", "width", "channels"), [(1, 1, 1), (1, 7, 3), (33, 31, 1), (70, 9, 3)])
def test_any_sides_and_one_channel_or_three(extractor, height, width, channels):
    found = extractor(random_images(2, height, width, channels)).features
    assert found.shape[0] == 2 and bool(found.isfinite().all())


@pytest.mark.parametrize("name", EXTRACTORS)
def test_facts_are_plain_words_and_say_what_distinguishes(name, extractor):
    facts = extractor.facts
    assert isinstance(extractor, Extractor)
    assert {"name", "weights", "resize", "dtype", "dimensions"} <= facts.keys()
    assert facts["name"] == name
    assert all(isinstance(key, str) and isinstance(value, str) for key, value in facts.items())


@pytest.mark.parametrize("name", EXTRACTORS)
def test_images_of_another_kind_are_refused(extractor):
    images = random_images(2)
    with pytest.raises(
        ValueError, match=r"reads uint8 images \(B, H, W, C\), 0 to 255; found float32 \(2, 17, 40, 3\)"
    ):
        extractor(images.float())
    with pytest.raises(ValueError, match=r"reads a batch of images \(B, H, W, C\); found uint8 \(17, 40, 3\)"):
        extractor(images[0])
    with pytest.raises(
        ValueError, match=r"channels last; found uint8 \(2, 3, 17, 40\): give images\.permute\(0, 2, 3, 1\)"
    ):
        extractor(images.permute(0, 3, 1, 2))
    with pytest.raises(ValueError, match=r"images of 1 or 3 channels \(B, H, W, C\); found uint8 \(2, 17, 40, 4\)"):
        extractor(random_images(2, channels=4))
    with pytest.raises(ValueError, match=r"an extractor reads one image or more; found uint8 \(0, 17, 40, 3\)"):
        extractor(images[:0])


def test_pixels_are_the_pixels():
    images = random_images(2, 4, 5)
    assert torch.equal(Pixels()(images).features, (images.permute(0, 3, 1, 2).float() / 255).flatten(1))


def test_longer_sides_are_averaged_down():
    images = random_images(2, 8, 3)
    expected = images.float().div(255).view(2, 4, 2, 3, 3).mean(2).permute(0, 3, 1, 2)
    assert torch.allclose(Pixels(side=4)(images).features, expected.flatten(1))
    assert Pixels(side=4)(random_images(2, 3, 8)).features.shape == (2, 3 * 3 * 4)
    assert Pixels(side=None)(random_images(1, 50, 2)).features.shape == (1, 300)
    assert Pixels(side=4).facts != Pixels().facts != Pixels(side=None).facts
    with pytest.raises(ValueError, match="averaged down to a side of 1 or more, or None; found 0"):
        Pixels(side=0)


def test_the_random_network_is_the_one_its_docstring_describes():
    """In float64, by unfolding; 64x64 images are not resized."""
    images = random_images(2, 64, 64)
    draw = torch.Generator().manual_seed(5)
    x = images.permute(0, 3, 1, 2).double() / 127.5 - 1
    for fan_in, fan_out in ((3, 32), (32, 64), (64, 128), (128, 128)):
        weight = torch.randn(fan_out, fan_in, 3, 3, generator=draw).double() * math.sqrt(2 / (9 * fan_in))
        side = x.shape[2] // 2
        patches = torch.nn.functional.unfold(x, 3, padding=1, stride=2)
        x = (weight.flatten(1) @ patches).clamp_min(0).view(2, fan_out, side, side)
    expected = x.view(2, 128, 2, 2, 2, 2).mean((3, 5)).flatten(1)
    found = RandomConv(seed=5)(images).features
    assert found.shape == (2, 512)
    assert torch.allclose(found.double(), expected, atol=1e-5)


def test_the_seed_decides_and_the_global_generator_stands_where_it_stood():
    images = random_images(2)
    before = torch.get_rng_state()
    first = RandomConv(seed=1)(images).features
    torch.manual_seed(9)
    assert torch.equal(RandomConv(seed=1)(images).features, first)
    assert not torch.allclose(RandomConv(seed=2)(images).features, first, atol=0.01)
    torch.set_rng_state(before)
    RandomConv(seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert RandomConv(seed=1).facts != RandomConv(seed=2).facts


def test_any_function_is_an_extractor():
    images = random_images(3)
    function = Function(means, "means", {"weights": "none"})
    assert isinstance(function, Extractor)
    assert torch.equal(function(images).features, means(images).float()) and function(images).logits is None
    assert function.facts["name"] == "means" and function.facts["weights"] == "none"
    assert Function(means, "means").facts["weights"] == "unknown"
    of_arrays = Function(lambda x: np.asarray(means(x)), "of arrays")
    assert torch.equal(of_arrays(images).features, function(images).features)
    with_logits = Function(lambda x: Features(means(x), means(x)[:, :2]), "with logits")
    assert torch.equal(with_logits(images).logits, function(images).features[:, :2])


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (lambda x: means(x)[:2], r"\(2, 3\)"),
        (lambda x: means(x)[:, 0], r"\(3,\)"),
        (lambda x: means(x)[:, :0], r"\(3, 0\)"),
        (lambda _: "nothing", "str"),
        (lambda x: Features(means(x), means(x)[:1]), r"\(1, 3\)"),
    ],
)
def test_a_function_that_returns_something_else_is_told_of(call, found):
    with pytest.raises(ValueError, match=rf"mine should return features \(3, d\); found {found}"):
        Function(call, "mine")(random_images(3))


def test_names():
    assert extractor_named("pixels") == Pixels()
    assert extractor_named("random-conv").facts == RandomConv().facts
    assert extractor_named("random-conv:12").facts == RandomConv(seed=12).facts
    with pytest.raises(ValueError, match=r"no extractor is called 'random'; there is .*pixels, random-conv.*:function"):
        extractor_named("random")
    with pytest.raises(ValueError, match="pixels is made from nothing else; found pixels:16"):
        extractor_named("pixels:16")
    with pytest.raises(ValueError, match="random-conv computes in float32 only; found bfloat16"):
        extractor_named("random-conv-bfloat16")
    with pytest.raises(ValueError, match="random-conv:SEED takes a whole number of 0 or more; found '-1'"):
        extractor_named("random-conv:-1")


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of the user's own that can be imported, and its path."""
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "my_own_eyes.py"
    path.write_text(
        "from zerosum.features.extractor import Function\n"
        "def means(images):\n    return images.flatten(1).float().mean(1, keepdim=True)\n"
        "made = Function(means, 'made')\nnumber = 3\nclass Kind:\n    def __call__(self, images): ...\n",
        encoding="utf-8",
    )
    return path


def test_a_function_of_ones_own_by_name(own):
    images = random_images(3)
    found = extractor_named("my_own_eyes:means")
    assert torch.equal(found(images).features, images.flatten(1).float().mean(1, keepdim=True))
    assert found.facts["name"] == "my_own_eyes:means" and len(found.facts["code"]) == 64
    assert extractor_named("my_own_eyes:made").facts["name"] == "made"
    own.write_text(own.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert extractor_named("my_own_eyes:means").facts["code"] != found.facts["code"]
    with pytest.raises(ValueError, match=r"my_own_eyes:number should be a function of images or an extractor; found 3"):
        extractor_named("my_own_eyes:number")
    with pytest.raises(ValueError, match="my_own_eyes:Kind should be a function"):
        extractor_named("my_own_eyes:Kind")
    with pytest.raises(ValueError, match="module 'my_own_eyes' has no 'mean'"):
        extractor_named("my_own_eyes:mean")


@pytest.mark.parametrize("text", ["no_such_module:f", ":f", ".relative:f"])
def test_a_module_that_cannot_be_imported(text):
    with pytest.raises(ValueError, match=r"cannot be imported: .*; one in this folder is found with PYTHONPATH=\."):
        extractor_named(text)
