"""Games played by attributes and numbers: what samples show is what was asked for, whatever the networks."""

import inspect
import signal
import typing
from dataclasses import dataclass, fields, is_dataclass, replace

import numpy as np
import pytest
import torch

import zerosum
from zerosum._rooms import public
from zerosum.data.dataset import in_memory
from zerosum.game.game import Game
from zerosum.game.latents import Normal
from zerosum.networks.conditioning import Auxiliary, Concatenate, Projection
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.terms.auxiliary import AuxiliaryClass
from zerosum.terms.gradient_penalties import R1
from zerosum.terms.schedules import Every
from zerosum.training.batches import Batches
from zerosum.training.build import build_game
from zerosum.training.signals import Terminated
from zerosum.training.train import train

pytestmark = pytest.mark.usefixtures("plotless")
SIDE = 8


@dataclass(frozen=True)
class Lit:
    """Grey pictures whose left and right halves are lit or not, each by itself."""

    count: int = 200

    def open(self):
        random = np.random.default_rng(0)
        lit = random.integers(0, 2, (self.count, 2))
        x = 40 + 170 * lit.repeat(SIDE // 2, axis=1)[:, None, :] + random.integers(-15, 16, (self.count, SIDE, SIDE))
        return in_memory("lit", pictures(x), conditions=lit, condition_names=("left", "right"))


@dataclass(frozen=True)
class Bright:
    """Grey pictures as bright as an age is high, and a number that nothing shows, of another scale."""

    count: int = 400

    def open(self):
        random = np.random.default_rng(0)
        age, noise = random.uniform(20, 80, self.count), 1e6 * random.normal(size=self.count)
        x = brightness(age)[:, None, None] + random.integers(-15, 16, (self.count, SIDE, SIDE))
        return in_memory("bright", pictures(x), conditions=np.stack([age, noise], 1), condition_names=("age", "noise"))


def brightness(age):
    return 40 + 3 * (age - 20)


def pictures(x):
    return torch.from_numpy(x.clip(0, 255).astype(np.uint8))[:, None]


OPTIMISER = Adam(lr=2e-3, betas=(0.0, 0.9))
LEARNS = Recipe(
    name="learns",
    data=Lit(),
    generator=MLPGenerator(hidden=(64, 64)),
    discriminator=MLPDiscriminator(hidden=(64, 64)),
    objective=NonSaturating(),
    conditional=True,
    latent=Normal(4),
    d_terms=(Every(2, R1()),),
    G_opt=OPTIMISER,
    D_opt=OPTIMISER,
    images=16_000,
    ema=500.0,
    tick=4_000,
    snapshot=16_000,
    precision="float32",
)
AUXILIARY = MLPDiscriminator(hidden=(64, 64), conditioning=Auxiliary())


def reading(kind):
    """The game in which D has to read the condition instead of being told."""
    term = AuxiliaryClass(kind=kind)
    return replace(LEARNS, discriminator=AUXILIARY, d_terms=(*LEARNS.d_terms, term), g_terms=(term,))


ATTRIBUTES = [LEARNS, replace(LEARNS, label_dropout=0.2), reading("attributes")]


@pytest.mark.parametrize("recipe", ATTRIBUTES, ids=["projection", "dropout", "auxiliary"])
def test_samples_have_the_attributes_asked_for(tmp_path, recipe):
    generator = zerosum.load(train(recipe, tmp_path / "run", quiet=True))
    for left in (0, 1):
        for right in (0, 1):
            x = generator.sample(100, conditions={"left": left, "right": right})[..., 0].astype(float)
            halves = np.stack([x[:, :, : SIDE // 2].mean((1, 2)), x[:, :, SIDE // 2 :].mean((1, 2))], 1)
            asked = np.array([left, right])
            assert ((halves > 125) == asked).mean() > 0.97
            assert np.abs(halves.mean(0) - (40 + 170 * asked)).max() < 25
    if recipe.label_dropout:
        x = generator.sample(200, conditions=[0.5, 0.5])[..., 0].astype(float)
        share = (x[:, :, : SIDE // 2].mean((1, 2)) > 125).mean()
        assert 0.15 < share < 0.85, "where nothing is told, there are samples of both kinds"


@pytest.mark.parametrize("recipe", [LEARNS, reading("numbers")], ids=["projection", "auxiliary"])
def test_samples_have_the_numbers_asked_for(tmp_path, recipe):
    generator = zerosum.load(train(replace(recipe, data=Bright()), tmp_path / "run", quiet=True))
    for age in (25.0, 35.0, 50.0, 65.0, 75.0):
        means = generator.sample(100, conditions={"age": age}).mean((1, 2, 3))
        assert abs(means.mean() - brightness(age)) < 15 and means.std() < 15
    ages = np.linspace(25, 75, 100)
    shown = generator.sample(100, conditions={"age": ages, "noise": 0.0}).mean((1, 2, 3))
    assert np.corrcoef(shown, ages)[0, 1] > 0.98


def small(method, *parameters):
    """Every network value of the room, as small as it can be made, with each way in which a condition enters it."""
    dials = {"size": 4, "hidden": (8, 8), "code": 4, "embedding": 3, "layers": 1}
    for kind in public("zerosum.networks").values():
        if not (inspect.isclass(kind) and is_dataclass(kind) and inspect.isfunction(getattr(kind, method, None))):
            continue
        if [*inspect.signature(getattr(kind, method)).parameters][1:] != [*parameters]:
            continue
        if kind.__name__ in ("Blind", "SuperResolution", "TextGenerator", "Translator"):  # of none, or images alone
            continue
        needed = {"discriminator": MLPDiscriminator(size=4)} if kind.__name__ in ("Aided", "Packed") else {}
        made = replace(kind(**needed), **{f.name: dials[f.name] for f in fields(kind) if f.name in dials})
        ways = typing.get_type_hints(kind).get("conditioning")
        for way in (typing.get_args(ways) or (ways,)) if ways else ():
            yield replace(made, conditioning=Concatenate(3) if way is Concatenate else way())
        if ways is None:
            yield made


def shown(network):
    way = getattr(network, "conditioning", None)
    return f"{type(network).__name__}-{type(way).__name__}"


GENERATORS = [*small("build", "latent", "shape", "condition")]
DISCRIMINATORS = [D for D in small("build", "shape", "condition") if type(D).__name__ != "IdentityDiscriminator"]
WITH = {"G": DCGANGenerator(size=4), "D": DCGANDiscriminator(size=4)}
PAIRS = [*[(G, WITH["D"]) for G in GENERATORS], *[(WITH["G"], D) for D in DISCRIMINATORS]]


@pytest.mark.parametrize(("G", "D"), PAIRS, ids=lambda network: shown(network))
@pytest.mark.parametrize("data", [Lit(12), Bright(12)], ids=["attributes", "numbers"])
def test_every_network_plays_by_rows_in_each_of_its_ways(G, D, data):
    """Two rounds are finite, and the condition that D is told or has to read moves what it says; classes it refuses."""
    made, kind = data.open(), "attributes" if isinstance(data, Lit) else "numbers"
    reads = isinstance(getattr(D, "conditioning", None), Auxiliary)
    terms = (AuxiliaryClass(kind=kind),) if reads else ()
    recipe = replace(LEARNS, generator=G, discriminator=D, d_terms=terms, g_terms=terms, batch=4)
    if shown(D).endswith("Discriminative"):
        with pytest.raises(ValueError, match=r"^Discriminative\(\) predicts class labels, and here are .*: choose Aux"):
            build_game(recipe, made, torch.device("cpu"), "float32")
        return
    game = build_game(recipe, made, torch.device("cpu"), "float32")
    batches = Batches(made, 4, True, 0, torch.device("cpu"))
    for _ in range(2):
        assert all(value.isfinite() for value in game.step(batches).values())
    batch = next(batches)
    other = 1 - batch.c if kind == "attributes" else -batch.c
    for network, first, moved in ((game.G.network, torch.randn(4, 4), True), (game.D.network, batch.x, not reads)):
        network.eval()
        with torch.no_grad():
            verdicts = [network(first, c) for c in (batch.c, other)]
        values = [v if isinstance(v, torch.Tensor) else v.score for v in verdicts]
        assert torch.equal(*values) != moved


def test_the_search_finds_the_networks_and_their_ways():
    names = {shown(network) for pair in PAIRS for network in pair}
    wanted = {"DCGANGenerator-ConditionalNorm", "ResNetGenerator-Concatenate", "ResNetDiscriminator-Auxiliary"}
    wanted |= {"StyleGAN2Generator-NoneType", "StyleGAN2Discriminator-Projection", "Packed-Concatenate"}
    assert wanted <= names


RESUMED = {
    "attributes": replace(reading("attributes"), label_dropout=0.3),
    "numbers": replace(LEARNS, data=Bright(), discriminator=MLPDiscriminator(size=8, conditioning=Projection())),
}


@pytest.mark.parametrize("recipe", RESUMED.values(), ids=[*RESUMED])
def test_a_resumed_run_equals_a_straight_one_and_can_be_asked_on_its_way(tmp_path, monkeypatch, recipe):
    recipe = replace(recipe, images=960, tick=128, snapshot=320)
    straight = train(recipe, tmp_path / "straight", quiet=True)
    step, rounds = Game.step, []

    def counted(self, batches):
        rounds.append(1)
        if len(rounds) == 8:
            signal.raise_signal(signal.SIGTERM)
        return step(self, batches)

    with monkeypatch.context() as patched, pytest.raises(Terminated):
        patched.setattr(Game, "step", counted)
        train(recipe, tmp_path / "broken", quiet=True)
    name = recipe.data.open().condition.components[0]
    assert zerosum.load(tmp_path / "broken").sample(3, conditions={name: 1}).shape == (3, SIDE, SIDE, 1)
    broken = train(recipe, tmp_path / "broken", quiet=True)
    one, other = (newest_checkpoint(run)[1] for run in (straight, broken))
    for group, tensors in one.groups.items():
        assert all(torch.equal(tensor, other.groups[group][key]) for key, tensor in tensors.items())
    assert one.numbers["condition"] == other.numbers["condition"]
    assert (straight / "generator.safetensors").read_bytes() == (broken / "generator.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (
            replace(LEARNS, data=Bright(), label_dropout=0.1),
            r"continuous components have no value for 'unknown' \(age, noise\): set",
        ),
        (
            reading("labels"),
            r"AuxiliaryClass\(kind='labels'\) predicts labels, and the conditions of these data are attributes: write",
        ),
        (
            replace(reading("attributes"), data=Bright()),
            r"attributes, and the conditions of these data are numbers: write AuxiliaryClass\(kind='numbers'\)",
        ),
        (
            replace(LEARNS, data=replace(zerosum.read("Gaussian1D()"), count=50)),
            "learns is conditional and Gaussian on the line has neither labels nor conditions: give conditional data",
        ),
    ],
)
def test_games_that_do_not_fit_their_conditions_are_refused(tmp_path, recipe, message):
    with pytest.raises(ValueError, match=message):
        train(recipe, tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def test_without_conditional_the_conditions_play_no_part(tmp_path):
    generator = zerosum.load(train(replace(LEARNS, conditional=False, images=64), tmp_path / "run", quiet=True))
    assert generator.condition is None and generator.conditions(3) is None


def test_a_run_from_before_its_source_had_a_field_more_is_continued(tmp_path, monkeypatch, capsys):
    recipe = replace(LEARNS, images=64)
    run = train(recipe, tmp_path / "run", quiet=True)
    text = (run / "recipe.txt").read_text()
    (run / "recipe.txt").write_text(text.replace("    label_dropout=0.0,\n", ""))
    assert (run / "recipe.txt").read_text() != text
    train(recipe, run)
    assert "nothing left to do" in capsys.readouterr().err
