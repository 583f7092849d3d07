"""What sources share whose conditions are derived from their samples."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from zerosum.conditions.image import Image
from zerosum.data.conditions import Conditions
from zerosum.data.dataset import Dataset, Source
from zerosum.data.held_out import part_of

Derivation = Callable[[Tensor, Tensor], Tensor]  # from images and their indices to conditions, uint8


@dataclass(frozen=True, eq=False)
class _Derived:
    """Values computed from the samples."""

    dataset: Dataset
    derive: Derivation
    text: str
    derived: bool = True

    def __len__(self) -> int:
        return len(self.dataset)

    def of(self, indices: Tensor, x: Tensor | None) -> Tensor:
        """The conditions of the samples at indices `(B,)`."""
        return self.derive(self.dataset.read(indices) if x is None else x, indices)

    def content(self, without: Collection[str] = ()) -> str:
        """The derivation, as the samples are hashed anyway."""
        return self.text


def derived(
    images: Dataset, size: tuple[int, ...], derive: Derivation, text: str, part: str, content: str = "image"
) -> Dataset:
    """Images, each under a condition of this size that is derived from it; `text` is part of the fingerprint."""
    channels, height, width = size
    kind = Image((channels, height, width), content=content)
    return part_of(replace(images, conditions=Conditions(kind, _Derived(images, derive, text))), part)


def images_of(source: Source) -> Dataset:
    """The images of a source; raises `ValueError` for points and for latents."""
    dataset = source.open()
    if not dataset.is_image or dataset.coding is not None:
        raise ValueError(f"conditions are derived from images; {dataset.name} has samples of {dataset.shape}")
    return dataset


def redrawn(source: Source, draw: Callable[[Tensor], Tensor], word: str) -> Dataset:
    """Grey images drawn from those of a source, without a condition; `word` names them, also in the fingerprint."""
    images = images_of(source)
    content, without = images.content, images.content_without
    return replace(
        images,
        name=f"{word} of {images.name}",
        shape=(1, *images.shape[1:]),
        read=lambda index: draw(images.read(index)),
        conditions=None,
        content=None if content is None else lambda: f"{content()} {word}",
        content_without=None if without is None else lambda names: f"{without(names)} {word}",
    )


def rounded(x: Tensor) -> Tensor:
    """Values rounded to uint8."""
    return x.round().clamp(0, 255).to(torch.uint8)
