"""The whole product: any objective with any term, any networks and any conditioning, on tiny pictures and points.

The parts are found where the library finds them, so a new one joins by existing. On points, perceptrons play every
objective with every term under every conditioning. Each other pair of networks, conditioned in each of its ways, meets
every objective and every term, in combinations of all three of which every eleventh or so is played.
"""

import copy
import inspect
import typing
from dataclasses import fields, is_dataclass, replace
from functools import cache

import pytest
import torch
from torch import nn

from zerosum._rooms import public
from zerosum.augment import Flip, InstanceNoise, Noise
from zerosum.data.dataset import in_memory
from zerosum.game.codes import Coded
from zerosum.game.draws import Draws
from zerosum.game.judgement import Judgement
from zerosum.game.latents import Normal
from zerosum.game.player import Schedule, Term, unwrapped
from zerosum.game.turn import Augmentation, Clock, Transformation, Turn
from zerosum.game.unrolled import Unrolled
from zerosum.networks.conditioning import Concatenate, Projection
from zerosum.networks.mlp import MLPDiscriminator
from zerosum.networks.spec import DiscriminatorSpec
from zerosum.objectives._wrapping import Objective
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.recipe import Recipe
from zerosum.terms import MutualInformation
from zerosum.terms.gradient_penalties import R1
from zerosum.terms.schedules import Cosine
from zerosum.training.batches import Batches
from zerosum.training.build import build_game

BATCH, ROUNDS = 4, 2
LATENT = Coded(Normal(2), (2,), 1)
CODE = MutualInformation(LATENT.categories, LATENT.continuous).outputs
LAST_BIAS = ("head.linear.bias", "head.linear.layer.bias")  # bare, and under spectral norm
# For fields without a default.
EXAMPLES = {
    Term: R1(), Schedule: Cosine(), Transformation: Noise(0.1), Objective: NonSaturating(), int: 2, float: 1.0,
    DiscriminatorSpec: MLPDiscriminator(size=8), tuple[Augmentation, ...]: (InstanceNoise(0.1), InstanceNoise(0.2)),
    tuple[Transformation, ...]: (Noise(0.1),),
}  # fmt: skip
TINY = {"size": 4, "hidden": (8, 8), "code": 4, "embedding": 3, "activation": "silu", "conditioning": Concatenate(3)}
TINY |= {"categories": LATENT.categories, "continuous": LATENT.continuous}


def example(kind):
    """A value of a public dataclass, with its defaults and with examples where it has none."""
    hints = typing.get_type_hints(kind)
    needed = inspect.signature(kind).parameters.values()
    return kind(**{p.name: EXAMPLES[hints[p.name]] for p in needed if p.default is p.empty})


def examples(room, method, *parameters):
    """One of each dataclass of a room that has a method of these parameters, small where a size can be chosen."""
    found = []
    for kind in public(f"zerosum.{room}").values():
        is_part = inspect.isclass(kind) and is_dataclass(kind) and inspect.isfunction(getattr(kind, method, None))
        if is_part and tuple(inspect.signature(getattr(kind, method)).parameters)[1:] == parameters:
            made = example(kind)
            sizes = {f.name: TINY[f.name] for f in fields(kind) if f.name in TINY}
            found.append(replace(made, **sizes))
    return found


def conditioned(network):
    """The network with each way in which a condition may enter; None is the game without one."""
    ways = typing.get_type_hints(type(network)).get("conditioning", type(None))
    ways = typing.get_args(ways) or (ways,)
    known = {Concatenate: Concatenate(3), Projection: Projection(), type(None): None}
    yield network, None
    for way in ways:
        if way is not type(None):
            yield replace(network, conditioning=known.get(way) or way()), way.__name__


@cache
def built(network, shape):
    """The module for data of a shape, or None where the network does not take such data."""
    latent = (LATENT.size,) if "latent" in inspect.signature(network.build).parameters else ()
    try:
        return network.build(*latent, shape, None)
    except ValueError:
        return None


def data(*shape):
    """Twelve made-up samples of three classes."""
    random = torch.Generator().manual_seed(0)
    pictures = torch.randint(256, (12, *shape), dtype=torch.uint8, generator=random)
    x = pictures if len(shape) == 3 else torch.randn(12, *shape, generator=random)
    return in_memory("tiny", x, torch.arange(12) % 3, ("a", "b", "c"))


def family(network):
    return type(network).__name__.removesuffix("Generator").removesuffix("Discriminator")


GENERATORS = examples("networks", "build", "latent", "shape", "condition")
DISCRIMINATORS = examples("networks", "build", "shape", "condition")
POINTS, PICTURES = data(2), data(2, 8, 8)


def partner(D, shape):
    """The generator of D's own family, or of a plain one."""
    able = [G for G in GENERATORS if built(G, shape)]
    plain = "MLP" if len(shape) == 1 else "DCGAN"
    return next((G for G in able if family(G) == family(D)), None) or next(G for G in able if family(G) == plain)


def pairs():
    """Each discriminator with a generator, each generator's own ways of conditioning beside them."""
    for made in (POINTS, PICTURES):
        for plain in DISCRIMINATORS:
            if not built(plain, made.shape):
                continue
            G = partner(plain, made.shape)
            for D, way in conditioned(plain):
                yield made, G, D, way
            for other, way in conditioned(G):
                D = {way: D for D, way in conditioned(plain)}.get("Projection")
                if way == "ConditionalNorm" and D is not None and built(other, made.shape):
                    yield made, other, D, "Projection"


PAIRS = list(pairs())
OBJECTIVES = examples("objectives", "d_loss", "real", "fake")
TERMS = [None, *examples("terms", "__call__", "turn")]


class Plain(nn.Linear):
    """A network that shows a score and nothing else."""

    def forward(self, v, c=None):
        return super().forward(v)


@cache
def refusal(term, player):
    """What a term says of a player's move before a D that shows nothing besides its score; empty if it plays along."""
    G, D, z, x = Plain(LATENT.size, 2), Plain(2, 1), torch.randn(4, LATENT.size), torch.randn(4, 2)
    turn = Turn(player, D, G, x.requires_grad_(), G(z), z, torch.arange(4) % 2, Clock(), Draws(0, 0))
    try:
        copy.deepcopy(term)(turn)
    except ValueError as error:
        return str(error)
    return ""


def sides_of(term):
    """The players that a term is for: it refuses the other's move with a sentence that says so."""
    return [side for side in "DG" if term is not None and "put " not in refusal(term, side)]


def equipped(D, way, term, shape):
    """The discriminator with what the term reads off it, or None where it has no such thing to show."""
    known = {f.name for f in fields(D)}
    match type(term).__name__:
        case "Reconstruction":
            return replace(D, decoders=True) if "decoders" in known else None
        case "LevelGuidance":  # D's partner is of its own family, and has the levels
            return replace(D, levels=4) if "levels" in known else None
        case "MutualInformation":
            return replace(D, auxiliary=CODE) if "auxiliary" in known else None
        case "AuxiliaryClass":
            return D if way == "Auxiliary" else None
        case "FeatureMatching" | "PullingAway":
            return D if judged(D, shape).features is not None else None
    return D


@cache
def judged(D, shape):
    """What the discriminator says of two samples, without a condition."""
    return Judgement.of(built(replace(D), shape)(torch.zeros(2, *shape)))


@cache
def can_learn(D, shape):
    """Whether a discriminator has parameters for data of a shape."""
    return bool([*built(D, shape).parameters()])


def cases():
    """Pairs of networks with objectives and terms; a discriminator that learns nothing needs no terms."""
    for i, (made, G, plain, way) in enumerate(PAIRS):
        whole = made is POINTS and type(plain) is MLPDiscriminator
        able = [(term, D) for term in TERMS if (D := equipped(plain, way, term, made.shape)) is not None]
        for j, objective in enumerate(OBJECTIVES):
            for k, (term, D) in enumerate(able):
                meet = whole or not can_learn(plain, made.shape) or (i + j + k) % len(OBJECTIVES) == 0
                if meet and (term is None or can_learn(D, made.shape)):
                    names = [type(part).__name__ for part in (objective, term, G, D)]
                    shown = "pictures" if made.is_image else "points"
                    yield pytest.param(made, objective, term, G, D, way, id="-".join([*names, str(way), shown]))


def free(objective):
    """Whether a constant added to all of D's scores changes nothing in its loss.

    So it is for games of score differences, and for hinges while every score lies within the margin. There the last
    bias of D stays where it is, and rightly.
    """
    shift = torch.zeros((), requires_grad=True)
    real, fake = torch.linspace(-0.4, 0.3, 8), torch.linspace(-0.2, 0.5, 8)
    loss = objective.d_loss(real + shift, fake + shift)
    return abs(torch.autograd.grad(loss, shift)[0].item()) < 1e-6


def play(made, recipe):
    """Two rounds with finite losses; the game, its last log, and the parameters that no gradient has reached."""
    game = build_game(recipe, made, torch.device("cpu"), "float32")
    batches = Batches(made, BATCH, recipe.conditional, seed=0, device=torch.device("cpu"))
    players = [player for player in (game.D, game.G) if player.parameters]
    unreached = {(player.name, key) for player in players for key, _ in player.network.named_parameters()}
    for _ in range(ROUNDS):
        log = game.step(batches)
        assert all(value.isfinite() for value in log.values())
        unreached -= {(p.name, key) for p in players for key, w in p.network.named_parameters() if w.grad.any()}
    return game, log, unreached


@pytest.mark.parametrize(("made", "objective", "term", "G", "D", "way"), list(cases()))
def test_any_parts_play_together(made, objective, term, G, D, way):
    """Two rounds give finite losses, and in them every parameter of each player is reached by a gradient."""
    sides = sides_of(term)
    recipe = Recipe(
        name="product",
        generator=G,
        discriminator=D,
        objective=objective,
        conditional=way is not None,
        latent=LATENT,
        d_terms=(term,) if "D" in sides else (),
        g_terms=(term,) if "G" in sides else (),
        n_critic=1 if can_learn(D, made.shape) else 0,
        batch=BATCH,
    )
    _, log, unreached = play(made, recipe)
    if type(term).__name__ not in ("MutualInformation", "AuxiliaryClass"):
        unreached = {(player, name) for player, name in unreached if "auxiliary" not in name}
    if free(objective):
        unreached -= {(player, name) for player, name in unreached if player == "D" and name.endswith(LAST_BIAS)}
    assert unreached == set()
    assert all(f"{side}/{type(unwrapped(term)).__name__}" in log for side in sides)


BASE = Recipe(
    name="product",
    generator=next(G for G in GENERATORS if family(G) == "DCGAN"),
    discriminator=next(D for D in DISCRIMINATORS if family(D) == "DCGAN"),
    objective=NonSaturating(),
    latent=LATENT,
    batch=BATCH,
)
AUGMENTATIONS = examples("augment", "__call__", "x", "role", "turn")


@pytest.mark.parametrize("augment", [*AUGMENTATIONS, None], ids=lambda a: type(a).__name__)
@pytest.mark.parametrize("shown", [None, Unrolled(2)], ids=lambda a: type(a).__name__)
def test_what_either_player_sees_may_be_changed(augment, shown):
    """Every augmentation, with and without a look-ahead, under a penalty and several moves of G."""
    recipe = replace(BASE, augment=augment, shown=shown, d_terms=(R1(),), n_generator=2, n_critic=2)
    game, _, unreached = play(PICTURES, recipe)
    assert (game.D.moves, game.G.moves, game.images) == (2 * ROUNDS, 2 * ROUNDS, 2 * ROUNDS * BATCH)
    assert unreached == set()


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda o: type(o).__name__)
def test_g_may_look_ahead_in_every_game(objective):
    _, _, unreached = play(PICTURES, replace(BASE, objective=objective, shown=Unrolled(2)))
    if free(objective):
        unreached -= {("D", "head.linear.bias")}
    assert unreached == set()


def test_the_product_holds_all_there_is():
    """The search for parts finds those that are known to be there, with every way of conditioning."""
    assert {"Minimax", "MMD", "BoundaryEquilibrium", "Relativistic"} <= {type(o).__name__ for o in OBJECTIVES}
    assert {"R1", "R2", "GradientPenalty", "Every"} <= {type(t).__name__ for t in TERMS}
    ways = {(type(D).__name__, way) for _, _, D, way in PAIRS}
    assert {("DCGANDiscriminator", way) for way in (None, "Concatenate", "Projection", "Auxiliary")} <= ways
    assert ("IdentityDiscriminator", None) in ways
    assert {type(G).__name__ for _, G, _, _ in PAIRS} == {type(G).__name__ for G in GENERATORS}
    assert {type(D).__name__ for _, _, D, _ in PAIRS} == {type(D).__name__ for D in DISCRIMINATORS}
    assert Flip not in map(type, AUGMENTATIONS)
    played = [case.values for case in cases()]
    for i in range(len(PAIRS)):
        _, G, D, _ = PAIRS[i]
        mine = [case for case in played if case[3] == G and family(case[4]) == family(D)]
        assert {type(case[1]) for case in mine} == {type(o) for o in OBJECTIVES}
    assert {type(case[2]) for case in played} == {type(t) for t in TERMS}
