"""The generator's average: its half-life is a number of images, whatever the batch size."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.game import ExponentialMovingAverage


def module(value):
    """A module with one float64 weight of a given value."""
    made = nn.Linear(1, 1, bias=False).double()
    nn.init.constant_(made.weight, value)
    return made


def followed(half_life, batch, images, start=0, rampup=0.05, away=1.0):
    """How far the average still is from weights that jumped by `away` after `start` images."""
    original = module(0.0)
    ema = ExponentialMovingAverage(original, half_life, rampup)
    nn.init.constant_(original.weight, away)
    for seen in range(start + batch, start + images + 1, batch):
        ema.update(batch, seen)
    return away - ema.module.weight.item()


@pytest.mark.parametrize("batch", [1, 8, 64, 640])
def test_an_old_weight_counts_half_after_a_half_life(batch):
    assert followed(half_life=640, batch=batch, images=640, start=10**6) == pytest.approx(0.5, rel=1e-9)
    assert followed(half_life=640, batch=batch, images=1920, start=10**6) == pytest.approx(0.125, rel=1e-9)


@pytest.mark.parametrize("batch", [1, 8, 64, 640])
def test_the_half_life_grows_with_the_images_seen_at_the_start(batch):
    """At most a share r of the images s: what is left after going from a to b is 2^(-integral of ds / (r s))."""
    left = followed(half_life=10**6, batch=batch, images=640, start=640, rampup=0.5)
    assert left == pytest.approx(0.5 ** (np.log(2) / 0.5), rel=1e-9)


@pytest.mark.parametrize("rampup", [0.05, 1.0])
def test_a_batch_size_changes_nothing_across_the_whole_run(rampup):
    """From the first image through the ramp to the full half-life, with a jump of the weights on the way."""
    ends = []
    for batch in (1, 10, 50, 250):
        original = module(3.0)
        ema = ExponentialMovingAverage(original, half_life=20, rampup=rampup)
        for seen in range(batch, 1001, batch):
            nn.init.constant_(original.weight, 1.0 if seen <= 250 else 2.0)
            ema.update(batch, seen)
            if seen in (250, 500):
                ends.append((seen, ema.module.weight.item()))
    for at in (250, 500):
        assert np.ptp([end for seen, end in ends if seen == at]) < 1e-6


def test_the_first_update_forgets_the_untrained_weights():
    assert followed(half_life=10**6, batch=64, images=64) == 0


def test_half_life_0_follows_exactly():
    original = module(0.0)
    ema = ExponentialMovingAverage(original, half_life=0)
    for step in range(1, 4):
        nn.init.constant_(original.weight, float(step))
        ema.update(64, 64 * step)
        assert ema.module.weight.item() == step


def test_a_moving_target_is_averaged_as_the_recursion_says():
    original, expected = module(0.0), 0.0
    ema = ExponentialMovingAverage(original, half_life=100, rampup=1e9)
    for step in range(1, 20):
        nn.init.constant_(original.weight, np.sin(step))
        ema.update(32, 10**6 + 32 * step)
        expected = 0.5 ** (32 / 100) * expected + (1 - 0.5 ** (32 / 100)) * np.sin(step)
    assert ema.module.weight.item() == pytest.approx(expected, rel=1e-9)


def test_statistics_trail_and_counters_are_copied():
    original = nn.BatchNorm1d(2)
    ema = ExponentialMovingAverage(original, half_life=64, rampup=1e9)
    original.running_mean.fill_(4.0)
    original.num_batches_tracked.fill_(7)
    ema.update(64, 10**6)
    assert ema.module.running_mean.tolist() == pytest.approx([2.0, 2.0])
    assert ema.module.num_batches_tracked == 7


class Centred(nn.Module):
    """A network that assigns its buffers again in every pass; one grows."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("seen", torch.zeros(0))
        self.register_buffer("first", None)

    def forward(self, x):
        self.mean = 0.5 * self.mean + 0.5 * x.detach().mean(0)
        self.seen = torch.cat([self.seen, x.detach()[:, 0]])
        self.first = x.detach()[0] if self.first is None else self.first
        return self.linear(x - self.mean)


def test_a_buffer_that_is_assigned_again_is_averaged():
    original = Centred()
    ema = ExponentialMovingAverage(original, half_life=64, rampup=1e9)
    original(torch.tensor([[8.0, -4.0]]))
    ema.update(64, 10**6)
    assert ema.module.mean.tolist() == pytest.approx([2.0, -1.0]), "half way from 0 to [4, -2]"
    original(torch.tensor([[4.0, -2.0]]))
    ema.update(64, 10**6 + 64)
    assert ema.module.mean.tolist() == pytest.approx([3.0, -1.5])
    assert ema.module.seen.tolist() == pytest.approx([8.0, 4.0])
    assert ema.module.first.tolist() == [8.0, -4.0]


def test_a_buffer_of_two_names_is_averaged_once():
    original = nn.Module()
    original.register_buffer("one", torch.zeros(1))
    original.register_buffer("two", original.one)
    ema = ExponentialMovingAverage(original, half_life=64, rampup=1e9)
    original.one.fill_(4.0)
    ema.update(64, 10**6)
    assert ema.module.one.item() == ema.module.two.item() == pytest.approx(2.0)


@pytest.mark.parametrize("spectral_norm", [torch.nn.utils.spectral_norm, torch.nn.utils.parametrizations.spectral_norm])
@pytest.mark.parametrize("half_life", [0, 3000])
def test_an_averaged_weight_under_torchs_spectral_norm_has_the_largest_singular_value_1(spectral_norm, half_life):
    """Means of its singular vectors would be shorter than 1, and the averaged weight too large."""
    torch.manual_seed(0)
    original = nn.Sequential(spectral_norm(nn.Linear(6, 8)), nn.ReLU(), spectral_norm(nn.ConvTranspose1d(8, 4, 2)))
    ema = ExponentialMovingAverage(original, half_life)
    for step in range(1, 200):
        with torch.no_grad():
            for name, weight in original.named_parameters():
                if "weight" in name:
                    weight.add_(0.1 * torch.randn_like(weight))
        ema.update(64, 64 * step)
        original[0](torch.randn(1, 6)), original[2](torch.randn(1, 8, 1))  # each pass takes a step of power iteration
        if step % 50 == 0:
            ema.module[0](torch.randn(1, 6)), ema.module[2](torch.randn(1, 8, 1))
            maps = (ema.module[0].weight, ema.module[2].weight.transpose(0, 1).flatten(1))
            assert [torch.linalg.matrix_norm(w, 2).item() for w in maps] == pytest.approx([1, 1], rel=0.02)


def test_the_average_stands_apart_from_the_original():
    original = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    ema = ExponentialMovingAverage(original, half_life=64)
    before = original[0].weight.detach().clone()
    ema.module[0].weight.fill_(9.0)
    ema.update(64, 64)
    assert torch.equal(original[0].weight, before)
    assert original.training
    assert original[0].weight.requires_grad
    assert not ema.module.training
    assert not any(p.requires_grad for p in ema.module.parameters())


@pytest.mark.parametrize(("half_life", "rampup"), [(-1.0, 0.05), (10.0, 0.0), (float("nan"), 0.05)])
def test_impossible_half_lives_are_refused(half_life, rampup):
    with pytest.raises(ValueError, match="an EMA needs half_life >= 0 and rampup > 0; found"):
        ExponentialMovingAverage(nn.Linear(1, 1), half_life, rampup)
