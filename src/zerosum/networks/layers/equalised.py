"""Layers with an equalised learning rate: Karras et al. 2018 (arXiv 1710.10196), section 4.1.

Weights are drawn from N(0, 1) and divided by the root of their number of inputs when they are used, not when they are
drawn. Under Adam, whose steps do not depend on the size of gradients, all layers then learn at the same relative speed.
"""

__all__ = ["EqualConv2d", "EqualLinear"]

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, leaky_relu, linear


def scaled_leaky(x: Tensor) -> Tensor:
    """Leaky ReLU with negative slope 0.2, times sqrt(2), which about keeps the size of a signal."""
    return leaky_relu(x, 0.2) * math.sqrt(2)


class EqualLinear(nn.Module):
    """A linear map with an equalised learning rate, computed in the weights' own number format even under autocast.

    Args:
        inputs: input dimensions.
        outputs: output dimensions.
        bias: what every bias begins at.
        rate: multiplier of the learning rate: weights are drawn 1 / rate times as large and used rate times.
    """

    def __init__(self, inputs: int, outputs: int, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.gain, self.rate = rate * inputs**-0.5, rate

    def forward(self, x: Tensor) -> Tensor:
        """`(..., outputs)` of `(..., inputs)`."""
        with torch.autocast(x.device.type, enabled=False):
            return linear(x.to(self.weight.dtype), self.weight * self.gain, self.bias * self.rate)


class EqualConv2d(nn.Module):
    """A convolution with an equalised learning rate.

    Args:
        inputs: input channels.
        outputs: output channels.
        kernel: side of the kernel.
        stride: places from one step to the next; with stride 1, odd kernels keep the sides.
        bias: whether there is one.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.gain = (inputs * kernel**2) ** -0.5
        self.stride, self.padding = stride, kernel // 2 if stride == 1 else 0

    def forward(self, x: Tensor) -> Tensor:
        """`(B, outputs, H', W')` of `(B, inputs, H, W)`."""
        return conv2d(x, self.weight * self.gain, self.bias, self.stride, self.padding)
