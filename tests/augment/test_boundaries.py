"""Where adaptive augmentations take the sign of D's scores, under each kind of objective."""

from types import SimpleNamespace

import pytest
import torch

from zerosum.augment import AdaptiveAugment, AdaptivePseudo
from zerosum.game import Draws
from zerosum.objectives import MMD, BoundaryEquilibrium, Drifting, EnergyBased, Hinge, LeastSquares, TopK, Wasserstein

each = pytest.mark.parametrize(("name", "kind"), {"ADA": AdaptiveAugment, "APA": AdaptivePseudo}.items())


def d_turn(real, fake):
    """An update of D over samples with these scores."""
    real, fake = (SimpleNamespace(score=torch.tensor(scores)) for scores in (real, fake))
    x = torch.zeros(len(real.score), 1)
    return SimpleNamespace(real=real, fake=fake, x=x, draws=Draws(0, 0, 0, 1), average=lambda value: value)


class Own:
    """An objective of a user, whose D returns probabilities."""

    reads_real = False
    boundary = 0.5

    def d_loss(self, real, fake):
        return fake.mean() - real.mean()

    def g_loss(self, fake, real=None):
        return -fake.mean()


@each
@pytest.mark.parametrize(
    ("objective", "undecided", "sure"),
    [
        (LeastSquares(), [0.4, 0.6, 0.45, 0.55], [0.9, 1.1, 0.8, 0.7]),
        (LeastSquares(a=-1.0, b=3.0), [0.5, 1.5, 0.9, 1.1], [3.0, 2.0, 1.1, 2.5]),
        (TopK(LeastSquares()), [0.4, 0.6, 0.45, 0.55], [0.9, 1.1, 0.8, 0.7]),
        (Own(), [0.4, 0.6, 0.45, 0.55], [0.9, 0.99, 0.8, 0.7]),
        (Hinge(), [-0.1, 0.1, -1.0, 1.0], [1.0, 2.0, 0.1, 3.0]),
    ],
)
def test_the_sign_is_that_of_the_distance_from_the_objectives_boundary(name, kind, objective, undecided, sure):
    """With D undecided, r is 0 and p stays at 0; least squares had r = 1 and p = 1 throughout."""
    for found, r in ((undecided, 0.0), (sure, 1.0)):
        augment, log = kind(every=1, images=100), {}
        augment.meet(objective)
        for _ in range(40):
            augment.watch("D", d_turn(found, [-9.0] * 4), log)
        assert log[f"{name}/r"].item() == log[f"{name}/p"].item() == r


@each
@pytest.mark.parametrize("objective", [EnergyBased(), BoundaryEquilibrium(), Wasserstein(), TopK(EnergyBased())])
def test_without_a_boundary_the_scores_of_pairs_are_compared(name, kind, objective):
    """Energies are never negative, so D's scores never positive: r was -1 and p = 0 throughout."""
    augment, log = kind(every=1, images=100), {}
    augment.meet(objective)
    augment.watch("D", d_turn([-0.1, -0.2, -0.3, -0.4], [-0.2, -0.1, -0.4, -0.3]), log)
    assert log[f"{name}/r"].item() == 0 == log[f"{name}/p"].item()
    augment.watch("D", d_turn([-0.1, -0.2, -0.3, -0.4], [-1.0] * 4), log)
    assert log[f"{name}/r"].item() == 1 and log[f"{name}/p"].item() == pytest.approx(0.04)


@each
@pytest.mark.parametrize("objective", [MMD(), Drifting()], ids=lambda one: type(one).__name__)
def test_features_have_no_sign(name, kind, objective):
    words = f"those of {type(objective).__name__} are features without a sign: use FixedAugment"
    with pytest.raises(ValueError, match=words):
        kind().meet(objective)
