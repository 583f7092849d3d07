"""What is scored at the end of a run: the class asked for, by a judge whose own accuracy is told."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.data.dataset import in_memory
from zerosum.data.toys.gaussians import GaussianMixture1D, Ring
from zerosum.data.toys.shapes import Moons
from zerosum.game.latents import Normal
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.recipe import Recipe
from zerosum.runs.generator import TrainedGenerator
from zerosum.training import conditional_accuracy as subject
from zerosum.training.scores import write_scores
from zerosum.training.train import train


@dataclass(frozen=True)
class Bars:
    """Grey pictures of noise with a bright bar whose height is the class."""

    count: int = 300
    classes: int = 4

    def open(self):
        draw = np.random.default_rng(0)
        labels = torch.arange(self.count) % self.classes
        images = torch.from_numpy(draw.integers(0, 60, (self.count, 1, 8, 8)).astype(np.uint8))
        for image, label in zip(images, labels, strict=True):
            image[:, int(label) * 2] = 255
        return in_memory("bars", images, labels, tuple("abcdefghijkl"[: self.classes]))


RUN = Recipe(
    name="bars",
    data=Bars(),
    generator=DCGANGenerator(4),
    discriminator=DCGANDiscriminator(4),
    objective=NonSaturating(),
    conditional=True,
    latent=Normal(4),
    batch=16,
    images=64,
    tick=32,
    snapshot=64,
)


class Draws(nn.Module):
    """Draws the bar of c, or that of the next class for one sample in four."""

    def __init__(self, slips):
        super().__init__()
        self.slips, self.nothing = slips, nn.Parameter(torch.zeros(()))

    def forward(self, z, c):
        bar = (c + (self.slips & (torch.arange(len(c)) % 4 == 0))) % 4
        x = torch.full((len(c), 1, 8, 8), -0.9)
        x[torch.arange(len(c)), 0, bar * 2] = 1.0
        return x


def generator(module, data, shape, images=50_000):
    recipe = Recipe(
        name="r", generator=MLPGenerator(), discriminator=MLPDiscriminator(), objective=NonSaturating(), data=data,
        conditional=True, latent=Normal(4),
    )  # fmt: skip
    return TrainedGenerator(recipe, module.eval(), shape, images, data.open().condition)


def scored(tmp_path, made, data):
    messages = write_scores(tmp_path, made, data.open(), data)
    file = tmp_path / "scores.json"
    return json.loads(file.read_text()) if file.exists() else {}, messages


@pytest.mark.parametrize(("slips", "expected"), [(False, 1.0), (True, 0.75)])
def test_images_are_classified_by_a_classifier_of_the_data(tmp_path, slips, expected):
    before = torch.get_rng_state()
    scores, (sentence,) = scored(tmp_path, generator(Draws(slips), Bars(), (1, 8, 8)), Bars())
    assert scores["class_accuracy"] == pytest.approx(expected, abs=0.03)
    assert scores["class_accuracy_ceiling"] >= 0.9 and scores["class_accuracy_samples"] == 2000
    assert [*scores["class_accuracies"]] == ["a", "b", "c", "d"]
    assert scores["class_accuracies"]["b"] == pytest.approx(expected, abs=0.06)
    assert "samples (classifier, reader 1, 60 test images; accuracy on real samples" in sentence
    assert torch.equal(torch.get_rng_state(), before), "scoring moved the random numbers of the run"


def test_the_classifier_is_kept_for_the_same_data_and_no_other(tmp_path, monkeypatch):
    trained, real = [], subject.train_classifier
    monkeypatch.setattr(subject, "train_classifier", lambda *a, **k: trained.append(1) or real(*a, **k))
    cache, cpu = tmp_path / "c.safetensors", torch.device("cpu")
    first = subject.image_classifier(Bars().open(), cache, cpu, seen=500)
    again = subject.image_classifier(Bars().open(), cache, cpu, seen=500)
    assert trained == [1] and again.accuracy == first.accuracy
    subject.image_classifier(Bars(count=299).open(), cache, cpu, seen=500)
    assert trained == [1, 1]
    cache.write_bytes(cache.read_bytes()[:50])
    subject.image_classifier(Bars(count=299).open(), cache, cpu, seen=500)
    assert trained == [1, 1, 1]


def test_a_classifier_that_cannot_be_kept_scores_all_the_same(tmp_path):
    (tmp_path / "file").write_text("where a folder would have to be")
    made = subject.image_classifier(Bars().open(), tmp_path / "file" / "c", torch.device("cpu"), seen=500)
    assert made.held_out > 0


def test_a_classifier_learns_from_a_bounded_part_evenly_chosen(tmp_path, monkeypatch):
    seen, real = [], subject.train_classifier
    monkeypatch.setattr(subject, "_IMAGES", 30)
    monkeypatch.setattr(subject, "train_classifier", lambda x, y, n, **k: seen.append(y) or real(x, y, n, seen=256))
    subject.image_classifier(Bars().open(), tmp_path / "c", torch.device("cpu"))
    monkeypatch.setattr(subject, "_BYTES", 64 * 20)
    subject.image_classifier(Bars().open(), tmp_path / "d", torch.device("cpu"))
    assert seen[0].tolist() == [(i * 10) % 4 for i in range(30)]
    assert seen[1].tolist() == [(i * 15) % 4 for i in range(20)]


class Places(nn.Module):
    """Puts samples at the centres of their classes, one in five at the next."""

    def __init__(self, centres):
        super().__init__()
        self.centres, self.nothing = centres, nn.Parameter(torch.zeros(()))

    def forward(self, z, c):
        return self.centres[(c + (torch.arange(len(c)) % 5 == 0)) % len(self.centres)]


def test_points_of_a_mixture_are_read_by_their_nearest_centre(tmp_path):
    data = Ring(count=500)
    scores, (sentence,) = scored(tmp_path, generator(Places(data.centres()), data, (2,), images=10), data)
    assert scores["class_accuracy"] == pytest.approx(0.8, abs=0.01) and scores["class_accuracy_ceiling"] == 1.0
    assert (scores["found"], scores["modes"], len(scores["class_accuracies"])) == (8, 8, 8)
    assert "(nearest centre; accuracy on real samples 100.0%)" in sentence


@pytest.mark.parametrize(
    ("data", "shape", "images", "reason"),
    [
        (Bars(), (1, 8, 8), 39_999, "class accuracy is computed only for runs of at least 40,000 images"),
        (Bars(classes=1), (1, 8, 8), 90_000, "is computed for 2 to 100 classes; found 1"),
        (Bars(count=8), (1, 8, 8), 90_000, "a classifier learns from ten or more"),
        (Moons(count=50), (2,), 90_000, "class accuracy of points needs data in which each class is a Gaussian"),
        (GaussianMixture1D(count=50), (1,), 90_000, "each class is a Gaussian; found"),
        (Ring(modes=101, count=300), (2,), 90_000, "is computed for 2 to 100 classes; found 101"),
    ],
)
def test_what_is_not_scored_has_its_reason(tmp_path, data, shape, images, reason):
    module = Places(torch.zeros(101, *shape)) if len(shape) == 1 else Draws(False)
    scores, (sentence,) = scored(tmp_path, generator(module, data, shape, images), data)
    assert reason in sentence and "class_accuracy" not in scores
    assert not (tmp_path / "classifier.safetensors").exists()


def test_without_classes_or_modes_there_is_no_score(tmp_path):
    made = generator(Draws(False), Bars(), (1, 8, 8))
    plain = replace(made, condition=None, recipe=replace(made.recipe, conditional=False))
    assert scored(tmp_path, plain, Bars()) == ({}, [])


def test_a_run_ends_with_its_score_in_the_report(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(subject, "SHORTEST", 64)
    run = train(RUN, tmp_path / "run")
    scores = json.loads((run / "scores.json").read_text())
    assert 0 <= scores["class_accuracy"] <= 1 and (run / "classifier.safetensors").exists()
    assert "conditional accuracy" in capsys.readouterr().err
    page = (run / "report.html").read_text()
    assert f"Conditional accuracy: {scores['class_accuracy']:.1%} of 2,000 samples" in page
    assert page.count("<small>") == 4 and "class accuracy ceiling" in page and "class accuracies" not in page


def test_scoring_leaves_the_run_as_it_was(tmp_path, monkeypatch):
    recipe = replace(RUN, images=96)
    plain = train(recipe, tmp_path / "plain", quiet=True)
    monkeypatch.setattr(subject, "SHORTEST", 64)
    scored_too = train(recipe, tmp_path / "scored", quiet=True)
    assert (scored_too / "scores.json").exists() and not (plain / "scores.json").exists()
    for name in ("G", "D", "generator", "G_opt", "D_opt"):
        one, other = (r / f"checkpoints/000000000096/{name}.safetensors" for r in (plain, scored_too))
        assert one.read_bytes() == other.read_bytes(), f"{name} differs"
