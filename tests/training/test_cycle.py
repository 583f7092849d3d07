"""Two games that share their batches: each learns what a game by itself would, and both are resumed."""

import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn.utils import get_total_norm

import zerosum
from zerosum.data import Digits, Masked
from zerosum.networks import Blind, MLPDiscriminator
from zerosum.recipes.translation import Cycle
from zerosum.training.batches import Batches
from zerosum.training.build import build_game
from zerosum.training.train import train

SCRIPT = Path(__file__).with_name("cycle_runs.py")
killed_run = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "training" / "killed_run.py")))
runs = killed_run.loaded(SCRIPT)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    return Path(train(runs.RECIPE, tmp_path_factory.mktemp("straight") / "run", quiet=True))


def test_a_killed_run_continues_to_the_same_bits(tmp_path, straight):
    killed_run.assert_resumes_to_the_same_bits(SCRIPT, straight, tmp_path / "run")


def test_two_ranks_end_where_one_process_does(tmp_path, straight):
    run = tmp_path / "run"
    assert killed_run.trained(SCRIPT, run, ranks=2) == [0, 0]
    one, other = killed_run.tensors(straight), killed_run.tensors(run)
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(tensor, other[name], atol=1e-6, rtol=1e-5, msg=name)


def test_a_step_is_that_of_cyclegan():
    """By plain gradients: both discriminators on detached samples, then G of GAN loss and both cycles."""
    recipe = replace(runs.RECIPE, game=Cycle(weight=5.0), G_opt=runs.STEADY)
    dataset = recipe.data.open()
    game = build_game(recipe, dataset, CPU, "float32")
    G, F = (nets["G"] for nets in (game.forward.networks, game.backward.networks))
    b, a = (lambda batch: (batch.x, batch.c))(next(Batches(dataset, 12, True, 0, CPU)))
    z = torch.zeros(12, 4)
    D_b, D_a = game.forward.D.network, game.backward.D.network
    expected = {
        "D/loss": ((D_b.inner(b).score - 1) ** 2).mean() / 2 + (D_b.inner(G(z, a)).score ** 2).mean() / 2,
        "back_D/loss": ((D_a.inner(a).score - 1) ** 2).mean() / 2 + (D_a.inner(F(z, b)).score ** 2).mean() / 2,
        "G/CycleTerm": 5 * ((F(z, G(z, a)) - a).abs().mean() + (G(z, F(z, b)) - b).abs().mean()),
    }
    own = torch.autograd.grad(expected["G/CycleTerm"], [*G.parameters()], retain_graph=True)
    log = game.step(Batches(dataset, 12, True, 0, CPU))
    for name, value in expected.items():
        torch.testing.assert_close(log[name], value.detach(), rtol=1e-5, atol=1e-6, msg=name)
    assert {"back_G/loss", "back_G/CycleTerm", "back_G/gradient_norm"} <= log.keys()
    assert game.images == 12 and game.steps == 1
    only = build_game(replace(recipe, game=Cycle(weight=5.0), objective=Nothing()), dataset, CPU, "float32")
    log = only.step(Batches(dataset, 12, True, 0, CPU))
    torch.testing.assert_close(log["G/gradient_norm"], get_total_norm(own), rtol=1e-4, atol=1e-6)


class Nothing:
    reads_real = False

    def d_loss(self, real, fake):
        return 0 * (real.sum() + fake.sum())

    def g_loss(self, fake, real=None):
        return 0 * fake.sum()


def test_both_generators_are_loaded_and_sampled(straight):
    for name in ("generator", "backward"):
        generator = zerosum.load(straight, known=runs.KNOWN, generator=name)
        assert generator.sample(3, seed=1).shape == (3, 8, 8, 1)
    there, back = (zerosum.load(straight, known=runs.KNOWN, generator=name) for name in ("generator", "backward"))
    assert not torch.equal(there.module.linear.weight, back.module.linear.weight)


def test_a_blind_discriminator_sees_no_condition():
    torch.manual_seed(0)
    D = Blind(MLPDiscriminator(hidden=(8,))).build((2,), zerosum.conditions.Labels(3))
    x = torch.randn(5, 2)
    assert isinstance(D, nn.Module) and torch.equal(D(x, torch.arange(5) % 3).score, D(x).score)


def test_what_cannot_be_translated_is_refused():
    with pytest.raises(ValueError, match="weight and noise of Cycle are at least 0"):
        Cycle(weight=-1.0)
    wrong = replace(runs.RECIPE, data=Masked(Digits()))
    with pytest.raises(ValueError, match="Cycle translates images to images of the same shape, and digits has"):
        build_game(wrong, wrong.data.open(), CPU, "float32")
    with pytest.raises(ValueError, match="Cycle has the generators generator and backward; found 'other'"):
        Cycle().generator("other", runs.RECIPE, (1, 8, 8), None)
    with pytest.raises(ValueError, match="Cycle does not use n_critic: leave it at 1"):
        replace(runs.RECIPE, n_critic=2)
