"""A denoising diffusion GAN is trained, resumed and sampled as other games are; its step is that of the paper."""

import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

import zerosum
from zerosum.data.sources.digits import Digits
from zerosum.game.diffusion import Denoiser
from zerosum.game.latents import Normal, Uniform
from zerosum.networks.patch import PatchDiscriminator
from zerosum.networks.unet_generator import UNet
from zerosum.recipes.denoising import Denoising
from zerosum.runs.generator import build_generator, load_live
from zerosum.runs.latents import latents_of
from zerosum.training.batches import Batches
from zerosum.training.build import build_game
from zerosum.training.train import train

SCRIPT = Path(__file__).with_name("denoising_runs.py")
killed_run = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("killed_run.py"))))
runs = killed_run.loaded(SCRIPT)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def straight(tmp_path_factory, module_plotless):
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
    assert "data:image/png" in (run / "report.html").read_text()


def test_a_run_is_sampled_without_a_condition(straight):
    """Samples are a function of z, which has the numbers of all steps; they do not depend on how many there are."""
    generator = zerosum.load(straight)
    assert isinstance(generator.module, Denoiser) and generator.condition is None
    assert generator.latents(3).shape == (3, 16)
    samples = generator.sample(7, seed=1)
    assert samples.shape == (7, 2) and np.isfinite(samples).all()
    np.testing.assert_allclose(generator.sample(3, seed=1), samples[:3], rtol=1e-5)
    z = torch.cat([*latents_of(Normal(16), 7, 1)])
    np.testing.assert_allclose(generator.render(z), samples, rtol=1e-5)
    for changed in range(16):
        moved = z.clone()
        moved[:, changed] += 1
        assert not np.allclose(generator.render(moved), samples)
    assert not np.allclose(load_live(straight).sample(7, seed=1), samples)


def test_a_step_is_that_of_the_paper():
    """D by -log D(x_t, x_{t+1}, t) - log(1 - D(x', x_{t+1}, t)), x' from the posterior of G's x_0; G by -log D(x')."""
    recipe = replace(runs.RECIPE, d_terms=())
    dataset = recipe.data.open()
    game = build_game(recipe, dataset, CPU, "float32")
    G, D = game.networks["G"], game.networks["D"]
    batches = Batches(dataset, 12, False, 0, CPU)
    first, second = game.diffused(next(batches)), game.diffused(next(batches))

    def scores(batch, c, D):
        draws = game.game.draws(batch)
        parts = Normal(4).draw(12, draws.stream("latent"))
        x = G.network(parts[:, 2:], c)
        fake = G.diffusion.undone(x, c[:, :2], c[:, 2:], parts[:, :2])
        return D(batch.x, c).score, D(fake, c).score

    with torch.no_grad():
        real, fake = scores(first, first.c, D)
        expected = softplus(-real).mean() + softplus(fake).mean()
    log = game.step(Batches(dataset, 12, False, 0, CPU))
    torch.testing.assert_close(log["D/loss"], expected, rtol=1e-5, atol=1e-6)
    again = build_game(recipe, dataset, CPU, "float32").networks["G"]  # as it was, beside the D of now
    G.load_state_dict(again.state_dict())
    with torch.no_grad():
        _, fake = scores(second, second.c, D)
    torch.testing.assert_close(log["G/loss"], softplus(-fake).mean(), rtol=1e-5, atol=1e-6)
    assert game.images == 12 and game.steps == 1


def test_images_are_denoised_under_planes():
    recipe = replace(
        runs.RECIPE,
        data=Digits(),
        generator=UNet(size=4, norm="none"),
        discriminator=PatchDiscriminator(size=4, norm="none", layers=1),
        latent=Normal(4 * (784 + 3)),
    )
    dataset = recipe.data.open()
    game = build_game(recipe, dataset, CPU, "float32")
    log = game.step(Batches(dataset, 12, False, 0, CPU))
    assert all(value.isfinite() for value in log.values())
    assert game.networks["G"].network.enter.in_channels == 1 + 4
    G = build_generator(recipe, dataset.shape)
    assert G(torch.randn(2, 4 * 787)).shape == (2, 1, 28, 28)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"latent": Normal(8)}, r"samples of 2 numbers need latent=Normal\(size\), where size is a"),
        ({"latent": Normal(18)}, r"multiple of 4 and at least 12; found Normal\(size=18\)"),
        ({"latent": Uniform(16)}, r"with 4 steps, samples of 2 numbers need latent=Normal\(size\)"),
        ({"conditional": True}, "the condition of Denoising is the noisy sample alone: set conditional=False"),
    ],
)
def test_what_cannot_be_denoised_is_refused(changes, message):
    recipe = replace(runs.RECIPE, **changes)
    with pytest.raises(ValueError, match=message):
        build_game(recipe, recipe.data.open(), CPU, "float32")


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="Denoising takes 1 to 1,000 steps; found 0"):
        Denoising(steps=0)
    for low, high in ((-0.1, 20.0), (2.0, 1.0), (0.0, 1e-9), (0.1, 1e9), (float("nan"), 20.0)):
        with pytest.raises(ValueError, match=r"Denoising needs 0 <= beta_min < beta_max, and beta_max from 0\.01 to"):
            Denoising(beta_min=low, beta_max=high)
    with pytest.raises(ValueError, match="Denoising has one generator, called 'generator'; found 'other'"):
        Denoising().generator("other", runs.RECIPE, (2,), None)
    with pytest.raises(ValueError, match="Denoising does not use micro_batch: leave it at None"):
        replace(runs.RECIPE, micro_batch=4)
