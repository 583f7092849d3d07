"""A new run from another's weights: what it takes, what it remembers, what it refuses."""

from dataclasses import replace
from hashlib import sha256

import pytest
import torch
from benchmarks.robustness.kills import POINTS
from benchmarks.robustness.sameness import differences

from zerosum.game.ema import ExponentialMovingAverage
from zerosum.game.game import Game
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.runs.checkpoint import load_checkpoint, newest_checkpoint
from zerosum.training.options import RunOptions
from zerosum.training.train import train

pytestmark = pytest.mark.usefixtures("plotless")
FIRST = replace(POINTS, images=64, tick=32, snapshot=32)
SECOND = replace(FIRST, name="second", seed=7, G_opt=replace(FIRST.G_opt, lr=0.001))


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return train(FIRST, tmp_path_factory.mktemp("runs") / "first", quiet=True)


def begun(run):
    return load_checkpoint(run / "checkpoints" / f"{0:012d}")


def test_it_takes_the_weights_and_says_so_and_all_else_is_fresh(first, tmp_path, capsys):
    run = train(replace(SECOND, images=32), tmp_path / "run", options=RunOptions(start_from=first))
    output = capsys.readouterr().err
    assert f"weights of G, D, generator from {first}, after 64 images" in output and "optimisers are new" in output
    theirs, mine = newest_checkpoint(first)[1], begun(run)
    for group in ("G", "D", "generator"):
        assert all(torch.equal(tensor, mine.groups[group][name]) for name, tensor in theirs.groups[group].items())
    assert {"G_opt", "D_opt"} <= theirs.groups.keys() and not {"G_opt", "D_opt"} & mine.groups.keys()
    assert theirs.groups["objective"]["k"] != 0 == mine.groups["objective"]["k"]
    manifest = (first / "checkpoints" / f"{64:012d}" / "manifest.json").read_bytes()
    facts = {"run": str(first), "images": 64, "checkpoint": sha256(manifest).hexdigest()}
    assert mine.numbers["from"] == facts == newest_checkpoint(run)[1].numbers["from"]


def test_a_checkpoint_of_a_run_serves_as_well(first, tmp_path):
    older = first / "checkpoints" / f"{32:012d}"
    run = train(replace(SECOND, images=32), tmp_path / "run", quiet=True, options=RunOptions(start_from=older))
    assert torch.equal(begun(run).groups["G"]["body.0.weight"], load_checkpoint(older).groups["G"]["body.0.weight"])


def test_the_average_does_not_forget_the_weights_that_were_taken(first, tmp_path):
    """As it should forget untrained ones: at the first round it would else become G itself."""
    long = replace(SECOND, images=32, snapshot=16)
    run = train(long, tmp_path / "run", quiet=True, options=RunOptions(start_from=first))
    own = load_checkpoint(run / "checkpoints" / f"{16:012d}").groups
    assert not torch.equal(own["generator"]["body.0.weight"], own["G"]["body.0.weight"])
    fresh = load_checkpoint(train(long, tmp_path / "fresh", quiet=True) / "checkpoints" / f"{16:012d}").groups
    assert torch.equal(fresh["generator"]["body.0.weight"], fresh["G"]["body.0.weight"])


def test_an_average_that_goes_on_decays_as_if_it_had_never_changed_runs():
    torch.manual_seed(0)
    one, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    long, short = (ExponentialMovingAverage(one, 100.0) for _ in range(2))
    short.before = 5_000
    for average, seen in ((long, 5_016), (short, 16)):
        average.module.load_state_dict(other.state_dict())
        average.update(16, seen)
    assert torch.equal(long.module.weight, short.module.weight)


class Killed(BaseException):
    """Stands for a death without a last word."""


def test_stopped_and_continued_it_is_the_run_that_would_have_been(first, tmp_path, monkeypatch):
    """Also where the other run has gone meanwhile, and where the same command says nothing of it any more."""
    options = RunOptions(start_from=first)
    straight = train(SECOND, tmp_path / "straight", quiet=True, options=options)
    step, rounds = Game.step, []

    def dies(game, batches):
        rounds.append(1)
        if len(rounds) == 4:
            raise Killed
        return step(game, batches)

    with monkeypatch.context() as patched:
        patched.setattr(Game, "step", dies)
        with pytest.raises(Killed):
            train(SECOND, tmp_path / "broken", quiet=True, options=options)
    moved = first.path.rename(tmp_path / "moved")
    train(SECOND, tmp_path / "broken", quiet=True, options=RunOptions())
    train(SECOND, tmp_path / "broken", quiet=True, options=options)
    train(SECOND, tmp_path / "broken", quiet=True, options=RunOptions(start_from=moved))
    train(SECOND, tmp_path / "broken", quiet=True, options=RunOptions(start_from=moved / "checkpoints" / f"{64:012d}"))
    with pytest.raises(ValueError, match=rf"has a run that started from {first}, not from .*{32:012d}: name another"):
        older = moved / "checkpoints" / f"{32:012d}"
        train(SECOND, tmp_path / "broken", quiet=True, options=RunOptions(start_from=older))
    moved.rename(first)
    assert differences(straight, tmp_path / "broken") == []


def test_a_run_that_goes_on_does_not_take_weights_again(first, tmp_path):
    own = train(FIRST, tmp_path / "own", quiet=True)
    with pytest.raises(ValueError, match=r"has a run that started from no other run, not from .*name another folder"):
        train(FIRST, own, quiet=True, options=RunOptions(start_from=first))
    run = train(replace(SECOND, images=16), tmp_path / "run", quiet=True, options=RunOptions(start_from=first))
    with pytest.raises(ValueError, match=rf"has a run that started from {first}, not from {own}"):
        train(replace(SECOND, images=16), run, quiet=True, options=RunOptions(start_from=own))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"generator": MLPGenerator(hidden=(9,), norm="batch")}, r"its G does not fit: body\.0\.weight is float32 "
         r"\(8, 4\) there and float32 \(9, 4\) here"),
        ({"generator": MLPGenerator(hidden=(8, 8), norm="batch")}, "its G does not fit: "),
        ({"generator": MLPGenerator(hidden=(8,))}, "its G does not fit: "),
        ({"discriminator": MLPDiscriminator(hidden=(8,))}, "its D does not fit: it lacks "),
    ],
)  # fmt: skip
def test_networks_of_other_shapes_are_refused(first, tmp_path, changes, sentence):
    with pytest.raises(ValueError, match=rf"cannot start from {first}: {sentence}"):
        train(replace(SECOND, **changes), tmp_path / "run", quiet=True, options=RunOptions(start_from=first))
    assert not (tmp_path / "run").exists()


def test_what_is_no_run_is_refused(tmp_path):
    for place in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(ValueError, match=rf"from {place}: it is no run folder, or one without a checkpoint"):
            train(SECOND, tmp_path / "run", quiet=True, options=RunOptions(start_from=place))
