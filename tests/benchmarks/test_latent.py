"""The benchmark of directions: its row, its baseline, and what it correlates."""

import pytest
import torch
from benchmarks.places import RESULTS
from benchmarks.quality import latent as subject

from zerosum.game import Normal
from zerosum.latent import Attribute, LatentModel, space_of
from zerosum.latent.direction import named_direction
from zerosum.latent.measure import Ruler

MODEL = LatentModel(lambda z: (z[:, :1, None, None] / 8).expand(-1, 1, 4, 4), Normal(2))
RULER = Ruler(
    {"slant": Attribute("slant", lambda x: x.mean((1, 2, 3)) * 8), "ink": Attribute("ink", lambda x: x[:, 0, 0, 0])},
    {"slant": 1.0, "ink": 1.0},
    {"slant": torch.arange(3.0), "ink": torch.arange(3.0)},
    classify=lambda x: (x[:, 0, 0, 0] > -9).long(),
)


def test_a_row_has_the_change_of_the_direction():
    direction = named_direction("slant", torch.tensor([0.5, 0.0]), space_of(MODEL), "line")
    ruler = Ruler({**RULER.attributes, "size": RULER.attributes["slant"]}, {**RULER.stds, "size": 2.0}, RULER.values,
                  classify=RULER.classify)  # fmt: skip
    cells = subject.row(direction, "`line`", "slant", ruler, (MODEL, MODEL.inputs(50))).split(" | ")
    assert float(cells[2]) == pytest.approx(0.5, abs=0.02) and cells[4] == "0.25 (size)"
    assert cells[5] == "+0.06" and cells[6] == "100.0%"
    other = subject.random_like(direction, 3)
    assert float(other.norm()) == pytest.approx(0.5) and other.shape == (2,)


def test_class_means_are_removed():
    values, classes = torch.tensor([1.0, 3.0, 10.0, 20.0]), torch.tensor([0, 0, 4, 4])
    assert subject.within(values, classes).tolist() == [-1, 1, -5, 5]
    assert torch.equal(subject.within(values, None), values)


def test_the_page_has_its_marks():
    page = (RESULTS / "latent.md").read_text(encoding="utf-8")
    assert "<!-- latent: written by benchmarks.quality.latent -->" in page
    assert all(f"| {name} | `{method}` |" in page for name in subject.WANTED for method in subject.METHODS)


def test_without_the_archive_nothing_is_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(subject, "DATA", tmp_path / "none.npz")
    with pytest.raises(ValueError, match="there is no MNIST archive at"):
        subject.mnist_classifier()
