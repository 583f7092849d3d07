"""Frames recorded in training: what they hold, when they are due, and that training does not depend on them."""

import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
import torch
from benchmarks.robustness.sameness import differences
from tests import frame_folders
from torch import nn
from torch.nn.functional import logsigmoid

from zerosum.data.dataset import in_memory
from zerosum.data.toys.gaussians import Gaussian1D, Ring
from zerosum.networks.minibatch import MinibatchStddev
from zerosum.networks.mlp import IdentityDiscriminator, MLPDiscriminator
from zerosum.networks.packed import Packed
from zerosum.objectives.kernel import MMD
from zerosum.runs.frames import load_frames
from zerosum.training import frames
from zerosum.training.options import RunOptions
from zerosum.training.train import train

pytestmark = pytest.mark.usefixtures("module_plotless")
RECIPE = replace(frame_folders.PLANE, data=Ring(count=3_000, std=0.1), tick=512, snapshot=512)
LINE = replace(frame_folders.LINE, data=Gaussian1D(mean=40.0, std=3.0, count=500), tick=512, snapshot=512)


class Stop:
    """Ends the run after some updates, before anything is saved."""

    def __init__(self, after):
        self.left = after

    def watch(self, player, turn, log):
        self.left -= player == "G"
        if not self.left:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(RECIPE, tmp_path_factory.mktemp("filmed") / "run", quiet=True)


def test_frames_come_four_times_while_the_images_double():
    due = [n for n in range(1, 5_000) if frames.frame_is_due(n - 1, n, batch=10)]
    assert due[:5] == [363, 431, 512, 609, 725]
    assert [round(4 * math.log2(b / a)) for a, b in pairwise(due)] == [1] * (len(due) - 1)
    longest = sum(frames.frame_is_due(a * 2**k - 2**k, a * 2**k, 256) for k in range(40) for a in range(512, 1_024))
    assert longest < 160, "so a run of any length has few"


def test_a_run_has_its_frames(run):
    data, found = load_frames(run.path)
    assert [one.images for one in found] == [0, 512, 624, 736, 864, 1_024]
    sizes = [path.stat().st_size for path in (run / "frames").iterdir()]
    assert max(sizes) < 36_000
    assert torch.equal(data.real, RECIPE.data.open().read(torch.arange(3_000)))
    assert ((data.real > data.low) & (data.real < data.high)).all()


def test_a_frame_is_of_the_networks_of_that_moment(run):
    data, found = load_frames(run.path)
    frame, G, D = found[-1], run.live, run.discriminator
    torch.testing.assert_close(frame.samples, torch.from_numpy(G.sample(2_048, seed=RECIPE.seed)))
    torch.testing.assert_close(frame.fake_scores, torch.from_numpy(D(frame.samples[::4].numpy())))
    torch.testing.assert_close(frame.field, torch.from_numpy(D(data.lattice.numpy())).half(), rtol=1e-3, atol=1e-3)
    x = frame.places.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(-logsigmoid(D.module(x).score).sum(), x)
    torch.testing.assert_close(frame.pushes, -gradient, rtol=1e-4, atol=1e-6)
    batch = torch.arange(16) * 2_048 // 16, torch.arange(16) * 3_000 // 16
    fake, real = (torch.from_numpy(D(p.numpy())) for p in (frame.samples[batch[0]], data.real[batch[1]]))
    torch.testing.assert_close(frame.value, logsigmoid(real).mean() + logsigmoid(-fake).mean())


def test_training_does_not_depend_on_frames(run, tmp_path, monkeypatch):
    monkeypatch.setattr(frames.Recorder, "record", lambda self, say: None)
    without = train(RECIPE, tmp_path / "run", quiet=True)
    assert not (without / "frames").exists()
    found = differences(run.path, without.path)
    assert found and all(name.endswith(".safetensors") and name != "generator.safetensors" for name in found)
    assert {name.removesuffix(".safetensors") for name in found} <= {"data"} | {f"{n:09d}" for n in range(2_000)}


def test_a_run_that_was_killed_and_resumed_has_the_same_frames(run, tmp_path):
    options = RunOptions(watchers=(Stop(50),))  # between two checkpoints, after frames that are not in the first
    with pytest.raises(KeyboardInterrupt):
        train(RECIPE, tmp_path / "run", quiet=True, options=options)
    assert (tmp_path / "run" / "frames" / "000000736.safetensors").exists()
    (tmp_path / "run" / "frames" / "000000624.safetensors").write_bytes(b"stale")
    resumed = train(RECIPE, tmp_path / "run", quiet=True)
    assert differences(run.path, resumed.path) == []


def test_on_the_line_samples_are_the_map_of_quantiles_in_units_of_the_networks(tmp_path):
    run = train(replace(LINE, images=512), tmp_path / "run", quiet=True)
    data, found = load_frames(run.path)
    assert data.scale.tolist() != [1] and abs(float(data.offset + data.scale * data.real.double().mean()) - 40) < 0.5
    u = (torch.arange(2_048, dtype=torch.float64) + 0.5) / 2_048
    expected = torch.from_numpy(run.live.render((2 * u - 1)[:, None].float()))
    torch.testing.assert_close(data.offset + data.scale * found[-1].samples.double(), expected)
    assert len(found[-1].field) == 256


@dataclass(frozen=True)
class Cloud:
    dimensions: int = 3

    def open(self):
        return in_memory("cloud", torch.randn(100, self.dimensions))


def test_other_runs_have_no_frames(tmp_path):
    for n, change in enumerate(({"data": Cloud()}, {"images": 496}, {"conditional": True})):
        assert load_frames(train(replace(RECIPE, **change), tmp_path / str(n), quiet=True).path) is None


def test_without_a_score_for_each_point_there_is_no_field(tmp_path):
    small = replace(RECIPE, images=512)
    together = replace(small, discriminator=MLPDiscriminator(hidden=(8,), minibatch=MinibatchStddev()))
    packed = replace(small, discriminator=Packed(MLPDiscriminator(hidden=(8,))))
    direct = replace(small, objective=MMD(), discriminator=IdentityDiscriminator(), n_critic=0)
    for n, recipe in enumerate((together, packed, direct)):
        frame = load_frames(train(recipe, tmp_path / str(n), quiet=True).path)[1][-1]
        assert frame.field is None and frame.real_scores is None and frame.fake_scores is None
        assert frame.pushes.abs().max() > 0 and frame.value.isfinite()


def test_a_batch_of_more_than_all_points_has_the_same_field(tmp_path):
    wide = replace(LINE, batch=2_048, images=32 * 2_048, tick=32 * 2_048, snapshot=32 * 2_048)
    run = train(wide, tmp_path / "run", quiet=True)
    data, found = load_frames(run.path)
    assert len(data.lattice) + 2 * 512 < wide.batch
    with torch.no_grad():
        field, fake = (run.discriminator.module(x).score for x in (data.lattice, found[-1].samples[::4]))
    torch.testing.assert_close(found[-1].field, field.half(), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(found[-1].fake_scores, fake)


class Odd(nn.Module):
    """A discriminator that takes batches of one size only."""

    def __init__(self):
        super().__init__()
        self.score = nn.Linear(2, 1)

    def forward(self, x):
        assert len(x) == 16
        return self.score(x)[:, 0]


def test_a_discriminator_is_given_batches_of_the_size_that_it_is_trained_on(tmp_path):
    run = train(replace(RECIPE, discriminator=Odd(), images=512), tmp_path / "run", quiet=True)
    assert load_frames(run.path)[1][-1].field is not None


class Keeps(nn.Module):
    """A network that keeps its maps, as many do for a term: tensors with a history, which `copy.deepcopy` refuses."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.first, self.last, self.maps = nn.Linear(inputs, 8), nn.Linear(8, outputs), {}

    def forward(self, x):
        self.maps = {"first": [self.first(x).relu()]}
        return self.last(*self.maps["first"])


def test_networks_that_keep_their_maps_have_frames(tmp_path):
    G, D = Keeps(2, 2), Keeps(2, 1)
    D(torch.zeros(4, 2))  # as someone who tries it out first
    run = train(
        replace(RECIPE, generator=G, discriminator=D, conditional=False, images=512), tmp_path / "run", quiet=True
    )
    assert len(load_frames(run.path)[1]) == 2 and D.maps["first"][0].requires_grad
    assert (run.path / "samples/000000512.png").exists()


@pytest.mark.parametrize("in_the_way", [lambda path: path.symlink_to(path.parent), lambda path: path.write_text("")])
def test_an_error_in_a_frame_ends_frames_and_not_the_run(tmp_path, capsys, in_the_way):
    def block(player, turn, log):
        path = tmp_path / "run/frames"
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
            in_the_way(path)

    run = train(replace(RECIPE, images=1_024), tmp_path / "run", options=RunOptions(watchers=(Watching(block),)))
    said = capsys.readouterr().err
    assert said.count("no frames for a film from 512 images on: ") == 1 and run.state.name == "ended"


@dataclass
class Watching:
    """Calls a function after each update."""

    call: Callable[..., None]

    def watch(self, player, turn, log):
        self.call(player, turn, log)
