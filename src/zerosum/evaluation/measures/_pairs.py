"""What scores of pairs share."""

import math
from collections.abc import Callable

from torch import Tensor

from zerosum.evaluation.measure import MeasureInput, Needs, Score

MOST = 10 * math.log10(12 * 255**2)  # dB: equal images are as close as rounding to 8 bits allows
PAIRS = Needs.both("pairs")
ERROR = "sampling of the pairs"


def mean_of_pairs(inputs: MeasureInput, compare: Callable[[Tensor, Tensor], Tensor]) -> Score:
    """The mean of a comparison of each pair, `(N,)`, with its standard error."""
    return mean_of(compare(*map(channels_first, inputs.pairs)), inputs.errors)


def mean_of(values: Tensor, errors: bool) -> Score:
    """The mean of a value of each pair, `(N,)`, with its standard error if `errors`."""
    error = float(values.std() / math.sqrt(len(values))) if errors and len(values) > 1 else None
    return Score(float(values.mean()), error)


def channels_first(images: Tensor) -> Tensor:
    return images.permute(0, 3, 1, 2)
