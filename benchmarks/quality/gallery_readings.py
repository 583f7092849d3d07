"""Evaluate samples of a trained generator, by the metrics that its data allow."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.quality.digit_classifier import DigitClassifier, grey, load_classifier
from benchmarks.quality.reader import read
from zerosum.bench.sample_coverage import coverage
from zerosum.data.dataset import Multimodal, Source
from zerosum.data.sources.digits import Digits
from zerosum.data.toys.distribution_points import DistributionSamples
from zerosum.data.toys.gaussians import Gaussian1D
from zerosum.data.toys.stacked_digits import StackedDigits
from zerosum.distributions.continuous import NormalDistribution
from zerosum.game.codes import InfoGANLatent
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.run import Run

COUNT = 10_000
MODES_COUNT, STACKED_COUNT = 2_500, 25_600
"""Samples from which the literature counts modes: of points (VEEGAN, PacGAN), and of stacked digits (Metz et al.)."""


def reading(generator: TrainedGenerator, run: Path, classifiers: Path) -> dict[str, Any]:
    """Evaluate a generator's samples; the result has a `kind`: `digits`, `modes`, `line` or `other`.

    Args:
        generator: the trained generator of the run.
        run: its folder, whose scores are used if no other metric applies.
        classifiers: a folder for the classifier of stacked digits.
    """
    source = generator.recipe.data
    if isinstance(source, Digits) and generator.is_image:
        return of_digits(generator, load_classifier())
    if isinstance(source, StackedDigits):
        samples = torch.from_numpy(generator.sample(STACKED_COUNT)).permute(0, 3, 1, 2)
        return {"kind": "modes", "samples": STACKED_COUNT, **coverage(samples, source, classifiers).as_dict()}
    if isinstance(source, Multimodal):
        samples = torch.from_numpy(generator.sample(MODES_COUNT))
        return {"kind": "modes", "samples": MODES_COUNT, **coverage(samples, source, classifiers).as_dict()}
    if generator.shape == (1,):
        distance = kolmogorov_smirnov(torch.from_numpy(generator.sample(COUNT)), source)
        return {"kind": "line", "samples": COUNT, "ks": distance}
    scores = Run(run).scores.items()
    return {"kind": "other", "scores": {name: value for name, value in scores if isinstance(value, int | float)}}


def of_digits(generator: TrainedGenerator, classifier: DigitClassifier) -> dict[str, Any]:
    """Evaluate digits by the classifier; the result names it and has its scores of real ones."""
    images = generator.sample(COUNT)
    verdict = classifier.verdict(images, generator.labels(COUNT))
    facts = {"fingerprint": classifier.fingerprint, "data": classifier.data, "real": classifier.baselines["real: test"]}
    latent = generator.recipe.latent
    if isinstance(latent, InfoGANLatent) and latent.categories:
        verdict["code"] = of_code(codes(latent, generator.latents(COUNT)), digits_seen(classifier, images))
    return {"kind": "digits", **verdict, "judge": facts}


def digits_seen(classifier: DigitClassifier, images: np.ndarray) -> Tensor:
    """Return the predicted digits, int64 `(N,)`."""
    return read(classifier.reader, grey(images))[0].argmax(1)


def codes(latent: InfoGANLatent, z: Tensor) -> Tensor:
    """Return the first categorical code of latents `(N, size)`, int64 `(N,)`."""
    begin = latent.noise.size
    return z[:, begin : begin + latent.categories[0]].argmax(1)


def of_code(code: Tensor, digit: Tensor) -> dict[str, float]:
    """Return `pure`, the share of samples predicted as their code's main digit, and the number of main `digits`."""
    counts = torch.bincount(10 * code + digit, minlength=10 * (int(code.max()) + 1)).view(-1, 10)
    return {"pure": float(counts.amax(1).sum()) / len(code), "digits": len(counts.argmax(1).unique())}


def kolmogorov_smirnov(samples: Tensor, source: Source) -> float:
    """Return sup |F_n - F| of samples `(N, 1)`: F is the source's CDF, or else that of its points.

    With x_(i) in order, the largest of i/N - F(x_(i)) and F(x_(i)) - (i - 1)/N.
    """
    x = samples.flatten().double().sort().values
    distribution = source.distribution if isinstance(source, DistributionSamples) else None
    if isinstance(source, Gaussian1D):
        distribution = NormalDistribution(source.mean, source.std)
    if distribution is None:
        dataset = source.open()
        known = dataset.read(torch.arange(len(dataset))).flatten().double().sort().values
        below = torch.searchsorted(known, x, right=True).double() / len(known)
    else:
        below = distribution.cdf(x)
    steps = torch.arange(len(x) + 1, dtype=torch.float64) / len(x)
    return float(torch.maximum(steps[1:] - below, below - steps[:-1]).max())
