"""How smoothly features change on the way from one latent to another: the perceptual path length."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from zerosum._arrays import Array, described, tensor, tensors
from zerosum.metrics._features import check_features, exact, in_chunks

_TRIM = 0.01  # share of the shortest and of the longest paths that StyleGAN's code leaves out
_PARALLEL = 1e-6  # sine of the angle below which two latents span no plane to turn in


@dataclass(frozen=True)
class PerceptualPathLength:
    """Squared change of the features, per squared step, on the way between latents.

    Attributes:
        value: its mean over the pairs, the equation's expectation.
        standard_error: of that mean.
        trimmed: the mean without the shortest and the longest hundredth, which StyleGAN's code reports.
    """

    value: float
    standard_error: float
    trimmed: float


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
    """How much the features of samples change under a small step in the latent (Karras et al. 2019, equation 2).

        l = E |f(G(z(t))) - f(G(z(t + epsilon)))|^2 / epsilon^2    (arXiv 1812.04948)

    A generator whose latent is well used turns one sample into another without detours. f stands for the paper's
    LPIPS, which is a squared distance of features too; lengths compare for the same f only.

    Args:
        features: gives features `(B, ...)` of latents `(B, ...)`, sample by sample: the generator in evaluation mode,
            and then the extractor.
        start, end: latents `(N, ...)`, two or more pairs, of the dtype that `features` takes.
        epsilon: the step, as a share of the path.
        path: "spherical" turns from one to the other, for Gaussian z; "linear" is for a mapped latent such as w.
        where: "anywhere" takes t uniform in [0, 1), "start" takes t = 0.
        seed: of t.
        batch: latents in a batch; each is seen at both ends of its step.

    Raises:
        ValueError: for latents of unlike shapes, no step, another path or place, or features that are not finite.
    """
    start, end = tensors(start, end)
    if start.shape != end.shape or start.dim() < 2 or len(start) < 2 or not start.is_floating_point():
        raise ValueError(
            f"paths lead from floating-point latents (N, ...) to others, 2 or more; found {described(start)} and "
            f"{described(end)}"
        )
    if not 0 < epsilon <= 1 or batch < 1:
        raise ValueError(f"epsilon must be in (0, 1] and batch 1 or more; found {epsilon} and {batch}")
    if path not in _PATHS or where not in ("anywhere", "start"):
        raise ValueError(f"path is spherical or linear and where anywhere or start; found {path!r} and {where!r}")
    t = torch.rand(len(start), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    t = t if where == "anywhere" else torch.zeros_like(t)
    lengths = []
    for a, b, at in zip(*(torch.split(side, batch) for side in (start, end, t)), strict=True):
        here, there = (_PATHS[path](exact(a), exact(b), s.to(a.device)).to(a) for s in (at, at + epsilon))
        first, second = tensor(features(torch.cat([here, there]))).flatten(1).chunk(2)
        lengths.append(_lengths(first, second, epsilon))
    return _summary(torch.cat(lengths))


def path_length_between(first: Array, second: Array, epsilon: float = 1e-4) -> PerceptualPathLength:
    """The same from features `(N, d)` at both ends of each step, of one's own making."""
    first, second = tensors(first, second)
    if not epsilon > 0:
        raise ValueError(f"epsilon must be above 0; found {epsilon}")
    if first.shape != second.shape or len(first) < 2:
        raise ValueError(
            f"steps have features (N, d) at both ends, 2 or more; found {described(first)} and {described(second)}"
        )
    return _summary(_lengths(first, second, epsilon))


def _lengths(first: Tensor, second: Tensor, epsilon: float) -> Tensor:
    check_features(first, "first", least=1)
    check_features(second, "second", least=1)
    both = zip(in_chunks(first), in_chunks(second), strict=True)
    return torch.cat([(a - b).square().sum(1).cpu() for (_, a), (_, b) in both]) / epsilon**2


def _summary(lengths: Tensor) -> PerceptualPathLength:
    cut = int(_TRIM * len(lengths))
    kept = lengths.sort().values[cut : len(lengths) - cut]
    error = float(lengths.std()) / len(lengths) ** 0.5
    return PerceptualPathLength(float(lengths.mean()), error, float(kept.mean()))


def _linear(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    t = t.view(-1, *[1] * (a.dim() - 1))
    return a + t * (b - a)


def _spherical(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """sin((1 - t) w) / sin(w) a + sin(t w) / sin(w) b, w the angle between them (Shoemake 1985)."""
    flat_a, flat_b, t = a.flatten(1), b.flatten(1), t[:, None]
    # The angle from both its tangent's legs: an arc cosine would lose the digits of small ones.
    unit_a, unit_b = (torch.nn.functional.normalize(flat) for flat in (flat_a, flat_b))
    angle = 2 * torch.atan2((unit_a - unit_b).norm(dim=1), (unit_a + unit_b).norm(dim=1))[:, None]
    sine = angle.sin()
    turned = (((1 - t) * angle).sin() * flat_a + (t * angle).sin() * flat_b) / sine
    straight = flat_a + t * (flat_b - flat_a)
    return turned.where(sine > _PARALLEL, straight).view_as(a)


_PATHS = {"spherical": _spherical, "linear": _linear}
