"""Observers of a recipe, or given to `train`: they see every update, and their memory goes through checkpoints."""

from dataclasses import dataclass, field, replace

import pytest
import torch
from benchmarks.robustness.sameness import differences

from zerosum.data.dataset import in_memory
from zerosum.data.toys.gaussians import Ring
from zerosum.game.game import Game
from zerosum.game.latents import Normal
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.reader import read_recipe
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.runs.log import read_log
from zerosum.training.batches import Batches
from zerosum.training.build import _can_defer, build_game
from zerosum.training.compiled import CompiledUpdates
from zerosum.training.options import RunOptions
from zerosum.training.state import capture
from zerosum.training.train import train

pytestmark = pytest.mark.usefixtures("plotless")
RECIPE = Recipe(
    name="watched",
    data=Ring(count=100),
    generator=MLPGenerator(hidden=(8,)),
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=NonSaturating(),
    latent=Normal(3),
    batch=16,
    images=320,
    tick=64,
    snapshot=96,
)


@dataclass(frozen=True)
class Spread:
    """Follows the standard deviation of generated samples by a running mean, and logs it."""

    decay: float = 0.5
    state: torch.Tensor = field(default_factory=lambda: torch.zeros(2), init=False, repr=False, compare=False)

    def watch(self, player, turn, log):
        now = torch.stack([turn.average(turn.x_fake.detach().std()), torch.ones(())])
        self.state.lerp_(now, 1 - self.decay)
        log[f"spread seen by {player}"] = self.state[0] / self.state[1]

    def state_dict(self):
        return {"state": self.state.clone()}

    def load_state_dict(self, state):
        self.state.copy_(state["state"])


class Counter:
    """No dataclass: counts updates."""

    def __init__(self):
        self.counts = {"D": 0, "G": 0}

    def watch(self, player, turn, log):
        self.counts[player] += 1

    def state_dict(self):
        return {name: torch.tensor(count) for name, count in self.counts.items()}

    def load_state_dict(self, state):
        self.counts = {name: int(state[name]) for name in self.counts}


class Silent:
    """An observer without memory."""

    def watch(self, player, turn, log):
        pass


class Killed(BaseException):
    """Stands for a death without a last word."""


OWN = replace(RECIPE, watchers=(Spread(), Spread(decay=0.9)))


def broken(monkeypatch, recipe, run, options, steps=14):
    """Train, and die after a number of steps."""
    step, taken = Game.step, []

    def counted(game, batches):
        log = step(game, batches)
        taken.append(1)
        if len(taken) == steps:
            raise Killed
        return log

    with monkeypatch.context() as patched:
        patched.setattr(Game, "step", counted)
        with pytest.raises(Killed):
            train(recipe, run, quiet=True, options=options)


def groups(run):
    return newest_checkpoint(run)[1].groups


def test_watchers_of_a_recipe_and_given_ones_continue_bit_for_bit(tmp_path, monkeypatch):
    counter = Counter()
    straight = train(OWN, tmp_path / "straight", quiet=True, options=RunOptions(watchers=(counter, Counter())))
    assert counter.counts == {"D": 20, "G": 20}
    broken(monkeypatch, OWN, tmp_path / "broken", RunOptions(watchers=(Counter(), Counter())))
    again = Counter()
    train(OWN, tmp_path / "broken", quiet=True, options=RunOptions(watchers=(again, Counter())))
    assert differences(straight, tmp_path / "broken") == []
    assert again.counts == counter.counts
    assert {"watcher_0", "watcher_1", "watcher_Counter", "watcher_Counter_2"} <= groups(straight).keys()
    assert not torch.equal(groups(straight)["watcher_0"]["state"], groups(straight)["watcher_1"]["state"])
    assert "spread seen by G" in read_log(straight)[-1]
    assert not OWN.watchers[0].state.any(), "the recipe is not changed by a run"


def test_watchers_change_nothing_of_what_is_learned(tmp_path):
    runs = [train(recipe, tmp_path / recipe.name, quiet=True) for recipe in (RECIPE, replace(OWN, name="own"))]
    for name in ("G", "D", "generator", "G_opt", "D_opt"):
        one, other = (groups(run)[name] for run in runs)
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_a_recipes_watchers_are_in_its_text_and_only_where_set():
    assert "watchers" not in pretty(RECIPE)
    assert read_recipe(pretty(OWN), {"Spread": Spread}) == OWN
    assert "watchers=(Spread(decay=0.5), Spread(decay=0.9))" in pretty(OWN)


def test_what_becomes_of_the_memory_of_given_watchers_that_come_and_go(tmp_path, monkeypatch, capsys):
    run, both = tmp_path / "run", RunOptions(watchers=(Counter(), Silent()))
    broken(monkeypatch, RECIPE, run, both)
    train(replace(RECIPE), run)
    assert "the run is resumed without the watcher Counter, whose state is dropped" in capsys.readouterr().err
    assert "watcher_Counter" not in groups(run)
    late = Counter()
    broken(monkeypatch, RECIPE, tmp_path / "late", RunOptions())
    train(RECIPE, tmp_path / "late", options=RunOptions(watchers=(late, Silent())))
    output = capsys.readouterr().err
    assert "the run is resumed with the watcher Counter, which did not observe its beginning" in output
    assert "Silent" not in output
    assert late.counts == {"D": 8, "G": 8}, "of 20, those after the checkpoint of 192 images"


@dataclass(frozen=True)
class Brittle:
    """A term that is no number from G's 15th update on, until the learning rates have been halved."""

    weight: float = 0.0

    def __call__(self, turn):
        broken = turn.clock.updates >= 14 and not Brittle.mended
        return turn.zero() + (torch.nan if broken else self.weight)


def test_a_rollback_brings_watchers_back_too(tmp_path, monkeypatch):
    """Also one that no checkpoint remembers yet, as it was given when the run went on."""
    recipe = replace(OWN, g_terms=(Brittle(),), tick=96)
    Brittle.mended = False
    build = "zerosum.training.session.build_game"
    built = []

    def counted(*arguments):
        built.append(1)
        Brittle.mended = len(built) > 1
        return build_game(*arguments)

    counter = Counter()
    monkeypatch.setattr(build, counted)
    rolled_back = train(
        recipe, tmp_path / "rolled", quiet=True, options=RunOptions(watchers=(counter,), on_nonfinite="rollback")
    )
    assert len(built) == 2 and counter.counts == {"D": 20, "G": 20}
    assert newest_checkpoint(rolled_back)[1].numbers["rollbacks"] == 1
    assert groups(rolled_back)["watcher_1"]["state"][1].item() == pytest.approx(1 - 0.9**40, rel=1e-6), (
        "40 updates, not 69"
    )

    monkeypatch.undo()
    Brittle.mended = False
    broken(monkeypatch, recipe, tmp_path / "late", RunOptions(), steps=13)
    late = Counter()
    monkeypatch.setattr(build, counted)
    built.clear()
    train(recipe, tmp_path / "late", quiet=True, options=RunOptions(watchers=(late,), on_nonfinite="rollback"))
    assert late.counts == {"D": 8, "G": 8}


POINTS = in_memory("points", torch.zeros(8, 2), None, ())


def test_compiled_updates_are_seen_alike():
    logs, states = [], []
    for compile_ in (False, True):
        dataset = OWN.data.open()
        game = build_game(replace(OWN, compile=compile_), dataset, torch.device("cpu"), "float32")
        if game.compiled is not None:
            game.compiled = CompiledUpdates("aot_eager")
        batches = Batches(dataset, 16, False, 0, torch.device("cpu"))
        logs.append([game.step(batches) for _ in range(3)][-1])
        states.append(game.watchers[-1].state)
    assert [*logs[0]] == [*logs[1]]
    torch.testing.assert_close(states[0], states[1])


def test_what_is_no_watcher_or_remembers_no_tensors_is_refused():
    with pytest.raises(ValueError, match=r"a watcher has a method watch\(player, turn, log\); found 3"):
        RunOptions(watchers=(3,))
    with pytest.raises(ValueError, match=r"watchers is a tuple, like \(Probe\(\),\); found Spread\("):
        replace(RECIPE, watchers=Spread())

    class Plain(Counter):
        def state_dict(self):
            return self.counts

    sentence = r"the state of watcher_Plain \(Plain\) should map names to tensors; found D=0: make a tensor of it"
    with pytest.raises(ValueError, match=sentence):
        train(RECIPE, "never", quiet=True, options=RunOptions(watchers=(Plain(),)))


def test_memory_of_another_shape_is_no_checkpoint_of_this_run(tmp_path, monkeypatch):
    run = tmp_path / "run"
    broken(monkeypatch, RECIPE, run, RunOptions(watchers=(Counter(),)))
    forgetful = Counter()
    forgetful.counts = {"D": 0, "G": 0, "E": 0}
    with pytest.raises(ValueError, match="its memory of watcher_Counter does not fit: \"'E'\""):
        train(RECIPE, run, quiet=True, options=RunOptions(watchers=(forgetful,)))


def test_a_watcher_that_remembers_is_never_seen_late():
    device = torch.device("cpu")
    assert _can_defer(build_game(RECIPE, POINTS, device, "float32", (Silent(),)))
    assert not _can_defer(build_game(OWN, POINTS, device, "float32"))
    assert not _can_defer(build_game(RECIPE, POINTS, device, "float32", (Counter(),)))
    assert "watcher_0" not in capture(build_game(OWN, POINTS, device, "float32"), {}).groups, (
        "the run's, not the game's"
    )
