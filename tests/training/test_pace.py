"""The length of a run is measured once, for the time that it may take, and is then as fixed as any other."""

import shutil
import signal
from dataclasses import replace

import pytest
import torch
from benchmarks.robustness.kills import POINTS

import zerosum
from zerosum.game.game import Game
from zerosum.recipes.named_recipes import named
from zerosum.recipes.reader import read_recipe
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.terms.gradient_penalties import R1
from zerosum.terms.schedules import Cosine, Every, Scheduled
from zerosum.training import pace
from zerosum.training.options import RunOptions
from zerosum.training.pace import Pace, measured_pace, of_length
from zerosum.training.ranks import RankGroup
from zerosum.training.signals import Terminated

pytestmark = pytest.mark.usefixtures("plotless")

GROUP = RankGroup(torch.device("cpu"))
RECIPE = replace(POINTS, batch=16, images=10**6, tick=10**6, snapshot=10**6, d_terms=(Scheduled(Cosine(), R1()),))


def timed(minutes):
    return RunOptions(minutes=minutes)


@pytest.fixture
def paced(monkeypatch):
    """Every pace is 400 images/s, found in half a second; returns how often it was measured."""
    calls = []
    monkeypatch.setattr(pace, "measured_pace", lambda *_: calls.append(1) or Pace(400.0, 4, 0.5))
    return calls


def test_the_length_is_what_the_pace_makes_of_the_time_but_for_a_rest():
    made = of_length(replace(RECIPE, batch=64), Pace(1000.0, 50, 5.0), minutes=10)
    assert made.images == (600 - 30 - 5) * 1000 // 64 * 64
    assert (made.tick, made.snapshot) == (made.images // 100, made.images // 8)
    assert made == replace(RECIPE, batch=64, images=made.images, tick=made.tick, snapshot=made.snapshot)
    short = of_length(replace(RECIPE, batch=64, tick=100, snapshot=200), Pace(1000.0, 50, 5.0), minutes=0.5)
    assert short.images == int((30 - 7.5 - 5) * 1000) // 64 * 64
    assert (short.tick, short.snapshot) == (100, 200)


def test_a_time_without_an_iteration_is_refused():
    with pytest.raises(ValueError, match=r"0\.1 minutes are too short for .*, of which 50 iterations .* took 5 s"):
        of_length(RECIPE, Pace(1000.0, 50, 5.0), minutes=0.1)


@pytest.mark.parametrize(("every", "expected"), [((), 1), ((3,), 3), ((4, 6), 12), ((63, 64), 64)])
def test_lazy_terms_have_their_turn_equally_often(monkeypatch, every, expected):
    monkeypatch.setattr(pace, "SECONDS", 1e-9)
    monkeypatch.setattr(pace, "_PATIENCE", 1e18)
    recipe = replace(RECIPE, d_terms=tuple(Scheduled(Cosine(), Every(n, R1())) for n in every))
    spent = iter(range(10**6))
    monkeypatch.setattr(pace.time, "perf_counter", lambda: float(next(spent)))
    found = measured_pace(recipe, recipe.data.open(), GROUP, "float32")
    assert found.iterations == expected
    assert found.images_per_second > 0


def test_pretraining_counts_by_its_share(monkeypatch):
    """An update of G by its terms alone is faster than one of the game, and a quarter of the images."""
    recipe, built, games = replace(named("text"), pretrain=0.25, batch=8), pace.build_game, []
    with monkeypatch.context() as patched:
        patched.setattr(pace, "SECONDS", 1e-9)
        patched.setattr(pace, "build_game", lambda *given: games.append(built(*given)) or games[-1])
        assert measured_pace(recipe, recipe.data.open(), GROUP, "float32").iterations == 2
    assert [game.D.updates > 0 for game in games] == [True, False]
    monkeypatch.setattr(pace, "_measured", lambda recipe, *_: Pace(400.0 if recipe.pretrain else 100.0, 4, 1.5))
    found = measured_pace(recipe, None, GROUP, "float32")
    assert found == Pace(pytest.approx(1 / (0.25 / 400 + 0.75 / 100)), 8, 3.0)


def test_a_lazy_term_is_not_waited_for_without_end(monkeypatch):
    monkeypatch.setattr(pace, "SECONDS", 1e-9)
    recipe = replace(RECIPE, d_terms=(Every(64, R1()),))
    assert measured_pace(recipe, recipe.data.open(), GROUP, "float32").iterations == 1


def test_a_resumed_run_keeps_its_length_to_the_bit(tmp_path, monkeypatch, paced, capsys):
    step, seen = Game.step, []

    def stopping(self, batches):
        seen.append(1)
        if len(seen) == 20:
            signal.raise_signal(signal.SIGTERM)
        return step(self, batches)

    with monkeypatch.context() as patched:
        patched.setattr(Game, "step", stopping)
        with pytest.raises(Terminated):
            zerosum.train(RECIPE, tmp_path / "run", options=timed(0.1))
    text = (tmp_path / "run" / "recipe.txt").read_text()
    written = read_recipe(text)
    assert written.images == int((6 - 1.5 - 0.5) * 400) // 16 * 16 and written == replace(RECIPE, **lengths(written))
    assert f"0.1 minutes are {written.images:,} images, at 400 images/s over 4" in " ".join(
        capsys.readouterr().err.split()
    )
    zerosum.train(RECIPE, tmp_path / "run", options=timed(0.1))
    assert f"this run has {written.images:,} images, as measured for 0.1 minutes when it began" in " ".join(
        capsys.readouterr().err.split()
    )
    assert len(paced) == 1 and (tmp_path / "run" / "recipe.txt").read_text() == text
    straight = zerosum.train(written, tmp_path / "straight", quiet=True)
    one, other = (newest_checkpoint(run)[1] for run in (straight, tmp_path / "run"))
    assert one.numbers["images"] == written.images and other.numbers["minutes"] == 0.1
    for group, tensors in one.groups.items():
        assert all(torch.equal(tensor, other.groups[group][name]) for name, tensor in tensors.items()), group
    files = [(run / "generator.safetensors").read_bytes() for run in (straight, tmp_path / "run")]
    assert files[0] == files[1]


def lengths(recipe):
    return {name: getattr(recipe, name) for name in ("images", "tick", "snapshot")}


def test_other_minutes_are_another_run(tmp_path, monkeypatch, paced):
    monkeypatch.chdir(tmp_path)
    runs = [zerosum.train(RECIPE, options=timed(minutes), quiet=True) for minutes in (0.05, 0.04, 0.05, 0.04)]
    assert [run.path.name for run in runs] == ["points", "points-2", "points", "points-2"]
    assert len(paced) == 2 and runs[0].recipe.images > runs[1].recipe.images
    with pytest.raises(ValueError, match="points has a run already, and minutes measure the length of a new one"):
        zerosum.train(RECIPE, runs[0].path, options=timed(0.03), quiet=True)
    with pytest.raises(ValueError, match=r"another recipe: .*seed was 0, is 5"):
        zerosum.train(RECIPE, runs[0].path, seed=5, options=timed(0.05), quiet=True)


def test_a_folder_of_other_files_is_passed_over_also_where_the_run_is_resumed(tmp_path, monkeypatch, paced):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "points").mkdir(parents=True)
    (tmp_path / "runs" / "points" / "notes.txt").touch()
    runs = [zerosum.train(RECIPE, options=timed(0.04), quiet=True) for _ in range(2)]
    assert [run.path.name for run in runs] == ["points-2"] * 2 and len(paced) == 1


def test_a_run_without_its_checkpoints_is_another_one(tmp_path, monkeypatch, paced):
    """It has ended, and the minutes that it was measured for were in its checkpoints."""
    monkeypatch.chdir(tmp_path)
    run = zerosum.train(RECIPE, options=timed(0.04), quiet=True)
    shutil.rmtree(run.path / "checkpoints")
    assert zerosum.train(RECIPE, options=timed(0.05), quiet=True).path.name == "points-2"
    with pytest.raises(ValueError, match="points has a run already, and minutes measure the length of a new one"):
        zerosum.train(RECIPE, run.path, options=timed(0.05), quiet=True)


def test_it_is_one_of_images_and_minutes():
    with pytest.raises(ValueError, match="images and minutes both set the length of a run: give one of them"):
        zerosum.train("gaussian", images=64, options=timed(1.0))
    with pytest.raises(ValueError, match="minutes is the time that a run may take, above 0; found 0"):
        RunOptions(minutes=0.0)


def test_several_processes_have_the_length_of_the_first(tmp_path, monkeypatch, paced):
    """The second has no run folder, and receives what the first has found, or measures with it."""

    sent = {}

    class Second(RankGroup):
        def broadcast_facts(self, facts):
            return sent or facts

    monkeypatch.setattr(pace, "rank", lambda: 1)
    recipe, second = named("gaussian"), Second(torch.device("cpu"))
    arguments = (recipe, recipe.data.open(), second, "float32", 1.0, tmp_path / "run", False)
    assert pace.timed(*arguments)[0].images > 0 and len(paced) == 1
    sent |= {"images": 640, "tick": 64, "snapshot": 320}
    assert lengths(pace.timed(*arguments)[0]) == sent and len(paced) == 1
