"""What scores of pairs share."""

import math
from collections.abc import Callable

from torch import Tensor

from zerosum.evaluation.measure import MeasureInput, Needs, Score

PAIRS = Needs.both("pairs")
ERROR = "sampling of the pairs"


def mean_of_pairs(inputs: MeasureInput, compare: Callable[[Tensor, Tensor], Tensor]) -> Score:
    """The mean of a comparison of each pair, `(N,)`, with its standard error."""
    real, fake = map(channels_first, inputs.pairs)
    values = compare(real, fake)
    error = float(values.std() / math.sqrt(len(values))) if inputs.errors and len(values) > 1 else None
    return Score(float(values.mean()), error)


def channels_first(images: Tensor) -> Tensor:
    return images.permute(0, 3, 1, 2)
