"""Every method in every space of the generator of every image recipe, at tiny size."""

from dataclasses import fields, replace

import pytest
import torch

from zerosum.conditions import Image, Labels
from zerosum.latent import (
    Attribute,
    InvertOptions,
    LatentModel,
    TuneOptions,
    complete,
    extremes,
    follow,
    gradients,
    invert,
    line,
    loop,
    orthogonal,
    pairs,
    principal_components,
    space_of,
    tune,
    weight_directions,
)
from zerosum.latent.direction import named_direction
from zerosum.latent.measure import Ruler, calibrated, measured_card
from zerosum.recipes.library import applications
from zerosum.recipes.named_recipes import catalogue
from zerosum.recipes.recipe import generator_network

N = 20
TINY = {"size": 4, "hidden": (8, 8), "blocks": 1, "embedding": 3, "tokens": 4, "full": 1}
WEIGHTS = torch.randn(144, 2, generator=torch.Generator().manual_seed(0)) / 12
BRIEF = InvertOptions(1, 4, pool=4, encoder=16)
TILT = Attribute("tilt", lambda x: x.flatten(1) @ WEIGHTS[:, 0].to(x.dtype))
RULER = Ruler({"tilt": TILT}, {"tilt": 0.1}, {"tilt": torch.arange(3.0)})


def tiny(recipe, make):
    """The recipe's generator at tiny size, and the kind of its condition."""
    G = recipe.generator
    small = {f.name: TINY[f.name] for f in fields(G) if f.name in TINY and getattr(G, f.name) is not None}
    if "attention" in vars(G) and G.attention:
        small["attention"] = 6
    condition = Labels(3) if recipe.conditional else None
    if make.__module__ == applications.__name__:
        sides = 3 if type(G).__name__ == "SuperResolution" else 12
        condition = Image((1, sides, sides), examples=torch.randint(0, 256, (3, 1, sides, sides), dtype=torch.uint8))
    return replace(recipe, generator=replace(G, **small)), condition


def models():
    """A model of each different generator by the recipes that have it."""
    found = {}
    for name, make in catalogue().items():
        recipe, condition = tiny(make(), make)
        if "points" not in repr(type(recipe.data)).lower() and not is_of_points(recipe):
            key = repr((recipe.generator, condition, type(recipe.latent).__name__, recipe.game))
            found.setdefault(key, (recipe, condition, []))[2].append(name)
    return [pytest.param(recipe, condition, id="+".join(names)[:60]) for recipe, condition, names in found.values()]


def is_of_points(recipe):
    module = type(recipe.data).__module__
    return "toys.gaussians" in module or "distribution" in module or type(recipe.generator).__name__ == "TextGenerator"


def spaces(model):
    kinds = ["z"]
    if getattr(model.call, "mapping", None) and getattr(model.call, "synthesis", None):
        kinds += ["w", "layers"]
    if model.condition is not None:
        kinds.append("condition")
    return [space_of(model, kind) for kind in kinds]


def refused(find, sentence):
    """What a method finds; None where it refuses with that sentence."""
    try:
        return find()
    except ValueError as error:
        assert sentence in str(error), error
        return None


def found_by_all(space, inputs):
    """The direction of every method that has one in a space."""
    points = space.at(inputs).detach()
    images = space.images(points, inputs)
    values = TILT(images)
    slopes = refused(lambda: gradients(space, points, inputs, lambda x: x.flatten(1) @ WEIGHTS), "do not depend on z")
    moving = slopes is not None and bool(slopes.any())
    slopes = slopes.mean(0) if moving else torch.zeros(2, *points.shape[1:])
    far = space.at(inputs.rows(torch.arange(N).flip(0)))
    found = {
        "line": line(points, values),
        "extremes": extremes(points, values),
        "gradient": slopes[0],
        "pairs": pairs(space, inputs, inputs.rows(torch.arange(N).roll(1))) + (far - points)[0],
    }
    for name, method in (("pca", principal_components), ("sefa", weight_directions)):
        made = refused(
            lambda method=method: method(space, inputs, min(2, points[0].numel())), "no layer of this generator"
        )
        if made is not None:
            found[name] = made[0]
    if moving:
        path = follow(space, inputs.rows(slice(3)), lambda x: x.mean((1, 2, 3)), 2)
        assert path.shape == (3, 3, *points.shape[1:])
        found["apart"] = orthogonal(slopes[0], [slopes[1]])
        # Every network has layers to read, and in w, as in most of z, layers that are affine.
        assert "pca" in found and ("sefa" in found or space.name in ("z", "condition"))
    return found, moving


def inverted(space):
    """Images that are no samples are inverted, edited, tuned to, and completed from their upper half."""
    images = torch.rand(2, 1, 12, 12, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = invert(space, images, options=BRIEF)
    assert found.points.isfinite().all() and float(found.errors.max()) < 1
    direction = named_direction("all", torch.ones(found.points.shape[1:]), space, "")
    assert found.edited(direction * 0).clamp(-1, 1).sub(found.images).abs().max() < 1 / 127
    tuned = tune(found, TuneOptions(2, batch=2, change=2.0))
    assert tuned.images.shape == images.shape and tuned.tuned.weights != space.model.weights
    mask = torch.zeros(2, 1, 12, 12)
    mask[:, :, :6] = 1
    assert complete(space, images, mask, 2, options=BRIEF).points.shape == (4, *found.points.shape[1:])


@pytest.mark.parametrize(("recipe", "condition"), models())
def test_every_method_in_every_space(recipe, condition):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G = generator_network(recipe, "generator", (1, 12, 12), condition).eval().requires_grad_(False)
        for weights in G.parameters():  # initial ones are so small that all samples are equal after rounding
            if weights.dim() > 1 and weights.std() < 0.5:
                weights.normal_(0, 1.5 * (weights.shape[0] / weights.numel()) ** 0.5)
    model = LatentModel(G, recipe.latent, condition)
    inputs = model.inputs(N)
    affected = []
    for space in spaces(model):
        found, moving = found_by_all(space, inputs)
        assert loop(space.draw(3), 2, space.name).shape[0] == 6
        for name, vector in found.items():
            assert vector.shape == space.at(inputs).shape[1:] and vector.isfinite().all(), (space.name, name)
            if moving and vector.any():
                direction = named_direction(name, vector, space, name)
                edited = (direction * 2).samples(model, inputs.rows(slice(4)))
                assert edited.shape == (4, 1, 12, 12) and edited.isfinite().all()
        if moving:
            affected.append(space.name)
            inverted(space)
            steepest = named_direction("line", found["line"], space, "line")
            moved = calibrated(steepest, model, inputs.rows(slice(4)), RULER, "tilt")
            card = measured_card(moved, model, inputs.rows(slice(4)), RULER)
            assert card.low <= 0 <= card.high and card.attribute == "tilt" and abs(card.shift) < 10
    # A generator without noise that translates an image is steered by the image alone.
    assert affected
    assert "z" in affected or isinstance(condition, Image)
