"""What a side may be given as, and that the same pictures are the same side however they come."""

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
from zerosum.evaluation.sets import open_side
from zerosum.features.extractor import Features
from zerosum.runs.generator import load


def seen(side, n=None, seed=0):
    """All samples of a side, as one tensor, and their labels."""
    sample = side.take(side.count if n is None else n, seed)
    pieces = [piece.features if isinstance(piece, Features) else piece for piece in sample.pieces()]
    assert sum(map(len, pieces)) == sample.count
    return torch.cat(pieces), sample.labels


def test_the_same_pictures_are_the_same_side_however_they_are_kept(tmp_path, make):
    images = make.pictures(12)
    folder = make.as_folder(tmp_path / "folder", images)
    pack(Images(str(folder)), tmp_path / "packed")
    archive = shutil.make_archive(str(tmp_path / "zipped"), "zip", folder)
    np.savez(tmp_path / "turned.npz", images=images[::-1])
    given = [folder, archive, tmp_path / "packed", tmp_path / "turned.npz", ArraySource(images), f"Images('{folder}')"]
    sides = [open_side(one) for one in given]
    assert {(side.kind, side.shape, side.count) for side in sides} == {("images", (12, 12, 3), 12)}
    assert len({digest(side.take(12, 0)).content for side in sides}) == 1
    assert len({digest(side.take(12, seed)).content for side in sides for seed in (0, 1)}) == 1, "order counts"
    assert len({digest(side.take(12, 0)).row for side in sides}) == 2, "the archive is in another order"
    assert digest(sides[0].take(11, 0)).content != digest(sides[0].take(12, 0)).content


def test_another_pixel_or_another_shape_is_another_side(make):
    images = make.pictures(4)
    changed, folded = images.copy(), images.reshape(4, 6, 24, 3)
    changed[2, 3, 4, 1] ^= 1
    contents = [digest(open_side(ArraySource(x)).take(4, 0)).content for x in (images, changed, folded)]
    assert len(set(contents)) == 3


def test_the_seed_decides_which_samples_of_a_set_and_all_are_in_chance_order():
    side = open_side(Digits())
    (x, labels), (again, _), (other, _) = (seen(side, 300, seed) for seed in (0, 0, 1))
    assert torch.equal(x, again) and not torch.equal(x, other)
    assert x.dtype == torch.uint8 and x.shape == (300, 28, 28, 1)
    assert len(labels.unique()) == 10, "a set that is sorted by class gives all classes"
    every, labels = seen(side)
    whole = Digits().open()
    assert len(every) == 5_000 and not torch.equal(labels, whole.labels)
    assert torch.equal(labels.bincount(), whole.labels.bincount())


def test_a_run_its_generator_and_its_file_give_the_samples_that_sample_gives(run):
    expected = torch.from_numpy(load(run).sample(30, seed=3))
    for given in (run, str(run), run / "generator.safetensors", load(run)):
        side = open_side(given)
        x, labels = seen(side, 30, 3)
        assert (side.kind, side.shape, side.count) == ("images", (28, 28, 1), None)
        assert torch.equal(x, expected) and labels.tolist() == [i % 10 for i in range(30)]
        assert side.facts == {"recipe": "small", "trained_images": 64} and side.classes == tuple("0123456789")


def test_points_are_features_by_themselves():
    side = open_side("Ring(count=50)")
    x, labels = seen(side)
    assert (side.kind, side.shape, side.count) == ("features", (2,), 50) and x.dtype == torch.float32
    assert len(labels) == 50
    assert torch.equal(x.sort(0).values, Ring(count=50).open().read(torch.arange(50)).sort(0).values)


def test_features_come_with_their_logits_and_labels(tmp_path):
    features, logits = np.random.default_rng(0).normal(size=(2, 9, 4)).astype(np.float32)
    labels = np.arange(9) % 3
    np.savez(tmp_path / "f.npz", features=features, logits=logits, labels=labels)
    side = open_side(tmp_path / "f.npz")
    sample = side.take(6, 1)
    (piece,) = sample.pieces()
    places = [int((features == row.numpy()).all(1).argmax()) for row in piece.features]
    assert (side.kind, side.shape, side.count, side.classes) == ("features", (4,), 9, ("0", "1", "2"))
    assert np.array_equal(piece.logits.numpy(), logits[places]) and sample.labels.tolist() == labels[places].tolist()
    np.savez(tmp_path / "half.npz", features=features.astype(np.float16))
    assert next(open_side(tmp_path / "half.npz").take(9, 0).pieces()).features.dtype == torch.float32


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        (
            {"features": np.zeros(9)},
            r"the features of .* should be floats \(N, d\), a row a sample; found float64 \(9,\)",
        ),
        ({"features": np.zeros((9, 2), np.int64)}, r"should be floats \(N, d\)"),
        ({"features": np.zeros((9, 2)), "logits": np.zeros((8, 2))}, r"the logits of .* should be floats \(9, K\)"),
        ({"features": np.zeros((9, 2)), "labels": np.zeros(9)}, r"the labels of .* should be integers \(9,\)"),
        ({"features": np.zeros((9, 2)), "labels": np.full(9, -1)}, "from 0 on"),
    ],
)
def test_features_of_another_form_are_refused(tmp_path, arrays, sentence):
    np.savez(tmp_path / "f.npz", **arrays)
    with pytest.raises(ValueError, match=sentence):
        open_side(tmp_path / "f.npz")


def test_what_is_no_side_is_one_sentence(tmp_path, make):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "text.safetensors").write_text("no")
    np.savez(tmp_path / "moments.npz", mu=np.zeros(3), sigma=np.eye(3))
    mixed = make.as_folder(tmp_path / "mixed", make.pictures(3))
    make.as_folder(mixed / "larger", make.pictures(2, side=20))
    for given, sentence in (
        (tmp_path / "empty", "holds no images"),
        (tmp_path / "broken.npz", "is damaged or no .npz file"),
        (tmp_path / "moments.npz", "should hold its samples under one of images"),
        (tmp_path / "text.safetensors", "is not a whole safetensors file"),
        (tmp_path / "nowhere", "there is no"),
        (mixed, r"the images of .*mixed differ in size, from 12x12 to 20x20: say one for all of them, as Images\("),
        ("Adam()", "data should be a path, a source"),
        (3, "data should be a path, a source"),
    ):
        with pytest.raises(ValueError, match=sentence):
            open_side(given)
    assert open_side(f"Images('{mixed}', size=16)").shape == (16, 16, 3)


def test_a_broken_picture_is_named(tmp_path, make):
    folder = make.as_folder(tmp_path / "folder", make.pictures(3))
    whole = (folder / "0001.png").read_bytes()
    (folder / "0001.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"0001\.png is damaged .*remove or replace it"):
        digest(open_side(folder).take(3, 0))
