"""A recipe of digits so small that its networks need no training, such networks, and a run folder of them."""

import torch

from zerosum.data.sources.digits import Digits
from zerosum.game import Normal
from zerosum.networks import DCGANDiscriminator, DCGANGenerator
from zerosum.objectives import NonSaturating
from zerosum.recipes import Recipe
from zerosum.recipes.recipe import pretty
from zerosum.runs.checkpoint import Checkpoint, save_checkpoint
from zerosum.runs.generator import TrainedGenerator, build_generator, generator_bytes
from zerosum.runs.run import Run
from zerosum.runs.stored_condition import condition_facts


def tiny_recipe(size, latent):
    return Recipe(
        name="tiny",
        generator=DCGANGenerator(size),
        discriminator=DCGANDiscriminator(size, norm="none"),
        objective=NonSaturating(),
        latent=Normal(latent),
        data=Digits(),
        conditional=True,
        images=64,
    )


def untrained(recipe, shape, condition, seed=0, scale=1):
    """A generator whose weights are so large that samples differ after rounding, and a discriminator."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        G = build_generator(recipe, shape, condition).eval().requires_grad_(False)
        D = recipe.discriminator.build(shape, condition)
    for p in G.parameters():
        p.mul_(scale if p.dim() > 1 else 1)
    return TrainedGenerator(recipe, G, shape, 64, condition), D


def write_run(folder, generator, D):
    """A run folder as after training."""
    folder.mkdir()
    (folder / "recipe.txt").write_text(pretty(generator.recipe))
    (folder / "generator.safetensors").write_bytes(generator_bytes(generator))
    facts = {"shape": generator.shape, "images": generator.images, **condition_facts(generator.condition)}
    (folder / "checkpoints").mkdir()
    save_checkpoint(folder / "checkpoints" / "000000000064", Checkpoint({"D": D.state_dict()}, facts))
    return Run(folder)
