"""Scores of pairs: each generated image meets the real one of its condition."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from zerosum.data import Downscaled, Grayscale, Masked, Unpaired
from zerosum.data.pairs.downscaled import downscaled
from zerosum.data.sources.arrays import ArraySource
from zerosum.evaluation import EvaluationConfig, evaluate
from zerosum.evaluation.measures.perceptual import PerceptualScore
from zerosum.evaluation.measures.psnr import PSNR
from zerosum.evaluation.measures.ssim import SSIM
from zerosum.features import PerceptualDistance, RandomConv
from zerosum.game import Normal
from zerosum.recipes import dcgan
from zerosum.runs.generator import TrainedGenerator

CONFIG = EvaluationConfig(device="cpu", cache=False)
NAMES = ("psnr", "ssim", "mae", "sharpness")
REAL = np.random.default_rng(0).integers(0, 256, (40, 12, 12, 3), dtype=np.uint8)
DATA = Downscaled(ArraySource(REAL), factor=2, part="all")


class Enlarged(torch.nn.Module):
    """G(z, c): each pixel of the condition becomes four, and z shifts nothing."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, z, c):
        return self.weight * c.repeat_interleave(2, 2).repeat_interleave(2, 3)


class Same(Enlarged):
    """G(z, c): the condition, in three channels."""

    def forward(self, z, c):
        return self.weight * c.expand(-1, 3, -1, -1)


def enlarging(kind):
    return TrainedGenerator(replace(dcgan(), latent=Normal(4)), Enlarged(), (3, 12, 12), 0, kind)


def expected():
    """The same pairs by plain numpy, in float64."""
    dataset = DATA.open()
    index = torch.arange(40)
    small = dataset.conditions.of(index).permute(0, 2, 3, 1).numpy()
    fake = small.repeat(2, 1).repeat(2, 2).astype(np.float64)
    real = dataset.read(index).permute(0, 2, 3, 1).numpy().astype(np.float64)
    errors = ((real - fake) ** 2).mean((1, 2, 3))

    def energy(x):
        return (np.diff(x, axis=1) ** 2).mean((1, 2, 3)) + (np.diff(x, axis=2) ** 2).mean((1, 2, 3))

    return (
        10 * np.log10(255**2 / errors),
        np.abs(real - fake).mean((1, 2, 3)) / 255,
        energy(fake).sum() / energy(real).sum(),
    )


def test_a_generator_is_given_the_conditions_of_the_real_images():
    found = evaluate(DATA, enlarging(DATA.open().condition), NAMES, CONFIG)
    psnr, mae, sharpness = expected()
    assert found.values["psnr"] == pytest.approx(psnr.mean(), rel=1e-12)
    assert found.errors["psnr"] == pytest.approx(psnr.std(ddof=1) / math.sqrt(40), rel=1e-12)
    assert found.values["mae"] == pytest.approx(mae.mean(), rel=1e-12)
    assert found.values["sharpness"] == pytest.approx(sharpness, rel=1e-12) and sharpness < 0.7
    assert found.errors["sharpness"] > 0
    assert found.protocol["features.name"] == "no", "no extractor is needed"
    few = evaluate(DATA, enlarging(DATA.open().condition), NAMES, replace(CONFIG, n=10))
    assert few.protocol["real.n"] == 10 and few.values["psnr"] == pytest.approx(psnr.mean(), rel=0.05)


def test_sets_of_equal_count_pair_by_their_order():
    found = evaluate(REAL, REAL, NAMES, CONFIG)
    assert found.values == pytest.approx({"psnr": 10 * math.log10(12 * 255**2), "ssim": 1, "mae": 0, "sharpness": 1})
    wide = evaluate(REAL, REAL, (PSNR(border=1), SSIM(border=0)), CONFIG)
    unlike = {key for key, fact in wide.protocol.items() if found.protocol.get(key) != fact}
    assert len(unlike) == 1 and "psnr" in unlike.pop(), "the border is part of the protocol"
    with pytest.raises(
        ValueError, match=r"40 samples and array 39, but a requested metric compares pairs: use as many"
    ):
        evaluate(REAL, REAL[:39], NAMES, CONFIG)


def test_what_has_no_pairs_is_refused():
    kind = DATA.open().condition
    with pytest.raises(ValueError, match=r"does not generate samples under conditions of .*, but a requested metric"):
        evaluate(REAL, enlarging(kind), NAMES, CONFIG)
    without = Unpaired(ArraySource(REAL), ArraySource(REAL[::-1].copy()), part="all")
    generator = TrainedGenerator(replace(dcgan(), latent=Normal(4)), Same(), (3, 12, 12), 0, without.open().condition)
    with pytest.raises(ValueError, match="has samples that do not belong to their conditions, but a requested metric"):
        evaluate(without, generator, NAMES, CONFIG)
    pairs = evaluate(Grayscale(ArraySource(REAL), part="all"), replace(generator, shape=(3, 12, 12)), ("psnr",), CONFIG)
    assert np.isfinite(pairs.values["psnr"]), "trained without pairs, it can be scored on pairs"


def test_conditions_are_derived_again_from_generated_images():
    found = evaluate(DATA, enlarging(DATA.open().condition), ("consistency",), CONFIG)
    dataset, fake = DATA.open(), torch.from_numpy(REAL).permute(0, 3, 1, 2)
    given = downscaled(fake, 2)
    again = downscaled(given.repeat_interleave(2, 2).repeat_interleave(2, 3), 2).double()
    errors = (given.double() - again).square().mean((1, 2, 3)).numpy()
    assert found.values["consistency"] == pytest.approx((10 * np.log10(255**2 / errors)).mean(), rel=1e-12)
    assert dataset.conditions.derived and found.errors["consistency"] > 0
    other = evaluate(DATA, np.roll(REAL, 1, 0), ("consistency",), CONFIG)
    assert other.values["consistency"] < 17, "conditions of other images"


def test_masks_stay_with_their_images():
    data = Masked(ArraySource(REAL), part="all")
    copy = evaluate(data, data, ("consistency", "psnr"), CONFIG).values
    assert copy == pytest.approx(dict.fromkeys(("consistency", "psnr"), 10 * math.log10(12 * 255**2)))
    hidden = data.open().conditions.of(torch.arange(40))[:, -1:] == 0
    other = torch.where(hidden, 0, torch.from_numpy(REAL).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
    found = evaluate(data, other, ("consistency", "psnr"), CONFIG).values
    assert found["consistency"] == pytest.approx(10 * math.log10(12 * 255**2)) and found["psnr"] < 30


def test_the_perceptual_score_is_the_mean_distance():
    measure, half = PerceptualScore("random-conv"), REAL // 2
    found = evaluate(REAL, half, (measure,), CONFIG)
    real, fake = (torch.from_numpy(x).permute(0, 3, 1, 2).float() / 127.5 - 1 for x in (REAL, half))
    each = PerceptualDistance(RandomConv())(real, fake).detach().double().numpy()
    assert found.values["perceptual"] == pytest.approx(each.mean(), rel=1e-5)
    assert found.errors["perceptual"] == pytest.approx(each.std(ddof=1) / math.sqrt(40), rel=1e-4)
    assert "name random-conv" in found.protocol["metric.perceptual"]
    assert "weights" in evaluate(REAL, REAL, ("perceptual",), CONFIG).protocol["metric.perceptual"]
    with pytest.raises(ValueError, match="a perceptual distance"):
        evaluate(REAL, half, (PerceptualScore("pixels"),), CONFIG)


def test_conditions_that_are_not_derived_are_refused():
    message = r"array derives no conditions from its images, but a requested metric compares them"
    with pytest.raises(ValueError, match=message):
        evaluate(REAL, REAL, ("consistency",), CONFIG)
