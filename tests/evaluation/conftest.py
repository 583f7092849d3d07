"""Small sets in every format, and a small trained run."""

import json
import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from tests.forked import python

from zerosum.cli import main
from zerosum.data.sources.digits import Digits
from zerosum.game.latents import Normal
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.recipe import Recipe
from zerosum.training.train import train

RECIPE = Recipe(
    name="small",
    data=Digits(),
    generator=DCGANGenerator(size=4),
    discriminator=DCGANDiscriminator(size=4),
    objective=NonSaturating(),
    conditional=True,
    latent=Normal(8),
    batch=16,
    images=64,
    precision="float32",
)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """An empty cache folder."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder / "zerosum" / "evaluation"


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run folder."""
    return train(RECIPE, tmp_path_factory.mktemp("runs") / "small", quiet=True)


def noise_images(count=40, size=12, channels=3, seed=0):
    """One image plus noise; mean and standard deviation grow with the seed: uint8 (N, H, W, C)."""
    centre = np.random.default_rng(0).integers(60, 180, (size, size, channels)) + 2 * seed
    noise = np.random.default_rng(seed).normal(0, 20 + seed, (count, size, size, channels))
    return (centre + noise).clip(0, 255).astype(np.uint8)


def as_folder(folder, images, labels=None):
    """Write images as PNG files, with labels into one folder per class."""
    for index, image in enumerate(images):
        home = folder if labels is None else folder / str(labels[index])
        home.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.squeeze()).save(home / f"{index:04}.png")
    return folder


@pytest.fixture
def sets(tmp_path):
    """Two `.npz` files of images with similar distributions."""
    paths = [tmp_path / "real.npz", tmp_path / "fake.npz"]
    for seed, path in enumerate(paths):
        np.savez(path, images=noise_images(40 + 10 * seed, seed=seed))
    return paths


def zerosum(*arguments, code=0, **environment):
    """Run a command in a process; return standard output, parsed as JSON with `--json`, and standard error."""
    done = python("-W", "error", "-m", "zerosum", *arguments, env={**os.environ, **environment})
    assert done.returncode == code, f"{done.args} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return (json.loads(done.stdout) if "--json" in arguments and not code else done.stdout), done.stderr


@pytest.fixture
def make():
    """The helper functions of this file, by name."""
    return SimpleNamespace(noise_images=noise_images, as_folder=as_folder, zerosum=zerosum)


@pytest.fixture
def command(monkeypatch, capsys):
    """The same command line in this process, so that torch is imported only once."""

    def run(*arguments, code=0):
        monkeypatch.setattr(sys, "argv", ["zerosum", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert ended.value.code == code, f"{arguments} ended with {ended.value.code}:\n{out}\n{err}"
        return (json.loads(out) if "--json" in arguments and not code else out), err

    return run
