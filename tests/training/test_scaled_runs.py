"""Runs on points far from standard scale: networks see scaled points, everything else the units of the data."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

import zerosum
from zerosum.data.scaling import measured, standardised
from zerosum.data.sources.arrays import Arrays, ArraySource
from zerosum.data.toys.gaussians import Ring
from zerosum.evaluation.evaluate import evaluate
from zerosum.game.judgement import Judgement
from zerosum.metrics.modes import mode_coverage
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.recipes.library.toys import ring
from zerosum.report.write import write_report
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.training.train import train

SHORT = replace(
    ring(),
    generator=MLPGenerator(hidden=(8,)),
    discriminator=MLPDiscriminator(hidden=(8,)),
    batch=16,
    images=64,
    tick=32,
    snapshot=32,
)
STAMPS = 1.7e9 + np.random.default_rng(0).normal(size=(500, 2))


def files(run):
    checkpoint = newest_checkpoint(run)[1]
    states = {f"{group}/{name}": t for group, state in checkpoint.groups.items() for name, t in state.items()}
    return {name: (t.dtype, t.numpy().tobytes()) for name, t in states.items()}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scaled")
    np.save(folder / "stamps.npy", STAMPS)
    return train(replace(SHORT, data=Arrays(str(folder / "stamps.npy"))), folder / "run", quiet=True)


def test_a_ring_is_learned_the_same_at_any_power_of_two(tmp_path):
    """At 1,024 times the size, the networks see the very numbers of a ring scaled by the map of the larger one."""
    large = replace(SHORT, data=Ring(radius=2 * 1024.0, std=0.02 * 1024))
    scaling = measured(large.data.open())
    small = replace(
        SHORT, data=ArraySource(standardised(large.data.open(), scaling).read(torch.arange(50_000)).numpy())
    )
    one, other = train(large, tmp_path / "large", quiet=True), train(small, tmp_path / "small", quiet=True)
    assert newest_checkpoint(other)[1].numbers.get("coding") is None
    inner = {name: value for name, value in files(one).items() if not name.startswith("coding/")}
    assert inner == files(other)
    samples, plain = one.generator.sample(50), other.generator.sample(50)
    assert np.array_equal(samples, plain * scaling.scale.numpy() + scaling.offset.numpy())
    covered = mode_coverage(one.generator.sample(2_500), large.data.centres(), large.data.std)
    assert {name: one.scores[name] for name in covered.as_dict()} == covered.as_dict()


def test_samples_scores_and_the_discriminator_have_the_units_of_the_data(run):
    from_file, from_checkpoint = zerosum.load(run), None
    samples = from_file.sample(40)
    assert samples.dtype == np.float64 and np.abs(samples - 1.7e9).max() < 100 and len(np.unique(samples)) == 80
    (run / "generator.safetensors").rename(run / "elsewhere.safetensors")
    try:
        from_checkpoint = zerosum.load(run)
    finally:
        (run / "elsewhere.safetensors").rename(run / "generator.safetensors")
    assert np.array_equal(from_checkpoint.sample(40), samples)
    scores = run.discriminator(STAMPS[:40])
    coding = newest_checkpoint(run)[1].groups["coding"]
    scaled = ((STAMPS[:40] - coding["offset"].numpy()) / coding["scale"].numpy()).astype(np.float32)
    assert np.array_equal(scores, Judgement.of(run.discriminator.module(torch.from_numpy(scaled))).score.numpy())
    assert len(np.unique(scores)) > 30
    assert evaluate(STAMPS, from_file, ("fid",)).values["fid"] < 100


def test_its_report_and_its_sample_plots_have_the_units_of_the_data(run, monkeypatch):
    import zerosum.report._points as section
    import zerosum.training.sample_images as images

    seen = []
    for module in (section, images):
        monkeypatch.setattr(module, "scatter", lambda *points, **_: seen.append(points) or module_image())
    write_report(run)
    images.save_samples(run.path.parent / "x.png", run.generator, run.recipe.data.open(), 0)
    scaled = standardised(run.recipe.data.open(), measured(run.recipe.data.open()))
    images.save_samples(run.path.parent / "x.png", run.generator, scaled, 0)
    assert len(seen) == 3
    for made, real, *_ in seen:
        assert np.abs(made - 1.7e9).max() < 100 and np.abs(real - 1.7e9).max() < 100
        assert len(np.unique(real)) == real.size


def module_image():
    from PIL import Image

    return Image.new("RGB", (4, 4))


def test_it_resumes_exactly(run, tmp_path):
    again = tmp_path / "run"
    shutil.copytree(run, again)
    (again / "generator.safetensors").unlink()
    shutil.rmtree(again / "checkpoints" / run.checkpoints[0].name)
    assert newest_checkpoint(again)[1].numbers["images"] == 32
    assert files(train(run.recipe, again, quiet=True)) == files(run)


class Noise(Dataset):
    """Points that differ at each reading, by a factor that grows."""

    def __init__(self):
        self.factor = 1e4

    def __len__(self):
        return 64

    def __getitem__(self, index):
        self.factor *= 1.01
        return torch.randn(2) * self.factor


def test_random_data_keep_the_scaling_of_their_run(tmp_path):
    data = Noise()
    train(replace(SHORT, images=32), tmp_path / "run", data=data, quiet=True)
    before = newest_checkpoint(tmp_path / "run")[1].groups["coding"]["scale"]
    recipe = tmp_path / "run" / "recipe.txt"
    recipe.write_text(recipe.read_text().replace("images=32", "images=64"))
    train(SHORT, tmp_path / "run", data=data, quiet=True)
    after = newest_checkpoint(tmp_path / "run")[1]
    assert after.numbers["images"] == 64 and torch.equal(after.groups["coding"]["scale"], before)
    assert measured(zerosum.data.source(data).open()).scale.min() > before.max()
