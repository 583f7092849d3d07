"""Latent priors against their distributions."""

import math

import numpy as np
import pytest
import torch

from zerosum.game import Gumbel, Normal, Sphere, Uniform


def distance_from_distribution(values, cdf):
    """Kolmogorov and Smirnov's statistic, times the root of the number of samples."""
    values = np.sort(values)
    steps = np.arange(len(values) + 1) / len(values)
    distribution = np.array([cdf(value) for value in values])
    return max((steps[1:] - distribution).max(), (distribution - steps[:-1]).max()) * math.sqrt(len(values))


def drawn(latent, count=5_000):
    z = latent.draw(count, torch.Generator().manual_seed(0))
    assert z.shape == (count, latent.size)
    assert z.dtype == torch.float32
    return z.double().numpy()


def test_normal_dimensions_are_independent_standard_normals():
    z = drawn(Normal(4))
    assert distance_from_distribution(z.ravel(), lambda v: 0.5 * (1 + math.erf(v / math.sqrt(2)))) < 1.628
    assert np.abs(np.cov(z.T) - np.eye(4)).max() < 0.08


def test_uniform_dimensions_fill_their_interval():
    z = drawn(Uniform(3))
    assert -1 <= z.min() < -0.99
    assert 0.99 < z.max() < 1
    assert distance_from_distribution(z.ravel(), lambda v: (v + 1) / 2) < 1.628
    shifted = drawn(Uniform(3, low=2.0, high=5.0))
    assert distance_from_distribution(shifted.ravel(), lambda v: (v - 2) / 3) < 1.628


def test_sphere_has_one_radius_and_no_direction():
    z = drawn(Sphere(3))
    assert np.allclose(np.linalg.norm(z, axis=1), math.sqrt(3), atol=1e-5)
    # Archimedes: on a sphere in three dimensions every coordinate is uniform.
    assert distance_from_distribution(z[:, 2], lambda v: (v / math.sqrt(3) + 1) / 2) < 1.628
    assert np.abs(np.cov(z.T) - np.eye(3)).max() < 0.08


@pytest.mark.parametrize("prior", [Normal, Uniform, Sphere])
def test_draws_follow_the_generator_given(prior):
    first, again, other = (prior(5).draw(3, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("prior", [Normal, Uniform, Sphere])
def test_a_latent_without_dimensions_is_refused(prior):
    with pytest.raises(ValueError, match="a latent vector has at least one dimension; found size=0"):
        prior(0)


def test_an_empty_interval_is_refused():
    with pytest.raises(ValueError, match=r"a uniform latent needs low < high; found low=1.0, high=1.0"):
        Uniform(3, low=1.0, high=1.0)


def test_gumbel_dimensions_have_their_distribution_and_scale():
    z = drawn(Gumbel(3))
    assert distance_from_distribution(z.ravel(), lambda v: math.exp(-math.exp(-v))) < 1.628
    assert np.allclose(drawn(Gumbel(3, scale=0.25)), z / 4) and (drawn(Gumbel(3, scale=0.0)) == 0).all()
    with pytest.raises(ValueError, match="a Gumbel latent has a scale of at least 0; found -1"):
        Gumbel(3, scale=-1.0)
