"""The precision of scores, losses and samples."""

from torch import Tensor


def at_least_float32(value: Tensor) -> Tensor:
    """The value in float32 where it is bfloat16 or float16, else as it is.

    Under autocast, sums of bfloat16 numbers would be inaccurate. float64 stays float64, so that a network can be
    compared with finite differences (`torch.autograd.gradcheck`).
    """
    return value.float() if value.element_size() < 4 else value
