"""Directions of a generator of digits, measured on samples and by a classifier that took no part in finding them.

    python -m benchmarks.quality.latent [RUN] [--samples 2000]

RUN is a run of `zerosum train digits`, by default runs/digits; it is trained first if it is not there. The classifier
is trained on the 60,000 training images of the MNIST archive `../shared/data/mnist.npz`. Beside each direction of a
line stands a random one of the same length. The table is written to `benchmarks/results/latent.md`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import zerosum
from benchmarks import marked
from benchmarks.machine import machine
from benchmarks.places import RESULTS, SHARED
from zerosum.features.classifier import Classifier, train_classifier
from zerosum.latent.attribute import formulas
from zerosum.latent.direction import Direction
from zerosum.latent.find import DirectionOptions, find_directions
from zerosum.latent.measure import Ruler, measured_card
from zerosum.latent.model import Inputs, LatentModel, latent_model
from zerosum.latent.space import space_of
from zerosum.latent.unsupervised import principal_components, weight_directions
from zerosum.runs.run import is_run

RUN = Path("runs/digits")
PAGE = RESULTS / "latent.md"
DATA = SHARED / "data" / "mnist.npz"
WANTED = ("thickness", "slant", "size")
METHODS = ("line", "extremes", "gradient")
SEED, SEEN, COMPONENTS = 1_000, 120_000, 5
HEAD = (
    "| attribute | method | change | rank correlation | largest leakage | ink | class kept | range |\n"
    + "| --- " * 8
    + "|"
)


def mnist_classifier() -> tuple[Classifier, float]:
    """A classifier of MNIST, and its accuracy on the 10,000 test images."""
    if not DATA.is_file():
        raise ValueError(f"there is no MNIST archive at {DATA}, by which the directions are measured")
    with np.load(DATA) as archive:
        x, y, x_test, y_test = (torch.from_numpy(archive[k]) for k in ("x_train", "y_train", "x_test", "y_test"))
    made = train_classifier(x[:, None], y.long(), 10, seed=7, seen=SEEN)
    right = made.probabilities(x_test[:, None]).argmax(1) == y_test.long()
    return made, float(right.double().mean())


def ruler_of(run: "zerosum.Run", classifier: Classifier) -> Ruler:
    """The formulas of drawings, in standard deviations of the run's data, and the classifier."""
    images = run.recipe.data.open().read(torch.arange(5_000))
    found = formulas(1)
    values = {name: one(images.float() / 127.5 - 1) for name, one in found.items()}

    def classify(made: Tensor) -> Tensor:
        return classifier.read(((made + 1) * 127.5).round().byte())[0].argmax(1)

    stds = {name: one.spread(values[name]) for name, one in found.items()}
    return Ruler(found, stds, values, "data", classify)


def random_like(direction: Direction, seed: int) -> Tensor:
    """A random vector of the length of a direction's."""
    noise = torch.randn(direction.vector.shape, generator=torch.Generator().manual_seed(seed))
    return noise * (direction.vector.norm() / noise.norm())


def row(direction: Direction, method: str, attribute: str, ruler: Ruler, sample: tuple[LatentModel, Inputs]) -> str:
    """The row of a direction."""
    removed = () if direction.card is None else direction.card.removed
    card = measured_card(direction, *sample, ruler, attribute)
    leaking = {name: abs(card.leakage[name]) for name in removed or card.leakage if name != "ink"}
    most = max(leaking, key=lambda name: leaking[name])
    ends = "" if direction.card is None else f"{direction.card.low:+.1f} to {direction.card.high:+.1f}"
    cells = [attribute, method, f"{card.shift:+.2f}", f"{card.rank:.3f}", f"{leaking[most]:.2f} ({most})"]
    cells += [f"{card.leakage['ink']:+.2f}", f"{card.kept:.1%}", ends]
    return f"| {' | '.join(cells)} |"


def unaided(model: LatentModel, inputs: Inputs, ruler: Ruler) -> list[str]:
    """For SeFa and PCA, the attribute that each of the first components correlates with most, over samples."""
    space = space_of(model)
    with torch.no_grad():
        points = space.at(inputs)
        images = space.images(points, inputs)
    values = {name: one(images) for name, one in ruler.attributes.items()}
    rows = []
    for name, method in (("sefa", weight_directions), ("pca", principal_components)):
        for place, vector in enumerate(method(space, inputs, COMPONENTS), 1):
            along = (points.flatten(1) @ vector.flatten()).double()
            found = {
                a: float(torch.corrcoef(torch.stack([along, within(v, inputs.c)]))[0, 1]) for a, v in values.items()
            }
            order = sorted(found, key=lambda a: -abs(found[a]))
            rows.append(f"| `{name}` | {place} | " + " | ".join(f"{a} {found[a]:+.2f}" for a in order[:2]) + " |")
    return ["| method | component | largest correlation | second |\n| --- | --- | --- | --- |", *rows]


def within(values: Tensor, classes: Tensor | None) -> Tensor:
    """Values minus the mean of their class."""
    if classes is None:
        return values
    means = torch.zeros(10, dtype=values.dtype).index_add(0, classes, values) / classes.bincount(minlength=10)
    return values - means[classes]


def main(arguments: Sequence[str] | None = None) -> int:
    """Find and measure all directions, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", type=Path, default=RUN, help="the run")
    parser.add_argument("--samples", type=int, default=2_000, help="samples on which directions are measured")
    chosen = parser.parse_args(arguments)
    run = zerosum.Run(chosen.run) if is_run(chosen.run) else zerosum.train("digits", chosen.run)
    model = latent_model(run.generator)
    classifier, accuracy = mnist_classifier()
    ruler = ruler_of(run, classifier)
    sample = model, model.inputs(chosen.samples, SEED)
    rows = [HEAD]
    for method in METHODS:
        found = find_directions(run, WANTED, DirectionOptions(method=method), say=print)
        for direction in found:
            rows.append(row(direction, f"`{method}`", direction.name, ruler, sample))
            if method == METHODS[0]:
                other = Direction("random", direction.space, random_like(direction, 3), direction.weights)
                rows.append(row(other, "random, as long", direction.name, ruler, sample))
    (before,) = {measured_card(direction, *sample, ruler, "slant").kept_before}
    with torch.no_grad():
        more = unaided(model, model.inputs(4_000, SEED + 1), ruler)
    facts = (
        f"Without an edit the class is predicted as asked for in {before:.1%} of these {chosen.samples} samples; the "
        f"classifier's accuracy on the MNIST test images is {accuracy:.2%}. On {machine()}."
    )
    marked.write(PAGE, "latent", "benchmarks.quality.latent", "\n".join([*rows, "", *more, "", facts]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
