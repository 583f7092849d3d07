"""The benchmark of hue: what it measures, its ways through a space, and the whole of it at a small size."""

import io

import numpy as np
import pytest
import torch
from benchmarks.places import RESULTS
from benchmarks.quality import hue
from benchmarks.quality import hue_ways as subject
from PIL import Image

from zerosum.game import Normal
from zerosum.latent import LatentModel, space_of
from zerosum.latent.direction import named_direction

DRAW = torch.Generator().manual_seed(0)
IMAGES = torch.rand(6, 3, 12, 12, generator=DRAW) * 0.6 - 0.3 + torch.rand(6, 3, 1, 1, generator=DRAW) * 0.4


class Synthesis(torch.nn.Module):
    """Half an image of the chroma that is the mean w of the last two layers, and of a lightness by the first."""

    count = 3

    def forward(self, w):
        ws = w[:, None].expand(-1, 3, -1) if w.dim() == 2 else w
        a, b = (ws[:, 1:].mean(1) / 8).unbind(1)
        colour = torch.stack([2 / 3 * a, -a / 3 + b / 3**0.5, -a / 3 - b / 3**0.5], 1)[:, :, None, None]
        half = torch.zeros(1, 1, 6, 6)
        half[..., :3] = 1
        return (colour + 0.1 * ws[:, 0, 0, None, None, None]) * half


class Generator(torch.nn.Module):
    """z is w."""

    def __init__(self):
        super().__init__()
        self.mapping, self.synthesis = torch.nn.Identity(), Synthesis()

    def forward(self, z):
        return self.synthesis(self.mapping(z))


MODEL = LatentModel(Generator(), Normal(2))


@pytest.mark.parametrize("degrees", [60.0, -100.0])
def test_rotated_pixels_turn_by_the_angle_and_keep_their_sum(degrees):
    made = subject.rotated(IMAGES, degrees)
    assert subject.hue_change(IMAGES, made).tolist() == pytest.approx([degrees] * 6, abs=0.01)
    assert subject.pixels_turn(IMAGES, made).tolist() == pytest.approx([degrees] * 6, abs=0.01)
    assert torch.allclose(made.sum(1), IMAGES.sum(1), atol=1e-5)
    both = subject.rotated(IMAGES[:2], torch.tensor([degrees, 0.0]))
    assert torch.allclose(both[0], made[0]) and torch.allclose(both[1], IMAGES[1], atol=1e-6)


def test_one_moved_object_changes_the_mean_hue_and_pixels_tell():
    before, after = torch.full((1, 3, 4, 4), 1.0), torch.full((1, 3, 4, 4), 1.0)
    before[0, 1:, :2], after[0, 1:, :2] = -1, -1
    after[0, [0, 2], 2:] = -1  # a green half beside the red one
    assert subject.hue_change(before, after).item() == pytest.approx(60, abs=0.01)
    assert subject.pixels_turn(before, after).item() == pytest.approx(0, abs=0.01)
    assert subject.coloured(torch.cat([before, torch.ones(1, 3, 4, 4)])).tolist() == [True, False]


def test_edges_correlate_as_numbers_do():
    assert subject.edge_correlation(IMAGES, IMAGES).tolist() == pytest.approx([1] * 6)
    assert subject.edge_correlation(IMAGES, IMAGES * 0.5).tolist() == pytest.approx([1] * 6, abs=1e-4)
    other = IMAGES.roll(1, 0)
    luma = [(0.299 * x[:, 0] + 0.587 * x[:, 1] + 0.114 * x[:, 2]) / 2 for x in (IMAGES, other)]
    maps = [(((x[1:, 1:] + x[:-1, 1:] - x[1:, :-1] - x[:-1, :-1]) / 2) ** 2
             + ((x[1:, 1:] + x[1:, :-1] - x[:-1, 1:] - x[:-1, :-1]) / 2) ** 2).sqrt().flatten()
            for x in (luma[0][0], luma[1][0])]  # fmt: skip
    wanted = float(torch.corrcoef(torch.stack(maps))[0, 1])
    assert subject.edge_correlation(IMAGES, other)[0].item() == pytest.approx(wanted, abs=1e-3)


def test_a_reading_counts_samples_of_which_both_hold():
    shapes = torch.rand(6, 1, 12, 12, generator=DRAW) - 0.5
    before = shapes + torch.tensor([0.2, -0.1, -0.1])[:, None, None]  # one colour under all shapes
    after = torch.cat([subject.rotated(before[:3], 70.0), subject.rotated(before[3:5], -70.0), before[:1]])
    found = subject.Reading.of(before, after, score=0.5, radius=1.25)
    assert found.far == pytest.approx(0.5) and found.same == pytest.approx(5 / 6) and found.both == pytest.approx(0.5)
    assert not found.met and found.cells[3:] == ["50%", "83%", "50%", "50%", "1.25"]
    assert subject.Reading.of(before, subject.rotated(before, 61.0)).met


def test_the_best_step_keeps_edges_and_radius():
    made = [subject.Reading(hue, hue, edges, 0, 0, 0, radius=radius)
            for hue, edges, radius in ((0, 1, 1), (30, 0.95, 1.1), (50, 0.92, 1.4), (80, 0.8, 1.5))]  # fmt: skip
    assert subject.best(made) == 2 and subject.best(made, far=1.2) == 1 and subject.best(made[3:]) == 0


def test_paths_rotate_the_hue_of_samples():
    eye = subject.Eye(MODEL, 40, 1)
    layers = space_of(MODEL, "layers")
    assert 10 < len(eye.inputs.z) < 40, "samples without a hue are left out"
    right, up = (named_direction("d", torch.tensor([one] * 3), layers, "") for one in ([1.0, 0.0], [0.0, 1.0]))
    later = subject.Later(layers, (1, 2))
    turning = eye.readings(later, subject.around(later, (right, up), 0.3, steps=12))
    each = eye.readings(later, subject.of_each(later, 75.0, 0.15, 20))
    plain = eye.readings(later, subject.straight(layers, right, (0.0, 1.0, 2.0)))
    assert turning[0].hue == pytest.approx(0, abs=1e-3) and turning[-1].hue > 60, "always across the own hue"
    assert each[-1].turn > 55 and abs(plain[-1].hue) < 30, "a straight line turns some left and some right"
    inputs = eye.inputs.rows(slice(3))
    moved = layers.at(inputs) + 1
    wanted = torch.cat([layers.at(inputs)[:, :1], moved[:, 1:]], 1)
    assert torch.equal(later.outputs(moved, inputs), layers.outputs(wanted, inputs)), "other layers stay"


def archive_of(path, count):
    """An archive of discs of random colours on white, of which the last is a variant."""
    random, (y, x), blobs = np.random.default_rng(0), np.mgrid[:16, :16], []
    for _ in range(count):
        image = np.full((16, 16, 3), 255, np.uint8)
        image[(y - random.uniform(5, 11)) ** 2 + (x - random.uniform(5, 11)) ** 2 < 20] = random.integers(0, 200, 3)
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        blobs.append(file.getvalue())
    offsets = np.cumsum([0, *map(len, blobs)])
    blob, base = np.frombuffer(b"".join(blobs), np.uint8), np.arange(count) < count - 1
    np.savez(path, noto_blob=blob, noto_offsets=offsets, is_base=base)
    return path


def test_the_bench_trains_once_measures_and_writes_its_page(tmp_path, monkeypatch, capsys, forks):
    page, image = tmp_path / "latent.md", tmp_path / "latent-hue.png"
    page.write_text("<!-- hue: written by benchmarks.quality.hue -->\n<!-- hue: as far as here -->\nafter\n")
    small = ("--images", "96", "--set", "generator.size=16", "--set", "discriminator.size=4",
             "--set", "augment=AdaptiveAugment(images=1000)")  # fmt: skip
    changed = {"PAGE": page, "IMAGE": image, "SETTINGS": small, "FOUND": 60, "FIRST": 3, "STEPS": 3, "AVERAGED": 20}
    for name, value in changed.items():
        monkeypatch.setattr(hue, name, value)
    archive = archive_of(tmp_path / "emoji.npz", 33)
    write = hue.write_folder
    monkeypatch.setattr(hue, "write_folder", lambda folder: write(folder, archive))
    words = ["--samples", "20", "--out", str(tmp_path / "runs")]
    monkeypatch.setattr(hue, "SHARED_WAYS", (("line", False), ("line", True)))
    monkeypatch.setattr(subject, "_GREY", 0.0)
    assert hue.main(words) == 0
    text = page.read_text()
    assert text.endswith("after\n") and "zerosum train stylegan2 --data emoji/ --images 96" in text
    for name in ("one direction, `line`, all layers", "random, as long, layers 3 to 5", "the gradient of each sample"):
        assert f"| {name}" in text
    assert "| pixels rotated by 90° | " in text and "20 of 20 samples have a hue" in text
    assert len([*(tmp_path / "runs/emoji").glob("*.png")]) == 32, "variants are left out"
    with Image.open(image) as drawn:
        assert np.asarray(drawn).std() > 0
    trained = (tmp_path / "runs/stylegan2/time.json").read_text()
    assert hue.main(words) == 0 and (tmp_path / "runs/stylegan2/time.json").read_text() == trained, "it had ended"


def test_the_page_has_its_rows():
    page = (RESULTS / "latent.md").read_text(encoding="utf-8")
    assert "<!-- hue: written by benchmarks.quality.hue -->" in page and "<!-- hue: as far as here -->" in page
    assert all(f"one direction, `{method}`, " in page for method, _ in hue.SHARED_WAYS)
    assert "| the gradient of each sample, " in page


def test_without_the_archive_the_bench_says_so(tmp_path):
    with pytest.raises(ValueError, match="there is no archive of emoji at"):
        hue.write_folder(tmp_path / "emoji", tmp_path / "none.npz")
