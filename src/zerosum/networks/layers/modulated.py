"""The modulated convolution of StyleGAN2: Karras et al. 2020 (arXiv 1912.04958), section 2.2."""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d

from zerosum.networks.layers.equalised import EqualLinear
from zerosum.networks.layers.pyramid import Sides
from zerosum.networks.layers.resample import Resample, filter_matrix, taps


def _smoothing(side: int) -> Tensor:
    """What follows a transposed convolution of stride 2, whose output is one or two longer than `side`."""
    weights = tuple(2 * weight for weight in taps(side))
    return filter_matrix(side, 2 * ((side + 1) // 2) + 1, weights, stride=1, pad=1 - side % 2)


class ModulatedConv2d(nn.Module):
    """A convolution whose input channels are scaled by a style, with outputs brought back to unit variance.

    The weights of a sample would be w'_ijk = s_i w_ijk (equation 1) and w''_ijk = w'_ijk / sqrt(sum_ik w'_ijk^2 + 1e-8)
    (equation 3). As convolution is linear, scaling the maps before and after it gives the same with one weight for all
    samples, in about half of the time of a convolution grouped by samples (23 ms against 49 for 16 maps of 64 channels
    at 16x16 there and back on one CPU core).

    Args:
        inputs: channels of a map.
        outputs: output channels.
        kernel: side of the kernel.
        style: dimensions of w, of which an affine map makes the style.
        demodulate: whether outputs are brought back to unit variance (equation 3).
        large: sides to which the map is doubled, rounding down, or None to keep it as it is.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, style: int, demodulate: bool = True, large: Sides | None = None
    ) -> None:
        super().__init__()
        self.affine = EqualLinear(style, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.gain, self.padding, self.demodulate = (inputs * kernel**2) ** -0.5, kernel // 2, demodulate
        self.smooth = None if large is None else Resample(_smoothing(large[0]), _smoothing(large[1]))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """`(B, outputs, H', W')` of maps `(B, inputs, H, W)` and w `(B, style)`."""
        weight, style = self.weight * self.gain, self.affine(w)
        h = self._convolve(x * style.to(x.dtype)[:, :, None, None], weight)
        if not self.demodulate:
            return h
        with torch.autocast(x.device.type, enabled=False):
            norm: Tensor = (style.square() @ weight.square().sum((2, 3)).T + 1e-8).rsqrt()
        return h * norm.to(h.dtype)[:, :, None, None]

    def _convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        if self.smooth is None:
            return conv2d(x, weight, padding=self.padding)
        doubled: Tensor = self.smooth(conv_transpose2d(x, weight.transpose(0, 1), stride=2))
        return doubled
