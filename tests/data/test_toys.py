import math

import numpy as np
import pytest
import torch

from zerosum.data.toys.gaussians import Gaussian1D, GaussianMixture, GaussianMixture1D, Grid, Ring
from zerosum.data.toys.shapes import Checkerboard, Circles, Moons, Spiral, SwissRoll, Uniform1D

SOURCES = [
    Ring(),
    Grid(),
    GaussianMixture(),
    Gaussian1D(),
    GaussianMixture1D(),
    Moons(),
    Circles(),
    Spiral(),
    SwissRoll(),
    Checkerboard(),
    Uniform1D(),
]


def points(source):
    data = source.open()
    return data.read(torch.arange(len(data))).double().numpy()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: type(source).__name__)
def test_points_follow_from_the_seed_alone(source):
    few = type(source)(count=100)
    assert np.array_equal(points(few), points(few))
    assert not np.array_equal(points(few), points(type(source)(count=100, seed=1)))
    data = source.open()
    x = data.read(torch.arange(len(data)))
    assert (len(data), x.dtype, x.shape[1:]) == (50_000, torch.float32, data.shape)
    assert eval(repr(source)) == source


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: type(source).__name__)
def test_one_point_is_enough(source):
    assert points(type(source)(count=1)).shape == (1, *source.open().shape)


@pytest.mark.parametrize("source", [Ring(), Ring(modes=3, radius=1.0), Grid(), Grid(side=2), GaussianMixture()])
def test_mixtures_scatter_round_their_centres_evenly(source):
    data, centres = source.open(), source.centres().double().numpy()
    x, label = points(source), data.labels.numpy()
    share = np.bincount(label, minlength=len(centres)) / len(x)
    assert np.abs(share * len(centres) - 1).max() < 0.1
    offset = x - centres[label]
    assert np.abs(offset.mean(0)).max() < 5 * source.std / math.sqrt(len(x))
    assert np.allclose(offset.std(0), source.std, rtol=0.02)
    assert data.classes == tuple(str(mode) for mode in range(len(centres)))


def test_ring_and_grid_lie_where_they_say():
    quarter = [2 * math.pi * k / 8 for k in range(8)]
    ring = [[2 * math.cos(angle), 2 * math.sin(angle)] for angle in quarter]
    assert np.allclose(Ring().centres().numpy(), ring, atol=1e-6)
    grid = [[x, y] for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)]
    assert Grid().centres().tolist() == grid
    assert Grid(side=1).centres().tolist() == [[0, 0]]


def test_layout_and_not_seed_moves_the_centres_of_a_mixture():
    centres = GaussianMixture(dimensions=7, modes=3).centres()
    assert torch.allclose(centres.norm(dim=1), torch.tensor(4.0))
    assert torch.equal(centres, GaussianMixture(dimensions=7, modes=3, seed=5).centres())
    assert not torch.equal(centres, GaussianMixture(dimensions=7, modes=3, layout=1).centres())


def test_gaussian_on_the_line_has_its_mean_and_std():
    x = points(Gaussian1D(mean=-3.0, std=0.25))
    assert abs(x.mean() + 3) < 0.01
    assert abs(x.std() - 0.25) < 0.005


def test_mixture_on_the_line_has_its_weights_means_and_stds():
    source = GaussianMixture1D(means=(-5.0, 5.0), stds=(0.5, 1.0), weights=(1.0, 3.0))
    x, label = points(source)[:, 0], source.open().labels.numpy()
    assert abs((label == 1).mean() - 0.75) < 0.01
    for mode, (mean, std) in enumerate([(-5, 0.5), (5, 1.0)]):
        assert abs(x[label == mode].mean() - mean) < 0.03
        assert abs(x[label == mode].std() - std) < 0.03


def test_interval_is_filled_evenly():
    x = points(Uniform1D(low=2.0, high=6.0))
    assert np.abs(np.histogram(x, bins=8, range=(2, 6))[0] / len(x) - 1 / 8).max() < 0.01


def test_shapes_without_noise_lie_on_their_curves():
    x, moon = points(Moons(noise=0.0)), Moons(noise=0.0).open().labels.numpy()
    centre = np.where(moon[:, None] == 0, [[-0.5, -0.25]], [[0.5, 0.25]])
    assert np.allclose(np.hypot(*(x - centre).T), 1, atol=1e-5)
    assert ((x - centre)[:, 1] * np.where(moon == 0, 1, -1) > -1e-5).all()
    circle = Circles(radii=(0.5, 3.0), noise=0.0)
    assert np.allclose(np.hypot(*points(circle).T), np.array([0.5, 3.0])[circle.open().labels], atol=1e-5)
    roll = points(SwissRoll(noise=0.0))
    radius = np.hypot(*roll.T)
    assert np.allclose(roll[:, 0], radius * np.cos(4.5 * np.pi * radius / 2), atol=1e-5)
    assert abs(radius.min() - 2 / 3) < 1e-3
    assert abs(radius.max() - 2) < 1e-3


def test_arms_of_a_spiral_are_one_arm_turned():
    source = Spiral(arms=3, noise=0.0)
    x, arm = points(source), source.open().labels.numpy()
    radius, angle = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    wanted = 2 * np.pi * (1.5 * radius / 2 + arm / 3)
    far = radius > 0.01
    assert np.allclose(np.cos((angle - wanted)[far]), 1, atol=1e-4)
    assert abs((radius < math.sqrt(2)).mean() - 0.5) < 0.01


def test_checkerboard_fills_its_dark_cells_and_nothing_else():
    cell = np.floor(points(Checkerboard(cell=0.5)) / 0.5 + 2).astype(int)
    cells, count = np.unique(cell, axis=0, return_counts=True)
    assert (cells.sum(1) % 2 == 0).all()
    assert len(cells) == 8
    assert np.abs(count / 50_000 - 1 / 8).max() < 0.01


@pytest.mark.parametrize(
    ("make", "needs"),
    [
        (lambda: Ring(modes=0), r"Ring needs modes >= 1 and radius > 0, but was given Ring\(modes=0, "),
        (lambda: Ring(radius=0.0), "Ring needs modes >= 1 and radius > 0"),
        (lambda: Ring(std=-1.0), "Ring needs std >= 0 and count >= 1"),
        (lambda: Ring(count=0), "Ring needs std >= 0 and count >= 1"),
        (lambda: Grid(side=0), "Grid needs side >= 1 and spacing > 0"),
        (lambda: Grid(spacing=0.0), "Grid needs side >= 1 and spacing > 0"),
        (lambda: Grid(std=math.nan), "Grid needs std >= 0 and count >= 1"),
        (lambda: GaussianMixture(dimensions=0), "GaussianMixture needs dimensions >= 1 and modes >= 1"),
        (lambda: GaussianMixture(radius=0.0), "GaussianMixture needs radius > 0 and std >= 0"),
        (lambda: GaussianMixture(count=0), "GaussianMixture needs count >= 1"),
        (lambda: Gaussian1D(std=0.0), "Gaussian1D needs std > 0 and count >= 1"),
        (lambda: GaussianMixture1D(means=()), "GaussianMixture1D needs as many means as stds, at least one"),
        (lambda: GaussianMixture1D(means=(1.0,)), "GaussianMixture1D needs as many means as stds"),
        (
            lambda: GaussianMixture1D(weights=(1.0,)),
            "GaussianMixture1D needs as many weights as means, or none",
        ),
        (lambda: GaussianMixture1D(stds=(1.0, 0.0, 1.0)), "GaussianMixture1D needs every std > 0"),
        (lambda: GaussianMixture1D(weights=(1.0, 0.0, 1.0)), "GaussianMixture1D needs every weight > 0"),
        (lambda: GaussianMixture1D(count=0), "GaussianMixture1D needs count >= 1"),
        (lambda: Moons(noise=-0.1), "Moons needs noise >= 0 and count >= 1"),
        (lambda: Circles(radii=()), "Circles needs radii > 0, at least one"),
        (lambda: Circles(count=0), "Circles needs noise >= 0 and count >= 1"),
        (lambda: Spiral(arms=0), "Spiral needs arms >= 1 and radius > 0"),
        (lambda: Spiral(noise=-1.0), "Spiral needs noise >= 0 and count >= 1"),
        (lambda: SwissRoll(radius=0.0), "SwissRoll needs radius > 0"),
        (lambda: SwissRoll(noise=-1.0), "SwissRoll needs noise >= 0 and count >= 1"),
        (lambda: Checkerboard(side=0), "Checkerboard needs side >= 1, cell > 0 and count >= 1"),
        (lambda: Uniform1D(low=1.0, high=1.0), "Uniform1D needs low < high and count >= 1"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(make, needs):
    with pytest.raises(ValueError, match=needs):
        make()
