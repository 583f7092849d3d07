"""Files of samples: whole or not there, written as the samples come, and refused at once where there is no room."""

import errno
import os
import shutil
import weakref

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum import cli
from zerosum.cli import _samples, _target
from zerosum.cli._output import save_image
from zerosum.cli.sample import sample
from zerosum.game.latents import Normal
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.wasserstein import Hinge
from zerosum.recipes.recipe import Recipe
from zerosum.runs import generator as generators
from zerosum.runs.generator import TrainedGenerator, build_generator, generator_bytes, load

RECIPE = Recipe(
    name="tiny",
    generator=MLPGenerator(hidden=(8,)),
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=Hinge(),
    latent=Normal(3),
)


def saved(path, shape):
    torch.manual_seed(0)
    module = build_generator(RECIPE, shape).eval()
    path.write_bytes(generator_bytes(TrainedGenerator(RECIPE, module, shape, 7)))
    return path


@pytest.fixture
def images(tmp_path):
    return saved(tmp_path / "images.safetensors", (3, 4, 5))


@pytest.fixture
def points(tmp_path):
    return saved(tmp_path / "points.safetensors", (2,))


def test_files_hold_what_sample_returns(images, points, tmp_path):
    whole = load(images).sample(1100, 3)
    sample(images, n=1100, seed=3, out=tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz") as arrays:
        assert arrays["images"].dtype == np.uint8 and np.array_equal(arrays["images"], whole)
    sample(images, n=1100, seed=3, out=tmp_path / "folder")
    with Image.open(tmp_path / "folder" / "001099.png") as image:
        assert np.array_equal(np.asarray(image), whole[1099])
    sample(points, n=600, seed=3, out=tmp_path / "p.npz")
    with np.load(tmp_path / "p.npz") as arrays:
        assert arrays["points"].dtype == np.float32 and np.array_equal(arrays["points"], load(points).sample(600, 3))


@pytest.mark.parametrize("name", ["x.npz", "x.png", "folder"])
def test_no_more_than_a_batch_is_held(images, tmp_path, monkeypatch, name):
    """Each batch is gone when the next one is made."""
    made, alive = [], []
    render = TrainedGenerator.render

    def watched(generator, z, values=None):
        x = render(generator, z, values)
        made.append(weakref.ref(x))
        alive.append(sum(one() is not None for one in made))
        return x

    monkeypatch.setattr(TrainedGenerator, "render", watched)
    sample(images, n=4_000, out=tmp_path / name)
    assert len(made) > 8 and max(alive) <= 3


def test_large_images_are_made_a_few_at_a_time(images, monkeypatch):
    whole, sizes = load(images).sample(100), []
    monkeypatch.setattr(generators, "_VALUES", 600)
    generator = load(images)
    forward = type(generator.module).forward

    def watched(module, z):
        sizes.append(len(z))
        return forward(module, z)

    monkeypatch.setattr(type(generator.module), "forward", watched)
    assert np.abs(generator.sample(100).astype(int) - whole).max() <= 1
    assert max(sizes) == 10, "600 values of 3 x 4 x 5"


@pytest.mark.parametrize(("name", "words"), [("x.npz", "x.npz"), ("x.png", "x.png"), ("folder", "folder")])
def test_a_disk_that_fills_leaves_what_was_there_and_nothing_else(images, tmp_path, monkeypatch, name, words):
    if name != "folder":
        (tmp_path / name).write_text("old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(_samples, "_write_conditions", full)
    monkeypatch.setattr(_samples.Path, "rename", full)
    with pytest.raises(OSError, match="No space left on device"):
        sample(images, n=10, out=tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({"images.safetensors", name} - {"folder"})
    assert name == "folder" or (tmp_path / name).read_text() == "old"


def test_an_interruption_leaves_nothing(images, tmp_path, monkeypatch):
    def stop(*_):
        yield np.zeros((1, 4, 5, 3), np.uint8)
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainedGenerator, "sample_batches", stop)
    monkeypatch.setattr(_target, "check_target", lambda *_: None)
    for name in ("x.npz", "x.png", "folder"):
        with pytest.raises(KeyboardInterrupt):
            sample(images, n=3, out=tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["images.safetensors"]


@pytest.mark.parametrize("n", [100_000_000_000, 10**20])
@pytest.mark.parametrize("name", ["x.npz", "x.png", "folder"])
def test_an_absurd_number_is_refused_at_once(images, tmp_path, n, name):
    with pytest.raises(ValueError, match="n should be at most 100,000,000 in one call; found"):
        sample(images, n=n, out=tmp_path / name)


def test_a_grid_of_too_many_pixels_is_refused_before_samples_are_made(images, tmp_path):
    with pytest.raises(
        ValueError, match=r"a grid of 1,000,000 images would have .* million pixels, more than 250: draw"
    ):
        sample(images, n=1_000_000, out=tmp_path / "x.png")


def test_more_than_the_disk_has_is_refused_before_samples_are_made(images, points, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(2**30, 2**30, 10**6))
    for name in ("x.npz", "deep/folder"):
        with pytest.raises(
            ValueError, match=r"100,000 samples take 0\.0 GB, and .* has 0\.0 GB free: give a smaller --n"
        ):
            sample(images, n=100_000, out=tmp_path / name)
    monkeypatch.setattr(_target, "_MOST_PLOTTED", 10**6)
    with pytest.raises(ValueError, match="1,000,000 points are too many to plot: give a smaller --n"):
        sample(points, n=1_000_000, out=tmp_path / "x.png")


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")])
def test_too_little_memory_says_what_to_do(images, tmp_path, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(TrainedGenerator, "render", fail)
    with pytest.raises(
        MemoryError, match=r"^out of memory for samples of tiny: close other programs, or give a smaller --n"
    ):
        sample(images, n=10, out=tmp_path / "x.npz")


def test_another_error_passes(images, tmp_path, monkeypatch):
    monkeypatch.setattr(TrainedGenerator, "render", lambda *_: {}["x"])
    with pytest.raises(KeyError):
        sample(images, n=10, out=tmp_path / "x.npz")


def test_an_image_has_the_suffix_of_an_image(tmp_path):
    with pytest.raises(ValueError, match=r"should end in \.png, \.jpg, \.jpeg or \.webp$"):
        save_image(Image.new("L", (2, 2)), tmp_path / "sheet.txt")
    assert not [*tmp_path.iterdir()]


def test_a_rgba_generator_is_drawn_on_white(tmp_path):
    file = saved(tmp_path / "rgba.safetensors", (4, 4, 4))
    sample(file, n=4, out=tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as image:
        assert image.mode == "RGB"
    assert load(file).sample(1).shape == (1, 4, 4, 4)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (MemoryError(), "out of memory for this command: close other programs, or give a smaller number of samples"),
        (RuntimeError("CUDA out of memory"), "out of memory for this command: close other programs, or give a smaller"),
        (MemoryError("out of memory with a batch of 16: try --set batch=8"), "out of memory with a batch of 16: try"),
    ],
)
def test_too_little_memory_in_any_command_is_a_sentence(monkeypatch, capsys, error, sentence):
    def fail():
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1 and capsys.readouterr().err.startswith(f"zerosum: {sentence}")
