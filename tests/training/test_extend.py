"""A run is continued by its folder, extended exactly where nothing follows its length, and never mixed with another."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

import zerosum
from zerosum.augment.combined import InstanceNoise
from zerosum.cli import main
from zerosum.data.toys.gaussians import Ring
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.differences import differences
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.reader import read_recipe
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.runs.checkpoint import load_checkpoint
from zerosum.terms.gradient_penalties import R1, R2
from zerosum.terms.schedules import Cosine, Every
from zerosum.training.train import train

pytestmark = pytest.mark.usefixtures("plotless")
POINTS = Recipe(
    name="points",
    data=Ring(count=300),
    generator=MLPGenerator(hidden=(16,), norm="batch"),
    discriminator=MLPDiscriminator(hidden=(16,), dropout=0.3),
    objective=NonSaturating(),
    d_terms=(Every(3, R1(gamma=0.1)),),
    batch=32,
    images=320,
    ema=200.0,
    tick=100,
    snapshot=160,
)


def newest(run):
    return load_checkpoint(zerosum.Run(run).checkpoints[0])


def run_words(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["zerosum", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.fixture
def trained(tmp_path):
    return train(POINTS, tmp_path / "run", quiet=True)


def test_an_extended_run_ends_where_a_longer_one_does(tmp_path, trained):
    longer = train(replace(POINTS, images=640), tmp_path / "longer", quiet=True)
    old = (trained / "generator.safetensors").read_bytes()
    assert trained.state.name == "ended"
    again = train(trained, images=640, quiet=True)
    assert again.path == trained.path and again.state.name == "ended" and again.recipe == longer.recipe
    assert (again / "generator.safetensors").read_bytes() == (longer / "generator.safetensors").read_bytes() != old
    mine, straight = newest(again), newest(longer)
    assert mine.groups.keys() == straight.groups.keys()
    for name in straight.groups.keys() - {"means"}:
        assert mine.groups[name].keys() == straight.groups[name].keys()
        for key, tensor in straight.groups[name].items():
            assert torch.equal(mine.groups[name][key], tensor), f"{name} {key}"
    assert [line["images"] for line in again.log][-1] == 640


def test_an_extension_that_is_stopped_samples_its_newest_checkpoint_and_goes_on(trained, monkeypatch):
    save, end = zerosum.training.loop.save_checkpoint, KeyboardInterrupt

    def fail(path, checkpoint):
        save(path, checkpoint)
        if checkpoint.numbers["images"] == 480:
            raise end

    monkeypatch.setattr(zerosum.training.loop, "save_checkpoint", fail)
    with pytest.raises(end):
        train(trained, images=640, quiet=True)
    monkeypatch.undo()
    assert str(trained.state) == "interrupted, 480 of 640 images" and trained.generator.images == 480
    assert train(trained, quiet=True).state.name == "ended"


def test_the_folder_alone_continues_a_run_and_changes_nothing_of_an_ended_one(trained, capsys, monkeypatch):
    before = {p: p.read_bytes() for p in trained.path.rglob("*") if p.is_file()}
    assert train(str(trained)).path == trained.path
    assert "nothing left to do" in capsys.readouterr().err
    assert run_words(monkeypatch, "train", trained) == 0
    assert {p: p.read_bytes() for p in trained.path.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"G_opt": Adam(schedule=Cosine())}, r"G_opt\.schedule"),
        ({"augment": InstanceNoise()}, r"augment\.schedule"),
    ],
    ids=["rate", "augment"],
)
def test_a_run_that_follows_its_length_is_not_extended(tmp_path, changes, place):
    run = train(replace(POINTS, **changes), tmp_path / "run", quiet=True)
    before = (run / "generator.safetensors").read_bytes()
    with pytest.raises(ValueError, match=f"its {place} follows the share of the run .* cannot become one of 640: name"):
        train(run, images=640, quiet=True)
    assert (run / "generator.safetensors").read_bytes() == before and run.state.name == "ended"


def test_a_run_is_not_shortened_below_what_it_has_seen(trained):
    with pytest.raises(ValueError, match="has seen 320 images already: give more than that with --images"):
        train(trained, images=100, quiet=True)
    assert trained.state.name == "ended" and trained.recipe == POINTS


def test_a_run_without_checkpoints_is_not_extended(trained):
    for path in trained.checkpoints:
        path.rename(path.with_name(path.name + ".moved"))
    with pytest.raises(ValueError, match="has no checkpoint, so it cannot be continued for other than 320 images"):
        train(trained, images=640, quiet=True)
    assert trained.state.name == "ended"


def test_other_settings_of_a_run_folder_are_refused_with_three_differences(trained):
    other = replace(POINTS, batch=64, D_opt=Adam(lr=0.5), G_opt=Adam(eps=0.1), objective=NonSaturating(0.9), seed=3)
    sentence = (
        r"another recipe: objective\.real_label was 1\.0, is 0\.9; G_opt\.eps was 1e-08, is 0\.1; "
        r"D_opt\.lr was 0\.0002, is 0\.5; and 2 more\. Name another folder with --out"
    )
    with pytest.raises(ValueError, match=sentence):
        train(other, trained, quiet=True)


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ({"d_terms": (Every(3, R1(gamma=2.0)),)}, "d_terms[0].term.gamma was 0.1, is 2.0"),
        ({"d_terms": ()}, "d_terms was (Every(n=3, term=R1(gamma=0.1)),), is ()"),
        ({"d_terms": (R2(),)}, "d_terms[0] was Every(n=3, term=R1(gamma=0.1)), is R2(gamma=1.0)"),
        ({"name": "a" * 90}, f"name was 'points', is '{'a' * 76}..."),
    ],
)
def test_differences_are_the_smallest_parts(after, words):
    assert differences(POINTS, replace(POINTS, **after)) == words


def test_a_name_twice_with_other_settings_numbers_a_new_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    first = train(POINTS)
    second = train(replace(POINTS, batch=16))
    assert "runs/points has a run of another recipe: batch was 32, is 16: training into runs/points-2" in (
        capsys.readouterr().err
    )
    longer = train(POINTS, images=352)
    assert "zerosum train runs/points --images N extends it): training into runs/points-3" in capsys.readouterr().err
    assert [str(run) for run in (first, second, longer)] == ["runs/points", "runs/points-2", "runs/points-3"]
    # The same commands again find their own folders.
    assert [str(train(POINTS)), str(train(replace(POINTS, batch=16)))] == ["runs/points", "runs/points-2"]
    assert capsys.readouterr().err.count("nothing left to do") == 2
    assert read_recipe((first / "recipe.txt").read_text()) == POINTS
    (tmp_path / "runs" / "points-4").mkdir()
    (tmp_path / "runs" / "points-4" / "thesis.txt").write_text("mine")
    assert str(train(replace(POINTS, batch=8), quiet=True)) == "runs/points-5"


def test_other_data_get_a_new_folder_and_moved_data_their_own(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, scale in (("a", 1), ("b", 2)):
        np.save(tmp_path / f"{name}.npy", scale * np.random.default_rng(0).normal(size=(300, 2)).astype("f"))
    runs = [train(POINTS, data=f"{name}.npy") for name in "ab"]
    assert "is not what runs/points was trained on before" in capsys.readouterr().err
    (tmp_path / "b.npy").rename(tmp_path / "c.npy")
    runs.append(train(POINTS, data="c.npy", quiet=True))
    assert [str(run) for run in runs] == ["runs/points", "runs/points-2", "runs/points-2"]


def test_an_explicit_folder_is_never_replaced_by_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train(POINTS, "runs/points", quiet=True)
    with pytest.raises(ValueError, match="another recipe: batch was 32, is 16"):
        train(replace(POINTS, batch=16), "runs/points", quiet=True)


def test_the_command_line_extends_and_prints_the_length(trained, monkeypatch, capsys):
    assert run_words(monkeypatch, "train", trained, "--images", "352") == 0
    assert "the run has 352 images instead of 320" in capsys.readouterr().err
    assert (trained / "recipe.txt").read_text().strip() == pretty(replace(POINTS, images=352))
