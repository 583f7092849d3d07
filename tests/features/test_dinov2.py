"""DINOv2: our code with a stand-in for transformers, and a tiny network where transformers is installed."""

import hashlib
import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch

from zerosum.features.dinov2 import DinoV2
from zerosum.features.extractor import extractor_named


def random_images(count, height=20, width=30, channels=3):
    draw = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, height, width, channels), dtype=torch.uint8, generator=draw)


class Means(torch.nn.Module):
    """In place of a network: a class token of the means of each channel, and patches with minus their means."""

    config = SimpleNamespace(hidden_size=3)

    def __init__(self):
        super().__init__()
        self.one = torch.nn.Parameter(torch.ones(()))

    def forward(self, pixel_values):
        assert pixel_values.shape[1:] == (3, 224, 224) and pixel_values.dtype == self.one.dtype
        patches = -torch.nn.functional.avg_pool2d(pixel_values, 14).flatten(2).mT
        tokens = torch.cat([pixel_values.mean((2, 3))[:, None], patches], 1)
        return SimpleNamespace(last_hidden_state=tokens * self.one)


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """A package transformers that answers from a file of ours; `missing` and `error` can be set."""
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"weights")
    answers = SimpleNamespace(missing=[], error=None, asked=[])

    def from_pretrained(model, use_safetensors, output_loading_info):
        assert use_safetensors and output_loading_info
        answers.asked.append(model)
        if answers.error:
            raise answers.error
        return Means(), {"missing_keys": answers.missing}

    package, utils = ModuleType("transformers"), ModuleType("transformers.utils")
    package.Dinov2Model = SimpleNamespace(from_pretrained=from_pretrained)
    utils.cached_file = lambda model, name: str(tmp_path / name)
    monkeypatch.setitem(sys.modules, "transformers", package)
    monkeypatch.setitem(sys.modules, "transformers.utils", utils)
    return answers


def test_images_go_in_as_imagenets_do_and_the_class_token_comes_out(stand_in):
    images = random_images(2, 224, 224)
    found = DinoV2()(images)
    scaled = images.double() / 255
    expected = (scaled.mean((1, 2)) - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    assert torch.allclose(found.features.double(), expected, atol=1e-5) and found.logits is None
    assert stand_in.asked == ["facebook/dinov2-large"]


def floats(images):
    """uint8 images `(B, H, W, C)` in [-1, 1], as the output of a generator."""
    return images.permute(0, 3, 1, 2).float() / 127.5 - 1


@pytest.mark.parametrize("channels", [1, 3])
def test_a_module_has_the_features_and_a_map_of_the_patches_with_gradients(stand_in, channels):
    images = random_images(2, 224, 224, channels)
    extractor = DinoV2()
    module = extractor.module()
    x = floats(images).requires_grad_()
    found = module(x)
    assert torch.allclose(found, extractor(images).features, atol=1e-5)
    (patches,) = module.maps(x)
    mean, std = (torch.tensor(values)[:, None, None] for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    scaled = ((images.permute(0, 3, 1, 2) / 255).expand(-1, 3, -1, -1) - mean) / std
    assert patches.shape == (2, 3, 16, 16)
    assert torch.allclose(patches[:, :, 2, 5], -scaled[:, :, 28:42, 70:84].mean((2, 3)), atol=1e-5)
    (gradient,) = torch.autograd.grad(found.sum(), x)
    expected = (0.5 / (std * 224**2)).expand(3, 224, 224)
    expected = expected.sum(0, keepdim=True) if channels == 1 else expected
    assert torch.allclose(gradient, expected.expand_as(x), rtol=1e-4)
    assert [*module.parameters()] == [] and module.state_dict() == {}


def test_facts_and_formats(stand_in):
    plain, half = extractor_named("dinov2:some/model"), extractor_named("dinov2-bfloat16:some/model")
    assert stand_in.asked == ["some/model"] * 2
    assert plain.facts["weights"] == hashlib.sha256(b"weights").hexdigest()
    assert (plain.facts["dtype"], half.facts["dtype"]) == ("float32", "bfloat16")
    assert plain.facts["dimensions"] == "3" and plain.facts["resize"] == "antialiased bicubic to 224x224"
    images = random_images(2)
    off = (half(images).features - plain(images).features).abs().max()
    assert 1e-5 < float(off) < 0.05


def test_a_model_that_cannot_be_had_or_is_of_another_kind(stand_in):
    stand_in.error = OSError("We couldn't connect\nand so on")
    message = (
        r"DINOv2 cannot be had from 'some/model' \(We couldn't connect\): where there is no network, bring the model's"
    )
    with pytest.raises(ValueError, match=message):
        extractor_named("dinov2:some/model")
    stand_in.error, stand_in.missing = None, ["layernorm.weight", "embeddings.cls_token"]
    with pytest.raises(
        ValueError, match=r"'x' should hold the weights of a DINOv2; it has none for embeddings.cls_token"
    ):
        DinoV2("x")


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ValueError, match=r"dinov2 needs the package transformers: pip install 'zerosum\[features\]'"):
        extractor_named("dinov2")


def test_a_tiny_network_of_the_real_package(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    transformers = pytest.importorskip("transformers", reason="pip install 'zerosum[features]'")
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 56, "patch_size": 14}
    torch.manual_seed(0)
    network = transformers.Dinov2Model(transformers.Dinov2Config(**shape)).eval()
    network.save_pretrained(tmp_path)
    extractor = extractor_named(f"dinov2:{tmp_path}")
    images = random_images(3, 224, 224)
    found = extractor(images).features
    mean, spread = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        expected = network((((images / 255) - mean) / spread).permute(0, 3, 1, 2)).pooler_output
    assert torch.allclose(found, expected, atol=1e-5)
    assert torch.allclose(extractor(images[:1]).features, found[:1], atol=1e-5)
    grey = random_images(2, 9, 40, 1)
    assert torch.equal(extractor(grey).features, extractor(grey.expand(-1, -1, -1, 3)).features)
    module = extractor.module()
    x = floats(images).requires_grad_()
    assert torch.allclose(module(x), found, atol=1e-5)
    with torch.no_grad():
        tokens = network((((images / 255) - mean) / spread).permute(0, 3, 1, 2)).last_hidden_state
    (patches,) = module.maps(x)
    assert patches.shape == (3, 32, 16, 16)
    assert torch.allclose(patches[:, :, 2, 5], tokens[:, 1 + 2 * 16 + 5], atol=1e-5)
    (gradient,) = torch.autograd.grad(module(x).square().sum(), x)
    assert gradient.isfinite().all() and float(gradient.abs().max()) > 0
    half = extractor_named(f"dinov2-bfloat16:{tmp_path}")
    assert {p.dtype for p in half._network.parameters()} == {torch.bfloat16}
    assert 1e-4 < float((half(images).features - found).abs().max()) < 0.3
    with pytest.raises(ValueError, match="DINOv2 cannot be had from"):
        extractor_named(f"dinov2:{tmp_path / 'nothing'}")
