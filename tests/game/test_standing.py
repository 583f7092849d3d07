"""Standing statistics: what batch norms of averaged weights normalise by follows from these weights alone."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.game.ema import ExponentialMovingAverage
from zerosum.game.latents import Normal
from zerosum.game.random import stream
from zerosum.game.standing import StandingStatistics

STANDING = StandingStatistics(Normal(3), seed=5, batch=6, batches=4)


def generator(**options):
    """Two batch norms, one after the other, in float64."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first, second = nn.Linear(3, 4), nn.Linear(4, 2)
        norms = nn.BatchNorm1d(4, **options), nn.BatchNorm1d(2, **options)
        return nn.Sequential(first, norms[0], nn.ReLU(), second, norms[1]).double().eval()


def buffers(module):
    return {name: buffer.clone() for name, buffer in module.named_buffers()}


def latents(index):
    return Normal(3).draw(6, stream(5, "standing statistics", index)).double()


def normalised(h):
    return (h - h.mean(0)) / np.sqrt(h.var(0) + 1e-5)


def test_they_are_the_means_over_batches_that_each_normalise_by_themselves():
    G, met = generator(), ([], [])
    with torch.no_grad():
        weights = [(G[i].weight.numpy(), G[i].bias.numpy()) for i in (0, 3)]
    for index in range(4):
        h = latents(index).numpy() @ weights[0][0].T + weights[0][1]
        met[0].append((h.mean(0), h.var(0, ddof=1)))
        h = np.maximum(normalised(h), 0) @ weights[1][0].T + weights[1][1]
        met[1].append((h.mean(0), h.var(0, ddof=1)))
    STANDING(G)
    for norm, found in zip((G[1], G[4]), met, strict=True):
        for buffer, expected in zip((norm.running_mean, norm.running_var), zip(*found, strict=True), strict=True):
            np.testing.assert_allclose(buffer.numpy(), np.mean(expected, 0), rtol=1e-12)


def test_they_do_not_depend_on_what_was_there_before():
    one, other = generator(), generator()
    for norm in (other[1], other[4]):
        norm.running_mean.fill_(7.0)
        norm.running_var.fill_(float("nan"))
    for module in (one, other, other):
        STANDING(module)
    assert all(torch.equal(buffer, buffers(other)[name]) for name, buffer in buffers(one).items())


def test_maps_count_their_places():
    norm = nn.BatchNorm2d(2)
    G = nn.Sequential(nn.Linear(3, 8), nn.Unflatten(1, (2, 2, 2)), norm).double().eval()
    StandingStatistics(Normal(3), 5, 6, batches=1)(G)
    h = G[1](G[0](latents(0))).detach().transpose(0, 1).flatten(1)
    torch.testing.assert_close(norm.running_mean, h.mean(1))
    torch.testing.assert_close(norm.running_var, h.var(1))


def test_conditions_are_those_of_the_batch():
    class Conditional(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale, self.norm = nn.Parameter(torch.ones(())), nn.BatchNorm1d(3)

        def forward(self, z, c):
            return self.norm(self.scale * z + c[:, None])

    G = Conditional().double().eval()
    StandingStatistics(Normal(3), 5, 6, lambda index: torch.full((6,), float(index)), 4)(G)
    expected = torch.stack([latents(index).mean(0) + index for index in range(4)]).mean(0)
    torch.testing.assert_close(G.norm.running_mean, expected)


def test_all_other_layers_are_as_in_evaluation():
    G = nn.Sequential(generator(), nn.Dropout(0.9), nn.BatchNorm1d(2, track_running_stats=False).double()).eval()
    before = torch.get_rng_state()
    STANDING(G)
    plain = generator()
    STANDING(plain)
    assert all(torch.equal(buffer, buffers(G)[f"0.{name}"]) for name, buffer in buffers(plain).items())
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(part.training or part._forward_pre_hooks for part in G.modules())


def test_a_norm_that_meets_no_samples_keeps_its_statistics():
    class Partial(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = generator(), nn.BatchNorm1d(2)

        def forward(self, z):
            return self.used(z)

    G = Partial().eval()
    G.unused.running_mean.fill_(3.0)
    STANDING(G)
    assert G.unused.running_mean.tolist() == [3.0, 3.0]


def test_an_average_has_them_once_it_is_used_after_an_update():
    calls = []
    ema = ExponentialMovingAverage(generator(), half_life=100)
    ema.finish = calls.append
    assert ema.module is ema.module and calls == []
    for seen in (6, 12):
        ema.update(6, seen)
    assert calls == [] and ema.module is ema.module
    assert calls == [ema.module]


def test_an_average_that_could_not_be_finished_is_finished_when_it_is_used_again():
    ema = ExponentialMovingAverage(generator(), half_life=100)
    STANDING(expected := generator())
    ema.finish = StandingStatistics(Normal(2), seed=5, batch=6)
    ema.update(6, 6)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        ema.module  # noqa: B018
    ema.finish = STANDING
    assert all(torch.equal(buffer, buffers(ema.module)[name]) for name, buffer in buffers(expected).items())


@pytest.mark.parametrize("count", [1, 2])
def test_a_batch_of_one_place_has_a_finite_variance(count):
    G = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).eval()
    StandingStatistics(Normal(3), 5, count)(G)
    assert G[1].running_var.isfinite().all()


def test_a_look_at_an_average_takes_256_samples_and_leaves_it_unfinished():
    few, whole, looked = generator(), generator(), generator()
    StandingStatistics(Normal(3), seed=5, batch=90, batches=3)(few)
    standing = StandingStatistics(Normal(3), seed=5, batch=90, batches=7)
    standing(whole)
    ema = ExponentialMovingAverage(looked, half_life=100)
    ema.finish = standing
    ema.update(6, 6)
    for look, expected in ((ema.rough, few), (lambda: ema.module, whole), (ema.rough, whole)):
        assert all(torch.equal(buffer, buffers(expected)[name]) for name, buffer in buffers(look()).items())
    standing = StandingStatistics(Normal(3), seed=5, batch=6, batches=2)
    standing(whole)
    standing(few, roughly=True)
    assert all(torch.equal(buffer, buffers(few)[name]) for name, buffer in buffers(whole).items())
