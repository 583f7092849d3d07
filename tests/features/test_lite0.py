"""EfficientNet-Lite0: what its network computes, and that with ImageNet's weights it predicts the right classes."""

import io
from pathlib import Path

import matplotlib.cbook
import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.features import lite0 as module
from zerosum.features.extractor import extractor_named
from zerosum.features.lite0 import Lite0, packaged

FLOWERS = Path(__file__).parents[3] / "shared" / "data" / "flowers128.npz"
DAISY, UNIFORM = 985, 652  # classes of ImageNet
# The first three features and logits of the second image of `ramps`, and the norms over both, that PyPI's
# efficientnet-lite-pytorch 0.1.0 gives with the weights of `benchmarks/made_up.py`.
FEATURES, LOGITS = (1.18734, 4.10544, 2.65544, 100.10325), (1.19486, -0.66702, 0.79682, 62.31570)


@pytest.fixture(scope="module")
def real():
    """The network with ImageNet's weights."""
    try:
        packaged()
    except ValueError:
        pytest.skip("the weights are not installed: pip install 'zerosum[lite]'")
    return Lite0()


def test_it_computes_what_another_implementation_computes(lite0):
    numbers = torch.arange(2 * 20 * 30 * 3) * 7 % 251
    found = lite0(numbers.to(torch.uint8).view(2, 20, 30, 3))
    for part, expected in ((found.features, FEATURES), (found.logits, LOGITS)):
        assert (*part[1, :3].tolist(), float(part.double().norm())) == pytest.approx(expected, abs=1e-4)


def test_it_has_the_parameters_of_the_paper(made_up_lite0):
    learned = [tensor.numel() for name, tensor in made_up_lite0.items() if "running" not in name]
    assert sum(learned) == 4_652_008  # 4.7 M as published


@pytest.mark.parametrize(("dtype", "name"), [(torch.bfloat16, "bfloat16"), (torch.float64, "float64")])
def test_it_computes_in_the_format_asked_for(made_up_lite0, lite0, conv_formats, dtype, name):
    images = torch.randint(0, 256, (2, 9, 9, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    other = Lite0(made_up_lite0, dtype=dtype)
    conv_formats.clear()
    found = other(images).features
    assert {dtype} == {format_ for pair in conv_formats for format_ in pair}
    expected = lite0(images).features
    off = float((found - expected).norm() / expected.norm())
    assert 1e-4 < off < 0.1 if dtype == torch.bfloat16 else off < 1e-5
    assert other.facts["dtype"] == name


def test_no_gradients_are_kept_whatever_the_weights_are(made_up_lite0):
    images = torch.zeros(1, 9, 9, 3, dtype=torch.uint8)
    found = Lite0({name: torch.nn.Parameter(tensor) for name, tensor in made_up_lite0.items()})(images)
    assert not found.features.requires_grad and not found.logits.requires_grad


def test_it_knows_a_daisy(real):
    if not FLOWERS.exists():
        pytest.skip("the flowers are not at ../shared/data/flowers128.npz")
    with np.load(FLOWERS, allow_pickle=False) as archive:
        blob, offsets = archive["images_blob"].tobytes(), archive["images_offsets"]
        daisies = np.flatnonzero(archive["labels"] == archive["class_names"].tolist().index("daisy"))[:16]
    photographs = [Image.open(io.BytesIO(blob[offsets[i] : offsets[i + 1]])) for i in daisies]
    images = torch.from_numpy(np.stack([np.asarray(photograph.convert("RGB")) for photograph in photographs]))
    best = real(images).logits.topk(5).indices
    assert int((best[:, 0] == DAISY).sum()) >= 10
    assert int((best == DAISY).any(1).sum()) >= 13


def test_it_knows_a_uniform(real):
    """Grace Hopper in hers, from matplotlib's sample data: the image with which TensorFlow shows such networks."""
    with Image.open(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)) as opened:
        image = torch.from_numpy(np.array(opened.convert("RGB")))[None]
    found = real(image)
    assert int(found.logits.argmax()) == UNIFORM
    assert found.features.shape == (1, 1280) and real.facts["weights"].startswith("57934424")


def test_refusals(made_up_lite0, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match=r"weights of EfficientNet-Lite0 hold _fc.bias \(1000,\); found \(10,\)"):
        Lite0(made_up_lite0 | {"_fc.bias": torch.zeros(10)})
    with pytest.raises(ValueError, match=r"there is no file of weights .*gone.pth"):
        extractor_named(f"lite0:{tmp_path / 'gone.pth'}")
    monkeypatch.setattr(module, "PACKAGE", "no_such_package_of_weights")
    with pytest.raises(
        ValueError, match=r"lite0 needs the weights of EfficientNet-Lite0: pip install 'zerosum\[lite\]'"
    ):
        extractor_named("lite0")
