"""The trained generator, loaded from one file or a run folder."""

__all__ = ["TrainedGenerator", "build_generator", "generator_bytes", "load"]

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from zerosum._arrays import separated
from zerosum._disk import read_text
from zerosum._foreign import read_tensors, taken_apart
from zerosum._json import read_json
from zerosum._paths import AnyPath, user_path
from zerosum.conditions.condition import Condition
from zerosum.game.fitting import load_fitting
from zerosum.game.trainable import MAIN
from zerosum.networks.sizes import built
from zerosum.protocols import Autoencoder, Coding
from zerosum.recipes.reader import NOTHING, Known, read_recipe
from zerosum.recipes.recipe import Recipe, flat, generator_network
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.runs.facts import check_count, check_facts
from zerosum.runs.files import MOST_TEXT, RECIPE
from zerosum.runs.images import to_bytes
from zerosum.runs.latents import Edit, latents_of
from zerosum.runs.stored_coding import restored_coding
from zerosum.runs.stored_condition import CONDITION, condition_facts, restored_condition

FORMAT = "zerosum generator 1"
_CODING = "coding"  # with a slash, the prefix of a coding's tensors in a generator's file
_BLOCK = 512  # samples that G makes at once, at most
_VALUES = 1 << 22  # of the samples that G makes at once: large images are made a few at a time


def build_generator(
    recipe: Recipe, shape: tuple[int, ...], condition: Condition | None = None, name: str = MAIN
) -> nn.Module:
    """The recipe's generator for samples of a shape under such a condition."""
    return built(lambda: generator_network(recipe, name, shape, condition))


@dataclass(frozen=True, eq=False)
class TrainedGenerator:
    """A generator that samples.

    Attributes:
        recipe: the recipe it was trained with.
        module: the network, `G(z[, c]) -> x`, in evaluation mode.
        shape: shape of one sample, `(C, H, W)` or `(d,)`.
        images: number of real samples seen in training.
        condition: the kind of its condition c; None if unconditional.
        coding: decodes G's output, if it is latents of an autoencoder, texts, or points in other units than the
            data's; else None.
        name: its name among the game's generators.
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
        """Whether samples are images, or latents decoded to images."""
        return len(self.shape) == 3

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names; empty if it is not class-conditional."""
        return () if self.condition is None else self.condition.classes

    def labels(self, n: int, wanted: Any = None) -> NDArray[np.int64] | None:
        """The class indices of `sample(n, labels=wanted)`; None without classes. `ValueError` for unknown ones."""
        if wanted is None and not self.classes:
            return None
        labels: NDArray[np.int64] = self._values(n, wanted, None).numpy()  # type: ignore[union-attr]
        return labels

    def conditions(self, n: int, wanted: Any = None) -> NDArray[Any] | None:
        """The conditions of `sample(n, conditions=wanted)`, in the units of the data; `ValueError` for invalid ones."""
        values = self._values(n, None, wanted)
        return None if values is None else values.numpy()

    def latents(self, n: int, seed: int = 0) -> Tensor:
        """The latents of `sample(n, seed)`, float32 `(n, size)`; the first are the same for every n."""
        return torch.cat([*latents_of(self.recipe.latent, n, seed)])

    def sample(
        self, n: int, seed: int = 0, labels: Any = None, conditions: Any = None, prompts: Any = None
    ) -> NDArray[Any]:
        """Generate n samples; sample i depends on the seed, i and its condition alone, so it is the same for every n.

        Args:
            n: number of samples.
            seed: random seed of the latents.
            labels: classes by index or name, one for all samples or one per sample; by default all classes cyclically.
                With label dropout, "none" or the number of classes means an unknown class.
            conditions: conditions of another kind, in the units of the data, as accepted by the kind's `values`. For
                rows of numbers: components by name, one number for all samples or one per sample, with the other
                components taken from training examples; or whole rows, used cyclically. Unknown attributes are 0.5.
            prompts: the same for captions: one, or several that are used cyclically.

        Returns:
            uint8 images `(n, H, W, C)`, decoded if G outputs latents, or points `(n, d)` in the data's units, float32
            (float64 if they were scaled).

        Raises:
            ValueError: for n < 1 or above 100 million, and for labels or conditions it was not trained on.
        """
        if prompts is not None and conditions is not None:
            raise ValueError("sample was given both conditions and prompts, which are the same: pass only one")
        return np.concatenate([*self.sample_batches(n, seed, labels, prompts if conditions is None else conditions)])

    def sample_batches(self, n: int, seed: int = 0, labels: Any = None, conditions: Any = None) -> Iterator[Any]:
        """Yield the samples of `sample` in batches of up to 512, fewer of large images, to save memory."""
        values = self._values(n, labels, conditions)
        yield from self.sample_under(n, seed, None if values is None else values.__getitem__)

    def sample_under(self, n: int, seed: int, values: Callable[[slice], Tensor] | None) -> Iterator[NDArray[Any]]:
        """Yield the samples of `sample` under conditions that are read when needed, in the units of the data."""
        start = 0
        for block in latents_of(self.recipe.latent, n, seed):
            for z in torch.split(block, self._at_once):
                rows = slice(start, start + len(z))
                yield self.render(z, None if values is None else values(rows))
                start += len(z)

    def render(self, z: Tensor, values: Tensor | None = None) -> NDArray[Any]:
        """Samples, as returned by `sample`, of latents `(N, size)` and of conditions in the units of the data."""
        x = self.map(z, None if values is None or self.condition is None else self.condition.encode(values))
        x = x if self.coding is None else self.coding.decode(x)
        return to_bytes(x) if self.is_image else x.numpy()

    def apply(
        self, image: NDArray[np.uint8], seed: int = 0, variation: int = 0, hidden: NDArray[np.bool_] | None = None
    ) -> NDArray[np.uint8]:
        """Transform an image, uint8 `(H, W, C)`: see `runs.applied.applied`."""
        from zerosum.runs.applied import applied  # which needs this class

        return applied(self, image, seed, variation, hidden)

    def edit(self, n: int, edit: Edit, seed: int = 0, labels: Any = None, conditions: Any = None) -> NDArray[np.uint8]:
        """The images of `sample`, each moved along directions of `zerosum.latent`, such as `2 * thickness - slant`."""
        values = self._values(n, labels, conditions)
        return edit.images(self, self.latents(n, seed), values)

    @torch.no_grad()
    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """G(z, c) for latents `(N, size)` and encoded conditions c: float32 `(N, *shape)` on the CPU, not decoded."""
        device = next(self.module.parameters()).device
        outputs = []
        for start in range(0, len(z), self._at_once):
            arguments = [t[start : start + self._at_once].to(device) for t in (z, c) if t is not None]
            outputs.append(self.module(*arguments).float().cpu())
        return torch.cat(outputs)

    @property
    def _at_once(self) -> int:
        """The number of samples that G makes at once."""
        return max(1, min(_BLOCK, _VALUES // math.prod(self.shape)))

    def _values(self, n: int, labels: Any, conditions: Any) -> Tensor | None:
        """The conditions of n samples in the units of the data."""
        check_count(n)
        if labels is not None and conditions is not None:
            raise ValueError("sample was given both labels and conditions: pass only one")
        if labels is not None and not self.classes:
            raise ValueError(f"this {self.recipe.name} generator has no classes: it was trained without labels")
        if conditions is not None and self.condition is None:
            raise ValueError(f"this {self.recipe.name} generator has no conditions: it was trained without any")
        return None if self.condition is None else self.condition.values(n, conditions if labels is None else labels)


def generator_bytes(generator: TrainedGenerator) -> bytes:
    """The content of `generator.safetensors`: the weights, with metadata to rebuild the network."""
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
    # One entry: safetensors writes several in no fixed order, and equal generators should be equal files.
    return safetensors.torch.save(separated(state), {"zerosum": json.dumps(facts)})


def load(
    run: AnyPath,
    known: Known = NOTHING,
    autoencoder: Autoencoder | None = None,
    generator: str = MAIN,
) -> TrainedGenerator:
    """The trained generator of a run folder, or of a `generator.safetensors` file.

    For an unfinished run, the newest checkpoint is used. Only the recipe's generator and latent are built, so `known`
    needs only the custom classes of these. Pass `autoencoder` if the run was trained in the latents of an autoencoder
    given in Python. `generator` selects one of several generators; at the end of a run each has a file,
    `NAME.safetensors`.

    Raises `ValueError` when there is nothing to load, or the file is not a zerosum generator.
    """
    path = user_path(run)
    # A file that the user names may be a link, as in caches of downloads; one in a run folder may not.
    file = path / f"{generator}.safetensors" if path.is_dir() else path.resolve()
    if file.is_file():
        return _from_file(file, known, autoencoder)
    return _from_checkpoint(path, known, autoencoder, generator, generator)


def load_live(run: AnyPath, known: Known = NOTHING, autoencoder: Autoencoder | None = None) -> TrainedGenerator:
    """The generator of a run as it is trained, with the weights of its newest checkpoint that are not averaged.

    Parameters are as for `load`. Raises `ValueError` where there is no checkpoint, or the game has no G.
    """
    return _from_checkpoint(Path(run), known, autoencoder, MAIN, "G")


def _from_checkpoint(
    path: Path, known: Known, autoencoder: Autoencoder | None, generator: str, group: str
) -> TrainedGenerator:
    if not (path / RECIPE).is_file():
        raise ValueError(f"{path} is neither a run folder nor a generator.safetensors file")
    found = newest_checkpoint(path)
    if found is None:
        raise ValueError(f"{path} has no checkpoint yet: train longer")
    checkpoint = found[1]
    recipe = read_recipe(read_text(path / RECIPE, MOST_TEXT), known, opaque=True)
    check_facts(checkpoint.numbers)
    with taken_apart(found[0]):
        coding = restored_coding(checkpoint.numbers, checkpoint.groups.get("coding", {}), autoencoder)
        condition = restored_condition(checkpoint.numbers, checkpoint.groups.get(CONDITION, {}), known)
        facts = {**checkpoint.numbers, "generator": generator}
        return _rebuilt(recipe, facts, checkpoint.groups.get(group, {}), condition, coding)


def _from_file(file: Path, known: Known, autoencoder: Autoencoder | None) -> TrainedGenerator:
    weights, metadata = read_tensors(file)
    facts = read_json(f"the metadata of {file}", metadata.get("zerosum", "{}"))
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise ValueError(f"{file} is not a zerosum generator: its metadata lack {FORMAT!r}")
    check_facts(facts)
    coding, condition = (_pop_prefixed(weights, f"{name}/") for name in (_CODING, CONDITION))
    with taken_apart(file):
        recipe = read_recipe(str(facts.get("recipe", "")), known, opaque=True)
        parts = restored_condition(facts, condition, known), restored_coding(facts, coding, autoencoder)
        return _rebuilt(recipe, facts, weights, *parts)


def _pop_prefixed(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Remove the tensors with a prefix from the weights, and return them by the rest of their names."""
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
