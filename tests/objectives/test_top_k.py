"""Learning from the best fakes only, whatever the objective."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from zerosum.objectives import (
    MMD,
    AbsoluteError,
    BoundaryEquilibrium,
    Drifting,
    EnergyBased,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Relativistic,
    RelativisticAverage,
    TopK,
    Wasserstein,
)

OBJECTIVES = [
    AbsoluteError(), BoundaryEquilibrium(), EnergyBased(), Hinge(), LeastSquares(), Minimax(), NonSaturating(),
    Relativistic(), RelativisticAverage(), Wasserstein(),
]  # fmt: skip


def scores(seed, *shape):
    return torch.tensor(np.random.default_rng(seed).normal(0, 2, shape), requires_grad=True)


def turn(progress, real=0.0, fake=0.0):
    judgements = [SimpleNamespace(score=torch.tensor([s])) for s in (real, fake)]
    clock = SimpleNamespace(progress=progress)
    return SimpleNamespace(real=judgements[0], fake=judgements[1], clock=clock, average=lambda value: value)


def at(progress, objective, **options):
    """The wrapper at a moment of the run."""
    found = TopK(objective, **options)
    found.watch("D", turn(progress), {})
    return found


@pytest.mark.parametrize("shape", [(8,), (8, 1, 2, 2)])
@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_g_learns_from_the_best_fakes_and_real_samples_of_the_same_rows(objective, shape):
    real, fake = scores(0, *shape), scores(1, *shape)
    best = np.argsort(-fake.detach().numpy().reshape(8, -1).mean(1))[:4].copy()
    loss = at(1.0, objective, share=0.5).g_loss(fake, real if objective.reads_real else None)
    plain = objective.g_loss(fake[best], real[best] if objective.reads_real else None)
    assert loss.item() == pytest.approx(plain.item(), rel=1e-12)
    (gradient,) = torch.autograd.grad(loss, fake)
    assert np.flatnonzero(gradient.flatten(1).any(1) if len(shape) > 1 else gradient).tolist() == sorted(best)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_d_plays_as_ever_and_at_the_start_so_does_g(objective):
    real, fake = scores(0, 8), scores(1, 8)
    wrapped = at(1.0, objective, share=0.25)
    assert wrapped.reads_real is objective.reads_real
    assert wrapped.d_loss(real, fake) == objective.d_loss(real, fake)
    assert at(0.0, objective, share=0.25).g_loss(fake, real) == objective.g_loss(fake, real)


def test_the_share_falls_linearly_and_counts_whole_samples():
    counts = [at(progress, Hinge(), share=0.5).count(64) for progress in (0.0, 0.25, 0.5, 1.0)]
    assert counts == [64, 56, 48, 32]
    early = [at(progress, Hinge(), share=0.5, until=0.5).count(64) for progress in (0.25, 0.5, 0.75)]
    assert early == [48, 32, 32]
    assert at(1.0, Hinge(), share=0.55).count(100) == 55, "the last digit of 0.55 * 100 makes no 56 of it"
    assert [at(1.0, Hinge(), share=0.75).count(batch) for batch in (1, 2, 3, 6)] == [1, 2, 3, 5]
    assert at(1.0, Hinge(), share=0.01).count(8) == 1


def test_the_objective_inside_watches_and_remembers():
    wrapped = TopK(BoundaryEquilibrium(gamma=0.5, rate=0.1))
    wrapped.watch("D", turn(0.25, real=-4.0, fake=-1.0), log := {})
    assert log["k"].item() == pytest.approx(0.1)
    state = wrapped.state_dict()
    wrapped.watch("D", turn(0.5, real=-4.0, fake=-1.0), {})
    again = TopK(BoundaryEquilibrium(gamma=0.5, rate=0.1))
    again.load_state_dict(state)
    assert again.progress == 0.25
    assert again.objective.balance.item() == pytest.approx(0.1)
    assert again == wrapped, "progress and balance belong to a run, not to the value written in a recipe"
    plain = TopK(Hinge())
    plain.watch("G", turn(0.5), log := {})
    assert log == {}
    assert list(plain.state_dict()) == ["progress"]
    plain.load_state_dict({"progress": torch.tensor(0.75)})
    assert plain.progress == 0.75


def test_wrappers_nest():
    inner = at(1.0, TopK(Hinge(), share=0.5), share=0.5)
    fake = scores(0, 8)
    assert inner.g_loss(fake) == -fake.topk(2).values.mean()


def test_features_have_no_rank():
    with pytest.raises(ValueError, match="TopK ranks fakes by their score, and the scores of MMD are features"):
        TopK(MMD())
    with pytest.raises(ValueError, match="the scores of Drifting are features"):
        TopK(Drifting())


@pytest.mark.parametrize("value", [0.0, 1.5, float("nan")])
def test_shares_out_of_range_are_refused(value):
    with pytest.raises(ValueError, match=r"TopK's share is a part of a whole, in \(0, 1\]; found"):
        TopK(Hinge(), share=value)
    with pytest.raises(ValueError, match=r"TopK's until is a part of a whole, in \(0, 1\]; found"):
        TopK(Hinge(), until=value)
