"""Signals in a run: they change no weight, continue as in a straight run, and end where they cannot be computed."""

from dataclasses import dataclass, replace

import pytest
import torch
from benchmarks.robustness.sameness import differences, state_differences

from zerosum.data.toys.gaussians import Ring
from zerosum.diagnostics.signals.check_ups import CheckUps
from zerosum.diagnostics.signals.names import SIGNAL, SIGNALS
from zerosum.game.game import Game
from zerosum.game.latents import Normal
from zerosum.networks.mlp import IdentityDiscriminator, MLPDiscriminator, MLPGenerator
from zerosum.objectives.kernel import MMD
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.runs.log import read_log
from zerosum.terms.gradient_penalties import GradientPenalty
from zerosum.terms.weight_clipping import WeightClip
from zerosum.training.batches import Batches
from zerosum.training.build import build_game
from zerosum.training.options import RunOptions
from zerosum.training.train import train

pytestmark = pytest.mark.usefixtures("module_plotless")
POINTS = Recipe(
    name="points",
    data=Ring(count=300),
    generator=MLPGenerator(hidden=(16,), norm="batch"),
    discriminator=MLPDiscriminator(hidden=(16,), dropout=0.3, norm="spectral"),
    objective=NonSaturating(),
    conditional=True,
    latent=Normal(4),
    d_terms=(GradientPenalty(),),
    d_after=WeightClip(0.5),
    batch=16,
    images=1_280,  # check-ups at 512 and 1,024
    tick=200,
    snapshot=528,  # between the two iterations after a check-up
)


class Killed(BaseException):
    """Stands for a death without a last word."""


def signals_of(run):
    return [{k: v for k, v in line.items() if k.startswith(SIGNAL)} for line in read_log(run)]


def check_ups(run):
    """The lines of check-ups, by the images."""
    return {line["images"]: line for line in read_log(run) if f"{SIGNAL}spread" in line}


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    return train(POINTS, tmp_path_factory.mktemp("watched") / "run", quiet=True)


def test_weights_are_those_of_a_run_without_signals(watched, tmp_path):
    plain = train(POINTS, tmp_path / "plain", quiet=True, options=RunOptions(signals=False))
    assert not any(signals_of(plain)) and any(signals_of(watched))
    assert (plain / "generator.safetensors").read_bytes() == (watched / "generator.safetensors").read_bytes()
    one, other = (newest_checkpoint(run)[1] for run in (plain, watched))
    different = state_differences(one, other)
    assert {name.partition(".")[0] for name in different} == {"signals", "log_lines"}
    own = [
        [{k: v for k, v in line.items() if not k.startswith(SIGNAL)} for line in read_log(run)]
        for run in (plain, watched)
    ]
    clocks = {"seconds", "images_per_second", "wait"}
    own = [[{k: v for k, v in line.items() if k not in clocks} for line in lines] for lines in own]
    assert own[0] == [line for line in own[1] if len(line) > 2]


def test_a_check_up_leaves_the_average_unfinished_and_as_it_was():
    dataset, cpu = POINTS.data.open(), torch.device("cpu")
    game = build_game(POINTS, dataset, cpu, "float32")
    batches, check_ups = Batches(dataset, POINTS.batch, True, 0, cpu), CheckUps(POINTS, dataset, cpu)
    check_ups.read()
    for _ in range(3):
        game.step(batches)
    averaged = game.ema.averaged
    before = {name: buffer.clone() for name, buffer in averaged.named_buffers()}
    assert check_ups.take(game) and not game.ema.finished
    assert before and all(torch.equal(buffer, before[name]) for name, buffer in averaged.named_buffers())
    assert game.ema.module is averaged and game.ema.finished
    assert not all(torch.equal(buffer, before[name]) for name, buffer in averaged.named_buffers()), "it was unfinished"


def test_all_signals_have_a_description_and_are_numbers(watched):
    names = {name.removeprefix(SIGNAL) for line in signals_of(watched) for name in line}
    assert names <= SIGNALS.keys()
    assert sorted(check_ups(watched)) == [512, 1024]
    expected = set(SIGNALS) - {"held_out", "data_copies", "data_constant", "return", "return_live"}
    assert expected <= names, expected - names
    last = check_ups(watched)[1024]
    assert 0 <= last["signal/clipped"] <= 1 and last["signal/penalty_gradient"] > 0


@pytest.mark.parametrize("iteration", [33, 66])
def test_killed_and_continued_the_folder_is_that_of_a_straight_run(watched, tmp_path, monkeypatch, iteration):
    step, taken = Game.step, []

    def counted(game, batches):
        taken.append(1)
        if len(taken) > iteration:
            raise Killed
        return step(game, batches)

    with monkeypatch.context() as patched:
        patched.setattr(Game, "step", counted)
        with pytest.raises(Killed):
            train(POINTS, tmp_path / "broken", quiet=True)
    if iteration == 33:
        middle = newest_checkpoint(tmp_path / "broken")[1].groups["signals"]
        assert {"weights.G", "update.D"} <= middle.keys(), (
            "the checkpoint lies between two iterations that are compared"
        )
    train(POINTS, tmp_path / "broken", quiet=True)
    assert differences(watched.path, tmp_path / "broken") == []


def test_a_game_without_a_discriminator_has_the_signals_of_its_generator(tmp_path):
    recipe = replace(
        POINTS, discriminator=IdentityDiscriminator(), objective=MMD(), d_terms=(), d_after=None, n_critic=0, images=640
    )
    run = train(replace(recipe, conditional=False), tmp_path / "run", quiet=True)
    (line,) = check_ups(run).values()
    absent = {"loss_gradient", "steepness", "clipped", "dead_D", "spectrum_D", "condition_response", "class_accuracy"}
    assert not {SIGNAL + name for name in absent} & line.keys()
    assert {"signal/spread", "signal/arbiter", "signal/response", "signal/dead_G"} <= line.keys()
    assert not any("signal/real_above" in one or "signal/update_D" in one for one in signals_of(run))


def test_an_error_in_a_check_up_ends_the_signals_and_not_the_run(tmp_path, capsys, monkeypatch):
    def broken(subject):
        raise RuntimeError("no such network")

    monkeypatch.setattr("zerosum.diagnostics.signals.check_ups.GROUPS", (broken,))
    run = train(POINTS, tmp_path / "run")
    assert "no signals from 512 images on: RuntimeError: no such network" in capsys.readouterr().err
    assert not check_ups(run) and run.state.name == "ended"


@dataclass(frozen=True)
class Backwards:
    """An objective of one's own, without reference points."""

    reads_real = False

    def d_loss(self, real, fake):
        return real.mean() - fake.mean()

    def g_loss(self, fake, real=None):
        return fake.mean()


def test_an_objective_of_ones_own_has_signals(tmp_path):
    recipe = replace(POINTS, objective=Backwards(), images=640, conditional=False, G_opt=Adam(lr=1e-4))
    run = train(recipe, tmp_path / "run", quiet=True)
    (line,) = check_ups(run).values()
    assert line["signal/loss_gradient"] == 1 and any("signal/real_above" in one for one in signals_of(run))
