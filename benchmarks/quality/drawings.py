"""Score the colouring of line drawings, where a drawing leaves many colours open.

The pairs are those of `../shared/data/openmoji_pairs64.npz`: a line drawing and its coloured form, 64x64, on white; the
220 of its split "test" take no part in training. A pixel is *inside* where line and colour differ by more than 16 of
255 levels in any channel, which is what colouring changes: .189 of the pixels. All others are outside, where the
drawing itself is right. Errors are mean absolute differences, of values in [0, 1], over the inside or the outside
pixels of all held-out pairs together, with one standard error over the pairs.

Five samples of a drawing are taken from the latents of five seeds. The error inside and outside is the mean over them;
the best of five is, for each drawing, the sample of the least error inside. The distance is that between two of the
five, over the inside pixels. A method without a latent has one sample.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.packs import decoded
from benchmarks.places import SHARED
from benchmarks.quality.baselines import neighbour
from zerosum.runs.generator import TrainedGenerator

PACK = SHARED / "data" / "openmoji_pairs64.npz"
HEAD = (
    "| application | method | error inside | error outside | best of five inside | distance between samples "
    "| processor s |\n" + "| --- " * 7 + "|"
)
SETTINGS = (
    "generator=UNet(size=24, norm='batch', residual=True)",
    "latent=Normal(8)",
    "g_terms=(L1(20.0), BestOf(5, 40.0))",
    "G_opt=Adam(lr=1e-3, betas=(0.5, 0.99), schedule=Cosine(begin=0.5))",
    "pretrain=0.65",
    "ema=1000.0",
)
ARGUMENTS = (
    *("--images", "40000", "--batch", "16", "--no-signals"),
    *(word for one in SETTINGS for word in ("--set", one)),
)
LEVELS = 16  # by which line and colour differ inside
SAMPLES = 5
LADDER = np.arange(0, 256, 51)  # levels of the colours of which those of a palette are chosen
Pixels = np.ndarray  # uint8 (N, H, W, C)


@dataclass(frozen=True)
class Pairs:
    """Line drawings and their coloured forms, uint8 `(N, H, W, 3)`."""

    line: Pixels
    colour: Pixels

    @property
    def inside(self) -> np.ndarray:
        """The pixels that colour changes, bool `(N, H, W)`."""
        found: np.ndarray = np.abs(self.line.astype(int) - self.colour).max(3) > LEVELS
        return found


def pairs(part: str) -> Pairs:
    """The pairs of a part of the pack, "train" or "test"."""
    with np.load(PACK) as pack:
        chosen = np.flatnonzero(pack["split"] == part)
        return Pairs(*(np.stack([*map(np.asarray, decoded(pack, key, chosen))]) for key in ("line", "color")))


def folder(out: Path) -> Path:
    """A folder of the training pairs side by side, the line on the left."""
    there = out / "openmoji-train"
    if not there.is_dir():
        beside, new = pairs("train"), out / "openmoji-train.new"
        new.mkdir(parents=True, exist_ok=True)
        for i, both in enumerate(np.concatenate([beside.line, beside.colour], 2)):
            Image.fromarray(both).save(new / f"{i:04d}.png")
        new.rename(there)
    return there


def source(out: Path) -> str:
    """The training data as a source, each pair also mirrored."""
    return f"SideBySide({str(folder(out))!r}, flip=True, part='all')"


@dataclass(frozen=True)
class Scores:
    """Errors and the distance of samples, each as mean and standard error."""

    inside: tuple[float, float]
    outside: tuple[float, float]
    best: tuple[float, float]
    distance: tuple[float, float]


def scores(samples: np.ndarray, truth: Pairs) -> Scores:
    """The scores of samples, uint8 `(k, N, H, W, 3)`, k of each drawing."""
    inside = truth.inside
    apart = np.stack([_difference(one, truth.colour) for one in samples])
    within = (apart * inside).sum((2, 3))
    count, rest = inside.sum((1, 2)), (~inside).sum((1, 2))
    between = [(_difference(one, two) * inside).sum((1, 2)) for one, two in combinations(samples, 2)]
    return Scores(
        ratio(within.mean(0), count),
        ratio((apart * ~inside).sum((2, 3)).mean(0), rest),
        ratio(within.min(0), count),
        ratio(np.mean(between, 0) if between else np.zeros(len(count)), count),
    )


def ratio(sums: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
    """The mean over the pixels of all images, of sums and counts `(N,)` for each, and its standard error."""
    mean, images = sums.sum() / counts.sum(), len(counts)
    error = ((sums - mean * counts) ** 2).sum() ** 0.5 / counts.sum() * (images / max(images - 1, 1)) ** 0.5
    return float(mean), float(error)


def _difference(one: Pixels, other: Pixels) -> np.ndarray:
    """The mean absolute difference of each pixel over channels, `(N, H, W)`, of values in [0, 1]."""
    found: np.ndarray = np.abs(one.astype(np.float32) - other).mean(3) / 255
    return found


def mean_colour(train: Pairs) -> np.ndarray:
    """The mean colour of the inside pixels of training pairs, uint8 `(3,)`."""
    found: np.ndarray = train.colour[train.inside].mean(0).round().astype(np.uint8)
    return found


def palette(train: Pairs, count: int = SAMPLES) -> np.ndarray:
    """Colours `(count, 3)` of a grid, each chosen so that the best of those so far is nearest to training pairs."""
    found = zip(train.colour, train.inside, strict=True)
    errors = np.stack([_to_grid(image[where]) for image, where in found])
    chosen, least = [], np.full(len(errors), np.inf)
    for _ in range(count):
        chosen.append(int(np.minimum(least[:, None], errors).sum(0).argmin()))
        least = np.minimum(least, errors[:, chosen[-1]])
    return np.array([*product(LADDER, repeat=3)], np.uint8)[chosen]


def _to_grid(pixels: np.ndarray) -> np.ndarray:
    """The sum of absolute differences of pixels `(n, 3)` to each colour of the grid, red the slowest."""
    red, green, blue = np.abs(pixels[:, :, None].astype(int) - LADDER).sum(0)
    found: np.ndarray = (red[:, None, None] + green[:, None] + blue).ravel()
    return found


def nearest(line: Pixels, train: Pairs) -> Pixels:
    """The coloured form of the training drawing that is nearest in pixels."""
    return neighbour(line, line, train.line, train.colour)


def baselines(truth: Pairs, train: Pairs) -> dict[str, np.ndarray]:
    """What methods without training make of held-out drawings, `(k, N, H, W, 3)`."""

    def everywhere(colours: np.ndarray) -> np.ndarray:
        return np.broadcast_to(colours[:, None, None, None], (len(colours), *truth.line.shape))

    return {
        "the mean colour": everywhere(mean_colour(train)[None]),
        "five fixed colours": everywhere(palette(train)),
        "nearest training pair": nearest(truth.line, train)[None],
        "the line": truth.line[None],
    }


def sampled(generator: TrainedGenerator, line: Pixels) -> np.ndarray:
    """Five samples of each drawing."""
    return np.stack([generator.sample(len(line), conditions=line, seed=seed) for seed in range(SAMPLES)])


def rows(name: str, generators: Mapping[str, TrainedGenerator], spent: str) -> list[str]:
    """The rows of generators, and of the methods beside them."""
    truth, train = pairs("test"), pairs("train")
    made = {method: sampled(generator, truth.line) for method, generator in generators.items()}
    lines = []
    for method, samples in {**made, **baselines(truth, train)}.items():
        found = scores(samples, truth)
        cells = [_cell(found.inside), _cell(found.outside)]
        cells += [_cell(found.best), _cell(found.distance)] if len(samples) > 1 else ["", ""]
        lines.append(f"| {name} | {method} | {' | '.join(cells)} | {spent if method in made else ''} |")
    return lines


def _cell(value: tuple[float, float]) -> str:
    return f"{value[0]:.4f} ± {value[1]:.4f}"
