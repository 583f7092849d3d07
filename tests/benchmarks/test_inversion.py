"""The benchmark of real digits: its baselines, its strokes, and its page."""

import numpy as np
import pytest
import torch
from benchmarks.places import RESULTS
from benchmarks.quality import inversion as subject

DRAW = torch.Generator().manual_seed(0)
REAL, CLASSES = torch.rand(30, 1, 28, 28, generator=DRAW) * 2 - 1, torch.arange(30) % 3
IMAGES = torch.rand(4, 1, 28, 28, generator=DRAW) * 2 - 1
BENCH = subject.Bench(None, IMAGES, torch.tensor([0, 1, 2, 0]), None)


def test_the_nearest_is_of_the_class_or_of_the_known_pixels():
    found = BENCH.nearest(IMAGES, REAL, CLASSES)
    mask = (torch.rand(4, 1, 28, 28, generator=DRAW) < 0.2).float()
    masked = BENCH.nearest(IMAGES, REAL, CLASSES, mask)
    for i in range(4):
        far = ((IMAGES[i] - REAL) ** 2).flatten(1).numpy()
        of = np.where(BENCH.classes[i] == CLASSES)[0]
        assert torch.equal(found[i], REAL[of[far.sum(1)[of].argmin()]])
        assert torch.equal(masked[i], REAL[(far * mask[i].flatten().numpy()).sum(1).argmin()])


def test_components_are_those_of_the_other_images():
    basis = np.linalg.svd((REAL - REAL.mean(0)).flatten(1).double().numpy())[2][:5]
    centred = (IMAGES - REAL.mean(0)).flatten(1).double().numpy()
    wanted = (centred @ basis.T @ basis + REAL.mean(0).flatten().numpy()).clip(-1, 1)
    assert subject.projected(IMAGES, REAL, 5).flatten(1).numpy() == pytest.approx(wanted, abs=1e-4)


def test_strokes_cover_ten_short_lines():
    masks = subject.stroke_masks(50, 3)
    assert masks.shape == (50, 1, 28, 28) and torch.equal(masks, masks.round())
    assert torch.equal(masks[:20], subject.stroke_masks(50, 3)[:20]) and not torch.equal(masks[0], masks[1])
    most = subject.STROKES * (subject.LENGTH + 2) * 3
    assert float(masks.flatten(1).sum(1).min()) > 30 and float(masks.flatten(1).sum(1).max()) < most


def test_the_page_has_its_marks():
    page = (RESULTS / "latent.md").read_text(encoding="utf-8")
    for name in subject.PARTS:
        assert f"<!-- {name}: written by benchmarks.quality.inversion -->" in page
        assert f"<!-- {name}: as far as here -->" in page
