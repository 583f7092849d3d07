"""Similarity of pairs of images: PSNR, SSIM, multi-scale SSIM, agreement with a smaller image; and sharpness."""

__all__ = ["consistency_psnr", "gradient_energy", "ms_ssim", "psnr", "ssim"]

from collections.abc import Callable, Iterator
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, interpolate, pad

from zerosum._arrays import Array, described, tensor, tensors
from zerosum.metrics._features import AT_ONCE, exact

_WINDOW, _SIGMA = 11, 1.5  # side and standard deviation of SSIM's Gaussian window
_K1, _K2 = 0.01, 0.03
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the five scales, from the finest on
_LEAST = (_WINDOW - 1 << len(_WEIGHTS) - 1) + 1  # sides are halved between scales, rounding up


@torch.no_grad()
def psnr(images: Array, others: Array, peak: float = 255.0, border: int = 0) -> Tensor:
    """The peak signal-to-noise ratio of each pair, 10 log10(peak^2 / MSE) in dB, float64 `(B,)`; inf for equal images.

    The MSE is the mean over all pixels and channels. Images are processed in chunks.

    Args:
        images, others: uint8 or floating-point, `(B, C, H, W)`, in 0 to `peak`.
        peak: the largest possible value, 255 for 8 bits, 1 for images in [0, 1].
        border: pixels that are left out at each edge; papers on super-resolution leave out as many as the factor.

    Raises:
        ValueError: for images of other types or values, of different shapes, or with nothing within the border.
    """
    images, others = _pair(images, others, peak, border)
    errors = [(one - other).square().flatten(1).mean(1) for one, other in _chunks(images, others)]
    return 10 * (peak**2 / torch.cat(errors)).log10()


@torch.no_grad()
def ssim(images: Array, others: Array, peak: float = 255.0, border: int = 0) -> Tensor:
    """The structural similarity of each pair (Wang et al. 2004, equation 13), float64 `(B,)`, at most 1.

        SSIM = (2 m_x m_y + C1) (2 s_xy + C2) / ((m_x^2 + m_y^2 + C1) (s_x^2 + s_y^2 + C2))

    m, s^2 and s_xy are means, variances and the covariance under a Gaussian window of 11x11 pixels with a standard
    deviation of 1.5, C1 = (0.01 peak)^2, C2 = (0.03 peak)^2. The mean is over all positions at which the window lies
    within the image, and over the channels. Wang, Bovik, Sheikh and Simoncelli, IEEE Transactions on Image Processing
    13(4); `gaussian_weights=True, sigma=1.5, use_sample_covariance=False` of scikit-image computes the same.

    Args:
        images, others: uint8 or floating-point, `(B, C, H, W)`, in 0 to `peak`.
        peak: the largest possible value, 255 for 8 bits, 1 for images in [0, 1].
        border: pixels that are left out at each edge before anything is computed.

    Raises:
        ValueError: for images of other types or values, of different shapes, or smaller than 11x11 within the border.
    """
    images, others = _pair(images, others, peak, border, _WINDOW)

    def similarity(x: Tensor, y: Tensor) -> Tensor:
        return _similarities(x, y, peak)[0]

    return _over_planes(similarity, images, others)


@torch.no_grad()
def ms_ssim(images: Array, others: Array, peak: float = 255.0) -> Tensor:
    """The multi-scale structural similarity of each pair (Wang et al. 2003, equation 7), float64 `(B,)`, in 0 to 1.

        MS-SSIM = SSIM_5^w_5 prod_{j<5} CS_j^w_j,  CS = (2 s_xy + C2) / (s_x^2 + s_y^2 + C2)

    with window and constants of `ssim` and w = 0.0448, 0.2856, 0.3001, 0.2363, 0.1333. Between scales images are
    averaged over 2x2 pixels; a last odd row or column is repeated. SSIM_5 and CS_j are means over the positions; a
    negative one counts as 0. The result is the mean over the channels. Wang, Simoncelli and Bovik, Asilomar 2003.

    Args:
        images, others: uint8 or floating-point, `(B, C, H, W)`, at least 161x161, in 0 to `peak`.
        peak: the largest possible value, 255 for 8 bits, 1 for images in [0, 1].

    Raises:
        ValueError: for images of other types or values, of different shapes, or smaller than 161x161.
    """
    images, others = _pair(images, others, peak, 0, _LEAST)

    def similarity(x: Tensor, y: Tensor) -> Tensor:
        product = torch.ones(len(x), dtype=x.dtype, device=x.device)
        for scale, weight in enumerate(_WEIGHTS):
            if scale:
                x, y = _halved(x), _halved(y)
            whole, structure = _similarities(x, y, peak)
            product *= (whole if scale == len(_WEIGHTS) - 1 else structure).clamp_min(0) ** weight
        return product

    return _over_planes(similarity, images, others)


@torch.no_grad()
def consistency_psnr(
    enlarged: Array, small: Array, peak: float = 255.0, method: Literal["bicubic", "area"] = "bicubic"
) -> Tensor:
    """The PSNR between enlarged images, reduced again to the size of the small ones, and these, in dB, float64 `(B,)`.

    A super-resolution that contradicts its input has a low value, however realistic it is. Bicubic reduction is
    antialiased, and clamped to 0..`peak`.

    Args:
        enlarged: uint8 or floating-point, `(B, C, H, W)`, in 0 to `peak`.
        small: `(B, C, h, w)`, of sides at most H and W.
        peak: the largest possible value, 255 for 8 bits, 1 for images in [0, 1].
        method: how the small images were made: `bicubic` or `area`, the mean over a rectangle of pixels.

    Raises:
        ValueError: for images of other types or values, small ones that do not belong to the enlarged ones, or another
            method.
    """
    enlarged, small = tensors(enlarged, small)
    for batch in (enlarged, small):
        _check(batch, peak)
    if method not in ("bicubic", "area"):
        raise ValueError(f"method is 'bicubic' or 'area'; found {method!r}")
    if enlarged.shape[:2] != small.shape[:2] or any(
        large < side for large, side in zip(enlarged.shape[2:], small.shape[2:], strict=True)
    ):
        raise ValueError(
            f"each enlarged image needs its small one, of the same channels and at most its size; "
            f"found {described(enlarged)} and {described(small)}"
        )
    size, errors = tuple(small.shape[2:]), []
    for one, other in _chunks(enlarged, small):
        reduced = interpolate(one, size, mode=method, antialias=method == "bicubic").clamp(0, peak)
        errors.append((reduced - other).square().flatten(1).mean(1))
    return 10 * (peak**2 / torch.cat(errors)).log10()


@torch.no_grad()
def gradient_energy(images: Array) -> Tensor:
    """The mean squared norm of the gradient of each image, E (x_{i+1,j} - x_{i,j})^2 + E (x_{i,j+1} - x_{i,j})^2.

    Each mean is over all pairs of neighbours and all channels. The ratio of generated to real images measures
    sharpness: below 1 for blurred images, above 1 for noise or ringing.

    Args:
        images: uint8 or floating-point, `(B, C, H, W)`, of sides of at least 2, in any units.

    Returns:
        The energies in squared units, float64 `(B,)`.

    Raises:
        ValueError: for images of other types, with NaN or Inf, or with a side of 1.
    """
    images = tensor(images)
    _check(images, None)
    if min(images.shape[2:]) < 2:
        raise ValueError(f"a gradient needs images of sides of at least 2; found {described(images)}")
    down_and_right = ((x.diff(dim=2), x.diff(dim=3)) for (x,) in _chunks(images))
    found = [down.square().mean((1, 2, 3)) + right.square().mean((1, 2, 3)) for down, right in down_and_right]
    return torch.cat(found)


def _check(images: Tensor, peak: float | None) -> None:
    """Raise `ValueError` unless these are images, of values in 0..peak; None for any finite values."""
    if images.dim() != 4 or not (images.dtype == torch.uint8 or images.is_floating_point()) or not images.numel():
        raise ValueError(f"images must be uint8 or floating-point numbers (B, C, H, W); found {described(images)}")
    if peak is not None and not peak > 0:
        raise ValueError(f"peak is the largest possible value of the images, above 0; found {peak}")
    for (x,) in _chunks(images):
        low, high = (float(end) for end in x.aminmax())
        if not (low > -torch.inf and high < torch.inf):
            raise ValueError(f"images must be finite; found values from {low} to {high}")
        if peak is not None and (low < 0 or high > peak):
            raise ValueError(
                f"images must be in 0 to peak, {peak:g}; found values from {low:g} to {high:g}: scale or clamp them, "
                f"or give their peak"
            )


def _pair(images: Array, others: Array, peak: float, border: int, least: int = 1) -> tuple[Tensor, Tensor]:
    """Two batches of images of equal shape without their border; raises `ValueError` for anything else."""
    images, others = tensors(images, others)
    for batch in (images, others):
        _check(batch, peak)
    if images.shape != others.shape:
        raise ValueError(f"pairs of images need equal shapes; found {described(images)} and {described(others)}")
    if border < 0:
        raise ValueError(f"border counts pixels at each edge, at least 0; found {border}")
    height, width = images.shape[2:]
    if min(height, width) < least + 2 * border:
        inner = f" within a border of {border}" if border else ""
        raise ValueError(f"images must be at least {least}x{least}{inner}; found {height}x{width}")
    inside = (..., slice(border, height - border), slice(border, width - border))
    return images[inside], others[inside]


def _chunks(*batches: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Chunks of batches of equal length in float64, of bounded size where an image is."""
    rows = max(1, AT_ONCE // batches[0][0].numel())
    for start in range(0, len(batches[0]), rows):
        yield tuple(exact(batch[start : start + rows]) for batch in batches)


def _over_planes(similarity: Callable[[Tensor, Tensor], Tensor], images: Tensor, others: Tensor) -> Tensor:
    """The mean over the channels of a function of planes `(N, 1, H, W)`, `(B,)`."""
    planes = (batch.flatten(0, 1)[:, None] for batch in (images, others))
    return torch.cat([similarity(*chunk) for chunk in _chunks(*planes)]).view(images.shape[:2]).mean(1)


def _similarities(x: Tensor, y: Tensor, peak: float) -> tuple[Tensor, Tensor]:
    """The means over the positions of SSIM and of its contrast and structure of planes `(N, 1, H, W)`, `(N,)` each."""
    c1, c2 = (_K1 * peak) ** 2, (_K2 * peak) ** 2
    m_x, m_y = _smoothed(x), _smoothed(y)
    s_x, s_y, s_xy = _smoothed(x * x) - m_x * m_x, _smoothed(y * y) - m_y * m_y, _smoothed(x * y) - m_x * m_y
    structure = (2 * s_xy + c2) / (s_x + s_y + c2)
    whole = (2 * m_x * m_y + c1) / (m_x * m_x + m_y * m_y + c1) * structure
    return whole.flatten(1).mean(1), structure.flatten(1).mean(1)


def _smoothed(x: Tensor) -> Tensor:
    """Means under the Gaussian window, where it lies within planes `(N, 1, H, W)`."""
    at = torch.arange(_WINDOW, dtype=x.dtype, device=x.device) - _WINDOW // 2
    window = (-at.square() / (2 * _SIGMA**2)).exp()
    window /= window.sum()
    return conv2d(conv2d(x, window.view(1, 1, -1, 1)), window.view(1, 1, 1, -1))


def _halved(x: Tensor) -> Tensor:
    """Means over 2x2 pixels of planes, whose last row or column is repeated where their number is odd."""
    return avg_pool2d(pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2), mode="replicate"), 2)
