"""The trained discriminator: it scores as the game's did, whatever form samples come in."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from zerosum.data.sources.digits import Digits
from zerosum.data.toys.gaussians import Ring
from zerosum.game.judgement import Judgement
from zerosum.game.latents import Normal
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.wasserstein import Hinge
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.runs.checkpoint import Checkpoint, newest_checkpoint, save_checkpoint
from zerosum.runs.discriminator import load_discriminator
from zerosum.runs.run import Run
from zerosum.training.train import train

DIGITS = Recipe(
    name="digits",
    generator=MLPGenerator(hidden=(8,)),
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=Hinge(),
    latent=Normal(3),
    data=Digits(),
    conditional=True,
    images=64,
    batch=16,
    tick=64,
    snapshot=64,
)
POINTS = replace(DIGITS, name="points", data=Ring(count=256), conditional=False)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return train(DIGITS, tmp_path_factory.mktemp("runs") / "digits", quiet=True)


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    return train(POINTS, tmp_path_factory.mktemp("runs") / "points", quiet=True)


def test_scores_are_those_of_the_network_in_the_checkpoint(digits):
    D = digits.discriminator
    weights = newest_checkpoint(digits.path)[1].groups["D"]
    assert D.images == 64 and not D.module.training
    assert all(torch.equal(tensor, weights[name]) for name, tensor in D.module.state_dict().items())
    x = digits.recipe.data.open().read(torch.arange(4))
    labels = torch.tensor([3, 1, 4, 1])
    with torch.no_grad():
        wanted = Judgement.of(D.module(x / 127.5 - 1, labels)).score.numpy()
    images = x.permute(0, 2, 3, 1)
    for given in (images, images.numpy(), x.float() / 127.5 - 1, (x.double() / 127.5 - 1).numpy()):
        assert D(given, labels.tolist()) == pytest.approx(wanted, rel=1e-5, abs=1e-6)


def test_a_score_depends_on_its_condition_and_not_on_the_batch(digits):
    D = digits.discriminator
    images = digits.generator.sample(300)
    scores = D(images)
    assert scores.shape[0] == 300 and scores.dtype == np.float32
    assert D(images[:3]) == pytest.approx(scores[:3], rel=1e-5, abs=1e-6)
    assert D(images[:3], [9, 9, 9]) != pytest.approx(scores[:3], rel=1e-5)


def test_points_are_scored_in_their_units(points):
    D = points.discriminator
    x = points.generator.sample(5)
    with torch.no_grad():
        wanted = Judgement.of(D.module(torch.from_numpy(x))).score.numpy()
    assert D(x) == pytest.approx(wanted, rel=1e-6)
    assert D(x.tolist()) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((2, 28, 28), np.uint8),
        np.zeros((2, 1, 28, 28), np.uint8),
        np.zeros((2, 28, 28, 1)),
        np.zeros((0, 28, 28, 1), np.uint8),
        np.uint8(3),
        [],
    ],
    ids=lambda x: str(np.shape(x)),
)
def test_samples_of_another_shape_are_refused(digits, x):
    with pytest.raises(
        ValueError, match=r"x should be uint8 images \(N, 28, 28, 1\) or floats \(N, 1, 28, 28\); found"
    ):
        digits.discriminator(x)


def test_a_condition_that_was_not_learned_is_refused(points):
    with pytest.raises(ValueError, match="this points discriminator is unconditional"):
        points.discriminator(np.zeros((1, 2)), [0])


def test_without_a_checkpoint_there_is_no_discriminator(tmp_path):
    (tmp_path / "recipe.txt").write_text(pretty(POINTS))
    with pytest.raises(ValueError, match="has no checkpoint, which is the only file with the discriminator"):
        _ = Run(tmp_path).discriminator


def test_a_discriminator_that_does_not_fit_is_refused(points, tmp_path):
    shutil.copytree(points / "checkpoints", tmp_path / "checkpoints")
    (tmp_path / "recipe.txt").write_text(pretty(replace(POINTS, discriminator=MLPDiscriminator(hidden=(9,)))))
    with pytest.raises(ValueError, match="the discriminator of its newest checkpoint does not fit"):
        load_discriminator(tmp_path)


def test_a_game_of_other_networks_is_an_error(points, tmp_path):
    checkpoint = newest_checkpoint(points.path)[1]
    others = Checkpoint({name: g for name, g in checkpoint.groups.items() if name != "D"}, checkpoint.numbers)
    save_checkpoint(tmp_path / "checkpoints" / points.checkpoints[0].name, others)
    (tmp_path / "recipe.txt").write_text(pretty(POINTS))
    with pytest.raises(ValueError, match="the game of points has no discriminator named D"):
        load_discriminator(tmp_path)
