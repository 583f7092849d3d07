"""Notes on games that can be trained but are known not to go well."""

__all__ = ()

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import torch
from torch import Tensor
from torch.autograd.graph import Node
from torch.nn.modules.batchnorm import _BatchNorm

from zerosum.data.dataset import Dataset
from zerosum.diagnostics.patient import PENALTIES
from zerosum.features.extractor import HALF
from zerosum.features.identity import REFUSALS
from zerosum.game.buffers import saved_buffers
from zerosum.game.game import Game
from zerosum.game.judgement import Judgement
from zerosum.game.player import unwrapped
from zerosum.game.trainable import TrainableGame
from zerosum.networks.feature_discriminator import FeatureDiscriminator
from zerosum.networks.mlp import MLPGenerator
from zerosum.objectives.drifting import Drifting
from zerosum.objectives.kernel import MMD
from zerosum.protocols import HasBoundary, Objective
from zerosum.recipes.own_networks import OwnDiscriminator
from zerosum.recipes.recipe import Recipe
from zerosum.runs.stored_condition import condition_of

_SMALL = 32 * 32  # pixels of an image that an MLP has been shown to generate
_PROBES = 4
_PROBABILITIES = ("SigmoidBackward", "SoftmaxBackward")  # the operations whose results are probabilities
_CHANGES_LITTLE = (
    "Clone",
    "Mean",
    "Select",
    "Slice",
    "Squeeze",
    "ToCopy",
    "Unsqueeze",
    "View",
    "UnsafeView",
    "Reshape",
)


def cautions(recipe: Recipe, dataset: Dataset, game: TrainableGame) -> Iterator[str]:
    """What is likely to go wrong in a game, a sentence each; nothing for the recipes of the library on their data.

    It runs an own discriminator once, on four samples of noise; buffers and random state are unchanged.
    """
    if dataset.count == 1:
        yield f"{dataset.name} is a single sample: G can only learn to copy it"
    if dataset.is_image and dataset.coding is None and isinstance(recipe.generator, MLPGenerator):
        channels, height, width = dataset.shape
        if channels > 1 or height * width > _SMALL:
            yield (
                f"{recipe.name} is a recipe for points or small grey images: its generator is an MLP, and these images "
                f"are {height}x{width}x{channels}; convolutional recipes, such as r3gan and fastgan, suit them better"
            )
    chosen = recipe.evaluation.features if recipe.evaluation is not None else None
    if isinstance(chosen, str) and _network_name(chosen) in _trained_on(recipe.discriminator):
        yield (
            f"D is trained on the features of {_network_name(chosen)}, so scores by them say little about samples: "
            f"evaluate with others, such as --features random-conv or vgg16"
        )
    if isinstance(game, Game):
        yield from _of_networks(recipe, dataset, game)


def _network_name(features: str) -> str:
    """The name of an extractor without its argument and its number format."""
    return features.partition(":")[0].removesuffix(HALF)


def _trained_on(spec: object) -> set[str]:
    """The names of the extractors whose frozen features a discriminator sees, or one within it."""
    if isinstance(spec, FeatureDiscriminator):
        return {_network_name(spec.features)}
    if not is_dataclass(spec):
        return set()
    return set().union(*(_trained_on(getattr(spec, f.name)) for f in fields(spec)))


def _of_networks(recipe: Recipe, dataset: Dataset, game: Game) -> Iterator[str]:
    penalties = [type(term).__name__ for term in map(unwrapped, game.D.terms) if isinstance(term, PENALTIES)]
    if penalties and any(isinstance(module, _BatchNorm) for module in game.D.network.modules()):
        yield (
            f"D has batch norm, so its score of a sample depends on the whole batch, and {penalties[0]} penalises the "
            f"gradient of each sample's own score: use layer norm, spectral norm or none"
        )
    if not isinstance(recipe.discriminator, OwnDiscriminator) or isinstance(game.objective, MMD | Drifting):
        return
    try:
        score, name = _score(recipe, dataset, game), type(game.objective).__name__
    except REFUSALS:
        return  # the first update raises it again, with what was asked of D
    if score.dim() == 2 and score.shape[1] == 2:
        yield (
            f"D returns two scores for each sample, and {name} takes each as high for real samples: for logits of the "
            f"classes real and fake, return their difference"
        )
    if _takes_scores(game.objective) and _is_probability(score.grad_fn):
        yield (
            f"D ends in a sigmoid or softmax, and {name} takes scores, not probabilities: leave that last layer out, "
            f"or training is slow or fails"
        )


def _takes_scores(objective: Objective) -> bool:
    """Whether an objective of this package needs scores outside [0, 1]: all but least squares between such labels."""
    boundary = objective.boundary if isinstance(objective, HasBoundary) else None
    return type(objective).__module__.startswith("zerosum.") and not (boundary is not None and 0 < boundary < 1)


def _score(recipe: Recipe, dataset: Dataset, game: Game) -> Tensor:
    """D's scores of four samples of noise, with their graph."""
    network, condition = game.D.network, condition_of(recipe, dataset.condition)
    where, buffers = game.D.parameters[0].device if game.D.parameters else torch.device("cpu"), saved_buffers(network)
    with torch.random.fork_rng(devices=[]):
        x = torch.randn(_PROBES, *dataset.shape, generator=torch.Generator().manual_seed(0)).to(where)
        c = [] if condition is None else [condition.encode(condition.values(_PROBES)).to(where)]
        verdict: Tensor | Judgement = network(x, *c)
    for buffer in buffers:
        buffer.restore()
    return Judgement.of(verdict).score


def _is_probability(node: Node | None) -> bool:
    """Whether a result comes from a sigmoid or softmax, but for changes of shape and type and for means."""
    while node is not None and node.name().startswith(_CHANGES_LITTLE):
        node = node.next_functions[0][0]
    return node is not None and node.name().startswith(_PROBABILITIES)
