"""Provoke each failure of a GAN, have the doctor find it, follow its first advice, and draw both.

    python -m scripts.draw_failures [NAME ...]

Each failure is a command, given on its page in `docs/guides`. It is trained into `runs/failures/NAME`, and the first
advice of `zerosum doctor` into `runs/failures/NAME-treated`; finished runs are kept. The command, what the doctor says
and the result are written into the page, the samples before and after into `docs/images/failures/NAME.png`. All take
some minutes of one core.
"""

import argparse
import contextlib
import io
import json
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from benchmarks import marked
from PIL import Image

from zerosum import Run
from zerosum._arrays import evenly
from zerosum.cli import main as main_of_zerosum
from zerosum.cli.doctor import ILL
from zerosum.data.sources.digits import Digits
from zerosum.data.toys.gaussians import Ring
from zerosum.metrics.modes import mode_coverage
from zerosum.metrics.neighbours import density_coverage
from zerosum.training.conditional_accuracy import image_classifier

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images" / "failures"
RUNS = Path("runs") / "failures"
SIDE, GAP = 460, 12
COUNT = 1_000  # samples of digits, and digits, that are compared


@dataclass(frozen=True)
class Base:
    """A small game in which a failure is provoked: a recipe, its length, and settings that make it small."""

    recipe: str
    length: tuple[str, ...]
    settings: tuple[str, ...]


RING = Base(
    "r1",
    ("--images", "64000", "--batch", "64"),
    (
        *("ema=4000", "tick=2000", "generator.hidden=(64, 64)", "discriminator.hidden=(64, 64)", "latent=Normal(8)"),
        *("snapshot=64000", "data.std=0.1"),  # modes that a game of this length reaches
    ),
)
DIGITS = Base(
    "dcgan",
    ("--images", "96000", "--batch", "16", "--precision", "float32"),
    (
        *("generator=DCGANGenerator(size=8)", "discriminator=DCGANDiscriminator(size=16, norm='none')"),
        *("latent=Normal(32)", "ema=1000", "tick=3200", "snapshot=96000"),
        *(f"{player}_opt=Adam(lr=0.002, betas=(0.0, 0.99))" for player in "GD"),
    ),
)


@dataclass(frozen=True)
class Failure:
    """A failure: the guide it belongs to, the settings that provoke it, and the game."""

    guide: str
    settings: tuple[str, ...]
    base: Base = RING


def rates(G: float, D: float) -> tuple[str, ...]:
    """Settings of the learning rates."""
    return (f"G_opt.lr={G}", f"D_opt.lr={D}")


def clipped(limit: float) -> Failure:
    """A critic with weight clipping."""
    settings = ("objective=Wasserstein()", "d_terms=()", f"d_after=WeightClip({limit})", *rates(0.005, 0.005))
    return Failure("clipped-weights", settings)


_FREE = ("d_terms=()",)
_MOMENTUM = ("G_opt.betas=(0.9, 0.999)", "D_opt.betas=(0.9, 0.999)")
FAILURES = {
    "mode-collapse": Failure("mode-collapse", (*_FREE, "G_opt=Adam(lr=0.01)", "D_opt=Adam(lr=0.002)")),
    "vanishing-gradients": Failure("vanishing-gradients", ("objective=Minimax()", *_FREE, *rates(0.0005, 0.02))),
    "oscillation": Failure("non-convergence", (*_FREE, *_MOMENTUM, *rates(0.005, 0.005))),
    "strong-discriminator": Failure("unbalanced-players", (*_FREE, *rates(0.0005, 0.02))),
    "strong-generator": Failure("unbalanced-players", (*_FREE, *rates(0.05, 0.001))),
    "tight-clip": clipped(0.001),
    "wide-clip": clipped(1.0),
    "few-digits": Failure("small-data", ("data=FewLabels(Digits(), per_class=10)",), DIGITS),
}


def zerosum(*words: str) -> str:
    """Run a command of zerosum in this process, and return its output; raises `RuntimeError` where it fails."""
    out = io.StringIO()
    before, sys.argv = sys.argv, ["zerosum", *words]
    try:
        with contextlib.redirect_stdout(out):
            main_of_zerosum()
    except SystemExit as ended:
        if ended.code not in (0, ILL):
            raise RuntimeError(f"zerosum {shlex.join(words)} ended with {ended.code}") from None
    finally:
        sys.argv = before
    return out.getvalue()


def command(name: str, failure: Failure) -> list[str]:
    """The words of the command that provokes a failure."""
    settings = [word for one in (*failure.base.settings, *failure.settings) for word in ("--set", one)]
    return ["train", failure.base.recipe, *failure.base.length, *settings, "--out", str(RUNS / name)]


def reached(run: Run) -> str:
    """What the samples of a run reach, in words: the modes of its ring that they find, or the digits they cover."""
    if isinstance(run.recipe.data, Ring):
        ring, points = run.recipe.data, torch.from_numpy(run.generator.sample(2_500))
        modes = mode_coverage(points, ring.centres(), ring.std)
        return f"{modes.found} of {modes.modes} modes, {modes.high_quality:.1%} of the samples near one"
    return f"its samples cover {covered(samples_of(run)):.0%} of the digits"


def samples_of(run: Run) -> torch.Tensor:
    """Samples of a run, uint8 `(1000, 1, 28, 28)`."""
    return torch.from_numpy(run.generator.sample(COUNT)).permute(0, 3, 1, 2)


def covered(made: torch.Tensor) -> float:
    """The share of 1,000 of all digits that images cover, by the features of a classifier of all digits."""
    data = Digits().open()
    classifier = image_classifier(data, RUNS / "digits.safetensors", torch.device("cpu"))
    real = data.read(evenly(len(data), COUNT))
    return density_coverage(classifier.features(real), classifier.features(made)).coverage


def drawn(name: str, runs: list[Run]) -> None:
    """Draw the last samples of runs side by side."""
    sheet = Image.new("RGB", (len(runs) * SIDE + (len(runs) - 1) * GAP, SIDE), "white")
    for place, run in enumerate(runs):
        with Image.open(run.samples[-1]) as image:
            tile = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        sheet.paste(tile, (place * (SIDE + GAP), 0))
    IMAGES.mkdir(parents=True, exist_ok=True)
    sheet.quantize(64).save(IMAGES / f"{name}.png", optimize=True)


def played(name: str, failure: Failure) -> None:
    """Provoke a failure, follow the first advice, and write both into its guide."""
    words = command(name, failure)
    zerosum(*words)
    said = zerosum("doctor", str(RUNS / name))
    facts: dict[str, Any] = json.loads(zerosum("doctor", str(RUNS / name), "--json"))
    runs = [Run(ROOT / RUNS / name)]
    parts = [
        f"```console\n$ zerosum {shlex.join(words)}\n$ zerosum doctor {RUNS / name}\n```",
        f"```text\n{said.strip()}\n```",
    ]
    result = f"Before: {reached(runs[0])}."
    if facts["advice"]:
        advised = facts["advice"][0]["command"]
        zerosum(*shlex.split(advised)[1:])
        runs.append(Run(ROOT / f"{RUNS / name}-treated"))
        parts.append(f"The first advice, followed:\n\n```console\n$ {advised}\n```")
        result = f"Before (left): {reached(runs[0])}. After (right): {reached(runs[1])}."
    drawn(name, runs)
    parts.append(f"![Samples before and after](../images/failures/{name}.png)\n\n{result}")
    page = ROOT / "docs" / "guides" / f"{failure.guide}.md"
    marked.write(page, name, "scripts.draw_failures", "\n\n".join(parts))
    print(f"{name}: {result}", file=sys.stderr)


def main() -> None:
    """Play the failures that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FAILURES)}; by default all")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    os.chdir(ROOT)
    for name in chosen.names or FAILURES:
        played(name, FAILURES[name])


if __name__ == "__main__":
    main()
