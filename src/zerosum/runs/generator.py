"""The trained generator: all that sampling needs, in one file or from a run folder."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from zerosum._disk import read_text
from zerosum.autoencoders.coding import LatentCoding
from zerosum.conditions.condition import Condition
from zerosum.game.fitting import load_fitting
from zerosum.game.random import stream
from zerosum.game.trainable import MAIN
from zerosum.networks.sizes import built
from zerosum.protocols import Autoencoder, Coding
from zerosum.recipes.game_spec import generator_network
from zerosum.recipes.reader import NOTHING, Known, read_recipe
from zerosum.recipes.recipe import Recipe, flat
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.runs.facts import check_facts
from zerosum.runs.files import MOST_TEXT, RECIPE, AnyPath
from zerosum.runs.images import to_bytes
from zerosum.runs.plain_json import read_json
from zerosum.runs.stored_condition import CONDITION, condition_facts, restored_condition

FORMAT = "zerosum generator 1"
_CODING = "coding"  # with a slash, begins the names of a coding's tensors beside those of the network
_BLOCK = 512  # latents are drawn, and samples computed, by blocks: sample i depends on the seed and i alone


def build_generator(
    recipe: Recipe, shape: tuple[int, ...], condition: Condition | None = None, name: str = MAIN
) -> nn.Module:
    """The recipe's generator for samples of a shape under such a condition."""
    return built(lambda: generator_network(recipe, name, shape, condition))


@dataclass(frozen=True, eq=False)
class TrainedGenerator:
    """A generator that samples.

    Attributes:
        recipe: the recipe it was trained by.
        module: the network, `G(z[, c]) -> x`, in evaluation mode.
        shape: shape of one sample, `(C, H, W)` or `(d,)`.
        images: images it was trained on.
        condition: what its condition c is; None where it has none.
        coding: how samples stand for images, where they are latents of an autoencoder.
        name: which of its game's generators it is.
    """

    recipe: Recipe
    module: nn.Module
    shape: tuple[int, ...]
    images: int
    condition: Condition | None = None
    coding: Coding | None = None
    name: str = MAIN

    @property
    def is_image(self) -> bool:
        """Whether samples are images, or become some."""
        return len(self.shape) == 3

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; empty where it is not conditional on any."""
        return () if self.condition is None else self.condition.classes

    def labels(self, n: int, wanted: Any = None) -> NDArray[np.int64] | None:
        """The class indices of `sample(n, labels=wanted)`, by default 0, 1, ... in turn; None without classes.

        Raises `ValueError` for what is none of its classes.
        """
        if wanted is None and not self.classes:
            return None
        labels: NDArray[np.int64] = self._values(n, wanted, None).numpy()  # type: ignore[union-attr]
        return labels

    def conditions(self, n: int, wanted: Any = None) -> NDArray[Any] | None:
        """The conditions, in the units of the data, of `sample(n, conditions=wanted)`; None where it has none.

        Raises `ValueError` for what cannot be asked of it.
        """
        values = self._values(n, None, wanted)
        return None if values is None else values.numpy()

    def latents(self, n: int, seed: int = 0) -> Tensor:
        """The latents of `sample(n, seed)`, float32 `(n, size)`; the first are the same for every n."""
        return torch.cat([*self._latents(n, seed)])

    def _latents(self, n: int, seed: int) -> Iterator[Tensor]:
        """The same latents, block by block."""
        for block, start in enumerate(range(0, n, _BLOCK)):
            yield self.recipe.latent.draw(_BLOCK, stream(seed, "sample", block))[: n - start]

    def sample(self, n: int, seed: int = 0, labels: Any = None, conditions: Any = None) -> NDArray[Any]:
        """n samples; sample i depends on the seed, i and its condition alone, and so is the same for every n.

        Args:
            n: how many.
            seed: which latents.
            labels: classes by index or name, one for all samples or one a sample; by default all classes in turn. After
                label dropout, "none" or the number of classes stands for an unknown class.
            conditions: what a generator of another kind of condition is asked for, in the units of the data, as the
                kind's `values` takes it. For rows of numbers: components by name, a number each or one a sample, where
                the others are those of rows of the training data; or whole rows, taken in turn. After label dropout,
                attributes of 0.5 are unknown.

        Returns:
            uint8 images `(n, H, W, C)`, decoded where G makes latents of some, or float32 points `(n, d)` in the
            data's units.

        Raises:
            ValueError: for n < 1, and for labels or conditions that it did not learn.
        """
        return np.concatenate([*self.pieces(n, seed, labels, conditions)])

    def pieces(self, n: int, seed: int = 0, labels: Any = None, conditions: Any = None) -> Iterator[NDArray[Any]]:
        """The same samples as `sample` gives, a few hundred at a time, so that never all of them are in memory."""
        values = self._values(n, labels, conditions)
        blocks = [None] * -(-n // _BLOCK) if values is None else torch.split(values, _BLOCK)
        for z, own in zip(self._latents(n, seed), blocks, strict=True):
            yield self.render(z, own)

    def render(self, z: Tensor, values: Tensor | None = None) -> NDArray[Any]:
        """Samples, as `sample` returns them, of latents `(N, size)` and of conditions in the units of the data."""
        x = self.map(z, None if values is None or self.condition is None else self.condition.encode(values))
        x = x if self.coding is None else self.coding.decode(x)
        return to_bytes(x) if self.is_image else x.numpy()

    @torch.no_grad()
    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """What G makes of latents `(N, size)` and of c as networks take it: float32 `(N, *shape)` on the CPU."""
        device = next(self.module.parameters()).device
        outputs = []
        for start in range(0, len(z), _BLOCK):
            arguments = [t[start : start + _BLOCK].to(device) for t in (z, c) if t is not None]
            outputs.append(self.module(*arguments).float().cpu())
        return torch.cat(outputs)

    def _values(self, n: int, labels: Any, conditions: Any) -> Tensor | None:
        """The conditions of n samples in the units of the data."""
        if n < 1:
            raise ValueError(f"n counts samples and is at least 1; found {n}")
        if labels is not None and conditions is not None:
            raise ValueError("labels and conditions are two ways to ask for the condition of samples: give one of them")
        if labels is not None and not self.classes:
            raise ValueError(f"this {self.recipe.name} generator has no classes: it was trained without labels")
        if conditions is not None and self.condition is None:
            raise ValueError(f"this {self.recipe.name} generator has no conditions: it was trained without any")
        return None if self.condition is None else self.condition.values(n, conditions if labels is None else labels)


def generator_bytes(generator: TrainedGenerator) -> bytes:
    """The content of `generator.safetensors`: the weights, and as metadata what rebuilds the network."""
    facts = {
        "format": FORMAT,
        "recipe": flat(generator.recipe),
        "shape": generator.shape,
        "images": generator.images,
        "generator": generator.name,
        **condition_facts(generator.condition),
    }
    state = generator.module.state_dict()
    if generator.condition is not None:
        state = {**state, **{f"{CONDITION}/{name}": t for name, t in generator.condition.state_dict().items()}}
    if generator.coding is not None:
        facts["coding"] = generator.coding.facts
        state = {**state, **{f"{_CODING}/{name}": tensor for name, tensor in generator.coding.state_dict().items()}}
    weights = {name: tensor.cpu().contiguous() for name, tensor in state.items()}
    # One entry: safetensors writes several in no fixed order, and equal generators should be equal files.
    return safetensors.torch.save(weights, {"zerosum": json.dumps(facts)})


def load(
    run: AnyPath,
    known: Known = NOTHING,
    autoencoder: Autoencoder | None = None,
    generator: str = MAIN,
) -> TrainedGenerator:
    """The trained generator of a run folder, or of a `generator.safetensors` file.

    A run that has not ended gives its newest checkpoint's. Only the recipe's generator and latent are built, so of your
    own parts `known` needs to name these alone. `autoencoder` is the one in whose latents the game was played, where it
    was given in Python. Of several generators `generator` names one; at the end of a run each has a file,
    `NAME.safetensors`.

    Raises `ValueError` where there is nothing to load or the file is not one of ours.
    """
    path = Path(run)
    file = path / f"{generator}.safetensors" if path.is_dir() else path
    if file.is_file():
        return _from_file(file, known, autoencoder)
    if not (path / RECIPE).is_file():
        raise ValueError(f"{path} is neither a run folder nor a generator.safetensors file")
    found = newest_checkpoint(path)
    if found is None:
        raise ValueError(f"{path} holds no checkpoint yet: train it a little longer")
    checkpoint = found[1]
    recipe = read_recipe(read_text(path / RECIPE, MOST_TEXT), known, opaque=True)
    check_facts(checkpoint.numbers)
    coding = _coding(checkpoint.numbers, checkpoint.groups.get("coding", {}), autoencoder)
    condition = restored_condition(checkpoint.numbers, checkpoint.groups.get(CONDITION, {}), known)
    facts = {**checkpoint.numbers, "generator": generator}
    return _rebuilt(recipe, facts, checkpoint.groups.get(generator, {}), condition, coding)


def _coding(facts: Mapping[str, Any], state: Mapping[str, Tensor], given: Autoencoder | None) -> Coding | None:
    if "coding" in facts and not {"mean", "std"} <= state.keys():
        raise ValueError("its coding lacks the mean and std of latents")
    return LatentCoding.restored(facts["coding"], state, given) if "coding" in facts else None


def _from_file(file: Path, known: Known, autoencoder: Autoencoder | None) -> TrainedGenerator:
    try:
        with safetensors.safe_open(str(file), framework="pt") as opened:
            facts = read_json("its metadata", (opened.metadata() or {}).get("zerosum", "{}"))
        weights = safetensors.torch.load_file(str(file))
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise ValueError(f"{file} does not read as safetensors: {error}") from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise ValueError(f"{file} is not a generator that zerosum wrote: it lacks {FORMAT!r} in its metadata")
    check_facts(facts)
    coding, condition = (_taken(weights, f"{name}/") for name in (_CODING, CONDITION))
    recipe = read_recipe(str(facts.get("recipe", "")), known, opaque=True)
    parts = restored_condition(facts, condition, known), _coding(facts, coding, autoencoder)
    return _rebuilt(recipe, facts, weights, *parts)


def _taken(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin so, taken out of the others, by the rest of their names."""
    return {name.removeprefix(prefix): weights.pop(name) for name in [*weights] if name.startswith(prefix)}


def _rebuilt(
    recipe: Recipe,
    facts: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    condition: Condition | None,
    coding: Coding | None,
) -> TrainedGenerator:
    shape, name = tuple(facts["shape"]), facts.get("generator", MAIN)
    module = build_generator(recipe, shape, condition, name)
    try:
        load_fitting(module, weights, "it")
    except ValueError as error:
        raise ValueError(f"the weights do not fit the recipe's generator, {recipe.generator!r}: {error}") from None
    module = module.eval().requires_grad_(False)
    return TrainedGenerator(recipe, module, shape, facts["images"], condition, coding, name)
