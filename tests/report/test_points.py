import re
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from zerosum.data.dataset import in_memory
from zerosum.data.toys.gaussians import GaussianMixture, Ring
from zerosum.game.latents import Normal, Sphere, Uniform


@dataclass(frozen=True)
class Exponential:
    def inverse_cdf(self, u):
        return -torch.log1p(-u)


@dataclass(frozen=True)
class KnownDistribution:
    """A source of samples of a known distribution."""

    distribution: Exponential = field(default_factory=Exponential)

    def open(self):
        u = torch.rand(4000, 1, generator=torch.Generator().manual_seed(0))
        return in_memory("exponential", self.distribution.inverse_cdf(u))


def test_points_in_the_plane_are_shown_with_the_modes_found(run, make):
    centres = Ring().centres()[:6]

    def six_of_eight(z):
        far = (z[:, 1:2] > 0).float() * 0.5  # half of the points are off every mode
        return centres[(z[:, 0].abs() * 1e4).long() % 6] * (1 + far)

    maker = make.generator(six_of_eight, shape=(2,), data=Ring(count=3000))
    page = run.report(maker)
    share = (maker.latents(2500)[:, 1] <= 0).float().mean()
    assert f"6 of 8 modes found; {share:.1%} of the points are within 3 standard deviations" in page.text
    assert "2,500 generated points (orange) and 3,000 real ones (blue)." in page.text
    assert page.count("figure", class_="plane") == 1
    assert "Trained on 500 points" in page.text
    assert "Memorisation" not in page.text


def test_points_of_many_dimensions_say_how_they_are_shown(run, make):
    data = GaussianMixture(dimensions=16, modes=3, count=500)
    page = run.report(make.generator(lambda z: z.repeat(1, 4), shape=(16,), data=data))
    assert "Their 16 dimensions are projected onto two principal components of the real ones." in page.text
    assert "0 of 3 modes found" in page.text and "are within 5.63 standard deviations" in page.text


def test_data_without_modes_have_no_count_of_them(run, make):
    page = run.report(make.generator(lambda z: z[:, :2], shape=(2,)), in_memory("cloud", torch.randn(50, 2)))
    assert "2,500 generated points (orange) and 50 real ones (blue)." in page.text
    assert "modes found" not in page.text


def test_points_that_cannot_be_drawn_give_a_reason(run, make):
    page = run.report(make.generator(lambda z: z[:, :2] * torch.nan, shape=(2,), data=Ring(count=9)))
    assert "Not shown: points must be finite to be plotted" in page.text


def distribution(run, make, function, latent):
    return run.report(make.generator(function, shape=(1,), data=KnownDistribution(), latent=latent))


def gap(page):
    return float(re.search(r"The median absolute difference is ([-+.e\d]+)\.( |$)", page.text)[1])


def quantile(z, latent):
    return torch.special.ndtr(z) if isinstance(latent, Normal) else (z - latent.low) / (latent.high - latent.low)


@pytest.mark.parametrize("latent", [Normal(1), Uniform(1), Uniform(1, low=2.0, high=5.0)])
def test_a_transform_learned_exactly_lies_on_the_inverse_cdf(run, make, latent):
    page = distribution(run, make, lambda z: Exponential().inverse_cdf(quantile(z, latent)), latent)
    assert gap(page) < 1e-5
    assert "The output of the generator for the latent at the quantile u" in page.text and "mirrored" not in page.text
    assert {"inverse CDF", "generator"} <= set(page.texts)
    assert page.count("figure", class_="wide") == page.count("figure", class_="map") == 1


def test_a_mirrored_transform_is_as_good_and_is_said_to_be_mirrored(run, make):
    page = distribution(run, make, lambda z: Exponential().inverse_cdf(1 - quantile(z, Normal(1))), Normal(1))
    assert gap(page) < 1e-5
    assert "The generator learned the mirrored map" in page.text


def test_a_wrong_transform_shows_its_gap(run, make):
    page = distribution(run, make, lambda z: Exponential().inverse_cdf(quantile(z, Normal(1))) + 0.25, Normal(1))
    assert gap(page) == pytest.approx(0.25, rel=1e-3)


@pytest.mark.parametrize("latent", [Normal(3), Sphere(1)])
def test_without_a_one_dimensional_map_the_quantiles_are_compared(run, make, latent):
    made = lambda z: Exponential().inverse_cdf(torch.special.ndtr(z[:, :1]))  # noqa: E731
    page = distribution(run, make, made, latent)
    assert "Quantiles of the samples against the inverse CDF" in page.text
    assert np.isfinite(gap(page)) and (isinstance(latent, Sphere) or gap(page) < 0.05)


def test_points_on_a_line_of_unknown_distribution_have_a_histogram_only(run, make):
    page = run.report(make.generator(lambda z: z[:, :1], shape=(1,)), in_memory("line", torch.randn(90, 1)))
    assert "2,500 generated points (orange) and 90 real ones (blue)." in page.text
    assert "Learned map" not in page.text
