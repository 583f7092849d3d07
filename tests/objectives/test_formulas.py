"""Every objective of scores against formulas in float64 numpy: values and the gradients of every score."""

import numpy as np
import pytest
import torch

from zerosum.objectives import (
    AbsoluteError,
    BoundaryEquilibrium,
    EnergyBased,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Relativistic,
    RelativisticAverage,
    Wasserstein,
)


def softplus(s):
    """log(1 + e^s), which is -log sigmoid(-s)."""
    return np.logaddexp(0, s)


def sigmoid(s):
    return np.exp(-softplus(-s))


def share(s):
    """What each score weighs in a mean over scores."""
    return np.ones_like(s) / s.size


# For each objective: D's loss with its gradients by the real and by the fake scores, then G's loss with its gradient by
# the fake scores. Written out from the papers' equations, with D = sigmoid(s) where D is a probability.


def logistic_d(r, f, label=1.0):
    value = (label * softplus(-r) + (1 - label) * softplus(r)).mean() + softplus(f).mean()
    return value, ((1 - label) * sigmoid(r) - label * sigmoid(-r)) * share(r), sigmoid(f) * share(f)


def least_squares(a, b, c):
    def d(r, f):
        return 0.5 * ((r - b) ** 2).mean() + 0.5 * ((f - a) ** 2).mean(), (r - b) * share(r), (f - a) * share(f)

    def g(r, f):
        return 0.5 * ((f - c) ** 2).mean(), (f - c) * share(f)

    return d, g


def absolute_d(r, f):
    grad = sigmoid(r) * sigmoid(-r), sigmoid(f) * sigmoid(-f)
    return sigmoid(-r).mean() + sigmoid(f).mean(), -grad[0] * share(r), grad[1] * share(f)


def absolute_g(r, f):
    return sigmoid(-f).mean(), -sigmoid(f) * sigmoid(-f) * share(f)


def critic_g(r, f):
    return -f.mean(), -share(f)


def wasserstein_d(r, f):
    return f.mean() - r.mean(), -share(r), share(f)


def hinge_d(r, f):
    value = np.maximum(0, 1 - r).mean() + np.maximum(0, 1 + f).mean()
    return value, (r < 1) * -share(r), (f > -1) * share(f)


def energy_d(margin):
    def d(r, f):
        return -r.mean() + np.maximum(0, margin + f).mean(), -share(r), (f > -margin) * share(f)

    return d


def boundary_d(k):
    def d(r, f):
        return -r.mean() + k * f.mean(), -share(r), k * share(f)

    return d


def paired_d(r, f):
    grad = sigmoid(f - r) * share(r)
    return softplus(f - r).mean(), -grad, grad


def paired_g(r, f):
    return softplus(r - f).mean(), -sigmoid(r - f) * share(f)


def averaged_d(r, f):
    below, above = sigmoid(f.mean() - r), sigmoid(f - r.mean())
    value = softplus(f.mean() - r).mean() + softplus(f - r.mean()).mean()
    return value, -(below + above.mean()) * share(r), (above + below.mean()) * share(f)


def averaged_g(r, f):
    value, d_fake, _ = averaged_d(f, r)
    return value, d_fake


CASES = {
    Minimax(): (logistic_d, lambda r, f: (-softplus(f).mean(), -sigmoid(f) * share(f))),
    Minimax(real_label=0.9): (
        lambda r, f: logistic_d(r, f, 0.9),
        lambda r, f: (-softplus(f).mean(), -sigmoid(f) * share(f)),
    ),
    NonSaturating(): (logistic_d, lambda r, f: (softplus(-f).mean(), -sigmoid(-f) * share(f))),
    NonSaturating(real_label=0.7): (
        lambda r, f: logistic_d(r, f, 0.7),
        lambda r, f: (softplus(-f).mean(), -sigmoid(-f) * share(f)),
    ),
    LeastSquares(): least_squares(0, 1, 1),
    LeastSquares(a=-1.0, b=1.0, c=0.0): least_squares(-1, 1, 0),
    AbsoluteError(): (absolute_d, absolute_g),
    Wasserstein(): (wasserstein_d, critic_g),
    Hinge(): (hinge_d, critic_g),
    EnergyBased(margin=2.5): (energy_d(2.5), critic_g),
    BoundaryEquilibrium(): (boundary_d(0), critic_g),
    Relativistic(): (paired_d, paired_g),
    RelativisticAverage(): (averaged_d, averaged_g),
}


def scores(kind, side):
    """Float64 scores of one kind, other numbers for each side; none of them at a kink of a hinge."""
    random = np.random.default_rng({"real": 1, "fake": 2}[side])
    return {
        "few": random.normal(0, 2, 7),
        "confident": np.array([40.0, 40.0, -40.0]) if side == "real" else np.array([-40.0, 40.0, -40.0]),
        "fooled": np.full(4, -40.0) if side == "real" else np.full(4, 40.0),
        "zero": np.zeros(3),
        "map": random.normal(0, 1, (2, 1, 4, 4)),
    }[kind]


def by_torch(loss, *arrays, dtype):
    """Value of a loss and its gradients by the arrays."""
    tensors = [torch.tensor(array, dtype=dtype, requires_grad=True) for array in arrays]
    value = loss(*tensors)
    assert value.shape == ()
    value.backward()
    return [value.item(), *(np.zeros(t.shape) if t.grad is None else t.grad.double().numpy() for t in tensors)]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("kind", ["few", "confident", "fooled", "zero", "map"])
@pytest.mark.parametrize("objective", CASES, ids=repr)
def test_loss_and_gradients_are_those_of_the_paper(objective, kind, dtype):
    real, fake = scores(kind, "real"), scores(kind, "fake")
    d_formula, g_formula = CASES[objective]
    close = {"rtol": 1e-12 if dtype is torch.float64 else 1e-5, "atol": 1e-30}
    if isinstance(objective, AbsoluteError):
        close["atol"] = 1e-17  # its derivative of 4e-18 at a score of 40 may round to 0
    for found, wanted in zip(by_torch(objective.d_loss, real, fake, dtype=dtype), d_formula(real, fake), strict=True):
        np.testing.assert_allclose(found, wanted, **close)
    real_seen = torch.tensor(real, dtype=dtype) if objective.reads_real else None
    for found, wanted in zip(
        by_torch(lambda f: objective.g_loss(f, real_seen), fake, dtype=dtype), g_formula(real, fake), strict=True
    ):
        np.testing.assert_allclose(found, wanted, **close)


def test_the_generator_hears_most_where_it_is_rejected_and_saturates_only_in_the_minimax_game():
    """At s = -40 the gradient of the practical loss is -1; that of the zero-sum game is -sigmoid(-40)."""
    rejected = np.array([-40.0])
    assert by_torch(NonSaturating().g_loss, rejected, dtype=torch.float32)[1] == -1
    assert by_torch(Minimax().g_loss, rejected, dtype=torch.float32)[1] == pytest.approx(-np.exp(-40), rel=1e-6, abs=0)


def test_absolute_error_keeps_its_digits_where_the_sample_passes_for_real():
    passed = np.array([40.0])
    value, gradient = by_torch(AbsoluteError().g_loss, passed, dtype=torch.float32)
    assert value == pytest.approx(np.exp(-40), rel=1e-6, abs=0)
    assert gradient == pytest.approx(-np.exp(-40), rel=1e-6, abs=0)


def test_objectives_say_whether_the_generator_needs_real_scores():
    assert {type(objective).__name__ for objective in CASES if objective.reads_real} == {
        "Relativistic",
        "RelativisticAverage",
    }


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Minimax(real_label=0.5), r"real_label is the target for real samples, in \(0.5, 1\]; found 0.5"),
        (lambda: NonSaturating(real_label=1.1), r"real_label is the target for real samples, in \(0.5, 1\]; found 1.1"),
        (lambda: LeastSquares(a=1.0, b=1.0), "the label of real samples, b=1.0, must lie above that of fakes, a=1.0"),
        (lambda: EnergyBased(margin=0.0), "margin is an energy above 0; found 0.0"),
        (lambda: BoundaryEquilibrium(gamma=0.0), r"gamma is the target ratio .*, in \(0, 1\]; found 0.0"),
        (lambda: BoundaryEquilibrium(gamma=1.5), r"gamma is the target ratio .*, in \(0, 1\]; found 1.5"),
        (lambda: BoundaryEquilibrium(rate=0.0), "rate is the step of k, above 0; found 0.0"),
        (
            lambda: Relativistic().g_loss(torch.zeros(2)),
            r"a relativistic g_loss compares with real scores: give g_loss\(fake, real\)",
        ),
        (
            lambda: RelativisticAverage().g_loss(torch.zeros(2)),
            r"a relativistic g_loss compares with real scores: give g_loss\(fake, real\)",
        ),
    ],
)
def test_numbers_outside_the_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
