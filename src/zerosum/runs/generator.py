"""The trained generator: all that sampling needs, in one file or from a run folder."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from zerosum._disk import read_text
from zerosum.data.coding import Autoencoder, Coding
from zerosum.data.conditions import Columns, columns_of, shortened
from zerosum.game.draws import stream
from zerosum.game.fitting import load_fitting
from zerosum.game.trainable import MAIN
from zerosum.networks.conditioning import Attributes, Condition, Labels, Vector
from zerosum.networks.sizes import built
from zerosum.recipes.game_spec import generator_network
from zerosum.recipes.reader import NOTHING, Known, read_recipe
from zerosum.recipes.recipe import Recipe, flat
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.runs.facts import check_facts, column_facts
from zerosum.runs.files import MOST_TEXT, RECIPE, AnyPath
from zerosum.runs.images import to_bytes
from zerosum.runs.plain_json import read_json

Wanted = Mapping[str, ArrayLike] | ArrayLike
FORMAT = "zerosum generator 1"
_CODING = "coding/"  # begins the names of a coding's tensors beside those of the network
_BLOCK = 512  # latents are drawn, and samples computed, by blocks: sample i depends on the seed and i alone


def condition_of(recipe: Recipe, classes: int, columns: Columns | None = None) -> Condition | None:
    """What the recipe's networks are conditional on: the columns of its data's conditions, or else its classes.

    Raises `ValueError` for label dropout on numbers, none of which could stand for nothing.
    """
    if not recipe.conditional:
        return None
    if columns is None:
        return Labels(classes, nullable=recipe.label_dropout > 0)
    if columns.attributes:
        return Attributes(len(columns.names))
    if recipe.label_dropout:
        raise ValueError(
            f"label_dropout hides labels or attributes, and no number of {shortened(columns.names)} could stand for "
            f"nothing told: set label_dropout=0.0"
        )
    return Vector(len(columns.names))


def build_generator(
    recipe: Recipe, shape: tuple[int, ...], classes: int, columns: Columns | None = None, name: str = MAIN
) -> nn.Module:
    """The recipe's generator for samples of a shape; classes or columns count only where the recipe is conditional."""
    condition = condition_of(recipe, classes, columns)
    return built(lambda: generator_network(recipe, name, shape, condition))


@dataclass(frozen=True, eq=False)
class TrainedGenerator:
    """A generator that samples.

    Attributes:
        recipe: the recipe it was trained by.
        module: the network, `G(z[, c]) -> x`, in evaluation mode.
        shape: shape of one sample, `(C, H, W)` or `(d,)`.
        classes: names of the classes; empty where it is not conditional on them.
        images: images it was trained on.
        columns: what the entries of its conditions are; None where it is not conditional on such.
        coding: how samples stand for pictures, where they are latents of an autoencoder.
        name: which of its game's generators it is.
    """

    recipe: Recipe
    module: nn.Module
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    images: int
    columns: Columns | None = None
    coding: Coding | None = None
    name: str = MAIN

    @property
    def is_image(self) -> bool:
        """Whether samples are pictures, or become some."""
        return len(self.shape) == 3

    def labels(self, n: int) -> NDArray[np.int64] | None:
        """The labels that `sample(n)` goes round by default: 0, 1, ..., evenly; None where there are no classes."""
        return np.arange(n) % len(self.classes) if self.recipe.conditional and self.columns is None else None

    def conditions(
        self, n: int, wanted: Mapping[str, ArrayLike] | ArrayLike | None = None
    ) -> NDArray[np.float64] | None:
        """The rows `(n, entries)`, in the data's units, of `sample(n, conditions=wanted)`; None where there are none.

        Raises `ValueError` for what cannot be asked of it.
        """
        if self.columns is None and wanted is not None:
            raise ValueError(
                f"this {self.recipe.name} generator has no conditions: it was trained without a table of them"
            )
        if self.columns is None:
            return None
        rows: NDArray[np.float64] = self.columns.asked(n, wanted, unknown=self.recipe.label_dropout > 0).numpy()
        return rows

    def latents(self, n: int, seed: int = 0) -> Tensor:
        """The latents of `sample(n, seed)`, float32 `(n, size)`; the first are the same for every n."""
        return torch.cat([*self._latents(n, seed)])

    def _latents(self, n: int, seed: int) -> Iterator[Tensor]:
        """The same latents, block by block."""
        for block, start in enumerate(range(0, n, _BLOCK)):
            yield self.recipe.latent.draw(_BLOCK, stream(seed, "sample", block))[: n - start]

    def sample(
        self,
        n: int,
        seed: int = 0,
        labels: Sequence[int] | NDArray[np.int64] | None = None,
        conditions: Wanted | None = None,
    ) -> NDArray[Any]:
        """Draw n samples.

        Args:
            n: how many (>= 1).
            seed: which; sample i is the same for every n.
            labels: class indices, one a sample; by default round the classes evenly, as `labels(n)` tells. After label
                dropout, the number of classes stands for no label.
            conditions: entries of the condition by name, a number each or one a sample, in the data's units, where the
                others are those of rows of the training data; or whole rows, taken in turn. After label dropout,
                attributes of 0.5 tell nothing.

        Returns:
            uint8 pictures `(n, H, W, C)`, decoded where G makes latents of some, or float32 points `(n, d)` in the
            data's units.

        Raises:
            ValueError: for n < 1, and for labels or conditions that are none of those that it learned.
        """
        return np.concatenate([*self.pieces(n, seed, labels, conditions)])

    def pieces(
        self,
        n: int,
        seed: int = 0,
        labels: Sequence[int] | NDArray[np.int64] | None = None,
        conditions: Wanted | None = None,
    ) -> Iterator[NDArray[Any]]:
        """The same samples as `sample` gives, a few hundred at a time, so that never all of them are in memory."""
        if n < 1:
            raise ValueError(f"n counts samples and is at least 1; found {n}")
        c = self._condition(n, labels, conditions)
        told = [None] * -(-n // _BLOCK) if c is None else torch.split(c, _BLOCK)
        for z, own in zip(self._latents(n, seed), told, strict=True):
            x = self.map(z, own)
            x = x if self.coding is None else self.coding.decode(x)
            yield to_bytes(x) if self.is_image else x.numpy()

    @torch.no_grad()
    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """What G makes of latents `(N, size)` and labels or scaled rows: float32 `(N, *shape)` on the CPU."""
        device = next(self.module.parameters()).device
        outputs = []
        for start in range(0, len(z), _BLOCK):
            arguments = [t[start : start + _BLOCK].to(device) for t in (z, c) if t is not None]
            outputs.append(self.module(*arguments).float().cpu())
        return torch.cat(outputs)

    def class_index(self, name: str) -> int:
        """The index of a class by its name, or by its number where no name fits; `none` after label dropout.

        Raises `ValueError` where there is no such class.
        """
        if name in self.classes:
            return self.classes.index(name)
        if name.isdecimal() and int(name) < len(self.classes):
            return int(name)
        if name == "none" and self.recipe.label_dropout:
            return len(self.classes)
        if not self.classes:
            raise ValueError(f"this {self.recipe.name} generator has no classes: it was trained without labels")
        raise ValueError(f"no class {name!r}; there are {', '.join(self.classes)}")

    def _condition(
        self,
        n: int,
        labels: Sequence[int] | NDArray[np.int64] | None,
        conditions: Wanted | None,
    ) -> Tensor | None:
        """The condition of n samples, as the network takes it."""
        rows = self.conditions(n, conditions)
        if labels is not None and (self.columns is not None or not self.recipe.conditional):
            raise ValueError(f"this {self.recipe.name} generator has no classes: it was trained without labels")
        if self.columns is not None and rows is not None:
            return self.columns.scaled(torch.from_numpy(rows))
        labels = self.labels(n) if labels is None else labels
        if labels is None:
            return None
        c = torch.as_tensor(np.asarray(labels), dtype=torch.int64)
        highest = len(self.classes) - (0 if self.recipe.label_dropout else 1)
        if c.shape != (n,) or int(c.min()) < 0 or int(c.max()) > highest:
            raise ValueError(f"labels are {n} class indices up to {highest}; found {labels!r}")
        return c


def generator_bytes(generator: TrainedGenerator) -> bytes:
    """The content of `generator.safetensors`: the weights, and as metadata what rebuilds the network."""
    facts = {
        "format": FORMAT,
        "recipe": flat(generator.recipe),
        "shape": generator.shape,
        "classes": generator.classes,
        "images": generator.images,
        "generator": generator.name,
        **column_facts(generator.columns),
    }
    state = generator.module.state_dict()
    if generator.coding is not None:
        facts["coding"] = generator.coding.facts
        state = {**state, **{_CODING + name: tensor for name, tensor in generator.coding.state_dict().items()}}
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
    return _rebuilt(
        recipe, {**checkpoint.numbers, "generator": generator}, checkpoint.groups.get(generator, {}), coding
    )


def _coding(facts: Mapping[str, Any], state: Mapping[str, Tensor], given: Autoencoder | None) -> Coding | None:
    if "coding" in facts and not {"mean", "deviation"} <= state.keys():
        raise ValueError("its coding lacks the mean and deviation of latents")
    return Coding.restored(facts["coding"], state, given) if "coding" in facts else None


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
    own = {name.removeprefix(_CODING): weights.pop(name) for name in [*weights] if name.startswith(_CODING)}
    recipe = read_recipe(str(facts.get("recipe", "")), known, opaque=True)
    return _rebuilt(recipe, facts, weights, _coding(facts, own, autoencoder))


def _rebuilt(
    recipe: Recipe, facts: Mapping[str, Any], weights: Mapping[str, Tensor], coding: Coding | None
) -> TrainedGenerator:
    shape, classes = tuple(facts["shape"]), tuple(facts["classes"])
    columns = columns_of(facts["columns"]) if "columns" in facts else None
    module = build_generator(recipe, shape, len(classes), columns, name := facts.get("generator", MAIN))
    try:
        load_fitting(module, weights, "it")
    except ValueError as error:
        raise ValueError(f"the weights do not fit the recipe's generator, {recipe.generator!r}: {error}") from None
    module = module.eval().requires_grad_(False)
    return TrainedGenerator(recipe, module, shape, classes, facts["images"], columns, coding, name)
