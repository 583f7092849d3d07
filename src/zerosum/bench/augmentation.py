"""The augmentation benchmark: whether samples of a GAN help a classifier that has few labels."""

__all__ = ()

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zerosum._arrays import evenly
from zerosum.augment.adaptive import AdaptiveAugment
from zerosum.augment.motions import IntegerTranslate, Rotate
from zerosum.bench.parallel_runs import run_in_parallel, saved_result
from zerosum.data.sources.few_labels import FewLabels
from zerosum.features.classifier import Classifier, fit, new_network
from zerosum.game.random import Draws, stream
from zerosum.networks.conditioning import Concatenate
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.networks.minibatch import MinibatchStddev
from zerosum.recipes.library.conditional import cgan
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.run import Run

ALONE, MOVED, SAMPLES, BOTH = METHODS = ("labels alone", "shifts and rotations", "samples", "both")
PROTOCOL = "augmentation 1"  # change this with the classifier, its training or the methods
STEPS, BATCH = 200, 64  # of the training of each classifier
GENERATED = 500  # samples of each class
MOST_TESTED = 5_000  # held-out images
_ROTATED, _SHIFTED = 1 / 12, 1 / 14  # of pi, and of height and width


@dataclass(frozen=True)
class FewLabelsRun:
    """One run of the benchmark: a conditional game on a few labelled images."""

    few: FewLabels
    recipe: Recipe

    def __str__(self) -> str:
        return f"{self.few.per_class} labels a class  seed {self.recipe.seed}"

    def folder(self, out: Path) -> Path:
        """Folder of the run; another recipe or protocol has another folder."""
        mark = hashlib.sha256(f"{pretty(self.recipe)}\n{PROTOCOL}".encode()).hexdigest()[:8]
        return out / f"{self.few.per_class:04}-labels" / f"{self.recipe.seed:02}-{mark}"


@dataclass(frozen=True)
class FewLabelsResult:
    """The result of a run.

    Attributes:
        labels: labelled images of each class.
        seed: seed of the labels, the game and the classifiers.
        accuracy: accuracy on held-out images, by method.
        tested: number of held-out images.
        images: training length of the game, in images.
        seconds, cpu_seconds: time of the game's training, over all its starts.
    """

    labels: int
    seed: int
    accuracy: Mapping[str, float]
    tested: int
    images: int
    seconds: float
    cpu_seconds: float


def default_game() -> Recipe:
    """A small cGAN for few images, whose D sees them shifted and rotated as its overfitting grows (ADA)."""
    return replace(
        cgan(),
        name="few-labels",
        generator=DCGANGenerator(size=16, conditioning=Concatenate(8)),
        discriminator=DCGANDiscriminator(
            size=16, norm="none", conditioning=Concatenate(64), minibatch=MinibatchStddev()
        ),
        augment=AdaptiveAugment(pipeline=(IntegerTranslate(), Rotate(_ROTATED)), images=10_000, limit=0.8),
        batch=32,
        images=12_000,
        ema=500.0,
    )


def plan_augmentation(game: Recipe, labels: Sequence[int], seeds: int) -> list[FewLabelsRun]:
    """Plan the runs of the benchmark, seed by seed.

    Args:
        game: a conditional recipe; `FewLabels` draws its training images from its data.
        labels: numbers of labelled images of each class.
        seeds: number of seeds; they are 0, 1, ... Each draws labels, and trains a game and the classifiers.

    Raises:
        ValueError: for no seeds, repeated numbers of labels, an unconditional game, or data that are not images with
            enough labels.
    """
    if seeds < 1:
        raise ValueError(f"seeds, the number of runs of each number of labels, must be at least 1; found {seeds}")
    if not labels or len({*labels}) < len(labels):
        raise ValueError(f"labels are different numbers of labelled images a class; found {[*labels]}")
    if not game.conditional:
        raise ValueError(f"{game.name} is not conditional, so its samples have no labels: set conditional=True")
    for number in labels:
        images = FewLabels(game.data, number).open()
        if not images.is_image or images.coding is not None:
            raise ValueError(f"the augmentation benchmark takes images; {images.name} has samples of {images.shape}")
    few = [FewLabels(game.data, number, seed) for seed in range(seeds) for number in labels]
    return [FewLabelsRun(one, replace(game, data=one, seed=one.seed)) for one in few]


def run_augmentation(
    runs: Sequence[FewLabelsRun],
    out: Path,
    jobs: int,
    threads: int,
    say: Callable[[str], None],
    progress: Callable[[int, int], None],
    flags: Sequence[str] = (),
) -> tuple[list[FewLabelsResult], list[str]]:
    """Train the games without a result in parallel, and the classifiers of each; also returns a message per failure.

    Arguments and errors are those of `run_in_parallel`.
    """

    def measure(run: FewLabelsRun) -> tuple[dict[str, Any], str]:
        generator = Run(run.folder(out) / "run").generator
        accuracy, tested = accuracies(run.few, generator)
        facts = {"labels": run.few.per_class, "seed": run.recipe.seed, "tested": tested, "images": generator.images}
        return {**facts, "accuracy": accuracy}, ", ".join(f"{name} {share:.1%}" for name, share in accuracy.items())

    failures = run_in_parallel(runs, out, jobs, threads, say, progress, measure, flags)
    found = [saved_result(run, out) for run in runs]
    return [FewLabelsResult(**values) for values in found if values is not None], failures


def accuracies(few: FewLabels, generator: TrainedGenerator) -> tuple[dict[str, float], int]:
    """Accuracy on held-out images of a classifier by each method, and the number of these images.

    The classifiers of all methods have the same network, initial weights and number of steps.
    """
    real, held_out = few.open(), replace(few, part="test").open()
    classes = len(real.classes)
    given = _equally_many(classes)
    fake = torch.from_numpy(generator.sample(len(given), labels=given.numpy())).permute(0, 3, 1, 2).contiguous()
    assert real.labels is not None and held_out.labels is not None
    labelled = (real.read(torch.arange(len(real))), real.labels)
    tested = evenly(len(held_out), MOST_TESTED)
    x, truth = held_out.read(tested), held_out.labels[tested]
    found = {}
    for method in METHODS:
        sets = [labelled, (fake, given)] if method in (SAMPLES, BOTH) else [labelled]
        reader = trained(sets, classes, method in (MOVED, BOTH), few.seed)
        found[method] = float((reader.probabilities(x).argmax(1) == truth).double().mean())
    return found, len(tested)


def _equally_many(classes: int) -> Tensor:
    """The labels of as many samples of each class."""
    return torch.arange(classes).repeat_interleave(GENERATED)


def trained(sets: Sequence[tuple[Tensor, Tensor]], classes: int, moved: bool, seed: int) -> Classifier:
    """A classifier trained on batches with equally many images of each set.

    Args:
        sets: images uint8 `(N, C, H, W)` and their labels `(N,)`.
        classes: number of classes.
        moved: whether each image is rotated by up to 15 degrees and shifted by up to a fourteenth of its sides.
        seed: seed of the initial weights, the order and the movements.
    """
    shape = tuple(sets[0][0].shape[1:])
    reader = new_network(shape, classes, seed)
    fit(reader, _batches(sets, moved, seed), STEPS)
    return Classifier(reader, shape, classes, accuracy=0.0, held_out=0)


def _batches(sets: Sequence[tuple[Tensor, Tensor]], moved: bool, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    rows = [_rows(len(labels), BATCH // len(sets), seed, number) for number, (_, labels) in enumerate(sets)]
    position = 0
    while True:
        chosen = [next(row) for row in rows]
        x = torch.cat([images[one] for (images, _), one in zip(sets, chosen, strict=True)])
        labels = torch.cat([labels[one] for (_, labels), one in zip(sets, chosen, strict=True)])
        yield (_moved(x, Draws(seed, position)) if moved else x), labels
        position += len(x)


def _rows(count: int, size: int, seed: int, number: int) -> Iterator[Tensor]:
    """Infinite rows of `size` indices below `count`, each index once before any is repeated."""
    random = stream(seed, "rows", number)
    left = torch.empty(0, dtype=torch.int64)
    while True:
        while len(left) < size:
            left = torch.cat([left, torch.randperm(count, generator=random)])
        yield left[:size]
        left = left[size:]


def _moved(x: Tensor, draws: Draws) -> Tensor:
    """Images uint8 `(B, C, H, W)`, each rotated and shifted on its own."""
    scaled = x.float() / 127.5 - 1
    turned = IntegerTranslate(_SHIFTED)(Rotate(_ROTATED)(scaled, draws, "rotation"), draws, "shift")
    return ((turned + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
