"""The fingerprint of data: the same for the same, another for others, and no image decoded for it."""

import os
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.autoencoders.coding import ConvolutionalAutoencoder
from zerosum.autoencoders.latents import Latents
from zerosum.data.dataset import Dataset, in_memory
from zerosum.data.fingerprints import fingerprint
from zerosum.data.sources import _decode
from zerosum.data.sources.arrays import Arrays, ArraySource
from zerosum.data.sources.digits import Digits
from zerosum.data.sources.folders import Images
from zerosum.data.sources.torchset import from_torch
from zerosum.data.toys.gaussians import Ring
from zerosum.data.toys.stacked_digits import StackedDigits

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)


def folder(path, images=IMAGES, form="PNG"):
    for i, image in enumerate(images):
        (path / "ab"[i % 2]).mkdir(exist_ok=True, parents=True)
        Image.fromarray(image).save(path / "ab"[i % 2] / f"{i}.png", form)
    return path


def print_of(source):
    return fingerprint(source.open())


def all_differ(prints):
    return len({*prints}) == len(prints)


def changed(x, index):
    x = x.copy()
    x[index] ^= 1
    return x


def test_every_sample_its_place_labels_and_conditions_count_in_an_array():
    last, labels, ages = changed(IMAGES, (5, 7, 7, 2)), np.arange(6) % 2, np.arange(6.0)
    sources = [
        ArraySource(IMAGES),
        ArraySource(last),
        ArraySource(IMAGES[::-1]),
        ArraySource(IMAGES[:5]),
        ArraySource(IMAGES, labels),
        ArraySource(IMAGES, 1 - labels),
        ArraySource(IMAGES, np.array(["x", "y"])[labels]),
        ArraySource(IMAGES, conditions=ages),
        ArraySource(IMAGES, conditions=ages, condition_names=("age",)),
        ArraySource(IMAGES, conditions=changed(ages.astype(int), 2)),
        ArraySource(IMAGES.reshape(6, 16, 4, 3), layout="NHWC"),
        ArraySource(np.zeros((6, 2), np.float32)),
        ArraySource(np.full((6, 2), -1e-30, np.float32)),
    ]
    assert all_differ([print_of(source) for source in sources])
    assert print_of(ArraySource(IMAGES.copy(), labels)) == print_of(ArraySource(IMAGES, labels))


def test_an_array_on_disk_is_identified_by_its_samples_wherever_it_is(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", IMAGES)
    inside = print_of(Arrays(str(tmp_path / "a.npy")))
    monkeypatch.setattr("zerosum.data.sources.arrays._IN_MEMORY", 1)
    monkeypatch.setattr("zerosum.data.content._CHUNK", 200)
    assert print_of(Arrays(str(tmp_path / "a.npy"))) == inside
    assert len(inside) == 64


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "chunks"])
def test_every_file_of_a_folder_counts_and_its_times_do_not(tmp_path, monkeypatch, whole):
    monkeypatch.setattr("zerosum.data.sources._files._READ_WHOLE", 1 << 30 if whole else 0)
    first, second = folder(tmp_path / "first"), folder(tmp_path / "second")
    before = print_of(Images(str(first)))
    os.utime(second / "a" / "0.png", (0, 0))
    assert print_of(Images(str(second))) == before
    raw = bytearray((second / "a" / "2.png").read_bytes())
    raw[len(raw) // 2] ^= 1
    (second / "a" / "2.png").write_bytes(raw)
    changed = print_of(Images(str(second)))
    (first / "a" / "0.png").rename(first / "a" / "10.png")
    assert all_differ([before, changed, print_of(Images(str(first))), print_of(Images(str(first), size=4))])
    assert all_differ([print_of(Images(str(first), 4, fit)) for fit in ("crop", "pad")])


def test_of_a_large_folder_only_a_chunk_of_each_file_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("zerosum.data.sources._files._READ_WHOLE", 0)
    monkeypatch.setattr("zerosum.data.sources._files._PART", 16)
    place, prints = folder(tmp_path), []
    raw = (place / "a" / "0.png").read_bytes()
    for at in (None, 60, len(raw) // 2):
        content = bytearray(raw)
        if at is not None:
            content[at] ^= 1
        (place / "a" / "0.png").write_bytes(content)
        prints.append(print_of(Images(str(place))))
    assert prints[0] == prints[1] != prints[2]


def test_a_zip_is_identified_by_its_checksums_and_nothing_is_decoded(tmp_path, monkeypatch):
    place, prints = folder(tmp_path / "set"), []
    for name, images in (("one", IMAGES), ("same", IMAGES), ("other", changed(IMAGES, (3, 0, 0, 0)))):
        folder(place, images)
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for file in sorted(place.rglob("*.png")):
                archive.write(file, file.relative_to(place).as_posix())
        data = Images(str(tmp_path / f"{name}.zip")).open()
        monkeypatch.setattr(_decode, "flatten", None)
        prints.append(fingerprint(data))
        monkeypatch.undo()
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "chunks"])
def test_what_cannot_be_read_has_a_fingerprint_all_the_same(tmp_path, monkeypatch, whole):
    monkeypatch.setattr("zerosum.data.sources._files._READ_WHOLE", 1 << 30 if whole else 0)
    place = folder(tmp_path)
    (place / "b" / "z.png").symlink_to(place / "nowhere")
    os.mkfifo(place / "a" / "pipe.png")
    with (place / "a" / "large.png").open("wb") as file:
        file.truncate((64 << 20) + 1)
    before = print_of(Images(str(place), bad="skip"))
    assert print_of(Images(str(place), bad="skip")) == before
    (place / "b" / "3.png").write_bytes(b"")
    assert print_of(Images(str(place), bad="skip")) != before


def test_made_up_sets_are_identified_by_their_source():
    def drawn(shift):
        return in_memory("ring", torch.full((5, 2), shift), made_by=Ring(count=5))

    assert fingerprint(drawn(0.0)) == fingerprint(drawn(1e-7))
    assert all_differ([print_of(Ring(count=5)), print_of(Ring(count=5, seed=1)), print_of(Ring(count=5, std=0.1))])
    assert print_of(Digits()) == print_of(Digits())


def test_sets_made_of_others_follow_them(tmp_path):
    some, other = ArraySource(IMAGES), ArraySource(changed(IMAGES, (0, 0, 0, 0)))
    with torch.random.fork_rng(devices=[]):
        coders = [ConvolutionalAutoencoder((3, 8, 8), 4, 2, 1) for _ in range(2)]
    prints = [print_of(Latents(data, coder)) for data in (some, other) for coder in coders]
    assert all_differ(prints)
    assert print_of(Latents(some, coders[0])) == prints[0]
    assert all_differ([print_of(StackedDigits(count=9)), print_of(StackedDigits(count=9, seed=1))])
    assert print_of(StackedDigits(count=9)) == print_of(StackedDigits(count=9))


def test_of_a_set_of_torch_only_count_shape_and_labels_can_be_compared():
    def items(value, label=0):
        return from_torch([(np.full((8, 8), value, np.uint8), label)] * 3)

    assert items(1).open().content is None
    assert print_of(items(1)) == print_of(items(2))
    assert all_differ([print_of(items(1)), print_of(items(1, "x"))])


def test_shapes_and_counts_tell_where_nothing_else_does():
    sets = [Dataset("x", shape, count, torch.zeros) for shape, count in (((2,), 5), ((3,), 5), ((2,), 6))]
    assert all_differ([fingerprint(one) for one in sets])
