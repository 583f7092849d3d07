"""An image as the condition: what is to be translated, enlarged, coloured or continued."""

__all__ = ["Image"]

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from zerosum.conditions.condition import REAL, Condition, ConditionRow, Overview

CONTENTS = ("image", "masked", "frames")
EXAMPLES = 16  # that a condition keeps of its data
_SEEN = 8  # height and width to which an embedding averages an image
_DRAWS = 3  # latents for which a report shows samples
_MOST = 1 << 16  # channels, height and width


class ImageEmbedding(nn.Module):
    """Embed images `(B, C, H, W)` by a linear map of their means over a grid of 8x8 cells.

    Args:
        channels: C.
        size: dimensions of the embedding.
        scale: initial standard deviation of the embedding.
        mean: initial mean of the embedding.
    """

    def __init__(self, channels: int, size: int, scale: float, mean: float) -> None:
        super().__init__()
        self.linear = nn.Linear(channels * _SEEN**2, size)
        nn.init.normal_(self.linear.weight, std=scale / math.sqrt(self.linear.in_features))
        nn.init.constant_(self.linear.bias, mean)

    def forward(self, c: Tensor) -> Tensor:
        """`(B, size)`."""
        rows: Tensor = self.linear(adaptive_avg_pool2d(c, _SEEN).flatten(1))
        return rows


@dataclass(frozen=True)
class Image(Condition):
    """The condition is an image: uint8 `(B, C, H, W)` in the data, float32 in [-1, 1] as networks take it.

    Several frames or images are stacked as channels. Networks for images, as `UNet`, take it as it is; others embed it.
    With label dropout, an unknown image is grey.

    Args:
        size: channels, height and width, (C, H, W).
        examples: some conditions of the data, uint8 `(n, C, H, W)`, of the part that is held out of training if any is.
        truths: the real sample of each, uint8 `(n, C', H', W')`; None where it is not known.
        paired: whether each sample belongs to its condition; else they are of two independent sets.
        content: what the channels are: an `image`; a `masked` image, whose last channel is 255 where it is known; or
            `frames` of a clip, the oldest first, each with as many channels as a sample has.
    """

    size: tuple[int, int, int]
    examples: Tensor | None = field(default=None, repr=False, compare=False)
    truths: Tensor | None = field(default=None, repr=False, compare=False)
    paired: bool = True
    content: str = "image"

    def __post_init__(self) -> None:
        if len(self.size) != 3 or not all(1 <= length <= _MOST for length in self.size):
            raise ValueError(f"an image has channels, height and width, each at least 1; found {self.size}")
        if self.examples is not None and tuple(self.examples.shape[1:]) != self.size:
            raise ValueError(f"the examples of an image condition of {self.size} are of {tuple(self.examples.shape)}")
        if self.content not in CONTENTS:
            raise ValueError(f"the content of an image condition is {', '.join(CONTENTS)}; found {self.content!a:.80}")

    @property
    def shape(self) -> tuple[int, ...]:
        """`(C, H, W)`."""
        return self.size

    def embed(self, size: int, scale: float = 1.0, mean: float = 0.0) -> nn.Module:
        """A linear map of the image averaged to 8x8 pixels."""
        return ImageEmbedding(self.size[0], size, scale, mean)

    def encode(self, values: Tensor) -> Tensor:
        """Images from uint8 to float32 in [-1, 1]."""
        return values.float().div_(127.5).sub_(1)

    def with_unknown(self) -> "Image":
        """Itself: grey stands for an unknown image."""
        return self

    def unknown(self, n: int) -> Tensor:
        """Grey images, 0."""
        return torch.zeros(n, *self.size)

    def values(self, n: int, wanted: Any = None) -> Tensor:
        """Images, uint8 `(n, C, H, W)`, used cyclically.

        Args:
            n: number of samples.
            wanted: uint8 images `(k, H, W, C)` or one image `(H, W, C)`, as samples are; grey ones also without C. By
                default the examples.

        Raises:
            ValueError: for images of another shape or data type, and without examples.
        """
        if wanted is not None:
            images = self.read(wanted)
        elif self.examples is not None:
            images = self.examples
        else:
            raise ValueError("this condition is an image and has no examples: pass images (conditions=)")
        return images[torch.arange(n) % len(images)]

    def read(self, wanted: Any) -> Tensor:
        """Images as the data have them, uint8 `(k, C, H, W)`, of images `(k, H, W, C)`, `(H, W, C)` or grey `(H, W)`.

        Raises `ValueError` for images of another shape or data type.
        """
        array = wanted.numpy(force=True) if isinstance(wanted, Tensor) else np.asarray(wanted)
        channels, height, width = self.size
        if channels == 1 and array.ndim >= 2 and array.shape[-2:] == (height, width):
            array = array[..., None]
        if array.dtype != np.uint8 or array.shape[-3:] != (height, width, channels) or array.ndim not in (3, 4):
            raise ValueError(
                f"conditions are images (N, {height}, {width}, {channels}), uint8; "
                f"found {array.dtype} of shape {array.shape}"
            )
        images = torch.from_numpy(array.reshape(-1, height, width, channels))
        if not len(images):
            raise ValueError("conditions are images, at least one; found none")
        return images.permute(0, 3, 1, 2).contiguous()

    def overview(self, rows: int, columns: int) -> Overview:
        """Conditions, samples of them from several latents, and the real samples.

        Where these have another size, with the enlarged condition beside, by bicubic interpolation: the trivial method.
        """
        shown = self.values(columns if self.examples is None else min(columns, len(self.examples)))
        seen = self.displayed(shown)
        names = tuple(f"condition {i + 1}" for i in range(len(shown)))
        found = [ConditionRow("condition", shown, names, shown=seen)]
        found += [ConditionRow(f"generated {i + 1}", shown, names, latent=i) for i in range(_DRAWS)]
        if self.truths is not None:
            truths = self.truths[: len(shown)]
            if truths.shape[2:] != seen.shape[2:]:
                enlarged = interpolate(seen.float(), truths.shape[2:], mode="bicubic", antialias=True)
                found.append(ConditionRow("bicubic", shown, names, shown=enlarged.round().clamp(0, 255).byte()))
            found.append(ConditionRow(REAL, shown, names, shown=truths))
        real = "" if self.truths is None else ", and the real samples"
        text = f"Conditions of the data, samples of them from three latents{real}. "
        text += "Where the source holds samples out of training, they are such samples."
        return Overview("Condition by condition", text, tuple(found))

    def displayed(self, values: Tensor) -> Tensor:
        """Conditions as images to look at, uint8 `(N, 1 or 3, H, W)`: without the mask, or the newest frame."""
        if self.content == "masked":
            return values[:, :-1]
        channels = values.shape[1]
        if self.content == "frames":
            return values[:, -3:] if channels % 3 == 0 else values[:, -1:]
        return values if channels in (1, 3) else values[:, :1]

    @property
    def facts(self) -> dict[str, Any]:
        """Its size, content, and whether it is paired."""
        return {"size": list(self.size), "paired": self.paired, "content": self.content}

    def state_dict(self) -> dict[str, Tensor]:
        """Examples and their real samples."""
        named = {"examples": self.examples, "truths": self.truths}
        return {name: tensor for name, tensor in named.items() if tensor is not None}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], state: Mapping[str, Tensor]) -> "Image":
        """The condition with these facts and images; raises `ValueError` if they are invalid."""
        size, paired, content = facts.get("size"), facts.get("paired"), str(facts.get("content"))
        if type(paired) is not bool:
            raise ValueError(f"Image needs paired, true or false; found {paired!a:.80}")
        if not isinstance(size, list) or len(size) != 3 or not all(type(length) is int for length in size):
            raise ValueError(f"Image needs a size of three integers; found {size!a:.80}")
        examples, truths = state.get("examples"), state.get("truths")
        images = [tensor for tensor in (examples, truths) if tensor is not None]
        fits = all(tensor.dtype == torch.uint8 and tensor.dim() == 4 and len(tensor) for tensor in images)
        if not fits or len({len(tensor) for tensor in images}) > 1 or (examples is None and truths is not None):
            raise ValueError(
                "Image needs examples and their real samples as uint8 images (n, C, H, W), as many of both"
            )
        channels, height, width = size
        return cls((channels, height, width), examples, truths, paired, content)
