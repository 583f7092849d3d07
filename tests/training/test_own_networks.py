"""Runs of networks of one's own that PyTorch allows and a toolkit may trip over."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from zerosum import load, train
from zerosum.data.dataset import in_memory
from zerosum.game import Batch
from zerosum.objectives import Hinge
from zerosum.recipes import gan, ring
from zerosum.terms import R1, GradientPenalty, ModeSeeking, PathLength
from zerosum.training.build import build_game

pytestmark = pytest.mark.usefixtures("plotless")

SIZES = {"batch": 16, "images": 96, "tick": 32, "snapshot": 32}


class Tied(nn.Module):
    """A generator whose last layer is its first one, transposed, and whose buffer is a view of another."""

    def __init__(self):
        super().__init__()
        self.inner, self.outer = nn.Linear(2, 8, bias=False), nn.Linear(2, 8, bias=False)
        self.outer.weight = self.inner.weight
        self.register_buffer("both", torch.arange(8.0))
        self.register_buffer("upper", self.both[4:])

    def forward(self, z):
        return self.inner(z).relu() @ self.outer.weight


def critic():
    return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))


def test_tied_weights_survive_checkpoints_and_resume_exactly(tmp_path):
    recipe = replace(ring(), generator=Tied, discriminator=critic, **SIZES)
    whole = train(recipe, tmp_path / "whole", quiet=True)
    run = train(recipe, tmp_path / "run", quiet=True)
    (run / "generator.safetensors").unlink()
    max((run / "checkpoints").iterdir()).rename(tmp_path / "gone")
    train(recipe, run, quiet=True)
    assert (run / "generator.safetensors").read_bytes() == (whole / "generator.safetensors").read_bytes()
    module = load(run, known={"Tied": Tied}).module
    assert torch.equal(module.inner.weight, module.outer.weight) and torch.equal(module.upper, torch.arange(4.0, 8.0))


class Volumes(nn.Module):
    """A network of three-dimensional convolutions beside a two-dimensional one: images are slices of depth 1."""

    def __init__(self, generates):
        super().__init__()
        self.generates = generates
        self.project = nn.Linear(100, 2 * 64) if generates else nn.Linear(2 * 64, 1)
        self.volume = nn.Conv3d(2 if generates else 1, 1 if generates else 2, 3, padding=1)
        self.plane = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x):
        if self.generates:
            return self.plane(self.volume(self.project(x).view(-1, 2, 1, 8, 8))[:, :, 0]).tanh()
        return self.project(self.volume(self.plane(x)[:, :, None]).flatten(1))


def test_three_dimensional_convolutions_train_on_images():
    data = in_memory("images", torch.zeros(32, 1, 8, 8, dtype=torch.uint8))
    recipe = replace(gan(), generator=Volumes(True), discriminator=Volumes(False), conditional=False, **SIZES)
    game = build_game(recipe, data, torch.device("cpu"), "float32")
    assert game.G.network.plane.weight.is_contiguous(memory_format=torch.channels_last)
    log = game.step(batches())
    assert log["G/gradient_norm"] > 0 and log["D/gradient_norm"] > 0


def batches():
    draw = torch.Generator().manual_seed(0)
    return (Batch(torch.randn(16, 1, 8, 8, generator=draw), None, 16 * n) for n in range(100))


class Bare(nn.Module):
    """A generator that returns what its last layer gives: bfloat16 under autocast."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(100, 32), nn.ReLU(), nn.Linear(32, 64))

    def forward(self, z):
        return self.body(z).view(-1, 1, 8, 8)


def of_images():
    return nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(64, 1))


@pytest.mark.parametrize(
    "terms",
    [
        {"d_terms": (GradientPenalty(),)},
        {"d_terms": (R1(1.0),)},
        {"g_terms": (ModeSeeking(), PathLength())},
    ],
    ids=repr,
)
def test_a_generator_of_bfloat16_is_trained_in_float32_samples(terms):
    data = in_memory("images", torch.zeros(32, 1, 8, 8, dtype=torch.uint8))
    players = {"generator": Bare, "discriminator": of_images, "objective": Hinge(), "augment": None}
    recipe = replace(gan(), conditional=False, **players, **SIZES, **{"g_terms": (), "d_terms": (), **terms})
    game = build_game(recipe, data, torch.device("cpu"), "bfloat16")
    seen = []
    game.watchers = (*game.watchers, Dtypes(seen))
    for _ in range(2):
        game.step(batches())
    assert seen == ["D torch.float32", "G torch.float32"] * 2


class Dtypes:
    def __init__(self, seen):
        self.seen = seen

    def watch(self, player, turn, log):
        self.seen.append(f"{player} {turn.x_fake.dtype}")


class Counting(nn.Module):
    """A generator with a buffer that counts its calls and a random layer."""

    def __init__(self, size=8):
        super().__init__()
        self.body, self.size = nn.Sequential(nn.Linear(100, size * size), nn.Dropout()), size
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, z):
        self.calls += 1
        return self.body(z).view(-1, 1, self.size, self.size)


def test_samples_of_another_shape_are_refused_before_the_first_update():
    data = in_memory("dots", torch.zeros(32, 1, 8, 8, dtype=torch.uint8))
    recipe = replace(gan(), generator=Counting(), discriminator=of_images, conditional=False, **SIZES)
    torch.manual_seed(3)
    assert build_game(recipe, data, torch.device("cpu"), "float32").G.network.calls == 0
    drawn = torch.rand(())
    torch.manual_seed(3)
    assert drawn == torch.rand(()), "the trial draws nothing of the run's"
    message = r"Counting gives samples of shape \(1, 9, 9\), and those of dots have \(1, 8, 8\)"
    with pytest.raises(ValueError, match=message):
        build_game(replace(recipe, generator=Counting(9)), data, torch.device("cpu"), "float32")
