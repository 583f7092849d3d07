"""A run goes on with the data that it began with, and with no others."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.robustness.kills import POINTS

from zerosum.data.fingerprints import fingerprint
from zerosum.data.resolve import source
from zerosum.networks.mlp import MLPDiscriminator
from zerosum.objectives.logistic import NonSaturating
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.training.options import RunOptions
from zerosum.training.train import train

pytestmark = pytest.mark.usefixtures("plotless")
SHORT = replace(
    POINTS,
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=NonSaturating(),
    images=32,
    tick=32,
    snapshot=32,
)


def test_other_data_under_the_same_name_are_refused_until_the_former_are_back(tmp_path):
    before, file = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32), tmp_path / "points.npy"
    np.save(file, before)
    recipe = replace(SHORT, data=source(str(file)))
    run = train(recipe, tmp_path / "run", quiet=True)
    assert newest_checkpoint(run)[1].numbers["data"] == fingerprint(recipe.data.open())
    (run / "generator.safetensors").unlink()  # something is left to do
    np.save(file, before[::-1])
    sentence = (
        rf"is not what {run} was trained on before: .*Restore the former data, or start a new run .* --from {run}"
    )
    with pytest.raises(ValueError, match=sentence):
        train(recipe, run, quiet=True)
    onward = train(recipe, tmp_path / "onward", quiet=True, options=RunOptions(start_from=run))
    assert newest_checkpoint(onward)[1].numbers["data"] == fingerprint(recipe.data.open())
    np.save(file, before)
    train(recipe, run, quiet=True)
    assert (run / "generator.safetensors").is_file()


def test_data_too_large_for_the_memory_are_a_sentence(tmp_path, monkeypatch):
    class Huge:
        def open(self):
            return np.zeros((1 << 60,), np.uint8)

    recipe = replace(SHORT, data=Huge())
    with pytest.raises(MemoryError, match=r"^out of memory for the data, .*: give fewer or smaller ones$"):
        train(recipe, tmp_path / "run", quiet=True)


def test_a_data_set_that_was_moved_is_the_same_data(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "imgs").mkdir()
    points = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    np.save("imgs/points.npy", points)
    recipe = replace(SHORT, data=source("imgs/points.npy"))
    run = train(recipe, tmp_path / "run", quiet=True)
    (run / "generator.safetensors").unlink()  # something is left to do
    assert train(replace(recipe, data=source("imgs//points.npy")), run, quiet=True).recipe == recipe
    (run / "generator.safetensors").unlink()
    (tmp_path / "imgs").rename(tmp_path / "moved")
    moved = replace(recipe, data=source("moved/points.npy"))
    assert train(moved, run).recipe == moved
    assert "at another place: Arrays(path='moved/points.npy'" in capsys.readouterr().err
    assert (run / "generator.safetensors").is_file()
    train(moved, run, quiet=True)  # also of a run that has ended
    (run / "generator.safetensors").unlink()
    np.save("other.npy", points + 1)
    with pytest.raises(ValueError, match=rf"is not what {run} was trained on before"):
        train(replace(recipe, data=source("other.npy")), run, quiet=True)
    with pytest.raises(ValueError, match=r"a run of another recipe: data\.layout was"):
        train(replace(recipe, data=replace(moved.data, layout="NHWC")), run, quiet=True)
    assert run.recipe == moved
