"""Formats of sets of samples, and that the same images are the same set in all of them."""

import shutil

import numpy as np
import pytest
import torch

from zerosum.data.sources.arrays import ArraySource
from zerosum.data.sources.digits import Digits
from zerosum.data.sources.folders import Images
from zerosum.data.sources.packing import pack
from zerosum.data.toys.gaussians import Ring
from zerosum.evaluation.gathered import digest
from zerosum.evaluation.sets import open_set
from zerosum.features.extractor import Features
from zerosum.runs.generator import load


def samples_of(sample_set, n=None, seed=0):
    """All samples of a set, as one tensor, and their labels."""
    sample = sample_set.take(sample_set.count if n is None else n, seed)
    chunks = [chunk.features if isinstance(chunk, Features) else chunk for chunk in sample.chunks()]
    assert sum(map(len, chunks)) == sample.count
    return torch.cat(chunks), sample.labels


def test_the_same_images_are_the_same_set_in_every_format(tmp_path, make):
    images = make.noise_images(12)
    folder = make.as_folder(tmp_path / "folder", images)
    pack(Images(str(folder)), tmp_path / "packed")
    archive = shutil.make_archive(str(tmp_path / "zipped"), "zip", folder)
    np.savez(tmp_path / "turned.npz", images=images[::-1])
    given = [folder, archive, tmp_path / "packed", tmp_path / "turned.npz", ArraySource(images), f"Images('{folder}')"]
    sample_sets = [open_set(one) for one in given]
    assert {(sample_set.kind, sample_set.shape, sample_set.count) for sample_set in sample_sets} == {
        ("images", (12, 12, 3), 12)
    }
    assert len({digest(sample_set.take(12, 0)).content for sample_set in sample_sets}) == 1
    assert len({digest(sample_set.take(12, seed)).content for sample_set in sample_sets for seed in (0, 1)}) == 1, (
        "the order does not matter"
    )
    assert len({digest(sample_set.take(12, 0)).sequence for sample_set in sample_sets}) == 2, (
        "the archive is in another order"
    )
    assert digest(sample_sets[0].take(11, 0)).content != digest(sample_sets[0].take(12, 0)).content


def test_another_pixel_or_another_shape_is_another_set(make):
    images = make.noise_images(4)
    changed, folded = images.copy(), images.reshape(4, 6, 24, 3)
    changed[2, 3, 4, 1] ^= 1
    contents = [digest(open_set(ArraySource(x)).take(4, 0)).content for x in (images, changed, folded)]
    assert len(set(contents)) == 3


def test_the_seed_selects_samples_of_a_set_and_shuffles_them():
    sample_set = open_set(Digits())
    (x, labels), (again, _), (other, _) = (samples_of(sample_set, 300, seed) for seed in (0, 0, 1))
    assert torch.equal(x, again) and not torch.equal(x, other)
    assert x.dtype == torch.uint8 and x.shape == (300, 28, 28, 1)
    assert len(labels.unique()) == 10, "a selection of a sorted set has all classes"
    every, labels = samples_of(sample_set)
    whole = Digits().open()
    assert len(every) == 5_000 and not torch.equal(labels, whole.labels)
    assert torch.equal(labels.bincount(), whole.labels.bincount())


def test_a_run_its_generator_and_its_file_give_the_samples_of_sample(run):
    expected = torch.from_numpy(load(run).sample(30, seed=3))
    for given in (run, str(run), run / "generator.safetensors", load(run)):
        sample_set = open_set(given)
        x, labels = samples_of(sample_set, 30, 3)
        assert (sample_set.kind, sample_set.shape, sample_set.count) == ("images", (28, 28, 1), None)
        assert torch.equal(x, expected) and labels.tolist() == [i % 10 for i in range(30)]
        assert sample_set.facts == {"recipe": "small", "trained_images": 64} and sample_set.classes == tuple(
            "0123456789"
        )


def test_points_are_used_as_features():
    sample_set = open_set("Ring(count=50)")
    x, labels = samples_of(sample_set)
    assert (sample_set.kind, sample_set.shape, sample_set.count) == ("features", (2,), 50) and x.dtype == torch.float32
    assert len(labels) == 50
    assert torch.equal(x.sort(0).values, Ring(count=50).open().read(torch.arange(50)).sort(0).values)


def test_features_are_read_with_logits_and_labels(tmp_path):
    features, logits = np.random.default_rng(0).normal(size=(2, 9, 4)).astype(np.float32)
    labels = np.arange(9) % 3
    np.savez(tmp_path / "f.npz", features=features, logits=logits, labels=labels)
    sample_set = open_set(tmp_path / "f.npz")
    sample = sample_set.take(6, 1)
    (chunk,) = sample.chunks()
    places = [int((features == row.numpy()).all(1).argmax()) for row in chunk.features]
    assert (sample_set.kind, sample_set.shape, sample_set.count, sample_set.classes) == (
        "features",
        (4,),
        9,
        ("0", "1", "2"),
    )
    assert np.array_equal(chunk.logits.numpy(), logits[places]) and sample.labels.tolist() == labels[places].tolist()
    np.savez(tmp_path / "half.npz", features=features.astype(np.float16))
    assert next(open_set(tmp_path / "half.npz").take(9, 0).chunks()).features.dtype == torch.float32


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        (
            {"features": np.zeros(9)},
            r"the features of .* should be floats \(N, d\), one row per sample; found float64 \(9,\)",
        ),
        ({"features": np.zeros((9, 2), np.int64)}, r"should be floats \(N, d\)"),
        ({"features": np.zeros((9, 2)), "logits": np.zeros((8, 2))}, r"the logits of .* should be floats \(9, K\)"),
        ({"features": np.zeros((9, 2)), "labels": np.zeros(9)}, r"the labels of .* should be integers \(9,\)"),
        ({"features": np.zeros((9, 2)), "labels": np.full(9, -1)}, "from 0 on"),
    ],
)
def test_features_of_another_shape_are_refused(tmp_path, arrays, sentence):
    np.savez(tmp_path / "f.npz", **arrays)
    with pytest.raises(ValueError, match=sentence):
        open_set(tmp_path / "f.npz")


def test_an_invalid_set_raises_one_sentence(tmp_path, make):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "text.safetensors").write_text("no")
    np.savez(tmp_path / "moments.npz", mu=np.zeros(3), sigma=np.eye(3))
    mixed = make.as_folder(tmp_path / "mixed", make.noise_images(3))
    make.as_folder(mixed / "larger", make.noise_images(2, size=20))
    for given, sentence in (
        (tmp_path / "empty", "has no images"),
        (tmp_path / "broken.npz", "is damaged or not a .npz file"),
        (tmp_path / "moments.npz", "should have its samples under one of images"),
        (tmp_path / "text.safetensors", "is not a valid safetensors file"),
        (tmp_path / "nowhere", "there is no"),
        (mixed, r"the images of .*mixed differ in size, from 12x12 to 20x20: pass a size for all of them"),
        ("Adam()", "data should be a path, a source"),
        (3, "data should be a path, a source"),
    ):
        with pytest.raises(ValueError, match=sentence):
            open_set(given)
    assert open_set(f"Images('{mixed}', size=16)").shape == (16, 16, 3)


def test_a_damaged_image_is_named(tmp_path, make):
    folder = make.as_folder(tmp_path / "folder", make.noise_images(3))
    whole = (folder / "0001.png").read_bytes()
    (folder / "0001.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"0001\.png is damaged .*replace it by one of the same name"):
        digest(open_set(folder).take(3, 0))
