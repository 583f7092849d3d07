"""Directions in a latent space, sums of them, and their files."""

__all__ = ["Direction", "DirectionSum", "load_direction", "load_directions", "save_direction"]

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum._disk import plain_folder, replacing
from zerosum._foreign import read_tensors, taken_apart
from zerosum._json import read_json
from zerosum._paths import AnyPath, user_path
from zerosum.latent.card import Card
from zerosum.latent.model import Inputs, LatentModel, latent_model
from zerosum.latent.space import SPACES, Space, space_of
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.images import to_bytes

FOLDER = "directions"  # in a run folder
_FORMAT = "zerosum direction 1"
_LONGEST = 60  # characters of a name


@dataclass(frozen=True, eq=False)
class Direction:
    """A direction in a space: one unit of it is a step of a known effect.

    Directions are scaled and added: `thickness * 2 - slant`.

    Attributes:
        name: its name.
        space: the name of its space.
        vector: one unit, float32 `(*shape,)`.
        weights: sha256 of the generator's weights.
        method: how it was found.
        card: what was measured of it; None before it is measured.
    """

    name: str
    space: str
    vector: Tensor
    weights: str
    method: str = ""
    card: Card | None = None

    def __mul__(self, strength: float) -> "DirectionSum":
        return DirectionSum(((self, float(strength)),))

    __rmul__ = __mul__

    def __neg__(self) -> "DirectionSum":
        return self * -1

    def __add__(self, other: "Direction | DirectionSum") -> "DirectionSum":
        return self * 1 + other

    def __sub__(self, other: "Direction | DirectionSum") -> "DirectionSum":
        return self * 1 - other

    def check(self, model: LatentModel) -> None:
        """Raise `ValueError` unless it belongs to the weights of a generator, and has the shape of its space."""
        own = model.weights
        if self.weights != own:
            raise ValueError(
                f"the direction {self.name} belongs to other weights ({self.weights[:12] or 'none'}) than this "
                f"generator's ({own[:12] or 'none'}): find it again, by zerosum directions"
            )
        shape = space_of(model, self.space).draw(1).shape[1:]
        if self.vector.shape != shape:
            raise ValueError(
                f"the direction {self.name} should have the shape {tuple(shape)} of points in {self.space}; "
                f"found {tuple(self.vector.shape)}: its file is damaged"
            )


@dataclass(frozen=True, eq=False)
class DirectionSum:
    """A sum of directions, each times a strength.

    Attributes:
        parts: directions and strengths.
    """

    parts: tuple[tuple[Direction, float], ...] = field(default=())

    def __add__(self, other: "Direction | DirectionSum") -> "DirectionSum":
        return DirectionSum(self.parts + (other * 1).parts)

    def __sub__(self, other: "Direction | DirectionSum") -> "DirectionSum":
        return DirectionSum(self.parts + (other * -1).parts)

    def __mul__(self, factor: float) -> "DirectionSum":
        return DirectionSum(tuple((one, strength * factor) for one, strength in self.parts))

    __rmul__ = __mul__

    def __neg__(self) -> "DirectionSum":
        return self * -1

    def samples(self, model: LatentModel, inputs: Inputs) -> Tensor:
        """The changed images of some inputs, float `(n, C, H, W)` in about [-1, 1].

        Directions in z and c move the inputs; those in w or layers then move the styles. Raises `ValueError` for
        directions of other weights, or in w and layers at once.
        """
        self._check(model)
        by_space = {name: [part for part in self.parts if part[0].space == name] for name in SPACES}
        used = [name for name in SPACES if by_space[name]] or ["z"]
        order = [name for name in ("z", "condition", "w", "layers") if name in used]
        for name in order[:-1]:
            space = space_of(model, name)
            inputs = space.moved(space.at(inputs) + _step(by_space[name]), inputs)
        last = space_of(model, order[-1])
        with torch.no_grad():
            return last.images(last.at(inputs) + _step(by_space[order[-1]]), inputs)

    def step(self, space: Space) -> Tensor:
        """The sum as a vector of a space; directions in w are also steps in `layers`, the same for each.

        Raises `ValueError` for directions of other weights, or of another space.
        """
        self._check(space.model)
        for one, _ in self.parts:
            if one.space != space.name and (one.space, space.name) != ("w", "layers"):
                raise ValueError(
                    f"the direction {one.name} is one of {one.space}, and these are points of {space.name}: invert "
                    f"images in {one.space}"
                )
        return _step([*self.parts])

    def _check(self, model: LatentModel) -> None:
        for one, strength in self.parts:
            one.check(model)
            if not math.isfinite(strength):
                raise ValueError(f"the strength of {one.name} should be a finite number; found {strength}")

    def images(self, generator: TrainedGenerator, z: Tensor, values: Tensor | None) -> NDArray[np.uint8]:
        """The changed images of latents and conditions in the units of the data, uint8 `(n, H, W, C)`."""
        model = latent_model(generator)
        c = None if values is None or model.condition is None else model.condition.encode(values)
        return to_bytes(self.samples(model, Inputs(z, c)))


def _step(parts: list[tuple[Direction, float]]) -> Tensor:
    return sum((one.vector * strength for one, strength in parts), torch.zeros(()))


def named_direction(name: str, vector: Tensor, space: Space, method: str) -> Direction:
    """A direction of a space, not yet measured; raises `ValueError` for a vector of zeros, NaN or another shape."""
    shape = space.draw(1).shape[1:]
    if vector.shape != shape or not bool(vector.isfinite().all()) or not bool(vector.any()):
        raise ValueError(
            f"the direction {name} should be {tuple(shape)} finite numbers that are not all 0; "
            f"found shape {tuple(vector.shape)}"
        )
    return Direction(name, space.name, vector.detach().float(), space.model.weights, method)


def save_direction(run: AnyPath, direction: Direction) -> Path:
    """Save a direction as `directions/NAME.safetensors` of a run folder; returns the path.

    Raises `ValueError` for a name that is no file name.
    """
    path = direction_file(run, direction.name)
    plain_folder(path.parent, make=True)
    facts = {
        "format": _FORMAT,
        "name": direction.name,
        "space": direction.space,
        "weights": direction.weights,
        "method": direction.method,
        "card": None if direction.card is None else direction.card.facts,
    }
    content = safetensors.torch.save({"vector": direction.vector.contiguous()}, {"zerosum": json.dumps(facts)})
    with replacing(path) as file:
        file.write(content)
    return path


def direction_file(run: AnyPath, name: str) -> Path:
    """The file of a direction in a run folder; raises `ValueError` for a name that is no file name."""
    plain = name and len(name) <= _LONGEST and name[0] not in ".-" and name.isprintable()
    if not plain or not {*name}.isdisjoint("/\\=:"):
        raise ValueError(f"a direction's name is a file name without / and =; found {name!a:.80}")
    return plain_folder(user_path(run) / FOLDER) / f"{name}.safetensors"


def load_direction(run: AnyPath, name: str) -> Direction:
    """A direction of a run folder, by name.

    Raises `ValueError` where there is none, and for a file that is damaged.
    """
    path = direction_file(run, name)
    try:
        tensors, metadata = read_tensors(path)
    except FileNotFoundError:
        there = ", ".join(sorted(file.stem for file in path.parent.glob("*.safetensors"))) or "none"
        raise ValueError(f"{user_path(run)} has no direction {name!r}; there are: {there}") from None
    facts = read_json(f"the metadata of {path}", metadata.get("zerosum", "{}"))
    if not isinstance(facts, dict) or facts.get("format") != _FORMAT or {*tensors} != {"vector"}:
        raise ValueError(f"{path} is not a direction: its metadata lack {_FORMAT!r}, or its vector is missing")
    with taken_apart(path):
        return _restored(facts, tensors["vector"])


def _restored(facts: Mapping[str, Any], vector: Tensor) -> Direction:
    texts = [facts[key] for key in ("name", "space", "weights", "method")]
    if not all(isinstance(text, str) for text in texts) or texts[1] not in SPACES:
        raise ValueError(f"a direction has a name, a space, the hash of weights and a method; found {texts!a:.120}")
    if vector.dtype != torch.float32 or not bool(vector.isfinite().all()):
        raise ValueError("a direction's vector is finite float32 numbers")
    card = None if facts["card"] is None else Card.restored(facts["card"])
    return Direction(texts[0], texts[1], vector, texts[2], texts[3], card)


def load_directions(run: AnyPath) -> dict[str, Direction]:
    """All directions of a run folder by name."""
    folder = plain_folder(user_path(run) / FOLDER)
    return {path.stem: load_direction(run, path.stem) for path in sorted(folder.glob("*.safetensors"))}


def renamed(direction: Direction, name: str) -> Direction:
    """The same direction under another name."""
    return replace(direction, name=name)
