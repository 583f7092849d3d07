"""The perceptual path length: how smoothly features change between two latents."""

__all__ = ["PerceptualPathLength", "path_length_between", "perceptual_path_length"]

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from zerosum._arrays import Array, described, tensor, tensors
from zerosum.metrics._features import check_features, exact, in_chunks

_TRIMMED = 100  # one in so many of the shortest and of the longest paths is left out by StyleGAN's code
_PARALLEL = 1e-6  # sine of the angle below which two latents count as parallel


@dataclass(frozen=True, eq=False)
class PerceptualPathLength:
    """Squared change of the features, per squared step, along paths between latents.

    Attributes:
        lengths: the length of each pair's step, float64 `(N,)`.
    """

    lengths: Tensor

    @property
    def value(self) -> float:
        """Mean over the pairs, the expectation in the equation."""
        return float(self.lengths.mean())

    @property
    def standard_error(self) -> float:
        """Standard error of that mean."""
        return float(self.lengths.std()) / math.sqrt(len(self.lengths))

    @property
    def trimmed(self) -> float:
        """Mean of the lengths from their 1st percentile, rounded down to a length, to their 99th, rounded up.

        StyleGAN's code reports it.
        """
        return trimmed_mean(self.lengths)


@torch.no_grad()
def perceptual_path_length(
    features: Callable[[Tensor], Array],
    start: Array,
    end: Array,
    epsilon: float = 1e-4,
    path: Literal["spherical", "linear"] = "spherical",
    where: Literal["anywhere", "start"] = "anywhere",
    seed: int = 0,
    batch: int = 64,
) -> PerceptualPathLength:
    """The change of the features of samples under a small step in the latent (Karras et al. 2019, equation 2).

        l = E |f(G(z(t))) - f(G(z(t + epsilon)))|^2 / epsilon^2    (arXiv 1812.04948)

    Short paths indicate a smooth latent space. f stands for the paper's LPIPS, which is a squared distance of features
    too; lengths are comparable for the same f only.

    Args:
        features: maps latents `(B, ...)` to features `(B, ...)`, sample by sample: the generator in evaluation mode
            followed by the extractor.
        start, end: latents `(N, ...)`, two or more pairs, of the dtype that `features` takes.
        epsilon: the step, relative to the path.
        path: "spherical" interpolation for Gaussian z, "linear" for a mapped latent such as w.
        where: "anywhere" takes t uniform in [0, 1), "start" takes t = 0.
        seed: seed of t.
        batch: latents per batch; each is evaluated at both ends of its step.

    Raises:
        ValueError: for latents of different shapes, an invalid step, path or `where`, or features that are not finite.
    """
    start, end = tensors(start, end)
    if start.shape != end.shape or start.dim() < 2 or len(start) < 2 or not start.is_floating_point():
        raise ValueError(
            f"start and end must be floating-point latents (N, ...) of one shape, 2 or more; found "
            f"{described(start)} and {described(end)}"
        )
    if not 0 < epsilon <= 1 or batch < 1:
        raise ValueError(f"epsilon must be in (0, 1] and batch 1 or more; found {epsilon} and {batch}")
    if path not in _PATHS or where not in ("anywhere", "start"):
        raise ValueError(f"path is spherical or linear and where anywhere or start; found {path!r} and {where!r}")
    t = torch.rand(len(start), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    t = t if where == "anywhere" else torch.zeros_like(t)
    lengths = []
    for a, b, at in zip(*(torch.split(x, batch) for x in (start, end, t)), strict=True):
        here, there = (_PATHS[path](exact(a), exact(b), s.to(a.device)).to(a) for s in (at, at + epsilon))
        first, second = tensor(features(torch.cat([here, there]))).flatten(1).chunk(2)
        lengths.append(_lengths(first, second, epsilon))
    return PerceptualPathLength(torch.cat(lengths))


def path_length_between(first: Array, second: Array, epsilon: float = 1e-4) -> PerceptualPathLength:
    """`perceptual_path_length` from features `(N, d)` at both ends of each step."""
    first, second = tensors(first, second)
    if not epsilon > 0:
        raise ValueError(f"epsilon must be above 0; found {epsilon}")
    if first.shape != second.shape or len(first) < 2:
        raise ValueError(
            f"steps have features (N, d) at both ends, 2 or more; found {described(first)} and {described(second)}"
        )
    return PerceptualPathLength(_lengths(first, second, epsilon))


def _lengths(first: Tensor, second: Tensor, epsilon: float) -> Tensor:
    check_features(first, "first", least=1)
    check_features(second, "second", least=1)
    both = zip(in_chunks(first), in_chunks(second), strict=True)
    return torch.cat([(a - b).square().sum(1).cpu() for (_, a), (_, b) in both]) / epsilon**2


def trimmed_mean(lengths: Tensor) -> float:
    """Mean of the lengths from the 1st percentile, rounded down to a length, to the 99th, rounded up."""
    ordered, last = lengths.sort().values, len(lengths) - 1
    low, high = ordered[last // _TRIMMED], ordered[last - last // _TRIMMED]
    return float(ordered[(ordered >= low) & (ordered <= high)].mean())


def _linear(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    t = t.view(-1, *[1] * (a.dim() - 1))
    return a + t * (b - a)


def _spherical(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """sin((1 - t) w) / sin(w) a + sin(t w) / sin(w) b, w the angle between them (Shoemake 1985)."""
    flat_a, flat_b, t = a.flatten(1), b.flatten(1), t[:, None]
    # The angle by atan2: an arc cosine would lose the digits of small angles.
    unit_a, unit_b = (torch.nn.functional.normalize(flat) for flat in (flat_a, flat_b))
    angle = 2 * torch.atan2((unit_a - unit_b).norm(dim=1), (unit_a + unit_b).norm(dim=1))[:, None]
    sine = angle.sin()
    turned = (((1 - t) * angle).sin() * flat_a + (t * angle).sin() * flat_b) / sine
    straight = flat_a + t * (flat_b - flat_a)
    return turned.where(sine > _PARALLEL, straight).view_as(a)


_PATHS = {"spherical": _spherical, "linear": _linear}
