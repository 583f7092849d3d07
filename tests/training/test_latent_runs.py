"""Games in the latents of an autoencoder: whole runs, by command and from Python, down to their pictures."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import avg_pool2d, interpolate
from typer.testing import CliRunner

from zerosum.autoencoders import Latents
from zerosum.autoencoders.latents import train_autoencoder
from zerosum.cli import app
from zerosum.data import Digits
from zerosum.game.game import Game
from zerosum.game.latents import Normal
from zerosum.networks import DCGANDiscriminator, DCGANGenerator
from zerosum.objectives import NonSaturating
from zerosum.recipes import Recipe
from zerosum.recipes.recipe import pretty
from zerosum.report import write_report
from zerosum.runs import load
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.training.train import train

RECIPE = Recipe(
    name="latent",
    generator=DCGANGenerator(size=4),
    discriminator=DCGANDiscriminator(size=4, norm="none"),
    objective=NonSaturating(),
    latent=Normal(4),
    batch=16,
    images=96,
    tick=32,
    snapshot=48,
    precision="float32",
)


class Killed(BaseException):
    """Stands for a death without a last word."""


class Pooling:
    """An autoencoder without weights, as a plain object, which no text can hold."""

    def encode(self, x):
        return avg_pool2d(x, 2)

    def decode(self, latents):
        return interpolate(latents, scale_factor=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("autoencoders") / "digits"
    train_autoencoder(Digits(), made, size=8, channels=2, images=640)
    return made


@pytest.fixture(scope="module")
def straight(tmp_path_factory, folder):
    return train(latent(folder), tmp_path_factory.mktemp("runs") / "straight", quiet=True)


def latent(autoencoder):
    return replace(RECIPE, data=Latents(Digits(), autoencoder))


def test_samples_are_images_by_the_generators_file_alone(straight, folder, tmp_path):
    shutil.copy(straight / "generator.safetensors", tmp_path)
    hidden = folder.rename(folder.with_name("away"))
    try:
        generator = load(tmp_path / "generator.safetensors")
        samples = generator.sample(7, seed=3)
    finally:
        hidden.rename(folder)
    assert samples.shape == (7, 28, 28, 1)
    assert samples.dtype == np.uint8
    assert generator.shape == (2, 14, 14)
    made = generator.map(generator.latents(7, seed=3))
    wanted = Latents(Digits(), folder).open().coding.decode(made)
    pixels = ((wanted + 1) * 127.5).round().clamp(0, 255)[:, 0].numpy()
    np.testing.assert_allclose(samples[..., 0].astype(float), pixels, atol=1)


def test_the_run_shows_images_everywhere(straight):
    with Image.open(straight / "samples" / "000000096.png") as grid:
        assert grid.size[0] >= 280
    report = (straight / "report.html").read_text()
    assert "nearest training image" in report
    assert "Not shown" not in report


def test_resumed_it_ends_bit_for_bit_as_a_straight_run(straight, folder, tmp_path, monkeypatch):
    step, seen = Game.step, []

    def dying(self, batches):
        seen.append(1)
        if len(seen) == 5:
            raise Killed
        return step(self, batches)

    monkeypatch.setattr(Game, "step", dying)
    with pytest.raises(Killed):
        train(latent(folder), tmp_path / "run", quiet=True)
    unfinished = load(tmp_path / "run")
    assert unfinished.images == 48
    assert unfinished.sample(2).shape == (2, 28, 28, 1), "from a checkpoint too"
    resumed = train(latent(folder), tmp_path / "run", quiet=True)
    assert (resumed / "generator.safetensors").read_bytes() == (straight / "generator.safetensors").read_bytes()
    one, other = (newest_checkpoint(run)[1].groups for run in (resumed, straight))
    assert one.keys() == other.keys()
    assert all(torch.equal(t, other[group][name]) for group in one for name, t in one[group].items())


def test_by_command_from_the_autoencoder_to_the_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = CliRunner()
    numbers = ["--size", "4", "--channels", "1", "--images", "64", "--halvings", "1"]
    made = run.invoke(app, ["data", "autoencoder", "Digits()", "--out", "coder", *numbers])
    assert made.exit_code == 0, made.output
    assert "Latents(Digits(), 'coder')" in made.output
    (tmp_path / "small.txt").write_text(pretty(RECIPE))
    data = ["--data", "Latents(Digits(), 'coder')"]
    assert run.invoke(app, ["data", "info", data[1]]).exit_code == 0
    trained = run.invoke(app, ["train", "small.txt", *data, "--out", "run", "--images", "32"])
    assert trained.exit_code == 0, trained.output
    sampled = run.invoke(app, ["sample", "run", "--n", "4", "--out", "four.npz"])
    assert sampled.exit_code == 0, sampled.output
    assert np.load("four.npz")["images"].shape == (4, 28, 28, 1)
    assert run.invoke(app, ["report", "run"]).exit_code == 0
    found = run.invoke(app, ["data", "autoencoder", "Digits()", "--out", "coder", "--json"])
    assert found.exit_code != 0


def test_an_autoencoder_of_ones_own_is_given_again(tmp_path):
    run = train(replace(latent(Pooling()), images=16), tmp_path / "run", quiet=True)
    assert "InMemory(name='latents of digits')" in (run / "recipe.txt").read_text()
    with pytest.raises(ValueError, match=r"autoencoder \(Pooling\) was given in Python: pass it again, as load\("):
        load(run)
    generator = load(run, autoencoder=Pooling())
    samples = generator.sample(3)
    assert samples.shape == (3, 28, 28, 1)
    assert np.array_equal(samples[:, ::2, ::2], samples[:, 1::2, 1::2]), "as this autoencoder decodes"
    before = run.report.read_bytes()
    with pytest.raises(ValueError, match=r"is kept, since a new report would show no samples: .* was given in Python"):
        write_report(run)
    assert run.report.read_bytes() == before
