"""Whole runs, features and measured steps on a GPU."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks.gpu import steps
from tests.tiny_run import tiny_recipe

import zerosum
from zerosum.features import RandomConv
from zerosum.terms import R1, Every

CPU = torch.device("cpu")


def test_a_run_on_the_device_goes_on_on_the_cpu(place, reportless, tmp_path):
    """Its log has the values of the CPU's run, and its checkpoint and generator are of no device."""
    short = {"batch": 8, "images": 16, "tick": 8, "snapshot": 8, "precision": "float32"}
    made = replace(tiny_recipe(2, 3), d_terms=(Every(2, R1()),), **short)
    run = zerosum.train(made, tmp_path / "device", device=str(place.device), quiet=True)
    reference = zerosum.train(made, tmp_path / "cpu", device="cpu", quiet=True)
    for mine, theirs in zip(run.log, reference.log, strict=True):
        assert [*mine] == [*theirs]
        assert mine["D/loss"] == pytest.approx(theirs["D/loss"], rel=1e-3)
    assert run.generator.sample(2, seed=0).shape == (2, 28, 28, 1)
    longer = zerosum.train(run, images=24, device="cpu", quiet=True)
    assert longer.log[-1]["images"] == 24


def test_features_are_those_of_the_cpu(place):
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (6, 20, 20, 3), dtype=np.uint8))
    found, expected = (RandomConv(device=device)(images).features for device in (place.device, CPU))
    assert found.device == CPU
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


def test_the_steps_that_are_compared_do_not_wait(place):
    _, made, dataset = steps.game_of("stylegan2", 2, True)
    data = (made, dataset, place.device, "float32")
    for step in (steps.usual(*data), steps.ours(*data, "eager")):
        step()
        with place.without_waiting():
            step()


@pytest.mark.parametrize("way", ["compiled", "CUDA graphs"])
def test_a_compiled_step_has_the_values_of_the_eager_one(gpu, way):
    def losses(way):
        with torch.random.fork_rng(devices=[gpu]):
            torch.manual_seed(0)
            _, recipe, dataset = steps.game_of("r3gan", 2, True)
            iteration = steps.ours(recipe, dataset, gpu, "float32", way)
            for _ in range(4):  # a CUDA graph is recorded by the second, and replayed from the third on
                iteration()
        return iteration.__self__.means.take()

    found, expected = losses(way), losses("eager")
    assert [*found] == [*expected]
    assert found == pytest.approx(expected, rel=1e-2, abs=1e-3)
    assert steps.refused(way) == ""
