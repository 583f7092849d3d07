import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset

from zerosum.data.resolve import source
from zerosum.data.sources.arrays import Arrays
from zerosum.data.sources.digits import Digits
from zerosum.data.sources.folders import Images

GREY = np.arange(96, dtype=np.uint8).reshape(2, 8, 6)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "animals").mkdir()
    Image.fromarray(GREY[0]).save(tmp_path / "animals" / "cat.png")
    (tmp_path / "animals.zip").touch()
    np.save(tmp_path / "animals.npy", GREY)
    np.savez(tmp_path / "animals.npz", images=GREY)
    (tmp_path / "animals.npz").rename(tmp_path / "animals.NPZ")
    (tmp_path / "animals.tar").touch()
    return tmp_path


def test_paths_become_the_sources_of_their_kind(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setenv("HOME", str(place))
    assert source("animals") == Images("animals")
    assert source(place / "animals.zip", size=(4, 6), fit="pad") == Images(f"{place}/animals.zip", (4, 6), "pad")
    assert source("animals.npy") == Arrays("animals.npy")
    assert source("animals.NPZ") == Arrays("animals.NPZ")
    assert source("~/animals/").open().count == 1
    assert source("~/animals.npy").open().count == 2


def test_values_become_sources():
    assert source(Digits()) == Digits()
    for spec in (GREY, torch.from_numpy(GREY), TensorDataset(torch.from_numpy(GREY)), [GREY[0], GREY[1]]):
        data = source(spec).open()
        assert np.array_equal(data.read(torch.tensor([0, 1])).numpy(), GREY[:, None])


def test_wrong_names_are_answered_with_close_ones(place):
    with pytest.raises(ValueError, match=r"there is no .*/animal: did you mean .*/animals"):
        source(place / "animal")
    with pytest.raises(ValueError, match=r"there is no .*/anmals: did you mean .*/animals"):
        source(place / "anmals" / "cats" / "small")
    with pytest.raises(ValueError, match=r"there is no .*/quite-another$"):
        source(str(place / "quite-another"))
    with pytest.raises(ValueError, match=r"there is no .*/cat.jpg: did you mean .*/cat.png\?$"):
        Images(str(place / "animals" / "cat.jpg")).open()
    with pytest.raises(ValueError, match=r"there is no .*/animals.npz: did you mean"):
        Arrays(str(place / "animals.npz")).open()
    with pytest.raises(ValueError, match=r"there is no .*/animals.npy/x$"):
        source(place / "animals.npy" / "x")


def test_what_is_no_data_is_refused(place):
    with pytest.raises(ValueError, match=r"animals.tar should be a folder or .zip of images, or a .npy or .npz file"):
        source(place / "animals.tar")
    with pytest.raises(ValueError, match=r"Digits is a class: pass an instance, Digits\(\.\.\.\)"):
        source(Digits)
    with pytest.raises(ValueError, match="data should be a path, a source, an array or a map-style dataset, but is 7"):
        source(7)


@pytest.mark.parametrize("spec", ["animals.npy", Digits(), GREY])
def test_size_is_refused_where_it_does_not_apply(place, spec, monkeypatch):
    monkeypatch.chdir(place)
    with pytest.raises(ValueError, match="size applies to folders and zips of images only: resize other data before"):
        source(spec, size=4)
