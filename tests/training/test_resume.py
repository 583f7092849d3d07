"""Resume is identical continuation: stopped by a signal or killed, a run ends bit for bit where a straight one does."""

import shutil
import signal
from dataclasses import replace

import pytest
import torch

from zerosum.data.sources.digits import Digits
from zerosum.data.toys.gaussians import Ring
from zerosum.game.game import Game
from zerosum.game.latents import Normal
from zerosum.networks.aided import Aided
from zerosum.networks.autoencoder import AutoEncoderDiscriminator
from zerosum.networks.conditioning import ConditionalNorm
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.networks.fastgan_discriminator import FastGANDiscriminator
from zerosum.networks.feature_discriminator import FeatureDiscriminator
from zerosum.networks.minibatch import MinibatchDiscrimination
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.networks.stylegan2 import StyleGAN2Generator
from zerosum.objectives.energy import BoundaryEquilibrium
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.optimisers import Adam, RMSprop
from zerosum.recipes.recipe import Recipe
from zerosum.runs.checkpoint import Checkpoint, load_checkpoint, newest_checkpoint, save_checkpoint
from zerosum.runs.log import read_log
from zerosum.terms.gradient_penalties import R1, GradientPenalty
from zerosum.terms.reconstruction import Reconstruction
from zerosum.terms.schedules import Cosine, Every
from zerosum.terms.vision_aided import VisionAided
from zerosum.training.signals import Interrupted, Terminated
from zerosum.training.train import train

pytestmark = pytest.mark.usefixtures("plotless")
POINTS = Recipe(
    name="points",
    data=Ring(count=300),  # 300 is no multiple of the batch: epochs end in the middle of batches
    generator=MLPGenerator(hidden=(16,), norm="batch"),
    discriminator=MLPDiscriminator(hidden=(16,), dropout=0.3),
    objective=NonSaturating(),
    conditional=True,
    latent=Normal(4),
    d_terms=(Every(3, R1(gamma=0.1)), GradientPenalty()),
    G_opt=Adam(schedule=Cosine()),
    D_opt=RMSprop(),
    batch=32,
    images=1600,
    n_critic=2,
    ema=200.0,
    tick=200,
    snapshot=400,
)
ENERGY = replace(
    POINTS,
    name="energy",
    discriminator=AutoEncoderDiscriminator(size=8, code=4),
    objective=BoundaryEquilibrium(gamma=0.5, rate=0.1),
    d_terms=(),
    conditional=False,
)
IMAGES = Recipe(
    name="images",
    data=Digits(),
    generator=DCGANGenerator(size=4),
    discriminator=DCGANDiscriminator(size=4),
    objective=NonSaturating(),
    conditional=True,
    latent=Normal(8),
    d_terms=(Every(2, R1()),),
    batch=16,
    images=320,
    ema=100.0,
    tick=64,
    snapshot=160,
)

# Layers that remember: power iteration, reference batches; a second D on frozen features, mixed at random.
LAYERS = replace(
    IMAGES,
    name="layers",
    generator=DCGANGenerator(size=4, norm="spectral_batch", conditioning=ConditionalNorm()),
    discriminator=Aided(
        DCGANDiscriminator(size=4, norm="virtual", minibatch=MinibatchDiscrimination(4, 2)),
        FeatureDiscriminator("random-conv", side=8, taps=2, size=2),
    ),
    d_terms=(Every(2, R1()), VisionAided(begin=0.4)),
    g_terms=(VisionAided(begin=0.4),),
)
NOISY = replace(
    IMAGES,
    name="noisy",  # noise and mixed styles in G, an average of w, spectral norms in D, quarters that a term draws
    generator=StyleGAN2Generator(size=4),
    discriminator=FastGANDiscriminator(size=4, decoders=True),
    d_terms=(Every(2, R1()), Reconstruction()),
)


class Killed(BaseException):
    """Stands for a death without a last word."""


def interrupt(monkeypatch, rounds, action):
    """Do something once, after a number of rounds."""
    step, seen = Game.step, []

    def counted(self, batches):
        log = step(self, batches)
        seen.append(1)
        if len(seen) == rounds:
            action()
        return log

    monkeypatch.setattr(Game, "step", counted)


def die():
    raise Killed


def final(run):
    return newest_checkpoint(run)[1]


def assert_equal(one, other):
    assert one.groups.keys() == other.groups.keys()
    for name, tensors in one.groups.items():
        assert tensors.keys() == other.groups[name].keys()
        for key, tensor in tensors.items():
            assert torch.equal(tensor, other.groups[name][key]), f"{name}.{key} differs"
    timeless = [{k: v for k, v in c.numbers.items() if k != "seconds"} for c in (one, other)]
    assert timeless[0] == timeless[1]


# What is saved, and when, does not depend on the networks, so that each end is met by some of them.
ENDS = {
    (r.name, ending): (r, ending) for r in (POINTS, ENERGY, IMAGES, LAYERS, NOISY) for ending in ("signal", "death")
}
SLOW = [("energy", "signal"), ("images", "death"), ("layers", "signal"), ("noisy", "death")]


@pytest.mark.parametrize(
    ("recipe", "ending"),
    [pytest.param(*ends, marks=[pytest.mark.slow] * (name in SLOW), id="-".join(name)) for name, ends in ENDS.items()],
)
def test_a_resumed_run_equals_a_straight_one(tmp_path, monkeypatch, straight_of, recipe, ending):
    straight = straight_of(recipe)
    with monkeypatch.context() as patched:
        action = (lambda: signal.raise_signal(signal.SIGTERM)) if ending == "signal" else die
        interrupt(patched, 14, action)  # between two lines of the log
        with pytest.raises(Terminated if ending == "signal" else Killed):
            train(recipe, tmp_path / "broken", quiet=True)
    assert newest_checkpoint(tmp_path / "broken")[1].numbers["images"] < recipe.images
    broken = train(recipe, tmp_path / "broken", quiet=True)
    assert_equal(final(straight), final(broken))
    files = [(run / "generator.safetensors").read_bytes() for run in (straight, broken)]
    assert files[0] == files[1]
    clocks = {"seconds", "images_per_second", "wait"}
    logs = [[{k: v for k, v in e.items() if k not in clocks} for e in read_log(r)] for r in (straight, broken)]
    assert logs[0] == logs[1]
    grids = [{p.name: p.read_bytes() for p in (run / "samples").iterdir()} for run in (straight, broken)]
    assert grids[0] == grids[1]


def test_state_of_adaptive_objectives_is_carried_and_the_recipe_is_not_touched(straight_of):
    k = final(straight_of(ENERGY)).groups["objective"]["k"]
    assert 0 < k <= 1
    assert torch.equal(ENERGY.objective.balance, torch.zeros(()))


def test_layers_with_random_numbers_of_their_own_draw_new_ones_each_iteration(tmp_path, monkeypatch):
    """Dropout takes torch's own generator, which the loop sets by the position: never twice to the same place."""
    step, drawn = Game.step, []
    monkeypatch.setattr(Game, "step", lambda game, batches: drawn.append(torch.rand(()).item()) or step(game, batches))
    train(replace(POINTS, images=512), tmp_path / "run", quiet=True)
    assert len(set(drawn)) == len(drawn) == 8


def test_a_run_hides_the_labels_that_its_recipe_says(tmp_path, monkeypatch):
    turn, conditions = Game.turn, []
    monkeypatch.setattr(
        Game, "turn", lambda game, player, batch, *rest: conditions.append(batch.c) or turn(game, player, batch, *rest)
    )
    train(replace(POINTS, images=512, label_dropout=0.5), tmp_path / "run", quiet=True)
    unknown = torch.cat(conditions) == 8
    assert unknown.double().mean().item() == pytest.approx(0.5, abs=0.1)
    assert torch.cat(conditions)[~unknown].unique().tolist() == [*range(8)]


def test_the_exit_status_of_an_interrupted_run_is_the_signals(tmp_path, monkeypatch):
    interrupt(monkeypatch, 3, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(Interrupted) as ended:
        train(POINTS, tmp_path / "run", quiet=True)
    assert ended.value.code == 130
    assert isinstance(ended.value, KeyboardInterrupt), "which ends a call in a session and not the session"
    assert str(ended.value) == "stopped after 192 images and saved; the same command resumes the run"


def test_a_resumed_run_counts_on_in_the_time_that_it_has_taken(tmp_path, monkeypatch):
    interrupt(monkeypatch, 14, lambda: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(Terminated):
        train(POINTS, tmp_path / "run", quiet=True)
    monkeypatch.undo()
    path, found, _ = newest_checkpoint(tmp_path / "run")
    before = read_log(tmp_path / "run")[-1]["seconds"]
    assert before <= found.numbers["seconds"] < 600
    shutil.rmtree(path)
    save_checkpoint(path, Checkpoint(found.groups, {**found.numbers, "seconds": 1000.0}))
    run = train(POINTS, tmp_path / "run", quiet=True)
    assert all(1000 <= line["seconds"] < 1600 for line in run.log if line["images"] > found.numbers["images"])
    assert 1000 <= final(run).numbers["seconds"] < 1600


def test_a_checkpoint_without_its_seconds_is_not_used(tmp_path):
    run = train(replace(POINTS, images=96), tmp_path / "run", quiet=True)
    (run / "generator.safetensors").unlink()
    for path in (run / "checkpoints").iterdir():
        found = load_checkpoint(path)
        shutil.rmtree(path)
        save_checkpoint(path, Checkpoint(found.groups, {k: v for k, v in found.numbers.items() if k != "seconds"}))
    with pytest.raises(ValueError, match="its seconds should be a time; found None"):
        train(replace(POINTS, images=96), run, quiet=True)


def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(tmp_path, monkeypatch, capsys, straight_of):
    straight = straight_of(POINTS)
    with monkeypatch.context() as patched:
        interrupt(patched, 22, die)
        with pytest.raises(Killed):
            train(POINTS, tmp_path / "broken", quiet=True)
    newest = newest_checkpoint(tmp_path / "broken")[0]
    (newest / "G.safetensors").write_bytes((newest / "G.safetensors").read_bytes()[:-1] + b"x")
    broken = train(POINTS, tmp_path / "broken")
    assert "G.safetensors is damaged" in capsys.readouterr().err
    assert_equal(final(straight), final(broken))


def test_the_same_command_on_an_ended_run_changes_nothing(tmp_path, capsys):
    run = train(POINTS, tmp_path / "run", quiet=True)
    before = {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()}
    train(POINTS, tmp_path / "run")
    assert "nothing left to do" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()} == before


def test_another_recipe_is_refused_with_the_differences(straight_of):
    run = straight_of(POINTS)
    with pytest.raises(ValueError, match=r"another recipe: batch was 32, is 64\. Name another folder"):
        train(replace(POINTS, batch=64), run, quiet=True)


def test_a_folder_with_other_things_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="is not empty and holds no run"):
        train(POINTS, tmp_path, quiet=True)
    with pytest.raises(ValueError, match="is a file; --out must be a folder"):
        train(POINTS, tmp_path / "thesis.txt", quiet=True)


def test_the_seed_decides_everything(tmp_path):
    recipe = replace(POINTS, images=320)
    one = final(train(recipe, tmp_path / "a", quiet=True))
    same = final(train(recipe, tmp_path / "b", quiet=True))
    other = final(train(replace(recipe, seed=1), tmp_path / "c", quiet=True))
    assert_equal(one, same)
    assert not torch.equal(one.groups["G"]["body.0.weight"], other.groups["G"]["body.0.weight"])


def test_a_non_finite_loss_stops_with_the_last_checkpoint_intact(tmp_path):
    recipe = replace(POINTS, D_opt=Adam(lr=1e30), d_terms=(), discriminator=MLPDiscriminator(hidden=(16,)))
    with pytest.raises(ArithmeticError, match="is no longer a finite number"):
        train(recipe, tmp_path / "run", quiet=True)
    (checkpoint,) = (tmp_path / "run" / "checkpoints").iterdir()
    assert load_checkpoint(checkpoint).numbers["images"] == 0
