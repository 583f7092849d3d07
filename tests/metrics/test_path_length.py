import math

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.metrics.path_length import path_length_between, perceptual_path_length, trimmed_mean


def drawn(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


START, END = drawn(40, 6), drawn(40, 6, seed=1)


def test_on_a_straight_path_a_linear_map_changes_alike_everywhere():
    a = drawn(6, 9, seed=2)
    lengths = ((END - START) @ a).square().sum(1).numpy()
    for epsilon, where in ((1e-4, "anywhere"), (0.5, "start")):
        found = perceptual_path_length(lambda z: z @ a, START, END, epsilon, path="linear", where=where)
        assert found.value == pytest.approx(lengths.mean(), rel=1e-6)
        assert found.standard_error == pytest.approx(lengths.std(ddof=1) / 40**0.5, rel=1e-6)
        assert found.trimmed == pytest.approx(lengths.mean(), rel=1e-6)


def test_a_spherical_path_turns_by_the_angle_and_keeps_the_length():
    start, end = (z / z.norm(dim=1, keepdim=True) * 3 for z in (START, END))
    angles = torch.arccos((start * end).sum(1) / 9)
    found = perceptual_path_length(lambda z: z, start, end)
    assert found.value == pytest.approx(float((9 * angles**2).mean()), rel=1e-6)
    norms = []
    perceptual_path_length(lambda z: norms.append(z.norm(dim=1)) or z, start, end)
    assert torch.allclose(torch.cat(norms), torch.tensor(3.0).double(), atol=1e-12)


def test_paths_lead_from_the_start_to_the_end():
    for path in ("spherical", "linear"):
        seen = []
        perceptual_path_length(lambda z, seen=seen: seen.append(z) or z, START, END, 1.0, path, "start", batch=40)
        assert torch.allclose(seen[0][:40], START, atol=1e-12) and torch.allclose(seen[0][40:], END, atol=1e-12)


def test_the_small_change_is_the_slope_whatever_the_map():
    """|df/dt|^2 at seeded t, by autograd, for a network and images as features."""
    network = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 12), nn.Unflatten(1, (3, 2, 2))).double()
    t = torch.rand(40, generator=torch.Generator().manual_seed(7), dtype=torch.float64)[:, None]
    _, slope = torch.autograd.functional.jvp(lambda t: network(START + t * (END - START)), t, torch.ones_like(t))
    found = perceptual_path_length(network, START, END, path="linear", seed=7)
    assert found.value == pytest.approx(float(slope.flatten(1).square().sum(1).mean()), rel=1e-3)


def test_the_batch_changes_nothing_and_the_seed_does():
    def curved(z):
        return z.square()

    before = torch.get_rng_state()
    values = [perceptual_path_length(curved, START, END, seed=s, batch=b).value for s, b in ((0, 64), (0, 1), (1, 64))]
    assert torch.equal(torch.get_rng_state(), before)
    assert values[0] == pytest.approx(values[1], rel=1e-12) and values[0] != pytest.approx(values[2], rel=1e-3)


def test_latents_keep_their_dtype_and_parallel_ones_go_straight():
    kinds = []
    found = perceptual_path_length(lambda z: kinds.append(z.dtype) or z, START.float(), 2 * START.float())
    assert set(kinds) == {torch.float32}
    assert found.value == pytest.approx(float(START.square().sum(1).mean()), rel=1e-2)
    still = perceptual_path_length(lambda z: z, START, START)
    assert (still.value, still.standard_error) == (0.0, 0.0)


def test_consecutive_features_serve_as_well():
    first, second = drawn(300, 5), drawn(300, 5, seed=1)
    lengths = np.sort((first - second).square().sum(1).numpy()) / 0.01**2
    found = path_length_between(first, second, epsilon=0.01)
    assert found.value == pytest.approx(lengths.mean(), rel=1e-12)
    assert found.trimmed == pytest.approx(lengths[2:-2].mean(), rel=1e-12)
    assert found.standard_error == pytest.approx(lengths.std(ddof=1) / 300**0.5, rel=1e-12)


@pytest.mark.parametrize(("count", "kept"), [(2, 2), (100, 100), (200, 198), (300, 296), (50_000, 49_002)])
def test_what_is_trimmed_is_beyond_stylegans_percentiles(count, kept):
    lengths = np.random.default_rng(0).exponential(size=count)
    low, high = (np.percentile(lengths, q, method=side) for q, side in ((1, "lower"), (99, "higher")))
    wanted = lengths[(lengths >= low) & (lengths <= high)]
    assert len(wanted) == kept
    assert trimmed_mean(torch.from_numpy(lengths)) == pytest.approx(wanted.mean(), rel=1e-12)


def test_equal_lengths_at_a_percentile_are_all_kept():
    assert trimmed_mean(torch.tensor([1.0] * 150 + [5.0] * 150).double()) == 3.0


def test_refusals():
    def same(z):
        return z

    with pytest.raises(
        ValueError, match=r"start and end must be floating-point latents \(N, ...\) of one shape, 2 or more; found"
    ):
        perceptual_path_length(same, START, END[:9])
    with pytest.raises(ValueError, match=r"2 or more; found float64 \(1, 6\) and float64 \(1, 6\)"):
        perceptual_path_length(same, START[:1], END[:1])
    for epsilon, batch in ((0.0, 64), (2.0, 64), (math.nan, 64), (1e-4, 0)):
        with pytest.raises(ValueError, match=r"epsilon must be in \(0, 1\] and batch 1 or more; found"):
            perceptual_path_length(same, START, END, epsilon, batch=batch)
    with pytest.raises(ValueError, match="path is spherical or linear and where anywhere or start; found 'round'"):
        perceptual_path_length(same, START, END, path="round")
    with pytest.raises(ValueError, match="where anywhere or start; found 'linear' and 'end'"):
        perceptual_path_length(same, START, END, path="linear", where="end")
    with pytest.raises(ValueError, match="first features must be finite; sample 0 is not"):
        perceptual_path_length(lambda z: z * torch.nan, START, END)
    with pytest.raises(ValueError, match=r"second features must be floating-point numbers \(N, d\); found int64"):
        path_length_between(START, START.long())
    with pytest.raises(
        ValueError, match=r"steps have features \(N, d\) at both ends, 2 or more; found float64 \(40, 6\) a"
    ):
        path_length_between(START, END[:3])
    with pytest.raises(ValueError, match="epsilon must be above 0; found 0"):
        path_length_between(START, END, 0.0)
