"""Whole runs, features and measured steps on a GPU."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks.gpu import steps
from tests.cuda.test_games import built, recipe
from tests.tiny_run import tiny_recipe

import zerosum
from zerosum.data.dataset import in_memory
from zerosum.features import RandomConv
from zerosum.networks import MLPDiscriminator, MLPGenerator
from zerosum.terms import R1, Every
from zerosum.training.compiled import CompiledUpdates

CPU = torch.device("cpu")


def test_a_run_on_the_device_goes_on_on_the_cpu(place, plotless, tmp_path):
    """Its log has the values of the CPU's run, and its checkpoint and generator are of no device."""
    short = {"batch": 8, "images": 8, "tick": 8, "snapshot": 8, "precision": "float32"}
    made = replace(tiny_recipe(2, 3), d_terms=(Every(2, R1()),), **short)
    run = zerosum.train(made, tmp_path / "device", device=str(place.device), quiet=True)
    reference = zerosum.train(made, tmp_path / "cpu", device="cpu", quiet=True)
    for mine, theirs in zip(run.log, reference.log, strict=True):
        assert [*mine] == [*theirs]
        assert mine["D/loss"] == pytest.approx(theirs["D/loss"], rel=1e-3)
    assert run.generator.sample(2, seed=0).shape == (2, 28, 28, 1)
    longer = zerosum.train(run, images=16, device="cpu", quiet=True)
    assert longer.log[-1]["images"] == 16


def test_features_are_those_of_the_cpu(place):
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (6, 20, 20, 3), dtype=np.uint8))
    found, expected = (RandomConv(device=device)(images).features for device in (place.device, CPU))
    assert found.device == CPU
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


def test_the_step_that_ours_are_compared_with_does_not_wait(place):
    """Else it would be slower than it needs to be."""
    _, made, dataset = steps.game_of("stylegan2", 2, True)
    step = steps.usual(made, dataset, place.device, "float32")
    step()
    with place.without_waiting():
        step()


@pytest.mark.parametrize("cuda_graphs", [False, True])
def test_compiled_updates_have_the_values_of_eager_ones(gpu, cuda_graphs):
    data = in_memory("points", torch.randn(64, 2, generator=torch.Generator().manual_seed(0)))
    networks = {"generator": MLPGenerator(hidden=(8,)), "discriminator": MLPDiscriminator(hidden=(8,))}
    made = recipe(**networks, d_terms=(R1(),), compile=True)
    (game, batches), (eager, own) = (built(one, gpu, data) for one in (made, replace(made, compile=False)))
    game.compiled = CompiledUpdates(cuda_graphs=cuda_graphs)
    logs = []
    for _ in range(4):  # a CUDA graph is recorded by the second, and replayed from the third on
        logs.append((game.step(batches), eager.step(own)))
    for log, expected in logs:
        assert [*log] == [*expected]
        for key in log:
            torch.testing.assert_close(log[key], expected[key], rtol=1e-3, atol=1e-4, msg=key)
