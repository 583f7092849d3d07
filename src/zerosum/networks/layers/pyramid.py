"""Pyramids of strided and transposed convolutions between an image and a small map, for any height and width.

Sides halve, rounding up, while both are above 4: 28 goes to 14, 7 and 4, and 64 to 32, 16, 8 and 4. A side that halves
exactly takes a kernel of 4 and an odd one a kernel of 3, so that going down and coming up meet at every size and
nothing is cropped.
"""

__all__ = ()

from itertools import pairwise

from torch import nn

from zerosum.conditions.condition import Condition
from zerosum.networks.conditioning import Join
from zerosum.networks.layers.basic import Activation, Norm, activation, norm2d
from zerosum.networks.layers.conditional import Chain

Sides = tuple[int, int]


def ladder(height: int, width: int, smallest: int = 4) -> list[Sides]:
    """Sizes from the full image down to the smallest map, by at least one halving."""
    if min(height, width) < 8:
        raise ValueError(f"convolutional networks here take images of 8x8 and more; found {height}x{width}")
    sizes = [(height, width)]
    while len(sizes) == 1 or min(sizes[-1]) > smallest:
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    return sizes


def channels(width: int, stages: int, doublings: int = 3) -> list[int]:
    """Channels of each stage: `width`, doubling at most so often, by default up to eight times."""
    return [width * 2 ** min(stage, doublings) for stage in range(stages)]


def _kernel(large: Sides) -> Sides:
    return (4 - large[0] % 2, 4 - large[1] % 2)


def _group(conv: nn.Module, norm: nn.Module, act: nn.Module) -> list[nn.Module]:
    return [conv, act] if isinstance(norm, nn.Identity) else [conv, norm, act]


def descend(
    sizes: list[Sides], inputs: int, width: int, norm: Norm, act: Activation, join: Join | None = None
) -> Chain:
    """Strided convolutions `(B, inputs, *sizes[0]) -> (B, channels, *sizes[-1])`; no norm on the first layer.

    A `join` adds its planes to the map that the last of them takes.
    """
    parts: list[nn.Module] = []
    before = inputs
    for stage, (after, large) in enumerate(zip(channels(width, len(sizes) - 1), sizes, strict=False)):
        layer_norm = norm2d(norm if stage else "none", after)
        bias = isinstance(layer_norm, nn.Identity)
        if join is not None and join.size and stage == len(sizes) - 2:
            parts.append(join)
            before += join.size
        conv = nn.Conv2d(before, after, _kernel(large), stride=2, padding=1, bias=bias)
        parts += _group(conv, layer_norm, activation(act))
        before = after
    return Chain(*parts)


def ascend(
    sizes: list[Sides], outputs: int, width: int, norm: Norm, act: Activation, condition: Condition | None = None
) -> Chain:
    """Transposed convolutions `(B, channels, *sizes[-1]) -> (B, outputs, *sizes[0])`; the last stands alone.

    A condition, where one is given, sets the scales of the norms.
    """
    parts: list[nn.Module] = []
    upward = channels(width, len(sizes) - 1)[::-1]
    targets = sizes[-2::-1]
    for (before, after), large in zip(pairwise([*upward, outputs]), targets, strict=True):
        last = large == sizes[0]
        layer_norm = norm2d("none" if last else norm, after, None if last else condition)
        bias = isinstance(layer_norm, nn.Identity)
        conv = nn.ConvTranspose2d(before, after, _kernel(large), stride=2, padding=1, bias=bias)
        parts += [conv] if last else _group(conv, layer_norm, activation(act))
    return Chain(*parts)
