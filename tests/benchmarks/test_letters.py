"""The benchmark of letters: its pictures, its rows, and the whole of it at a small size."""

import numpy as np
import pytest
import torch
from benchmarks.places import RESULTS
from benchmarks.quality import letters as subject
from PIL import Image

from zerosum.conditions import Labels
from zerosum.game import Normal
from zerosum.latent import Attribute, LatentModel, instruments, space_of
from zerosum.latent.attributes import drawings
from zerosum.latent.direction import named_direction
from zerosum.latent.measure import Ruler

KIND = Labels(26, classes=tuple(subject.LETTERS))


def generated(z, c):
    """Grey images that get lighter with z, those of "d" by a fifth as much."""
    rate = torch.where(c == 3, 0.2, 1.0)
    return (z[:, 0] * rate / 8)[:, None, None, None].expand(-1, 1, 4, 4)


RULER = Ruler(
    {name: Attribute(name, lambda x: x.mean((1, 2, 3)) * 8) for name in ("slant", "ink", "size")},
    {"slant": 1.0, "ink": 1.0, "size": 2.0},
    {},
    classify=lambda x: torch.zeros(len(x), dtype=torch.int64),
)


def test_pictures_vary_in_weight_slant_and_case_and_follow_the_seed():
    images, classes = subject.pictures(30, 4)
    again, _ = subject.pictures(30, 4)
    assert images.shape == (780, 1, 28, 28) and images.dtype == torch.uint8 and torch.equal(images, again)
    assert classes.bincount().tolist() == [30] * 26
    cut = (images[:, 0, [0, -1]].amax((1, 2)) > 0).double().mean()
    assert float(cut) < 0.03, "letters stay within the picture"
    floats = images[classes == 7].float() / 127.5 - 1
    assert float(drawings.thickness(floats).std()) > 0.5 and float(drawings.slant(floats).std()) > 8
    assert len({image.numpy().tobytes() for image in images}) == 780


def test_the_halves_are_all_letters_and_none_twice():
    first, second = map(set, subject.HALVES)
    assert len(first) == len(second) == 13 and not first & second


def test_a_row_names_the_letter_that_moves_least():
    model = LatentModel(generated, Normal(2), KIND)
    direction = named_direction("slant", torch.tensor([0.5, 0.0]), space_of(model), "line")
    bench = subject.Bench(model, RULER, 26)
    changes = bench.changes(direction, "slant", "abcd")
    assert changes == pytest.approx({"a": 0.5, "b": 0.5, "c": 0.5, "d": 0.1}, abs=0.02)
    cells = bench.row(direction, "slant", subject.HALVES[1], "the other letters").split(" | ")
    assert cells[:3] == ["| slant", "b, d ... z", "the other letters"] and cells[4].endswith("(d)")
    assert float(cells[3]) == pytest.approx((12 * 0.5 + 0.1) / 13, abs=0.02)
    assert bench.kept_before(subject.HALVES[0]) == pytest.approx(1 / 13)


def test_the_bench_trains_once_measures_and_writes_its_page(tmp_path, monkeypatch, forks):
    page, image = tmp_path / "latent.md", tmp_path / "latent-letters.png"
    page.write_text(
        "before\n<!-- letters: written by benchmarks.quality.letters -->\n<!-- letters: as far as here -->\n"
    )
    small = ("--images", "256", "--set", "generator.size=4", "--set", "discriminator.size=4")
    for name, value in {"PAGE": page, "IMAGE": image, "COUNT": 4, "SETTINGS": small, "SEEN": 260}.items():
        monkeypatch.setattr(subject, name, value)
    monkeypatch.setattr(subject, "FOUND", 260)
    monkeypatch.setattr(instruments, "_SEEN", 200)
    monkeypatch.setattr(subject, "WANTED", ("thickness",))
    words = ["--samples", "26", "--out", str(tmp_path / "runs")]
    assert subject.main(words) == 0
    text = page.read_text()
    assert text.startswith("before\n") and "zerosum train cgan --data letters/ --images 256" in text
    assert text.count("| thickness | ") == 6 and text.count("| random, as long |") == 2
    assert "26 samples, 2 of each letter" in text
    assert {*(path.name for path in (tmp_path / "runs/letters").iterdir())} == {*subject.LETTERS}
    with Image.open(image) as drawn:
        assert np.asarray(drawn.convert("L")).std() > 0
    trained = (tmp_path / "runs/cgan/time.json").read_text()
    assert subject.main(words) == 0 and (tmp_path / "runs/cgan/time.json").read_text() == trained, "it had ended"


def test_the_page_has_its_marks():
    page = (RESULTS / "latent.md").read_text(encoding="utf-8")
    assert "<!-- letters: written by benchmarks.quality.letters -->" in page
    assert all(page.count(f"| {name} | {half[0]}, ") >= 3 for name in subject.WANTED for half in subject.HALVES)
