"""What an extractor returns for fixed images: the identity of one whose weights and code have no hash."""

__all__ = ()

import math
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from zerosum.features.extractor import Extractor, Function, extracted

_NONE = "none"  # the extractor rejects all images, or its features of them are not finite
_DIGITS = 3  # after the first one of the largest answer: other devices and batch sizes differ by far less
_PAIRS = 4
# What code of the user raises for inputs that it was not written for.
REFUSALS = (ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)


def identified(
    extractor: Extractor, shape: tuple[int, ...], batch: int, others: Callable[[], Tensor] | None = None
) -> Mapping[str, str]:
    """Return the facts of an extractor that decide whether two of its features are comparable.

    Those of this package have the hash of their weights. Any other may compute anything from anything, such as a file
    that has changed, so its answers to eight seeded images are added: a random projection of the features of each.

    Args:
        extractor: as it will be used.
        shape: of the images, (H, W, C).
        batch: number of images that it is given together.
        others: returns images to use where it rejects seeded ones, as a detector of faces may: uint8 `(N, H, W, C)`.
    """
    if type(extractor).__module__.startswith("zerosum.") and not isinstance(extractor, Function):
        return extractor.facts
    answers = _answers(extractor, _images(shape), batch)
    if answers == _NONE and others is not None:
        answers = _answers(extractor, others(), batch)
    return {**extractor.facts, "answers": answers}


def is_identified(facts: Mapping[str, str]) -> bool:
    """Whether equal facts mean equal features, so that these may be cached."""
    return facts.get("answers") != _NONE


def rounded(answers: Tensor) -> str:
    """Numbers `(n,)` as a text of four digits of the largest one; equal for those that differ by rounding only."""
    largest = float(answers.abs().max())
    if not math.isfinite(largest):
        return _NONE
    exponent = math.floor(math.log10(largest)) - _DIGITS if largest else 0
    return " ".join(str(round(answer * 10.0**-exponent)) for answer in answers.tolist()) + f" e{exponent}"


def _answers(extractor: Extractor, images: Tensor, batch: int) -> str:
    try:
        found = [extracted(extractor, some) for some in torch.split(images, batch)]
        rows = torch.cat([torch.cat([part for part in one if part is not None], 1).double() for one in found])
    except REFUSALS:
        return _NONE
    draw = torch.Generator().manual_seed(rows.shape[1])
    return rounded(rows @ torch.randn(rows.shape[1], generator=draw, dtype=torch.float64))


def _images(shape: tuple[int, ...]) -> Tensor:
    """Fine and coarse noise of growing brightness and contrast, uint8 `(8, H, W, C)`."""
    height, width, channels = shape
    draw = torch.Generator().manual_seed(0)
    fine = torch.rand(_PAIRS, channels, height, width, generator=draw)
    coarse = F.interpolate(torch.rand(_PAIRS, channels, 4, 4, generator=draw), (height, width), mode="bilinear")
    contrast = torch.linspace(0.4, 1.0, _PAIRS)[:, None, None, None]
    images = torch.cat([fine * contrast, 1 - coarse * contrast])
    return (images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
