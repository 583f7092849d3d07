"""Small sets in every form that a side may have, and a run whose samples are known to be what they are."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

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
    """A cache folder of the test's own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder / "zerosum" / "evaluation"


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run folder."""
    return train(RECIPE, tmp_path_factory.mktemp("runs") / "small", quiet=True)


def pictures(count=40, side=12, channels=3, seed=0):
    """Noise around one picture, shifted and wider with the seed: uint8 (N, H, W, C)."""
    centre = np.random.default_rng(0).integers(60, 180, (side, side, channels)) + 2 * seed
    noise = np.random.default_rng(seed).normal(0, 20 + seed, (count, side, side, channels))
    return (centre + noise).clip(0, 255).astype(np.uint8)


def as_folder(folder, images, labels=None):
    """Write pictures as PNG files, into a folder for each class where there are labels."""
    for index, image in enumerate(images):
        home = folder if labels is None else folder / str(labels[index])
        home.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.squeeze()).save(home / f"{index:04}.png")
    return folder


@pytest.fixture
def sets(tmp_path):
    """Two `.npz` files of pictures that are alike but not the same."""
    paths = [tmp_path / "real.npz", tmp_path / "fake.npz"]
    for seed, path in enumerate(paths):
        np.savez(path, images=pictures(40 + 10 * seed, seed=seed))
    return paths


def zerosum(*arguments, code=0, **environment):
    """Run a command; its standard output as JSON where it says `--json`, else as text, and what it said."""
    command = [sys.executable, "-W", "error", "-m", "zerosum", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, **environment})
    assert done.returncode == code, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return (json.loads(done.stdout) if "--json" in arguments and not code else done.stdout), done.stderr


@pytest.fixture
def make():
    """The makers of this file, by name."""
    return SimpleNamespace(pictures=pictures, as_folder=as_folder, zerosum=zerosum)


@pytest.fixture
def command(monkeypatch, capsys):
    """The same command line without a process of its own, which would load torch anew each time."""

    def run(*arguments, code=0):
        monkeypatch.setattr(sys, "argv", ["zerosum", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, said = capsys.readouterr()
        assert ended.value.code == code, f"{arguments} ended with {ended.value.code}:\n{out}\n{said}"
        return (json.loads(out) if "--json" in arguments and not code else out), said

    return run
