"""The whole product: any objective with any term, any networks and any conditioning, on tiny pictures and points.

The parts are found where the library finds them, so a new one joins by existing. Any two parts meet; of combinations
of three, every fourth is played.
"""

import copy
import inspect
import itertools
import re
import typing
from dataclasses import dataclass, fields, is_dataclass, replace

import pytest
import torch
from torch import nn

from zerosum._rooms import public
from zerosum.data.dataset import in_memory
from zerosum.game.codes import Coded
from zerosum.game.draws import Draws
from zerosum.game.judgement import Judgement
from zerosum.game.latents import Normal
from zerosum.game.player import Term, unwrapped
from zerosum.game.turn import Clock, Turn
from zerosum.networks.conditioning import Concatenate, Labels, Projection
from zerosum.objectives._wrapping import Objective
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.recipe import Recipe
from zerosum.terms.consistency import Transformation
from zerosum.terms.gradient_penalties import R1
from zerosum.terms.schedules import Cosine, Schedule
from zerosum.training.batches import Batches
from zerosum.training.build import build_game

BATCH, ROUNDS, EVERY = 4, 2, 4
LATENT = Coded(Normal(2), (2,), 1)


@dataclass(frozen=True)
class Shift:
    """A transformation: noise."""

    size: float = 0.1

    def __call__(self, x, draws, purpose):
        return x + self.size * draws.normal(purpose, tuple(x.shape))


# For fields without a default.
EXAMPLES = {Term: R1(), Schedule: Cosine(), Transformation: Shift(), Objective: NonSaturating(), int: 2, float: 1.0}
TINY = {"width": 4, "hidden": (8, 8), "code": 4, "embedding": 3, "activation": "silu", "conditioning": Concatenate(3)}
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


def conditioned(discriminator):
    """The discriminator with each way in which a condition may enter; None is the game without one."""
    ways = typing.get_type_hints(type(discriminator)).get("conditioning", type(None))
    ways = typing.get_args(ways) or (ways,)
    known = {Concatenate: Concatenate(3), Projection: Projection(), type(None): None}
    yield discriminator, None
    for way in ways:
        if way is not type(None):
            yield replace(discriminator, conditioning=known.get(way) or way()), way.__name__


def built(network, shape):
    """The module for data of a shape, or None where the network does not take such data."""
    latent = (3,) if "latent" in inspect.signature(network.build).parameters else ()
    try:
        return network.build(*latent, shape, None)
    except ValueError:
        return None


def judged(made, G, D, way):
    """What a pair's discriminator says of a few samples."""
    x = torch.zeros(2, *made.shape)
    network = D.build(made.shape, None if way is None else Labels(3))
    return Judgement.of(network(x) if way is None else network(x, torch.arange(2)))


def data(*shape):
    """Twelve made-up samples of three classes."""
    random = torch.Generator().manual_seed(0)
    pictures = torch.randint(256, (12, *shape), dtype=torch.uint8, generator=random)
    x = pictures if len(shape) == 3 else torch.randn(12, *shape, generator=random)
    return in_memory("tiny", x, torch.arange(12) % 3, ("a", "b", "c"))


PAIRS = [
    (made, G, D, way)
    for made in (data(2, 8, 8), data(2))
    for G in examples("networks", "build", "latent", "shape", "condition")
    for plain in examples("networks", "build", "shape", "condition")
    if built(G, made.shape) and built(plain, made.shape)
    for D, way in conditioned(plain)
]
OBJECTIVES = examples("objectives", "d_loss", "real", "fake")
TERMS = [None, *examples("terms", "__call__", "turn")]


class Plain(nn.Linear):
    """A network that shows a score and nothing else."""

    def forward(self, v, c=None):
        return super().forward(v)


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


def needs_of(term):
    """What a term reads off a judgement besides the score."""
    return {need for side in sides_of(term) for need in re.findall(r"reads D's (\w+)", refusal(term, side))}


LEARNS = [bool([*built(D, made.shape).parameters()]) for made, _, D, _ in PAIRS]
SHOWN = [judged(*pair) for pair in PAIRS]
SIDES, NEEDS = [sides_of(term) for term in TERMS], [needs_of(term) for term in TERMS]


def cases():
    """Objectives, terms and pairs of networks; a discriminator that learns nothing needs no terms."""
    every = itertools.product(enumerate(PAIRS), enumerate(OBJECTIVES), enumerate(TERMS))
    for (i, (made, G, D, way)), (j, objective), (k, term) in every:
        learns, met = LEARNS[i], (i + j + k) % EVERY == 0
        shows = all(getattr(SHOWN[i], need) is not None for need in NEEDS[k])
        if term is None or (learns and met and shows):
            names = [type(part).__name__ for part in (objective, term, G, D)]
            shown = "pictures" if made.is_image else "points"
            yield pytest.param(
                made, objective, term, SIDES[k], G, D, way, learns, id="-".join([*names, str(way), shown])
            )


def free(objective):
    """Whether a constant added to all of D's scores changes nothing in its loss.

    So it is for games of score differences, and for hinges while every score lies within the margin. There the last
    bias of D stays where it is, and rightly.
    """
    shift = torch.zeros((), requires_grad=True)
    real, fake = torch.linspace(-0.4, 0.3, 8), torch.linspace(-0.2, 0.5, 8)
    loss = objective.d_loss(real + shift, fake + shift)
    return abs(torch.autograd.grad(loss, shift)[0].item()) < 1e-6


@pytest.mark.parametrize(("made", "objective", "term", "sides", "G", "D", "way", "learns"), list(cases()))
def test_any_parts_play_together(made, objective, term, sides, G, D, way, learns):
    """Two rounds give finite losses, and in them every parameter of each player is reached by a gradient."""
    recipe = Recipe(
        name="product",
        generator=G,
        discriminator=D,
        objective=objective,
        conditional=way is not None,
        latent=LATENT,
        d_terms=(term,) if "D" in sides else (),
        g_terms=(term,) if "G" in sides else (),
        n_critic=1 if learns else 0,
        batch=BATCH,
    )
    game = build_game(recipe, made, torch.device("cpu"), "float32")
    batches = Batches(made, BATCH, recipe.conditional, seed=0, device=torch.device("cpu"))
    players = {"D": game.D, "G": game.G} if learns else {"G": game.G}
    reached = set()
    for _ in range(ROUNDS):
        log = game.step(batches)
        assert all(value.isfinite() for value in log.values())
        for name, player in players.items():
            reached |= {(name, key) for key, p in player.network.named_parameters() if p.grad.any()}
    unreached = {(name, key) for name, player in players.items() for key, _ in player.network.named_parameters()}
    unreached -= reached
    if free(objective):
        unreached -= {("D", "head.linear.bias")}
    assert unreached == set()
    assert all(f"{side}/{type(unwrapped(term)).__name__}" in log for side in sides)


def test_the_product_holds_all_there_is():
    """The search for parts finds those that are known to be there, with every way of conditioning."""
    assert {"Minimax", "MMD", "BoundaryEquilibrium", "Relativistic"} <= {type(o).__name__ for o in OBJECTIVES}
    assert {"R1", "R2", "GradientPenalty", "Every"} <= {type(t).__name__ for t in TERMS}
    sides = {type(t).__name__: "".join(s) for t, s in zip(TERMS, SIDES, strict=True)}
    assert {sides[name] for name in ("R1", "LeCam", "Consistency", "Every")} == {"D"}
    assert {sides[name] for name in ("FeatureMatching", "PathLength", "ModeSeeking")} == {"G"}
    assert {sides[name] for name in ("LatentConsistency", "WeightDecay", "AuxiliaryClass")} == {"DG"}
    ways = {(type(D).__name__, way) for _, _, D, way in PAIRS}
    assert {("DCGANDiscriminator", way) for way in (None, "Concatenate", "Projection")} <= ways
    assert ("IdentityDiscriminator", None) in ways
    assert {type(G).__name__ for _, G, _, _ in PAIRS} >= {"MLPGenerator", "DCGANGenerator"}


def test_any_two_parts_meet():
    """Thinning the combinations of three leaves out no pair that can play together."""
    played = [case.values for case in cases()]
    met = {(id(term), id(other)) for _, objective, term, _, _, D, _, _ in played for other in (objective, D)}
    shown = {need for judgement in SHOWN for need in ("features", "logits") if getattr(judgement, need) is not None}
    for term, needs in zip(TERMS, NEEDS, strict=True):
        if needs <= shown:
            assert {(id(term), id(objective)) for objective in OBJECTIVES} <= met
            able = [D for (*_, D, _), learns in zip(PAIRS, LEARNS, strict=True) if learns or term is None]
            assert {(id(term), id(D)) for D in able} <= met
