"""Apply a trained generator to images of any size: enlarge, translate, colour, fill in, continue."""

__all__ = ()

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from zerosum.conditions.image import Image
from zerosum.data.pairs.grayscale import grey
from zerosum.data.pairs.masked import masked
from zerosum.game.copies import copied
from zerosum.networks.tiles import tiled
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.images import to_bytes

Pixels = NDArray[np.uint8]
_TILE, _OVERLAP = 320, 96  # of images too large to be taken at once


def kind_of(generator: TrainedGenerator) -> Image:
    """The image condition of a generator; raises `ValueError` for a generator of another kind."""
    if not isinstance(generator.condition, Image) or not generator.is_image:
        raise ValueError(
            f"{generator.recipe.name} does not transform images: its condition is {generator.condition!r}; use sample"
        )
    return generator.condition


@torch.no_grad()
def applied(
    generator: TrainedGenerator,
    image: Pixels,
    seed: int = 0,
    variation: int = 0,
    hidden: NDArray[np.bool_] | None = None,
) -> Pixels:
    """What a generator makes of an image, uint8 `(H', W', C')`.

    Images above 320x320 are processed in overlapping tiles. Images smaller than in training are extended at the edge,
    and the result is cropped.

    Args:
        generator: a generator whose condition is an image.
        image: uint8 `(H, W, C)`, grey or RGB; it is converted to what the generator was trained on.
        seed: random seed of the latent.
        variation: which of the seed's latents, from 0 on.
        hidden: bool `(H, W)`, true where a masked generator fills in pixels; all others stay as they are.

    Raises:
        ValueError: for a generator of another kind, and for a mask that is missing, not asked for or of another size.
    """
    kind = kind_of(generator)
    if kind.content == "frames":
        raise ValueError(f"{generator.recipe.name} continues clips: pass several frames")
    height, width = image.shape[:2]
    plain = with_channels(image, kind.size[0] - (kind.content == "masked"))
    c = kind.encode(_condition(kind, plain, hidden))
    made = to_bytes(_generated(generator, _latent(generator, seed, variation), c))[0]
    scale = generator.shape[1] / kind.size[1], generator.shape[2] / kind.size[2]
    made = made[: round(height * scale[0]), : round(width * scale[1])]
    return made if hidden is None else np.where(hidden[..., None], made, plain)


def continued(generator: TrainedGenerator, frames: Sequence[Pixels], count: int, seed: int = 0) -> Iterator[Pixels]:
    """Yield the next `count` frames of a clip, uint8 `(H, W, C)`; each is generated from the ones before it.

    Raises `ValueError` for a generator of another kind, and for fewer frames than it needs.
    """
    kind = kind_of(generator)
    channels = generator.shape[0] if generator.shape[0] in (1, 3) else kind.size[0]
    past = kind.size[0] // channels
    if kind.content != "frames" or len(frames) < past:
        raise ValueError(f"{generator.recipe.name} continues clips of at least {past} frames; found {len(frames)}")
    known = [with_channels(frame, channels) for frame in frames[-past:]]
    for step in range(count):
        c = kind.encode(torch.cat([_planes(frame) for frame in known], 1))
        made = to_bytes(_generated(generator, _latent(generator, seed, step), c))[0, ..., :channels]
        known = [*known[1:], made[: known[0].shape[0], : known[0].shape[1]]]
        yield known[-1]


def blended(one: TrainedGenerator, other: TrainedGenerator, share: float) -> TrainedGenerator:
    """A generator with the weights of two, (1 - share) of one and `share` of the other.

    Network interpolation, Wang et al. 2018 (arXiv 1809.00219), section 3.4. Raises `ValueError` for a share outside
    [0, 1], and for networks of other shapes.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"fidelity is in [0, 1]; found {share}")
    first, second = one.module.state_dict(), other.module.state_dict()
    if {name: t.shape for name, t in first.items()} != {name: t.shape for name, t in second.items()}:
        raise ValueError(f"{one.recipe.name} and {other.recipe.name} have networks of other shapes")
    module = copied(one.module)
    mixed = {name: torch.lerp(t, second[name], share) if t.is_floating_point() else t for name, t in first.items()}
    module.load_state_dict(mixed)
    return replace(one, module=module)


def with_channels(image: Pixels, channels: int) -> Pixels:
    """An image uint8 `(H, W, C)` as grey, with 1 channel, or RGB, with 3; raises `ValueError` for another number."""
    if image.shape[2] == channels:
        return image
    if channels == 3 and image.shape[2] == 1:
        return np.repeat(image, 3, axis=2)
    if channels == 1 and image.shape[2] == 3:
        plane: Pixels = grey(_planes(image))[0, 0].numpy()[..., None]
        return plane
    raise ValueError(f"an image here has 1 or 3 channels, and the generator takes {channels}; found {image.shape[2]}")


def _condition(kind: Image, image: Pixels, hidden: NDArray[Any] | None) -> Tensor:
    if kind.content != "masked":
        if hidden is not None:
            raise ValueError("a mask is for a generator that fills in masked images: leave it out")
        return _planes(image)
    if hidden is None:
        raise ValueError("this generator fills in masked images: pass a mask (--mask), or an image with transparency")
    if hidden.shape != image.shape[:2]:
        raise ValueError(f"the mask should have the size of the image, {image.shape[:2]}; found {hidden.shape}")
    return masked(_planes(image), torch.from_numpy(~hidden)[None, None])


def _generated(generator: TrainedGenerator, z: Tensor, c: Tensor) -> Tensor:
    height, width = c.shape[2:]
    _, least, narrowest = kind_of(generator).size
    small = pad(c, (0, max(0, narrowest - width), 0, max(0, least - height)), mode="replicate")
    weight = next(generator.module.parameters())
    z, small = z.to(weight.device), small.to(weight.device)
    if max(height, width) > _TILE:
        return tiled(generator.module, z, small, _TILE, _OVERLAP).float().cpu()
    made: Tensor = generator.module(z, small).float().cpu()
    return made


def _latent(generator: TrainedGenerator, seed: int, index: int) -> Tensor:
    return generator.latents(index + 1, seed)[-1:]


def _planes(image: Pixels) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].contiguous()
