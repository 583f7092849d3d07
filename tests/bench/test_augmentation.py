"""Whether samples help a classifier with few labels: the classifiers, the plan and the sentences."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from zerosum.bench import augmentation as subject
from zerosum.bench import parallel_runs
from zerosum.bench.augmentation import (
    METHODS,
    FewLabelsResult,
    accuracies,
    default_game,
    plan_augmentation,
    run_augmentation,
    trained,
)
from zerosum.bench.augmentation_summary import augmentation_summary, augmentation_table
from zerosum.bench.subprocesses import Command
from zerosum.data import ArraySource, Digits, FewLabels
from zerosum.game.random import Draws
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.recipes.named_recipes import named
from zerosum.training.train import train

TINY = replace(
    default_game(), generator=DCGANGenerator(size=4), discriminator=DCGANDiscriminator(size=4, norm="none"), images=64
)


def blobs(count, seed):
    """Images 8x8 of two classes: a bright left or right half, in noise."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    x = torch.randint(0, 120, (count, 1, 8, 8), generator=random)
    x[labels == 0, :, :, :4] += 100
    x[labels == 1, :, :, 4:] += 100
    return x.to(torch.uint8), labels


def batches_of(monkeypatch, sets, moved=False, seed=0, steps=3):
    """The batches and the initial weights that a classifier is trained with."""
    seen, weights = [], []

    def fit(reader, batches, count):
        weights.append({name: tensor.clone() for name, tensor in reader.state_dict().items()})
        seen.extend(next(batches) for _ in range(steps))
        reader.eval()

    monkeypatch.setattr(subject, "fit", fit)
    trained(sets, 2, moved, seed)
    return seen, weights[0]


def test_half_of_each_batch_is_generated_and_every_image_passes_before_any_is_repeated(monkeypatch):
    real, fake = blobs(10, 0), (torch.full((70, 1, 8, 8), 255, dtype=torch.uint8), torch.ones(70, dtype=torch.int64))
    seen, weights = batches_of(monkeypatch, [real, fake], steps=5)
    for x, labels in seen:
        assert x.shape == (64, 1, 8, 8) and bool((x[32:] == 255).all()) and not bool((x[:32] == 255).all())
        assert labels[32:].tolist() == [1] * 32
    rows = torch.cat([x[:32] for x, _ in seen]).flatten(1)
    times = (rows[:, None] == real[0].flatten(1)).all(2).sum(0)
    assert times.tolist() == [16] * 10, "160 rows of ten images"
    alone, again = batches_of(monkeypatch, [real], steps=1)
    assert len(alone[0][0]) == 64 and all(torch.equal(again[name], weights[name]) for name in weights)
    _, other = batches_of(monkeypatch, [real], seed=1)
    assert any(not torch.equal(other[name], weights[name]) for name in weights)


def test_shifts_and_rotations_move_each_image_and_keep_its_label(monkeypatch):
    x = torch.zeros(20, 1, 28, 28, dtype=torch.uint8)
    x[:, :, 13:15, 22] = 255  # a dash at the right
    labels = torch.arange(20) % 2
    (still,), _ = batches_of(monkeypatch, [(x, labels)], steps=1)
    (moved,), _ = batches_of(monkeypatch, [(x, labels)], moved=True, steps=1)
    assert torch.equal(still[1], moved[1]) and bool((still[0] == x[:1]).all())
    mass = moved[0][:, 0].double()
    places = torch.stack([(mass.sum(2) * torch.arange(28)).sum(1), (mass.sum(1) * torch.arange(28)).sum(1)], 1)
    places = places / mass.sum((1, 2))[:, None] - torch.tensor([13.5, 22.0])
    assert len({tuple(place) for place in places.round(decimals=3).tolist()}) > 50
    # 15 degrees at 8.5 pixels from the centre are 2.2 pixels, and a fourteenth of 28 is 2.
    assert places[:, 0].abs().max() < 4.4 and places[:, 0].std() > 0.8 and places[:, 1].abs().max() < 2.7
    again = subject._moved(x, Draws(0, 0))
    assert torch.equal(again, subject._moved(x, Draws(0, 0))) and not torch.equal(again, subject._moved(x, Draws(1, 0)))


def test_a_classifier_learns_and_samples_that_are_real_help_it(monkeypatch):
    monkeypatch.setattr(subject, "STEPS", 12)
    x, truth = blobs(200, 9)
    wrong = (blobs(200, 1)[0], 1 - blobs(200, 1)[1])
    right = trained([blobs(8, 0), blobs(200, 1)], 2, moved=False, seed=0)
    misled = trained([wrong], 2, moved=False, seed=0)
    assert (right.probabilities(x).argmax(1) == truth).double().mean() > 0.95
    assert (misled.probabilities(x).argmax(1) == truth).double().mean() < 0.05


def test_methods_are_tested_on_the_held_out_half_alone(monkeypatch):
    used = []
    monkeypatch.setattr(
        subject, "trained", lambda sets, classes, moved, seed: used.append((sets, moved, seed)) or Oracle()
    )

    class Oracle:
        def probabilities(self, x):
            return torch.nn.functional.one_hot((x[:, 0, :, 4:].float().mean((1, 2)) > 100).long(), 2).float()

    class Generator:
        def sample(self, n, labels):
            assert labels.tolist() == [0] * 500 + [1] * 500
            return np.zeros((n, 8, 8, 1), np.uint8)

    x, labels = blobs(40, 3)
    few = FewLabels(Labelled(x, labels), 3, seed=4)
    found, tested = accuracies(few, Generator())
    assert found == dict.fromkeys(METHODS, 1.0) and tested == 20
    train, test = few.open(), replace(few, part="test").open()
    rows = {tuple(row) for row in test.read(torch.arange(20)).flatten(1).tolist()}
    for (sets, moved, seed), method in zip(used, METHODS, strict=True):
        assert moved == (method in ("shifts and rotations", "both")) and seed == 4
        assert len(sets) == 1 + (method in ("samples", "both")) and len(sets[0][1]) == 6
        assert torch.equal(sets[0][0], train.read(torch.arange(6)))
        assert not rows & {tuple(row) for row in sets[0][0].flatten(1).tolist()}


class Labelled:
    def __init__(self, x, labels):
        self.x, self.labels = x, labels

    def open(self):
        from zerosum.data.dataset import in_memory

        return in_memory("blobs", self.x, self.labels, ("left", "right"))


def test_the_plan_draws_labels_and_trains_a_game_for_each_seed(tmp_path):
    runs = plan_augmentation(TINY, [10, 50], 2)
    assert [(run.few.per_class, run.few.seed, run.recipe.seed) for run in runs] == [
        (10, 0, 0), (50, 0, 0), (10, 1, 1), (50, 1, 1),
    ]  # fmt: skip
    assert all(run.recipe.data == run.few == FewLabels(Digits(), run.few.per_class, run.few.seed) for run in runs)
    assert str(runs[3]) == "50 labels a class  seed 1"
    folders = {run.folder(tmp_path) for run in [*runs, *plan_augmentation(replace(TINY, images=65), [10], 1)]}
    assert len(folders) == 5 and runs[0].folder(tmp_path) == plan_augmentation(TINY, [10], 1)[0].folder(tmp_path)


def test_refusals():
    with pytest.raises(ValueError, match="seeds, the number of runs of each number of labels, must be at least 1"):
        plan_augmentation(TINY, [10], 0)
    for labels in ([], [10, 20, 10]):
        with pytest.raises(ValueError, match="labels are different numbers of labelled images a class; found"):
            plan_augmentation(TINY, labels, 1)
    with pytest.raises(ValueError, match="hinge is not conditional, so its samples have no labels: set conditional="):
        plan_augmentation(named("hinge"), [10], 1)
    with pytest.raises(ValueError, match="class 0 of digits has 500 samples"):
        plan_augmentation(TINY, [10, 300], 1)
    with pytest.raises(ValueError, match="takes images; ring of 8 has samples of"):
        plan_augmentation(replace(named("ring"), conditional=True), [10], 1)
    with pytest.raises(ValueError, match="few labels are drawn from data with class labels"):
        plan_augmentation(replace(TINY, data=ArraySource(np.zeros((9, 4, 4), np.uint8))), [2], 1)


def test_a_run_is_saved_and_not_run_again(tmp_path, monkeypatch, forks):
    monkeypatch.setattr(subject, "STEPS", 2)
    made = []

    def command(run, out, flags=()):
        made.append(run)
        train(run.recipe, run.folder(out) / "run", quiet=True)
        return Command((sys.executable, "-c", ""), run.folder(out) / "command.log")

    monkeypatch.setattr(parallel_runs, "_command", command)
    said = []
    runs = plan_augmentation(TINY, [2], 1)
    results, failures = run_augmentation(runs, tmp_path, 1, 1, said.append, lambda done, total: None)
    (result,) = results
    assert failures == [] and (result.labels, result.seed, result.tested, result.images) == (2, 0, 2_500, 64)
    assert [*result.accuracy] == [*METHODS] and all(0 <= share <= 1 for share in result.accuracy.values())
    assert said[0].startswith("2 labels a class  seed 0: labels alone ") and len(made) == 1
    again, _ = run_augmentation(runs, tmp_path, 1, 1, said.append, lambda done, total: None)
    assert again == results and len(made) == 1 and said[-1] == f"1 of 1 runs are already finished, in {tmp_path}"


def result(labels, seed, *accuracy):
    return FewLabelsResult(labels, seed, dict(zip(METHODS, accuracy, strict=True)), 2_500, 20_000, 30.0, 20.0 + seed)


def test_differences_are_paired_and_no_more_is_claimed_than_their_intervals():
    # The seeds differ by far more than the methods, which only pairs reveal.
    results = [result(10, s, 0.5 + 0.1 * s, 0.7 + 0.1 * s, 0.52 + 0.101 * s, 0.7 + 0.1 * s) for s in range(3)]
    results += [result(50, s, 0.9, 0.95, 0.9 + 0.1 * (s - 1), 0.8 + 0.001 * s) for s in range(3)]
    ten, fifty = augmentation_summary(results)
    assert ten["accuracy"]["labels alone"]["mean"] == pytest.approx(0.6)
    assert ten["accuracy"]["labels alone"]["within"] == pytest.approx(4.30265 * 0.1 / 3**0.5, rel=1e-4)
    assert ten["differences"]["samples - labels alone"]["mean"] == pytest.approx(0.021)
    assert ten["differences"]["samples - labels alone"]["within"] == pytest.approx(4.30265 * 0.001 / 3**0.5, rel=1e-4)
    assert ten["conclusion"] == (
        "With 10 labels a class: samples helped by themselves (+2.1 ± 0.2 points), and made no difference beyond the "
        "interval beside shifts and rotations (+0.0 ± 0.0 points)."
    )
    assert fifty["conclusion"] == (
        "With 50 labels a class: samples made no difference beyond the interval by themselves (+0.0 ± 24.8 points), "
        "and did harm beside shifts and rotations (-14.9 ± 0.2 points)."
    )
    (one,) = augmentation_summary(results[:1])
    assert one["conclusion"] == "With 10 labels a class: one seed has no interval, so nothing is claimed."
    assert one["accuracy"]["both"] == {"mean": pytest.approx(0.7), "within": None}


def test_the_table_has_a_row_for_each_number_of_labels():
    results = [result(labels, s, 0.5, 0.75, 0.5 + 0.01 * s, 0.75) for labels in (200, 10) for s in range(2)]
    lines = augmentation_table(augmentation_summary(results)).split("\n")
    assert lines[0].startswith("| labels a class | seeds | labels alone | shifts and rotations | samples | both | ")
    assert lines[2] == (
        "| 10 | 2 | 50.0% ± 0.0% | 75.0% ± 0.0% | 50.5% ± 6.4% | 75.0% ± 0.0% "
        "| +0.5 ± 6.4 | +25.0 ± 0.0 | +0.0 ± 0.0 | 20 |"
    )
    assert lines[3].startswith("| 200 | 2 |") and lines[5].startswith("With 10 labels a class: ")
