"""The latent of noise and code."""

import numpy as np
import pytest
import torch

from zerosum.game import InfoGANLatent, Normal, Sphere, Uniform


def drawn(latent, count=6_000, seed=0):
    z = latent.draw(count, torch.Generator().manual_seed(seed))
    assert z.shape == (count, latent.size)
    assert z.dtype == torch.float32
    return z.double().numpy()


def test_the_code_comes_last_one_hot_then_continuous():
    latent = InfoGANLatent(Sphere(4), (3, 5), 2)
    assert latent.size == 4 + 8 + 2
    z = drawn(latent)
    noise, one, other, numbers = np.split(z, [4, 7, 12], axis=1)
    np.testing.assert_allclose(np.linalg.norm(noise, axis=1), 2, atol=1e-5)
    for hot in (one, other):
        assert set(np.unique(hot)) == {0, 1}
        assert (hot.sum(1) == 1).all()
    assert -1 <= numbers.min() < -0.99
    assert 0.99 < numbers.max() < 1


def test_its_parts_are_uniform_and_independent():
    z = drawn(InfoGANLatent(Normal(1), (4,), 1))
    counts = z[:, 1:5].sum(0)
    assert ((counts - 1500) ** 2 / 1500).sum() < 16.3, "chi-square of 3 degrees of freedom at 0.001"
    assert z[:, 5].mean() == pytest.approx(0, abs=0.04)
    assert z[:, 5].var() == pytest.approx(1 / 3, abs=0.02)
    correlations = np.corrcoef(z[:, [0, 1, 2, 3, 5]].T)
    assert np.abs(correlations[[0, 0, 0, 0, 1, 2, 3], [1, 2, 3, 4, 4, 4, 4]]).max() < 0.05


def test_either_kind_of_code_may_be_left_out():
    assert InfoGANLatent(Uniform(2), (), 3).size == 5
    assert drawn(InfoGANLatent(Uniform(2), (3,), 0)).shape[1] == 5
    assert InfoGANLatent().size == 62 + 10 + 2


def test_draws_follow_the_generator_given():
    latent = InfoGANLatent(Normal(2))
    first, again, other = (drawn(latent, 3, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("categories", "continuous"), [((1,), 2), ((3, 0), 2), ((3,), -1)])
def test_variables_without_a_choice_are_refused(categories, continuous):
    with pytest.raises(
        ValueError, match="InfoGANLatent takes categorical variables of at least 2 values and a number of"
    ):
        InfoGANLatent(Normal(2), categories, continuous)
