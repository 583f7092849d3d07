"""The hue of samples of a GAN of emoji, moved along directions and along paths, while their edges are watched.

    python -m benchmarks.quality.hue [--samples 200] [--out runs/hue]

Unpacks the emoji of 64x64 of `../shared/data/emoji64.npz` that are no variants, in Noto's drawing, to a folder, and
trains `stylegan2` with ADA on it by its own command, once. On samples that took no part in finding a direction, it
measures how far their hue moves and how well their edges before and after correlate. Beside the directions stand a
random one of the same length, and the samples with their colours rotated pixel by pixel. The table is written to
`benchmarks/results/latent.md`, the image to `docs/images/latent-hue.png`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import zerosum
from benchmarks import marked
from benchmarks.machine import machine
from benchmarks.packs import decoded
from benchmarks.places import RESULTS, ROOT, SHARED
from benchmarks.quality.emoji import variety
from benchmarks.quality.folder_runs import FolderRun, train
from benchmarks.quality.gallery import time_of
from benchmarks.quality.gallery_images import save_small
from benchmarks.quality.hue_ways import (
    EDGES,
    TURN,
    Eye,
    Later,
    Reading,
    around,
    best,
    chroma_right,
    chroma_up,
    furthest,
    of_each,
    rotated,
    straight,
)
from benchmarks.quality.hue_ways import (
    Path as Way,
)
from benchmarks.quality.latent import random_like
from zerosum.data.sources.folders import Images
from zerosum.latent import Direction, DirectionOptions, find_directions, latent_model, space_of
from zerosum.latent.direction import named_direction
from zerosum.latent.find import Method
from zerosum.latent.instruments import instruments_of
from zerosum.latent.model import seen
from zerosum.latent.space import Space
from zerosum.plots.grids import grid
from zerosum.runs.images import to_bytes

OUT = Path("runs/hue")
PAGE = RESULTS / "latent.md"
IMAGE = ROOT / "docs" / "images" / "latent-hue.png"
DATA = SHARED / "data" / "emoji64.npz"
MOST = 120_000  # bytes of the image
STYLE, RECIPE = "noto", "stylegan2"
SETTINGS = ("--images", "60000", "--set", "augment=AdaptiveAugment(images=100_000)")
FOUND, SAMPLES, SEED = 2_000, 200, 3_000
FIRST = 5  # of StyleGAN2's layers that move; those before it make the outlines
SHARED_WAYS: tuple[tuple[Method, bool], ...] = (
    ("line", False),
    ("line", True),
    ("extremes", True),
    ("gradient", True),
)
"""Methods, and whether the last layers alone move."""
DEGREES, STEPS, STEP, KEEP = 90.0, 40, 0.03, 2.0
"""Of the path of each sample: the rotation towards which it goes, its steps, the length of each as a share of the
typical distance of a point from the mean, and the weight of the edges."""
AVERAGED = 100  # samples whose paths are averaged
COLUMNS, VARIED = 6, 400  # columns of the image, and samples whose variety is measured
HEAD = (
    "| way | hue, edges at .9 | hue | pixels | edges | hue by 60° | edges at .9 | both | D's score | radius |\n"
    + "| --- " * 10
    + "|"
)


def emoji(archive: Path = DATA) -> Iterator[tuple[str, Image.Image]]:
    """Name and image of the emoji that are no variants."""
    if not archive.is_file():
        raise ValueError(f"there is no archive of emoji at {archive}")
    with np.load(archive) as pack:
        base = np.flatnonzero(pack["is_base"])
        for number, image in zip(base, decoded(pack, STYLE, base), strict=True):
            yield f"{number:04}", image


def write_folder(folder: Path, archive: Path = DATA) -> Path:
    """Write the emoji as PNG files to a folder, unless it is there."""
    if not folder.is_dir():
        part = folder.with_name(f"{folder.name}-part")
        part.mkdir(parents=True, exist_ok=True)
        for name, image in emoji(archive):
            image.save(part / f"{name}.png")
        part.rename(folder)
    return folder


@dataclass(frozen=True, eq=False)
class Bench:
    """A run of StyleGAN2, and samples on which ways are measured."""

    run: "zerosum.Run"
    eye: Eye
    layers: Space
    first: int

    @property
    def last(self) -> tuple[int, ...]:
        """The layers that move."""
        return tuple(range(self.first, len(self.layers.prior().mean)))

    @property
    def typical(self) -> float:
        """The typical distance of a point from the mean."""
        return float(self.layers.prior().std.norm())

    def found(self, attribute: str, method: Method, last: bool) -> Direction:
        """A direction that is found on other samples."""
        options = DirectionOptions(method, "layers", n=FOUND, samples=10, layers=self.last if last else ())
        known = {"chroma_right": chroma_right, "chroma_up": chroma_up}
        return find_directions(self.run.generator, [attribute], options, known=known)[0]

    def averaged(self, path: Way) -> Direction:
        """The mean of the paths of other samples, as one direction."""
        inputs = replace(self.eye, n=AVERAGED, seed=SEED + 7).inputs
        points = path(inputs)
        return named_direction("averaged", (points[-1] - points[0]).mean(0), self.layers, "gradient")

    def ways(self) -> Iterator[tuple[str, Space, Way]]:
        """All ways: their names, spaces and paths."""
        later = Later(self.layers, self.last)
        of_last = f"layers {self.last[0]} to {self.last[-1]}"
        for method, last in SHARED_WAYS:
            one = self.found("hue", method, last)
            yield f"one direction, `{method}`, {of_last if last else 'all layers'}", self.layers, straight(later, one)
            if (method, last) == SHARED_WAYS[1]:
                other = replace(one, vector=random_like(one, 3) * (one.vector != 0))
                other = replace(other, vector=other.vector * (one.vector.norm() / other.vector.norm()))
                yield f"random, as long, {of_last}", self.layers, straight(later, other)
        each = of_each(later, DEGREES, STEP * self.typical, STEPS, KEEP)
        yield (
            f"one direction, the mean of {AVERAGED} paths, {of_last}",
            self.layers,
            straight(later, self.averaged(each)),
        )
        two = [self.found(name, "line", True) for name in ("chroma_right", "chroma_up")]
        step = 2 * STEP * self.typical
        yield f"two directions, across a sample's own hue, {of_last}", self.layers, around(later, two, step)
        yield f"the gradient of each sample, {of_last}", later, each


def row(name: str, readings: Sequence[Reading], far: float) -> str:
    """The row of a way: at the furthest step that keeps edges where that is far enough, else at the largest change."""
    kept = readings[best(readings, far)]
    shown = kept if kept.met else readings[furthest(readings, far)]
    return f"| {' | '.join([name, f'{kept.hue:+.0f}°', *shown.cells])} |"


def reference(eye: Eye, space: Space) -> str:
    """The row of the samples themselves with their colours rotated pixel by pixel."""
    with torch.no_grad():
        before = seen(space.images(space.at(eye.inputs), eye.inputs))
    found = Reading.of(before, seen(rotated(before, DEGREES)))
    return f"| {' | '.join([f'pixels rotated by {DEGREES:.0f}°', f'{found.hue:+.0f}°', *found.cells])} |"


def strip(bench: Bench, space: Space, way: Way, last: int) -> Image.Image:
    """Samples along the path of each, up to a step, and at the right with their colours rotated pixel by pixel."""
    inputs = bench.eye.inputs.rows(slice(8))
    points = way(inputs)
    with torch.no_grad():
        places = torch.linspace(0, last, COLUMNS - 1).round().long()
        columns: list[Tensor] = [space.images(points[int(place)], inputs) for place in places]
    columns.append(rotated(columns[0].clamp(-1, 1), DEGREES))
    made = np.stack([to_bytes(one) for one in columns], 1)
    return grid(made.reshape(-1, *made.shape[2:]), columns=2 * COLUMNS)


def shares_of(run: "zerosum.Run", folder: Path) -> list[float]:
    """The variety of samples in colours and in outlines, as shares of the folder's."""
    real = Images(str(folder)).open()
    some = torch.randperm(len(real), generator=torch.Generator().manual_seed(0))[:VARIED]
    theirs = variety(real.read(some).permute(0, 2, 3, 1).numpy())
    return [mine / other for mine, other in zip(variety(run.generator.sample(VARIED)), theirs, strict=True)]


def page(run: FolderRun, samples: int) -> str:
    """Find and measure all ways through a finished run; returns what is written."""
    trained = zerosum.Run(run.folder / "run")
    tools = instruments_of(trained, {})
    model = latent_model(trained.generator)
    layers = space_of(model, "layers")
    bench = Bench(trained, Eye(model, samples, SEED, tools.score), layers, FIRST)
    rows, far = [HEAD], layers.prior().far
    for name, space, way in bench.ways():
        readings = bench.eye.readings(space, way)
        rows.append(row(name, readings, far))
        print(rows[-1], flush=True)
    save_small(strip(bench, space, way, best(readings, far)), IMAGE, MOST)
    rows.append(reference(bench.eye, layers))
    last, shares = trained.log[-1], shares_of(trained, run.images)
    facts = (
        f"{len(bench.eye.inputs.z)} of {samples} samples have a hue. {trained.generator.images:,} training images in "
        f"{time_of(run.folder)['cpu_seconds']:,.0f} s of one core, ADA's p {last['ADA/p']:.2f} at the end. Samples "
        f"vary by {shares[0]:.0%} of what the emoji do in colours, and by {shares[1]:.0%} in outlines. "
        f"Wanted are {TURN:.0f}° and edges of {EDGES}. On {machine()}."
    )
    return "\n".join([f"    {run.shown('emoji/')}", "", *rows, "", facts])


def main(arguments: Sequence[str] | None = None) -> int:
    """Train where needed, measure, and write the table and the image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=SAMPLES, help="samples on which a way is measured")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the emoji and the run")
    chosen = parser.parse_args(arguments)
    run = FolderRun(RECIPE, write_folder(chosen.out / "emoji"), chosen.out, SETTINGS)
    if train([run], jobs=1) != []:
        return 1
    marked.write(PAGE, "hue", "benchmarks.quality.hue", page(run, chosen.samples))
    return 0


if __name__ == "__main__":
    sys.exit(main())
