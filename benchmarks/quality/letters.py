"""Directions found on half of the letters, measured on the other half.

    python -m benchmarks.quality.letters [--samples 520] [--out runs/letters]

Draws a folder of 26 letters, 400 pictures of 28x28 each, capitals and small letters of seven upright fonts that come
with matplotlib; slant, weight, size and place vary. A conditional GAN is trained on it by its own command, once. Then
the directions thickness and slant are found on samples of every second letter, and measured on samples of the others;
and the other way around. Beside each stand a random direction of the same length, and the direction that was found on
the very letters that it is measured on. The class is predicted by a classifier of further pictures, of another seed.
The table is written to `benchmarks/results/latent.md`, the image to `docs/images/latent-letters.png`.
"""

import argparse
import string
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib
import numpy as np
import PIL
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

import zerosum
from benchmarks import marked
from benchmarks.machine import machine
from benchmarks.places import RESULTS, ROOT
from benchmarks.quality.folder_runs import FolderRun, train
from benchmarks.quality.gallery import time_of
from benchmarks.quality.gallery_images import save_small
from benchmarks.quality.latent import random_like
from zerosum.features.classifier import Classifier, train_classifier
from zerosum.latent import Direction, DirectionOptions, find_directions, latent_model, space_of
from zerosum.latent.instruments import instruments_of
from zerosum.latent.measure import Ruler, measured_card
from zerosum.latent.model import LatentModel
from zerosum.plots.grids import grid
from zerosum.runs.images import to_bytes

OUT = Path("runs/letters")
PAGE = RESULTS / "latent.md"
IMAGE = ROOT / "docs" / "images" / "latent-letters.png"
MOST = 120_000  # bytes of the image
FONTS = ("DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "STIXGeneral", "cmr10", "cmss10", "cmtt10")
LETTERS = string.ascii_lowercase
HALVES = (LETTERS[::2], LETTERS[1::2])
COUNT, SIDE, LARGE = 400, 28, 4  # pictures of a letter, their side, and how many times larger they are drawn
RECIPE, SETTINGS = "cgan", ()
WANTED = ("thickness", "slant")
SAMPLES, FOUND, SEED, SEEN = 520, 4_000, 2_000, 60_000
SHOWN = {"slant": (-2, -1, 0, 1, 2), "thickness": (-1, -0.5, 0, 0.5, 1)}
HEAD = (
    "| attribute | measured on | found on | change | the letter that moves least | rank correlation "
    "| largest leakage | ink | class kept | range |\n" + "| --- " * 10 + "|"
)


def picture(letter: str, draw: np.random.Generator) -> Image.Image:
    """A picture of a letter, white on black, of a random case, font, weight, slant, size and place."""
    side, text = SIDE * LARGE, letter.upper() if draw.random() < 0.5 else letter
    font = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{draw.choice(FONTS)}.ttf")
    large = Image.new("L", (side, side))
    ImageDraw.Draw(large).text(
        (side / 2, side / 2),
        text,
        fill=255,
        font=ImageFont.truetype(str(font), 21 * LARGE),
        anchor="mm",
        stroke_width=int(draw.integers(0, 5)),
        stroke_fill=255,
    )
    shear, size = draw.uniform(-0.35, 0.35), draw.uniform(0.85, 1.15)
    right, down = draw.uniform(-1.5, 1.5, 2) * LARGE
    middle = side / 2
    back = np.array([[1, shear], [0, 1]]) / size  # from places of the result to those of what was drawn
    origin = np.array([middle, middle]) - back @ np.array([middle + right, middle + down])
    data = (back[0, 0], back[0, 1], origin[0], back[1, 0], back[1, 1], origin[1])
    moved = large.transform((side, side), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR)
    return moved.resize((SIDE, SIDE), Image.Resampling.BOX)


def pictures(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Pictures of all letters, uint8 `(26 count, 1, 28, 28)`, and their classes."""
    draw = np.random.default_rng(seed)
    made = [np.asarray(picture(letter, draw)) for letter in LETTERS for _ in range(count)]
    return torch.from_numpy(np.stack(made))[:, None], torch.arange(len(LETTERS)).repeat_interleave(count)


def write_folder(folder: Path, count: int, seed: int = 0) -> Path:
    """Write pictures of all letters as PNG files, a folder for each letter, once."""
    if len([*folder.glob("?/*.png")]) == count * len(LETTERS):
        return folder
    for number, (image, letter) in enumerate(zip(*pictures(count, seed), strict=True)):
        one = folder / LETTERS[int(letter)]
        one.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0].numpy()).save(one / f"{number % count:03}.png")
    return folder


def judge(count: int) -> tuple[Classifier, float]:
    """A classifier of pictures of another seed, and its accuracy on those of a third."""
    images, letters = pictures(count, 1)
    made = train_classifier(images, letters, len(LETTERS), seed=7, seen=SEEN)
    others, theirs = pictures(max(1, count // 8), 2)
    return made, float((made.probabilities(others).argmax(1) == theirs).double().mean())


@dataclass(frozen=True, eq=False)
class Bench:
    """A generator of letters, what directions are measured with, and the number of samples."""

    model: LatentModel
    ruler: Ruler
    samples: int

    def row(self, direction: Direction, attribute: str, letters: str, found_on: str) -> str:
        """The row of a direction, measured on samples of some letters."""
        assert self.model.condition is not None
        inputs = self.model.inputs(self.samples, SEED, self.model.condition.parse([*letters], self.samples))
        removed = () if direction.card is None else direction.card.removed
        card = measured_card(direction, self.model, inputs, self.ruler, attribute)
        leaking = {name: abs(card.leakage[name]) for name in removed or card.leakage if name != "ink"}
        most = max(leaking, key=lambda name: leaking[name])
        changes = self.changes(direction, attribute, letters)
        least = min(changes, key=lambda letter: changes[letter])
        cells = [attribute, f"{letters[0]}, {letters[1]} ... {letters[-1]}", found_on, f"{card.shift:+.2f}"]
        cells += [f"{changes[least]:+.2f} ({least})", f"{card.rank:.3f}", f"{leaking[most]:.2f} ({most})"]
        cells += [f"{card.leakage['ink']:+.2f}", f"{card.kept:.1%}", f"{card.low:+.1f} to {card.high:+.1f}"]
        return f"| {' | '.join(cells)} |"

    def changes(self, direction: Direction, attribute: str, letters: str) -> dict[str, float]:
        """The mean change of an attribute per unit, between -1 and 1, of samples of each letter."""
        found = {}
        for letter in letters:
            n = self.samples // len(letters)
            inputs = self.model.inputs(n, SEED, [letter] * n)
            ends = [(direction * side).samples(self.model, inputs) for side in (1, -1)]
            one = self.ruler.attributes[attribute]
            moved = one.difference(*(one.call(end).double() for end in ends))
            found[letter] = float(moved.nanmean()) / 2 / self.ruler.stds[attribute]
        return found

    def kept_before(self, letters: str) -> float:
        """The share of samples of some letters whose class is predicted as asked for, without an edit."""
        assert self.model.condition is not None and self.ruler.classify is not None
        inputs = self.model.inputs(self.samples, SEED, self.model.condition.parse([*letters], self.samples))
        with torch.no_grad():
            space = space_of(self.model)
            found = self.ruler.classify(space.images(space.at(inputs), inputs))
        assert inputs.c is not None
        return float((found == inputs.c).double().mean())


def found_directions(run: "zerosum.Run", say: Callable[[str], None]) -> list[dict[str, Direction]]:
    """For each half of the letters, the directions that are found on it."""
    made = []
    for half in HALVES:
        options = DirectionOptions(wanted=tuple(half), n=FOUND)
        one = {}
        for name in WANTED:
            (one[name],) = find_directions(run, [name], options, f"{name}-{half[0]}", say=say)
            say(f"found {name} on {half}")
        made.append(one)
    return made


def rows(bench: Bench, directions: list[dict[str, Direction]]) -> list[str]:
    """The table: each attribute on each half of the letters."""
    lines = [HEAD]
    for name in WANTED:
        for place, letters in enumerate(HALVES):
            other, own = directions[1 - place][name], directions[place][name]
            random = Direction("random", other.space, random_like(other, 3), other.weights)
            lines.append(bench.row(other, name, letters, "the other letters"))
            lines.append(bench.row(random, name, letters, "random, as long"))
            lines.append(bench.row(own, name, letters, "these letters"))
    return lines


def strip(model: LatentModel, directions: dict[str, Direction], letters: str) -> Image.Image:
    """A row for each of some letters: slant from -2 to 2, and then thickness from -1 to 1."""
    inputs = model.inputs(len(letters), SEED + 1, [*letters])
    shown = [(name, side) for name, sides in SHOWN.items() for side in sides if name in directions]
    columns = [to_bytes((directions[name] * side).samples(model, inputs)) for name, side in shown]
    return grid(np.stack(columns, 1).reshape(-1, *columns[0].shape[1:]), columns=len(columns), scale=2)


def page(run: FolderRun, samples: int, count: int) -> str:
    """Find and measure all directions of a finished run; returns what is written."""
    trained = zerosum.Run(run.folder / "run")
    classifier, accuracy = judge(count)

    def classify(images: Tensor) -> Tensor:
        return classifier.read(((images + 1) * 127.5).round().clamp(0, 255).byte())[0].argmax(1)

    ruler = replace(instruments_of(trained, {}).ruler({}), classify=classify)
    bench = Bench(latent_model(trained.generator), ruler, samples)
    directions = found_directions(trained, say=lambda text: print(text, flush=True))
    save_small(strip(bench.model, directions[0], HALVES[1][:6]), IMAGE, MOST)
    before = " and ".join(f"{bench.kept_before(letters):.1%}" for letters in HALVES)
    facts = (
        f"{trained.generator.images:,} training images in {time_of(run.folder)['cpu_seconds']:,.0f} s of one core. "
        f"Each direction is measured on {samples} samples, {samples // len(HALVES[0])} of each letter. Without an edit "
        f"the class is predicted as asked for in {before} of them; the classifier has {accuracy:.1%} of further "
        f"pictures right. On {machine()}, matplotlib {matplotlib.__version__}, Pillow {PIL.__version__}."
    )
    return "\n".join([f"    {run.shown('letters/')}", "", *rows(bench, directions), "", facts])


def main(arguments: Sequence[str] | None = None) -> int:
    """Train where needed, measure, and write the table and the image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=SAMPLES, help="samples on which a direction is measured")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the pictures and the run")
    chosen = parser.parse_args(arguments)
    run = FolderRun(RECIPE, write_folder(chosen.out / "letters", COUNT), chosen.out, SETTINGS)
    if train([run], jobs=1) != []:
        return 1
    marked.write(PAGE, "letters", "benchmarks.quality.letters", page(run, chosen.samples, COUNT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
