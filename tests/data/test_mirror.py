"""Horizontal flips: each image and its mirror image are samples, under the same condition."""

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data.fingerprints import fingerprint
from zerosum.data.sources.arrays import Arrays
from zerosum.data.sources.folders import Images
from zerosum.data.sources.idx import Idx
from zerosum.data.sources.packed import PackedSet
from zerosum.data.sources.packing import pack
from zerosum.recipes.named_recipes import named
from zerosum.recipes.reader import read
from zerosum.recipes.settings import with_setting

PIXELS = np.random.default_rng(0).integers(0, 255, (4, 6, 8, 3), np.uint8)
CHANNELS_FIRST = torch.from_numpy(PIXELS).permute(0, 3, 1, 2)


@pytest.fixture(params=["folder", "array", "packed"])
def source(request, tmp_path):
    for number, image in enumerate(PIXELS):
        folder = tmp_path / "images" / ("cat" if number < 3 else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    np.savez(tmp_path / "x.npz", images=PIXELS, labels=np.array(["cat", "cat", "cat", "dog"]))
    pack(Images(str(tmp_path / "images")), tmp_path / "packed")
    kinds = {"folder": (Images, "images"), "array": (Arrays, "x.npz"), "packed": (PackedSet, "packed")}
    kind, name = kinds[request.param]
    return lambda **options: kind(str(tmp_path / name), **options)


def test_each_image_is_followed_by_its_mirror_image(source):
    plain, data = source().open(), source(flip=True).open()
    assert data.count == 8 and data.classes == ("cat", "dog") and data.labels.tolist() == [0] * 6 + [1] * 2
    x = data.read(torch.arange(8))
    assert torch.equal(x[::2], CHANNELS_FIRST) and torch.equal(x[1::2], CHANNELS_FIRST.flip(3))
    some = torch.tensor([7, 0, 1, 1])
    assert torch.equal(data.read(some), x[some])
    assert torch.equal(plain.read(torch.arange(4)), CHANNELS_FIRST)  # what is cached is not changed
    assert fingerprint(data) != fingerprint(plain)
    assert data.notes[-1] == "each image also enters mirrored (flip), so there are twice as many samples"


def test_it_is_a_setting_of_recipes(source):
    recipe = with_setting(with_setting(named("dcgan"), f"data={source()!r}"), "data.flip=True")
    assert recipe.data == source(flip=True) and read(repr(recipe)) == recipe


def test_points_have_no_mirror_image(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((4, 2), np.float32))
    with pytest.raises(ValueError, match=r"x\.npy has points, which have no mirror images: leave out flip"):
        Arrays(str(tmp_path / "x.npy"), flip=True).open()


def test_other_files_of_images_flip_too(tmp_path):
    head = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 4])
    (tmp_path / "x-images-idx3-ubyte").write_bytes(head + bytes(range(32)))
    x = Idx(str(tmp_path / "x-images-idx3-ubyte"), flip=True).open().read(torch.arange(4))
    assert x[1, 0, 0].tolist() == [3, 2, 1, 0] and x[2, 0, 0].tolist() == [16, 17, 18, 19]
