"""The measures behind the signals against plain numpy, and on samples of which the answer is known."""

import math
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from zerosum.diagnostics.signals._measures import nearest, row_means, share_above, spread
from zerosum.diagnostics.signals.arbiter import separability
from zerosum.diagnostics.signals.discriminator import _penalty, loss_gradient
from zerosum.diagnostics.signals.embedding import Embedding
from zerosum.diagnostics.signals.pace import positions, samples_of
from zerosum.diagnostics.signals.subject import Subject
from zerosum.diagnostics.signals.updates import Updates
from zerosum.diagnostics.signals.watcher import score_gap
from zerosum.diagnostics.signals.weights import dead_units, spectra
from zerosum.game import Clock, Draws, Turn
from zerosum.objectives import MMD, AbsoluteError, Hinge, LeastSquares, Minimax, NonSaturating, Softmax, Wasserstein
from zerosum.recipes.named_recipes import named
from zerosum.terms import R1, Dragan, Every, GradientPenalty

RNG = np.random.default_rng(0)
CPU = torch.device("cpu")


def test_pairs_of_scores_are_counted_and_ties_are_half():
    first, second = RNG.integers(0, 5, 30).astype(float), RNG.integers(0, 4, 20).astype(float)
    pairs = [(a > b) + 0.5 * (a == b) for a in first for b in second]
    assert share_above(torch.tensor(first), torch.tensor(second)).item() == pytest.approx(np.mean(pairs))
    assert share_above(torch.ones(3), torch.ones(2)) == 0.5


def test_the_gap_of_scores_is_in_their_standard_deviations():
    real, fake = RNG.normal(2, 3, 40), RNG.normal(0, 1, 50)
    expected = (real.mean() - fake.mean()) / math.sqrt((real.var() + fake.var()) / 2)
    assert score_gap(torch.tensor(real), torch.tensor(fake)).item() == pytest.approx(expected)
    maps = torch.tensor(RNG.normal(size=(4, 1, 2, 2)))
    torch.testing.assert_close(row_means(maps), maps.flatten(1).mean(1).float())


def test_distances():
    x, y = RNG.normal(size=(9, 3)), RNG.normal(size=(7, 3))
    between = np.linalg.norm(x[:, None] - y[None], axis=2)
    within = np.linalg.norm(x[:, None] - x[None], axis=2)
    np.testing.assert_allclose(nearest(torch.tensor(x), torch.tensor(y)), between.min(1))
    own = nearest(torch.tensor(x), torch.tensor(x), other=True)
    np.testing.assert_allclose(own, (within + np.diag([np.inf] * 9)).min(1), rtol=1e-6)
    assert spread(torch.tensor(x)).item() == pytest.approx(within.sum() / (9 * 8))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(
    ("objective", "gradient"),
    [
        (Minimax(), lambda s: sigmoid(s) / 0.5),
        (NonSaturating(), lambda s: sigmoid(-s) / 0.5),
        (AbsoluteError(), lambda s: sigmoid(s) * sigmoid(-s) / 0.25),
        (LeastSquares(), lambda s: np.abs(s - 1) / 0.5),
        (Hinge(), np.ones_like),
        (Wasserstein(), np.ones_like),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_gradient_of_a_loss_is_that_over_the_one_for_a_d_that_cannot_tell(objective, gradient):
    fake, real = RNG.normal(-3, 2, 64), RNG.normal(3, 2, 64)
    found = loss_gradient(objective, torch.tensor(fake), torch.tensor(real))
    assert found.item() == pytest.approx(gradient(fake).mean(), rel=1e-9)
    same = torch.full((8,), 0.5 if isinstance(objective, LeastSquares) else 0.0)
    assert loss_gradient(objective, same, same).item() == pytest.approx(1)


def test_objectives_without_a_gradient_at_equal_scores_have_no_such_signal():
    assert loss_gradient(Softmax(), torch.randn(8), torch.randn(8)) is None
    assert loss_gradient(MMD(), torch.randn(8, 2), torch.randn(8, 2)) is None


def test_the_gradient_norm_is_that_at_the_points_of_the_penalty_over_its_target():
    x, x_fake = (torch.full((64, 1), level).requires_grad_() for level in (1.0, 9.0))
    turn = Turn("D", lambda x: x[:, 0].square() / 2, None, x, x_fake, None, None, Clock(), Draws(seed=0, position=0))

    def found(*terms):
        return _penalty([turn], terms)["penalty_gradient"].item()

    assert found(GradientPenalty()) == pytest.approx(5, abs=1), "the norm at x is x: between the sets"
    assert found(Every(4, Dragan(target=0.5))) == pytest.approx(2, abs=0.1), "at real samples"
    assert found(R1(), GradientPenalty(target=0.0), GradientPenalty(target=20.0)) == pytest.approx(0.25, abs=0.05)
    assert found(GradientPenalty(target=20.0, one_sided=True)) == 1, "below its target D is free"
    assert _penalty([turn], (R1(), GradientPenalty(target=0.0))) == {}


def test_the_arbiter_separates_what_differs_and_nothing_else():
    draw = torch.Generator().manual_seed(0)
    real, others, same = (torch.randn(256, 5, generator=draw) for _ in range(3))
    assert separability(real, others, same).item() == pytest.approx(0.5, abs=0.1)
    assert separability(real, others, same + 2).item() > 0.95
    assert separability(real, others, same * 0.3).item() > 0.9, "also by their spread"


@pytest.mark.parametrize("shape", [(2,), (600,), (3, 16, 12), (1, 64, 64), (27, 1, 20)])
def test_features_of_any_sample_are_fixed_and_follow_it(shape):
    x = torch.rand(6, *shape)
    features = Embedding(shape, CPU)(x)
    assert features.shape[0] == 6 and features.dtype == torch.float32
    torch.testing.assert_close(features, Embedding(shape, CPU)(x))
    assert (features - Embedding(shape, CPU)(1 - x)).norm() > 0.1
    torch.testing.assert_close(features[2:4], Embedding(shape, CPU)(x[2:4]))


def test_positions_do_not_depend_on_the_length_of_a_run_and_space_out():
    recipe = named("digits")
    some = [position for position, _ in zip(positions(recipe), range(30), strict=False)]
    assert some[:3] == [4096, 8192, 12288]
    gaps = np.diff(some)
    assert (np.diff(gaps) >= 0).all() and gaps[-1] == recipe.snapshot
    assert next(positions(recipe, 4096)) == 8192 and next(positions(recipe, 4095)) == 4096
    assert samples_of(recipe) == 256


class Plain:
    """A subject of networks alone."""

    game = None

    def __init__(self, **networks):
        self.trained = self
        self.networks = networks


def test_small_singular_values_are_counted():
    layer = torch.nn.Linear(10, 8, bias=False)
    u, _, v = np.linalg.svd(RNG.normal(size=(8, 10)), full_matrices=False)
    values = np.array([1, 0.9, 0.5, 0.11, 0.09, 0.05, 0.01, 0.0])
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(u * values @ v))
    assert spectra(Plain(D=layer))["spectrum_D"].item() == pytest.approx(0.5)
    assert spectra(Plain(D=torch.nn.Linear(4, 3))) == {}, "three singular values say little"
    assert dead_units(Plain(D=layer)) == {}


@pytest.mark.parametrize("micro_batch", [None, 16])
def test_dead_units_are_those_that_are_constant_over_the_batch_whatever_the_micro_batches(micro_batch):
    D = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
    with torch.no_grad():
        D[0].weight.copy_(torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, 0, 0], [-1, 0, 0]]))
        D[0].bias.copy_(torch.tensor([0.0, 0, -5, 0]))
    x = torch.cat([torch.linspace(-1, 1, 32).sign()[:, None], torch.zeros(32, 1), torch.randn(32, 1)], 1)
    players = {name: SimpleNamespace(name=name, network=D, parameters=[*D.parameters()]) for name in "GD"}
    subject = SimpleNamespace(
        game=SimpleNamespace(**players), live=x, z=x, real=SimpleNamespace(x=x, c=None), precision=nullcontext,
        recipe=SimpleNamespace(batch=32, micro_batch=micro_batch),
    )  # fmt: skip
    subject.in_batches = partial(Subject.in_batches, subject)
    found = dead_units(subject)
    assert found["dead_D"] == found["dead_G"] == 0.25, "of the units, not of the values of a sample"


def test_updates_are_measured_over_three_iterations_and_can_be_interrupted():
    network = torch.nn.Linear(2, 1, bias=False)
    points = [np.array([1.0, 1.0]), np.array([1.0, 1.5]), np.array([2.0, 1.5])]
    updates, found = Updates(), []
    for point in points:
        with torch.no_grad():
            network.weight.copy_(torch.tensor(point))
        if point is points[0]:
            updates.begin({"D": network})
            continue
        again = Updates()
        again.kept = {name: tensor.clone() for name, tensor in updates.kept.items()}
        found.append(again.go_on({"D": network}))
        updates = again
    assert found[0]["update_D"].item() == pytest.approx(0.5 / math.sqrt(2))
    assert found[1]["turn_D"].item() == pytest.approx(0)
    assert updates.kept == {}
