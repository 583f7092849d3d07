"""Trains a recipe on colour images for a short time, by `train`, and scores its samples.

    python -m benchmarks.gpu.colours DEVICE [--minutes 0.7] [--samples runs/gpu.png] [--small]

`hinge` on coloured digits of 28x28. The score is the KID by random convolutions, which no discriminator has seen, with
that of two trivial sets: real images against other real ones, and the mean image. The samples are written to a file.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

import zerosum
from benchmarks.gpu.rows import Row
from benchmarks.gpu.steps import peak
from benchmarks.speed.full_size_games import high_water
from zerosum.data.toys.coloured_digits import ColouredDigits
from zerosum.evaluation import EvaluationConfig, Evaluator
from zerosum.plots.grids import grid
from zerosum.recipes.named_recipes import named
from zerosum.training.options import RunOptions

COUNT = 2_000  # samples, and real images


def scores(sets: dict[str, np.ndarray], real: np.ndarray, device: str) -> str:
    """The KID times 1,000 of each set, uint8 `(N, H, W, C)`, with its error, in words."""
    evaluator = Evaluator(real, ("kid",), EvaluationConfig("random-conv", device=device, cache=False))
    found = {name: evaluator.score(images) for name, images in sets.items()}
    words = (f"{name} {1000 * s.values['kid']:.1f} ± {1000 * s.errors['kid']:.1f}" for name, s in found.items())
    return f"KID x 1,000 by random convolutions: {', '.join(words)}"


def measure(device: torch.device, minutes: float, samples: Path, small: bool) -> Row:
    """Train and score."""
    recipe = replace(named("hinge"), data=ColouredDigits())
    if small:
        networks = {name: replace(getattr(recipe, name), size=4) for name in ("generator", "discriminator")}
        recipe = replace(recipe, batch=8, images=64, **networks)
    options = RunOptions() if small else RunOptions(minutes=minutes)
    before, count = high_water(device), 200 if small else COUNT
    with TemporaryDirectory() as folder:
        run = zerosum.train(recipe, folder, device=device.type, options=options, quiet=True)
        generator, log = run.generator, run.log
    made = generator.sample(count, seed=0)
    samples.parent.mkdir(parents=True, exist_ok=True)
    grid(made[:60], columns=12).save(samples)
    dataset = ColouredDigits().open()
    order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0))
    one, other = (dataset.read(part[:count]).permute(0, 2, 3, 1).numpy() for part in order.chunk(2))
    mean = np.repeat(one.mean(0, keepdims=True).round().astype(np.uint8), count, 0)
    words = scores({"samples": made, "real images": other, "the mean image": mean}, one, device.type)
    time = "" if small else f" in {60 * minutes:.0f} s"
    what = f"`hinge` on coloured digits, {generator.images:,} images{time}"
    speed = float(np.median([line["images_per_second"] for line in log if "images_per_second" in line]))
    return Row(what, words, speed, peak(device, before))


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print a row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("device", type=torch.device)
    parser.add_argument("--minutes", type=float, default=0.7, help="of training")
    parser.add_argument("--samples", type=Path, default=Path("runs/gpu.png"), help="image of samples to write")
    parser.add_argument("--small", action="store_true", help="tiny networks and 64 images")
    chosen = parser.parse_args(arguments)
    measure(chosen.device, chosen.minutes, chosen.samples, chosen.small).print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
