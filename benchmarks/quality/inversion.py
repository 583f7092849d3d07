"""Held-out digits inverted, edited and tuned to, and completed from strokes.

    python -m benchmarks.quality.inversion [RUN] [--part inversion] [--digits 500]

RUN is a run of `zerosum train digits`, by default runs/digits, with the directions thickness, slant and size; what is
missing is made first. The digits are the first of the MNIST test images, of the archive `../shared/data/mnist.npz`; the
generator was trained on 5,000 images of the training set. The classifier is that of the run, which was trained on the
same 5,000 and took no part in the game. A fifth of the digits are tuned to, in groups of five, and two fifths completed
from strokes. Each part is a table of `benchmarks/results/latent.md`.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import zerosum
from benchmarks import marked
from benchmarks.machine import machine
from benchmarks.quality.latent import DATA, PAGE, RUN, WANTED
from zerosum._foreign import read_tensors
from zerosum.features.classifier import Classifier, restored
from zerosum.latent import (
    Direction,
    Inversion,
    complete,
    find_directions,
    invert,
    load_directions,
    space_of,
    tune,
)
from zerosum.latent.instruments import instruments_of
from zerosum.latent.inversion import distance
from zerosum.latent.model import seen
from zerosum.latent.space import Space
from zerosum.metrics import frechet_distance
from zerosum.runs.files import CLASSIFIER
from zerosum.runs.run import is_run

DIGITS, GROUP = 500, 5
SAMPLES, STROKES, LENGTH = 5_000, 10, 8
SEED = 77


@dataclass(frozen=True, eq=False)
class Bench:
    """A run, held-out digits `(N, 1, 28, 28)` in [-1, 1] with their classes, and a classifier."""

    run: "zerosum.Run"
    images: Tensor
    classes: Tensor
    classifier: Classifier

    @cached_property
    def space(self) -> Space:
        """The generator's z."""
        return space_of(self.run.generator)

    @cached_property
    def training(self) -> tuple[Tensor, Tensor]:
        """The training images of the generator and their classes."""
        data = self.run.recipe.data.open()
        assert data.labels is not None
        return data.read(torch.arange(len(data))).float() / 127.5 - 1, data.labels

    def predicted(self, images: Tensor) -> Tensor:
        """The class of images."""
        return self.classifier.read(((images + 1) * 127.5).round().clamp(0, 255).byte())[0].argmax(1)

    def right(self, images: Tensor) -> str:
        """The share whose class is that of the digit."""
        return f"{float((self.predicted(images) == self.classes[: len(images)]).double().mean()):.1%}"

    def nearest(self, images: Tensor, of: Tensor, classes: Tensor, mask: Tensor | None = None) -> Tensor:
        """For each digit, the nearest of some images of its class; with a mask, of any class by its pixels alone."""
        x, p = self.images[: len(images)].flatten(1), of.flatten(1)
        if mask is None:
            far = torch.cdist(x, p)
            far[self.classes[: len(images), None] != classes] = torch.inf
        else:
            w = mask.flatten(1)
            far = -2 * (w * x) @ p.T + w @ p.square().T
        return of[far.argmin(1)]

    def samples(self, n: int, space: Space | None = None) -> tuple[Tensor, Tensor]:
        """Samples and their classes, of the generator or of another space of z."""
        inputs = self.space.model.inputs(n, SEED)
        assert inputs.c is not None
        with torch.no_grad():
            return seen((space or self.space).images(inputs.z, inputs)), inputs.c

    def features(self, images: Tensor) -> Tensor:
        """Features of the classifier."""
        return self.classifier.features(((images + 1) * 127.5).round().clamp(0, 255).byte())


def inversion(bench: Bench) -> str:
    """Errors and classes of inverted digits beside trivial methods, and of edited ones."""
    images, classes = bench.images, bench.classes
    found = invert(bench.space, images, classes)
    real, labels = bench.training
    nearest = bench.nearest(images, real, labels)
    far = distance(nearest, images)
    rows = ["| method | error | of the distance to the nearest | at most a third | class right |", "| --- " * 5 + "|"]
    methods = {
        "the digit itself": images,
        "`invert`": found.images,
        f"nearest of {len(real):,} training digits of the class": nearest,
        "nearest of 2,000 samples, 200 of the class": bench.nearest(images, *bench.samples(2_000)),
        "PCA of the training digits, 64 components": projected(images, real, 64),
    }
    for name, made in methods.items():
        error = distance(made, images)
        share = error / far
        third = f"{float((share <= 1 / 3).double().mean()):.1%}"
        rows.append(f"| {name} | {error.mean():.4f} | {share.mean():.3f} | {third} | {bench.right(made)} |")
    radius = bench.space.prior().radius(found.points)
    facts = (
        f"{len(images)} digits. The mean radius of their points is {radius.mean():.2f}, the largest {radius.max():.2f}."
    )
    return "\n".join([*rows, "", facts, "", *edits(bench, found), "", f"On {machine()}."])


def edits(bench: Bench, found: Inversion) -> list[str]:
    """Rows of the class of edited digits, and how far their attribute moved."""
    directions = load_directions(bench.run)
    if not {*WANTED} <= {*directions}:
        find_directions(bench.run, [name for name in WANTED if name not in directions], say=print)
        directions = load_directions(bench.run)
    ruler = instruments_of(bench.run, {}).ruler({})
    rows = ["| edit | change of the attribute | class right |", "| --- | --- | --- |"]
    rows.append(f"| none |  | {bench.right(found.images)} |")
    for name in WANTED:
        one: Direction = directions[name]
        before = ruler.attributes[name](found.images)
        for strength in (-1, 1):
            edited = seen(found.edited(one * strength))
            change = float((ruler.attributes[name](edited) - before).nanmean()) / ruler.stds[name]
            rows.append(f"| {name} {strength:+d} | {change:+.2f} | {bench.right(edited)} |")
    return rows


def projected(images: Tensor, real: Tensor, components: int) -> Tensor:
    """Images by the first principal components of others."""
    mean = real.flatten(1).mean(0)
    basis = torch.linalg.svd(real.flatten(1) - mean, full_matrices=False)[2][:components]
    found: Tensor = mean + (images.flatten(1) - mean) @ basis.T @ basis
    return found.clamp(-1, 1).view_as(images)


def tuning(bench: Bench) -> str:
    """Errors after tuning to groups of digits, and how far the FID of other samples moved."""
    images, classes = (part[: len(bench.images) // 5] for part in (bench.images, bench.classes))
    found = invert(bench.space, images, classes)
    far = distance(bench.nearest(images, *bench.training), images)
    real = bench.features(bench.training[0])
    before = frechet_distance(real, bench.features(bench.samples(SAMPLES)[0]))
    made, moved = [], []
    for start in range(0, len(images), GROUP):
        one = tune(found.rows(slice(start, start + GROUP)), say=print)
        made.append(one.images)
        assert one.tuned is not None
        samples = bench.samples(SAMPLES, space_of(one.tuned))[0]
        moved.append(abs(frechet_distance(real, bench.features(samples)) / before - 1))
    after = torch.cat(made)
    rows = ["| | error | of the distance to the nearest | at most a tenth | class right |", "| --- " * 5 + "|"]
    for name, result in (("inverted", found.images), ("tuned", after)):
        error = distance(result, images)
        tenth = f"{float((error / far <= 0.1).double().mean()):.1%}"
        rows.append(f"| {name} | {error.mean():.4f} | {(error / far).mean():.3f} | {tenth} | {bench.right(result)} |")
    facts = (
        f"{len(images)} digits. "
        f"FID of {SAMPLES:,} samples by the features of the classifier, to the training digits: {before:.2f} before. "
        f"It moved by {np.mean(moved):.1%} in the mean of {len(moved)} tuned generators, by {max(moved):.1%} at most. "
        f"On {machine()}."
    )
    return "\n".join([*rows, "", facts])


def strokes(bench: Bench) -> str:
    """Classes and scores of digits that are completed from the pixels of a few strokes."""
    images = bench.images[: len(bench.images) * 2 // 5]
    mask = stroke_masks(len(images), SEED)
    score = instruments_of(bench.run, {}).score
    assert score is not None
    found = complete(bench.space, images, mask, 1, score=score)
    with torch.no_grad():
        scores = score(bench.space.batches(found.points, found.inputs), found.inputs)
        drawn = bench.space.model.inputs(2_000, SEED)
        low = score(bench.space.batches(drawn.z, drawn), drawn).quantile(0.1)
    real, labels = bench.training
    methods = {
        "`complete`, one proposal": found.images,
        "the same without D's score": complete(bench.space, images, mask, 1).images,
        f"nearest of {len(real):,} training digits": bench.nearest(images, real, labels, mask),
        "nearest of 2,000 samples": bench.nearest(images, *bench.samples(2_000), mask),
    }
    rows = ["| method | error of the known pixels | class right |", "| --- " * 3 + "|"]
    for name, made in methods.items():
        rows.append(f"| {name} | {distance(made, images, mask).mean():.4f} | {bench.right(made)} |")
    share = float((scores > low).double().mean())
    facts = (
        f"{len(images)} digits. "
        f"The strokes cover {float(mask.mean()):.0%} of the pixels. D's score of {share:.1%} of the completed digits "
        f"is above the 10 % quantile of samples. On {machine()}."
    )
    return "\n".join([*rows, "", facts])


def stroke_masks(n: int, seed: int) -> Tensor:
    """The pixels that straight strokes of random places and angles cover, `(n, 1, 28, 28)`."""
    draw = torch.Generator().manual_seed(seed)
    middle = torch.rand(n, STROKES, 2, 1, 1, generator=draw) * 16 + 5.5
    angle = torch.rand(n, STROKES, 1, 1, generator=draw) * torch.pi
    y, x = (axis - middle[:, :, i] for i, axis in enumerate(torch.meshgrid(*[torch.arange(28.0)] * 2, indexing="ij")))
    along, across = y * angle.sin() + x * angle.cos(), x * angle.sin() - y * angle.cos()
    covered = (along.abs() <= LENGTH / 2) & (across.abs() <= 1)
    return covered.any(1, keepdim=True).float()


PARTS: dict[str, Callable[[Bench], str]] = {"inversion": inversion, "tuning": tuning, "strokes": strokes}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all parts, or one, and write their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", type=Path, default=RUN, help="the run")
    parser.add_argument("--part", choices=PARTS, help="measure one part alone")
    parser.add_argument("--digits", type=int, default=DIGITS, help="number of digits, a multiple of 25")
    chosen = parser.parse_args(arguments)
    run = zerosum.Run(chosen.run) if is_run(chosen.run) else zerosum.train("digits", chosen.run)
    classifier = restored(read_tensors(run / CLASSIFIER)[0])
    with np.load(DATA) as archive:
        images, classes = (torch.from_numpy(archive[key][: chosen.digits]) for key in ("x_test", "y_test"))
    bench = Bench(run, images[:, None].float() / 127.5 - 1, classes.long(), classifier)
    for name in [chosen.part] if chosen.part else PARTS:
        marked.write(PAGE, name, "benchmarks.quality.inversion", PARTS[name](bench))
    return 0


if __name__ == "__main__":
    sys.exit(main())
