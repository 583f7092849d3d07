"""Directions on generators whose true gradient is known, and against numpy."""

import numpy as np
import pytest
import torch

from zerosum.game import Normal
from zerosum.latent import LatentModel, extremes, follow, gradients, line, orthogonal, pairs, space_of
from zerosum.latent.finders import within

A = torch.randn(6, 16, generator=torch.Generator().manual_seed(0))
MODEL = LatentModel(lambda z: (z @ A).view(-1, 1, 4, 4), Normal(6))
SPACE = space_of(MODEL)
INPUTS = MODEL.inputs(3000, seed=1)
V = torch.tensor([1.0, -2.0, 0.0, 0.5, 0.0, 0.0])


def cosine(a, b):
    return float(torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), dim=0))


def test_a_line_is_ridge_regression():
    z, y = INPUTS.z[:50], INPUTS.z[:50] @ V + 3
    x = (z - z.mean(0)).double().numpy()
    centred = (y - y.mean()).double().numpy()
    penalty = x.var(0).mean() * 6 / 50
    wanted = np.linalg.solve(x.T @ x / 50 + penalty * np.eye(6), x.T @ centred / 50)
    assert line(z, y).numpy() == pytest.approx(wanted, rel=1e-5)


def test_a_line_is_the_mean_gradient_of_a_curved_attribute():
    values = (INPUTS.z @ V / 3).sin() + INPUTS.z[:, 4].square()
    wanted = (INPUTS.z @ V / 3).cos().mean() * V / 3
    assert (line(INPUTS.z, values) - wanted).norm() < 0.25 * wanted.norm()


def test_a_line_within_classes_is_not_that_between_them():
    groups = torch.arange(3000) % 2
    points = INPUTS.z + 5 * groups[:, None] * torch.eye(6)[5]
    values = INPUTS.z @ V + 20 * groups
    assert cosine(line(points, values, groups), V) > 0.999
    assert cosine(line(points, values), V) < 0.7
    assert within(values, groups)[groups == 1].mean() == pytest.approx(0, abs=1e-5)


def test_extremes_read_the_two_ends_alone():
    values = INPUTS.z @ V
    assert cosine(extremes(INPUTS.z, values), V) > 0.95
    middle = values.abs() < values.abs().quantile(0.9)
    blurred = torch.where(middle, torch.zeros_like(values), values)  # beyond 2 % on each side nothing is read
    assert torch.equal(extremes(INPUTS.z, values), extremes(INPUTS.z, blurred))
    with pytest.raises(ValueError, match="extremes need 20 samples or more; found 12"):
        extremes(INPUTS.z[:12], values[:12])


def test_gradients_pass_through_a_generator_at_rest():
    weights = torch.randn(2, 16, generator=torch.Generator().manual_seed(2))
    found = gradients(SPACE, INPUTS.z[:230], INPUTS.rows(slice(230)), lambda x: x.flatten(1) @ weights.T)
    assert found.shape == (230, 2, 6)
    assert torch.allclose(found, (weights @ A.T).expand(230, 2, 6), atol=1e-4)


def test_what_does_not_depend_on_the_point_is_one_sentence():
    still = space_of(LatentModel(lambda z: torch.zeros(len(z), 1, 2, 2), Normal(6)))
    with pytest.raises(ValueError, match="the samples of this generator do not depend on z, or their score has no gr"):
        gradients(still, INPUTS.z[:3], INPUTS.rows(slice(3)), lambda x: x.flatten(1))


def test_following_the_gradient_raises_the_score_by_equal_steps():
    def score(images):
        return -(images.flatten(1) - 2).square().sum(1)

    path = follow(SPACE, INPUTS.rows(slice(5)), score, steps=8, step=0.05)
    scores = torch.stack([score(SPACE.images(points, INPUTS.rows(slice(5)))) for points in path])
    assert path.shape == (9, 5, 6) and bool((scores.diff(dim=0) > 0).all())
    assert (path[1:] - path[:-1]).norm(dim=2).numpy() == pytest.approx(np.full((8, 5), 0.05), rel=1e-4)


def test_pairs_differ_by_their_mean_difference():
    after = INPUTS._replace(z=INPUTS.z + V)
    assert torch.allclose(pairs(SPACE, INPUTS, after), V, atol=1e-5)


def test_what_is_removed_is_orthogonal_to_all_others():
    others = [torch.randn(2, 3, generator=torch.Generator().manual_seed(i)) for i in range(3)]
    found = orthogonal(V.view(2, 3), [*others, others[0] * 2])
    assert found.shape == (2, 3)
    assert max(abs(cosine(found, other)) for other in others) < 1e-5
    basis, _ = np.linalg.qr(torch.stack([o.flatten() for o in others], 1).double().numpy())
    wanted = V.double().numpy() - basis @ (basis.T @ V.double().numpy())
    assert found.flatten().numpy() == pytest.approx(wanted, abs=1e-5)
    assert torch.equal(orthogonal(V, []), V)
    with pytest.raises(ValueError, match="nothing of the direction remains without those of the other attributes"):
        orthogonal(V, [V * 3])
