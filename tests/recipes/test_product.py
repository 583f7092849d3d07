"""The whole product: any objective with any term, any networks and any conditioning, on tiny pictures and points.

The parts are found where the library finds them, so a new one joins by existing.
"""

import functools
import inspect
import itertools
import typing
from dataclasses import fields, is_dataclass, replace
from functools import cache

import pytest
import torch

from zerosum._rooms import public
from zerosum.data.dataset import in_memory
from zerosum.game.latents import Normal
from zerosum.game.player import Schedule, Term, unwrapped
from zerosum.networks.conditioning import Concatenate, Projection
from zerosum.networks.mlp import MLPDiscriminator
from zerosum.networks.spec import DiscriminatorSpec
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import R1
from zerosum.terms.reconstruction import Reconstruction
from zerosum.terms.schedules import Cosine
from zerosum.training.batches import Batches
from zerosum.training.build import build_game

BATCH, ROUNDS = 4, 2
LAST_BIAS = ("head.linear.bias", "head.linear.layer.bias")  # bare, and under spectral norm
# For fields without a default.
EXAMPLES = {Term: R1(), Schedule: Cosine(), DiscriminatorSpec: MLPDiscriminator(size=8), int: 2, float: 1.0}
TINY = {"size": 4, "hidden": (8, 8), "code": 4, "embedding": 3, "activation": "silu", "conditioning": Concatenate(3)}


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


@cache
def built(network, shape):
    """The module for data of a shape, or None where the network does not take such data."""
    latent = (3,) if "latent" in inspect.signature(network.build).parameters else ()
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


def equipped(D, term):
    """The discriminator with what the term asks of it, or None where it has no such thing."""
    if not isinstance(term, Reconstruction):
        return D
    return replace(D, decoders=True) if "decoders" in {f.name for f in fields(D)} else None


@functools.cache
def can_learn(D, shape):
    """Whether a discriminator has parameters for data of a shape."""
    return bool([*built(D, shape).parameters()])


def cases():
    """Every objective, term and pair of networks; a discriminator that learns nothing needs no terms."""
    for (made, G, plain, way), objective, term in itertools.product(PAIRS, OBJECTIVES, TERMS):
        D = equipped(plain, term)
        learns = D is not None and can_learn(D, made.shape)
        if learns or term is None:
            names = [type(part).__name__ for part in (objective, term, G, D)]
            shown = "pictures" if made.is_image else "points"
            yield pytest.param(made, objective, term, G, D, way, learns, id="-".join([*names, str(way), shown]))


def free(objective):
    """Whether a constant added to all of D's scores changes nothing in its loss.

    So it is for games of score differences, and for hinges while every score lies within the margin. There the last
    bias of D stays where it is, and rightly.
    """
    shift = torch.zeros((), requires_grad=True)
    real, fake = torch.linspace(-0.4, 0.3, 8), torch.linspace(-0.2, 0.5, 8)
    loss = objective.d_loss(real + shift, fake + shift)
    return abs(torch.autograd.grad(loss, shift)[0].item()) < 1e-6


@pytest.mark.parametrize(("made", "objective", "term", "G", "D", "way", "learns"), list(cases()))
def test_any_parts_play_together(made, objective, term, G, D, way, learns):
    """Two rounds give finite losses, and in them every parameter of each player is reached by a gradient."""
    recipe = Recipe(
        name="product",
        generator=G,
        discriminator=D,
        objective=objective,
        conditional=way is not None,
        latent=Normal(3),
        d_terms=() if term is None else (term,),
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
    # What predicts the condition learns by a term that reads its predictions.
    unreached = {(player, name) for player, name in unreached if "head.auxiliary." not in name}
    if free(objective):
        unreached -= {(player, name) for player, name in unreached if player == "D" and name.endswith(LAST_BIAS)}
    assert unreached == set()
    assert term is None or f"D/{type(unwrapped(term)).__name__}" in log


def test_the_product_holds_all_there_is():
    """The search for parts finds those that are known to be there, with every way of conditioning."""
    assert {"Minimax", "MMD", "BoundaryEquilibrium", "Relativistic"} <= {type(o).__name__ for o in OBJECTIVES}
    assert {"R1", "R2", "GradientPenalty", "Every"} <= {type(t).__name__ for t in TERMS}
    ways = {(type(D).__name__, way) for _, _, D, way in PAIRS}
    assert {("DCGANDiscriminator", way) for way in (None, "Concatenate", "Projection")} <= ways
    assert ("IdentityDiscriminator", None) in ways
    assert {type(G).__name__ for _, G, _, _ in PAIRS} >= {"MLPGenerator", "DCGANGenerator"}
