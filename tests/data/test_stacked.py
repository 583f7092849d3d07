from pathlib import Path

import numpy as np
import pytest
import torch

from zerosum.data.sources.digits import Digits
from zerosum.data.toys.stacked_digits import StackedDigits
from zerosum.recipes.reader import read

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist.npz"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Ten classes of 6 x 9 pixels, each image of one value, unevenly many."""
    labels = np.repeat(np.arange(10), [4, 1, 1, 1, 1, 1, 1, 1, 1, 4])
    images = (labels * 20 + 5)[:, None, None] * np.ones((1, 6, 9))
    path = tmp_path_factory.mktemp("stacked") / "ten.npz"
    np.savez(path, x_train=images.astype(np.uint8), y_train=labels.astype(np.uint8), x_test=images[:2], y_test=[0, 1])
    return path


def test_each_plane_is_a_digit_and_the_label_spells_them():
    data, digits = StackedDigits(count=500).open(), Digits().open()
    known = {
        image.numpy().tobytes(): int(label)
        for image, label in zip(digits.read(torch.arange(5000)), digits.labels, strict=True)
    }
    x = data.read(torch.arange(500))
    assert (x.dtype, x.shape, data.shape) == (torch.uint8, (500, 3, 28, 28), (3, 28, 28))
    spelled = [[known[plane.numpy().tobytes()] for plane in image] for image in x]
    assert (torch.tensor(spelled) @ torch.tensor([100, 10, 1])).tolist() == data.labels.tolist()
    assert len(data.classes) == 1000 and data.classes[:2] == ("000", "001") and data.classes[-1] == "999"


def test_reading_is_by_index_in_any_order():
    data = StackedDigits(count=40).open()
    x = data.read(torch.arange(40))
    index = torch.tensor([7, 3, 3, 39])
    assert torch.equal(data.read(index), x[index])


def test_the_seed_decides_and_a_longer_draw_is_as_even():
    labels = [StackedDigits(count=300, seed=seed).open().labels for seed in (0, 0, 1)]
    assert torch.equal(labels[0], labels[1]) and not torch.equal(labels[0], labels[2])
    counts = torch.bincount(StackedDigits().open().labels, minlength=1000)
    assert counts.sum() == 128_000 and counts.min() > 80 and counts.max() < 180
    assert torch.allclose(StackedDigits().shares(), torch.full((1000,), 0.001, dtype=torch.float64))


def test_another_archive_is_stacked_in_its_own_shares(archive):
    source = StackedDigits(archive, count=20_000)
    assert read(repr(source)) == source
    data = source.open()
    x = data.read(torch.arange(100))
    assert data.shape == (3, 6, 9)
    digits = (x[:, :, 0, 0].long() - 5) // 20
    assert torch.equal(digits @ torch.tensor([100, 10, 1]), data.labels[:100])
    share = np.array([4, 1, 1, 1, 1, 1, 1, 1, 1, 4]) / 16
    shares = source.shares()
    assert shares.sum() == pytest.approx(1)
    assert float(shares[902]) == pytest.approx(share[9] * share[0] * share[2])
    drawn = torch.bincount(data.labels // 100, minlength=10) / 20_000
    assert np.abs(drawn.numpy() - share).max() < 0.02


def test_mnist_has_its_thousand_numbers():
    if not MNIST.exists():
        pytest.skip("the whole of MNIST is not at ../shared/data/mnist.npz")
    source = StackedDigits(str(MNIST), count=64)
    assert len(source.digits()) == 60_000 and source.open().read(torch.arange(64)).shape == (64, 3, 28, 28)
    assert 0.0006 < float(source.shares().min()) < float(source.shares().max()) < 0.0015


def test_what_cannot_be_stacked_is_refused(tmp_path):
    with pytest.raises(ValueError, match="StackedDigits needs count >= 1"):
        StackedDigits(count=0)
    np.savez(tmp_path / "rgb.npz", x=np.zeros((20, 8, 8, 3), np.uint8), y=np.arange(20) % 10)
    np.savez(tmp_path / "few.npz", x=np.zeros((20, 8, 8), np.uint8), y=np.arange(20) % 3)
    np.savez(tmp_path / "bare.npz", x=np.zeros((20, 8, 8), np.uint8))
    for name, found in (("rgb", r"\(3, 8, 8\) and 10"), ("few", r"\(1, 8, 8\) and 3"), ("bare", r"\(1, 8, 8\) and 0")):
        with pytest.raises(ValueError, match=rf"should be grey images of 10 classes, but .* {found} classes"):
            StackedDigits(str(tmp_path / f"{name}.npz")).open()
    with pytest.raises(ValueError, match=r"there is no .*absent\.npz"):
        StackedDigits(str(tmp_path / "absent.npz")).open()
