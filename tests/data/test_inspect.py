import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data.conditions import labelled
from zerosum.data.contact_sheets import contact_sheet
from zerosum.data.inspect import check, info
from zerosum.data.sources.arrays import ArraySource
from zerosum.data.sources.digits import Digits
from zerosum.data.sources.folders import Images
from zerosum.data.toys.gaussians import GaussianMixture, GaussianMixture1D, Ring

RANDOM = np.random.default_rng(0)


def test_numbers_of_images_are_those_of_numpy():
    x = RANDOM.integers(0, 256, (700, 5, 4, 3), dtype=np.uint8)
    x[600:] = x[:100]
    labels = RANDOM.integers(0, 3, 700)
    steps = []
    found = info(ArraySource(x, labels).open(), progress=lambda done, of: steps.append((done, of)))
    assert (found.name, found.count, found.shape, found.bytes) == ("array", 700, (3, 5, 4), 700 * 60)
    assert found.classes == {str(number): int((labels == number).sum()) for number in range(3)}
    assert (found.low, found.high, found.duplicates) == (0, 255, 100)
    assert np.allclose(found.mean, x.mean((0, 1, 2)), rtol=1e-12)
    assert np.allclose(found.std, x.std((0, 1, 2)), rtol=1e-12)
    assert steps == [(256, 700), (512, 700), (700, 700)]
    json.dumps(dataclasses.asdict(found))


def test_numbers_of_points_keep_their_digits_far_from_zero():
    x = (1e6 + RANDOM.normal(size=(1000, 2)) * [1, 4]).astype(np.float32)
    found = info(ArraySource(x).open())
    assert (found.shape, found.classes, found.bytes) == ((2,), {}, 8000)
    assert np.allclose(found.mean, x.astype(float).mean(0), rtol=1e-12)
    assert np.allclose(found.std, x.astype(float).std(0), rtol=1e-9)


def test_notes_are_passed_on():
    dark = ArraySource(np.zeros((2, 4, 4), np.uint8)).open()
    assert info(dark).notes == dark.notes != ()
    assert info(dark).std == (0.0,)


def test_contact_sheet_has_a_row_for_each_class():
    data = Digits().open()
    sheet = contact_sheet(data, n=64)
    cells = np.array(sheet)[:, -6 * 58 - 2 :]
    assert sheet.height == 10 * 58 + 2
    own = data.read(data.labels.eq(3).nonzero()[:, 0]).numpy()[:, 0]
    shown = [cells[3 * 58 + 2 : 4 * 58, 58 * k + 2 : 58 * (k + 1)][::2, ::2] for k in range(6)]
    assert all(any(np.array_equal(one, digit) for digit in own) for one in shown)


@pytest.mark.parametrize("labels", [None, np.zeros(40, int), np.arange(40)], ids=["none", "one class", "many classes"])
def test_contact_sheet_without_rows_is_spread_over_the_set(labels):
    x = np.arange(40, dtype=np.uint8)[:, None, None] + np.zeros((1, 60, 60), np.uint8)
    sheet = np.array(contact_sheet(ArraySource(x, labels).open(), n=4))
    assert sheet.shape == (2 * 62 + 2, 2 * 62 + 2)
    assert [sheet[a, b] for a in (30, 92) for b in (30, 92)] == [0, 10, 20, 30]


def test_contact_sheet_of_few_images_shows_them_all():
    x = RANDOM.integers(0, 256, (3, 60, 60), dtype=np.uint8)
    assert contact_sheet(ArraySource(x).open()).size == (2 * 62 + 2, 2 * 62 + 2)
    empty = dataclasses.replace(
        ArraySource(x, np.array([0, 0, 1])).open(),
        conditions=labelled("x", torch.tensor([0, 0, 1]), ("a", "b", "none")),
    )
    assert contact_sheet(empty).size == (2 * 62 + 2, 2 * 62 + 2)


@pytest.mark.parametrize("source", [Ring(count=500), GaussianMixture(count=500), GaussianMixture1D(count=500)])
def test_contact_sheet_of_points_is_a_image(source):
    data = source.open()
    sheet = contact_sheet(data)
    assert (sheet.mode, sheet.size) == ("RGB", (500, 500))
    assert len(np.unique(np.array(sheet).reshape(-1, 3), axis=0)) > 20
    plain = contact_sheet(dataclasses.replace(data, conditions=None))
    coloured = np.ptp(np.array(sheet).astype(int), axis=2).max()
    assert (np.array(plain) != np.array(sheet)).any() == (data.shape[0] > 1)
    assert coloured > 50


def test_check_lists_every_broken_file(tmp_path):
    for number in range(5):
        Image.fromarray(RANDOM.integers(0, 256, (30, 30), dtype=np.uint8)).save(tmp_path / f"{number}.png")
    whole = (tmp_path / "0.png").read_bytes()
    (tmp_path / "1.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "3.png").write_text("no image")
    (tmp_path / "list.txt").touch()
    steps = []
    report = check(tmp_path, progress=lambda done, of: steps.append((done, of)))
    assert (report.source, report.checked, steps) == (str(tmp_path), 5, [(5, 5)])
    assert report.notes == ("ignored 1 other file (1 x .txt) beside the images",)
    assert [broken.file for broken in report.broken] == [str(tmp_path / "1.png"), str(tmp_path / "3.png")]
    assert report.broken[0].reason.startswith("is damaged (")
    assert report.broken[1].reason == "is not a PNG, JPEG, WebP, BMP, GIF or TIFF image, or its header is damaged"
    json.dumps(dataclasses.asdict(report))
    assert dataclasses.asdict(check(Images(str(tmp_path)))) == dataclasses.asdict(report)


def test_check_reads_other_sources_too(tmp_path):
    np.save(tmp_path / "a.npy", np.full((3, 4, 4), 7.0))
    (broken,) = check(tmp_path / "a.npy").broken
    assert broken.file == str(tmp_path / "a.npy")
    assert broken.reason.startswith("the pixels of a.npy should be integers in 0..255")
    report = check(Digits())
    assert (report.source, report.checked, report.broken, report.notes) == ("Digits()", 5000, (), ())


def test_check_counts_what_it_could_read():
    class Late:
        def open(self):
            whole = ArraySource(np.zeros((600, 2), np.float32)).open()

            def read(index):
                if index[-1] > 500:
                    raise ValueError("the end is missing")
                return whole.read(index)

            return dataclasses.replace(whole, read=read)

    report = check(Late())
    assert (report.checked, report.broken[0].reason) == (256, "the end is missing")


def test_check_of_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="has no images"):
        check(tmp_path)
    with pytest.raises(ValueError, match="there is no "):
        check(tmp_path / "nowhere")
