"""At a number that is not finite a run stops at that very step, or goes back to where all was well, more slowly."""

import shutil
from dataclasses import dataclass, replace

import pytest
import torch
from benchmarks.robustness.kills import POINTS
from benchmarks.robustness.sameness import differences

from zerosum.evaluation.best import criterion
from zerosum.game.finite import NonFiniteError
from zerosum.game.game import Game
from zerosum.recipes.evaluation import Evaluation
from zerosum.recipes.optimisers import Adam
from zerosum.runs.checkpoint import checkpoints, newest_checkpoint
from zerosum.runs.log import append_log, read_log
from zerosum.training.evaluations import remove_best
from zerosum.training.options import RunOptions
from zerosum.training.train import train

pytestmark = pytest.mark.usefixtures("plotless")
ROLLBACK = RunOptions(on_nonfinite="rollback")


@dataclass(frozen=True)
class Brittle:
    """A term that is no number any more once the learning rate has been high for so many images."""

    images: int
    highest: float = 0.0

    def __call__(self, turn):
        return turn.fake.score.sum() * (
            float("nan") if turn.clock.images >= self.images and Rate.now > self.highest else 0
        )


class Rate:
    """At which G learns just now."""

    now = 0.0


@pytest.fixture(autouse=True)
def rate(monkeypatch):
    """Tells the term at which rate G learns."""
    step = Game.step

    def told(game, batches):
        Rate.now = game.G.base_rates[0]
        return step(game, batches)

    monkeypatch.setattr(Game, "step", told)


def recipe(highest, images=48, **changes):
    terms = (*POINTS.g_terms, Brittle(images, highest))
    return replace(POINTS, g_terms=terms, images=112, tick=32, snapshot=32, G_opt=Adam(lr=0.001), **changes)


def test_it_goes_back_and_halves_the_rates_as_often_as_it_takes(tmp_path, capsys):
    run = train(recipe(0.0003), tmp_path / "run", options=ROLLBACK)
    output = capsys.readouterr().err
    assert (
        "G/Brittle is no longer a finite number after 48 images: rolled back to 32 images, at 0.5 of the learning"
        in output
    )
    assert "(rollback 2 of 5)" in output and "(rollback 3 of 5)" not in output
    assert newest_checkpoint(run)[1].numbers["rollbacks"] == 2
    lines = [line for line in read_log(run) if "rollback" in line]
    reason = "G/Brittle is no longer a finite number"
    assert [line["rollback"] for line in lines] == [
        {"count": 1, "images": 48, "rate": 0.5, "reason": reason},
        {"count": 2, "images": 48, "rate": 0.25, "reason": reason},
    ]
    assert [line["images"] for line in lines] == [32, 32]
    images = [line["images"] for line in read_log(run)]
    assert images == sorted(images)
    assert (run / "report.html").is_file()


def test_both_players_are_slowed_from_there_on_and_only_then(tmp_path, monkeypatch):
    seen, step = [], Game.step

    def watched(game, batches):
        log = step(game, batches)
        seen.append((game.images, game.G.optimiser.param_groups[0]["lr"], game.D.optimiser.param_groups[0]["lr"]))
        return log

    monkeypatch.setattr(Game, "step", watched)
    train(recipe(0.0006), tmp_path / "run", quiet=True, options=ROLLBACK)
    full, half = (0.001, 0.00005), (0.0005, 0.000025)
    assert [images for images, *_ in seen] == [16, 32, 48, 64, 80, 96, 112]
    assert [rates for _, *rates in seen] == [[*full]] * 2 + [[*half]] * 5


@pytest.mark.parametrize("dies_after", [1, 3, 5, 6])
def test_killed_and_continued_it_is_the_run_that_would_have_been(tmp_path, monkeypatch, dies_after):
    """Before the number broke, between that and the next checkpoint, and after it."""

    class Killed(BaseException):
        pass

    straight = train(recipe(0.0006), tmp_path / "straight", quiet=True, options=ROLLBACK)
    step, rounds = Game.step, []

    def dies(game, batches):
        log = step(game, batches)
        rounds.append(1)
        if len(rounds) == dies_after:
            raise Killed
        return log

    with monkeypatch.context() as patched:
        patched.setattr(Game, "step", dies)
        with pytest.raises(Killed):
            train(recipe(0.0006), tmp_path / "broken", quiet=True, options=ROLLBACK)
    train(recipe(0.0006), tmp_path / "broken", quiet=True, options=ROLLBACK)
    assert differences(straight, tmp_path / "broken") == []


def test_after_five_it_gives_up_and_the_last_checkpoint_stays(tmp_path):
    with pytest.raises(NonFiniteError, match=r"G/Brittle is no .* also after 5 rollbacks and at 0\.03125 of the"):
        train(recipe(0.0), tmp_path / "run", quiet=True, options=ROLLBACK)
    assert newest_checkpoint(tmp_path / "run")[1].numbers["images"] == 32


def test_without_it_the_run_stops_at_that_very_step(tmp_path):
    with pytest.raises(NonFiniteError, match=r"^G/Brittle is no longer a finite number$"):
        train(recipe(0.0), tmp_path / "run", quiet=True)
    assert [int(path.name) for path in checkpoints(tmp_path / "run")] == [32, 0]


def test_weights_that_broke_in_the_last_step_are_never_saved(tmp_path, monkeypatch):
    step = Game.step

    def breaks(game, batches):
        log = step(game, batches)
        if game.images == 32:
            with torch.no_grad():
                game.D.parameters[-1].fill_(torch.inf)
        return log

    monkeypatch.setattr(Game, "step", breaks)
    with pytest.raises(NonFiniteError, match="a weight of D is no longer a finite number"):
        train(recipe(1.0), tmp_path / "run", quiet=True)
    assert [int(path.name) for path in checkpoints(tmp_path / "run")] == [0]


def test_the_best_generator_after_the_checkpoint_of_a_rollback_is_removed(tmp_path):
    for images, kid in ((16, 3.0), (32, 2.0), (48, 5.0)):
        append_log(tmp_path, {"images": images, "score/kid": kid, "error/kid": 0.01})
    best = tmp_path / "best.safetensors"
    best.touch()
    remove_best(tmp_path, 32, criterion(Evaluation()))
    assert best.exists(), "it is of the stretch that stays"
    remove_best(tmp_path, 31, criterion(Evaluation()))
    assert not best.exists()
    remove_best(tmp_path, 31, criterion(Evaluation()))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"keep": 1}, "keep is a number of checkpoints, at least 2, in case the newest is damaged; found 1"),
        ({"on_nonfinite": "ignore"}, "on_nonfinite is stop or rollback; found 'ignore'"),
    ],
)
def test_what_nobody_can_want_is_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        RunOptions(**options)


def test_as_many_checkpoints_are_kept_as_asked_for(tmp_path):
    steady = replace(POINTS, images=112, snapshot=16)
    for keep, kept in ((2, [112, 96]), (4, [112, 96, 80, 64])):
        run = train(steady, tmp_path / str(keep), quiet=True, options=RunOptions(keep=keep))
        assert [int(path.name) for path in checkpoints(run)] == kept


def test_a_run_keeps_as_many_checkpoints_as_before_without_an_option(tmp_path):
    run, steady = tmp_path / "run", replace(POINTS, images=112, snapshot=16)
    train(steady, run, quiet=True, options=RunOptions(keep=5))
    for keep, kept in ((None, 5), (3, 3), (None, 3)):
        (run / "generator.safetensors").unlink()
        for path in checkpoints(run)[:1]:
            shutil.rmtree(path)  # so that the last one is saved again
        train(steady, run, quiet=True, options=RunOptions(keep=keep))
        assert len(checkpoints(run)) == kept
