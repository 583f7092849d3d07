"""Detectors of whether images satisfy a rule: number of objects, symmetry, parts of a face, perspective of a solid.

Each detector first decides whether an image contains what the rule is about, and only then whether it is right. Images
are uint8 `(B, C, H, W)`, smoothed first, so that noise and soft edges do not matter.
"""

__all__ = ["RuleKept", "Verdict", "exactly", "mirrored", "object_counts", "one_of_each", "one_view"]

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from zerosum._arrays import Array, tensor, tensors
from zerosum.probes.connected import Components, components
from zerosum.probes.fitting import nearest_drawing

LIT = 110.0  # objects are brighter than this in some channel; the background is far below
FAINT = 75.0  # brighter than any background: between the two is a faint object
SPECK = 0.15  # of the smallest object's area: anything smaller is ignored
FLAT = 8.0  # standard deviation, in grey levels, of an image without content
MIRRORED = 0.03  # `asymmetry` above which the halves are not mirrored
DARK = 80.0  # brightness of the parts of a face
HEAD = (0.25, 0.62)  # area of a head, relative to the image
PART = 0.003  # smallest area of a part of a face, relative to the image
LEVEL, ON_AXIS = 0.03, 0.035  # largest offsets of eyes and of a part from the axis, relative to the image size
ASIDE, UP, NOSE, MOUTH = (0.38, 0.56), (-0.43, -0.23), (-0.04, 0.18), (0.5, 0.7)  # positions, in radii of the head
NO_VIEW, NO_SOLID = 0.002, 0.2  # residual share of the nearest view: not a view, not a solid
NOISY = 40.0  # standard deviation of pixel noise, in grey levels, from which an image is unreadable
_SMOOTHED_NOISE = (6 / 16) ** 2  # the power of pixel noise after smoothing


@dataclass(frozen=True)
class RuleKept:
    """How often samples satisfy a rule; the three shares sum to 1.

    Attributes:
        samples: number of samples.
        kept: share that satisfies it.
        broken: share that violates it.
        unreadable: share in which the detector cannot decide.
        error: standard error of `broken`.
    """

    samples: int
    kept: float
    broken: float
    unreadable: float
    error: float


@dataclass(frozen=True, eq=False)
class Verdict:
    """The result of a detector for each image: bool `(B,)`; an unreadable image is not right either."""

    readable: Tensor
    right: Tensor

    def summary(self) -> RuleKept:
        """The shares over all images."""
        count = len(self.readable)
        kept = float(self.right.double().mean())
        readable = float(self.readable.double().mean())
        broken = readable - kept
        return RuleKept(count, kept, broken, 1 - readable, math.sqrt(max(broken * (1 - broken), 0) / count))


def exactly(images: Array, wanted: Array, areas: tuple[float, float]) -> Verdict:
    """Whether the number of bright objects on a dark background is the wanted one.

    An object is a connected component of about an object's area. An image with any other component is unreadable: too
    large (such as merged objects), too small or too faint.

    Args:
        images: uint8 `(B, C, H, W)`.
        wanted: the number of objects of each image, a tensor or array, int64 `(B,)`; or a list of the numbers allowed
            in any image.
        areas: the smallest and the largest area of an object, in pixels.
    """
    images = tensor(images)
    light = _smooth(_checked(images).amax(1, keepdim=True))[:, 0]
    lit = components(light > LIT)
    objects = lit.count(*_sizes(areas))
    other = lit.count(SPECK * areas[0]) > objects
    faint = _without(components(light > FAINT), light > LIT).count(SPECK * areas[0]) > 0
    if isinstance(wanted, Sequence):
        right = torch.isin(objects, torch.tensor(wanted, device=objects.device))
    else:
        each = tensor(wanted)
        _check_wanted(each, len(images))
        right = objects == each.to(objects.device)
    readable = ~other & ~faint
    return Verdict(readable, readable & right)


def object_counts(images: Array, areas: tuple[float, float]) -> Tensor:
    """The number of objects that `exactly` finds in each image, int64 `(B,)`, readable or not."""
    images = tensor(images)
    return components(_smooth(_checked(images).amax(1, keepdim=True))[:, 0] > LIT).count(*_sizes(areas))


def asymmetry(images: Array) -> Tensor:
    """The share of an image's power that is not mirror-symmetric about the vertical axis, float64 `(B,)`.

    With e the even and o the odd part about the vertical axis, x = e + o, and e without its mean in each channel:
    |o|^2 / (|e|^2 + |o|^2), with pixel noise subtracted. 0 for mirrored halves, 1/2 for independent ones.
    """
    images = tensor(images)
    x = _checked(images)
    odd = (x - x.flip(-1)) / 2
    even = _smooth(x - odd)
    noise = _SMOOTHED_NOISE * _noise(odd).square() * x[0].numel()
    wrong = (_smooth(odd).double().square().sum((1, 2, 3)) - noise).clamp(min=0)
    right = (even - even.mean((2, 3), keepdim=True)).double().square().sum((1, 2, 3))
    return wrong / (wrong + right).clamp(min=1e-9)


def mirrored(images: Array) -> Verdict:
    """Whether the right half is the left one mirrored: `asymmetry` up to 0.03.

    An image is unreadable if it has almost no content, or is mostly pixel noise.
    """
    images = tensor(images)
    readable = _has_content(_checked(images))
    return Verdict(readable, readable & (asymmetry(images) <= MIRRORED))


def one_of_each(images: Array) -> Verdict:
    """Whether a face has one head, two eyes, one nose and one mouth, in the right positions.

    The head is the largest bright component; its parts are the dark components inside it. The eyes are the upper two,
    of similar size and level, on either side of the head's axis; the nose is next, the mouth last, both on the axis. An
    image is unreadable without a head (a bright component of a head's size away from the edge), or with a part that is
    too faint to decide.
    """
    images = tensor(images)
    x = _checked(images)
    light = _smooth(x.mean(1, keepdim=True))[:, 0]
    pixels = light[0].numel()
    skin = _skin(light)[:, None, None]
    bright = light > (skin + DARK) / 2
    heads = components(bright)
    shades = components(~_largest(components(light > (3 * skin + DARK) / 4)))
    faint = _without(_only(shades, ~shades.at_edge), ~bright, PART * pixels).count(PART * pixels) > 0
    head = _largest(heads)
    islands = components(~head)
    inner = _only(islands, ~islands.at_edge)
    filled = head | (inner.labels >= 0)
    area = filled.sum((1, 2)).double() / pixels
    row = torch.arange(len(area), device=area.device)
    touching = (
        heads.at_edge[row, heads.areas.argmax(1)] if heads.areas.shape[1] else torch.ones_like(area, dtype=torch.bool)
    )
    readable = (area > HEAD[0]) & (area < HEAD[1]) & ~touching & ~faint & (_noise(x) < NOISY)
    alone = heads.count(PART * pixels) == 1
    parts = inner.count(PART * pixels) == 4
    return Verdict(readable, readable & alone & parts & _in_place(filled, inner))


def one_view(images: Array, draw: Callable[[Tensor], Tensor], views: Array) -> Verdict:
    """Whether an image is a rendering of some view, such as of a solid whose corners and faces must be consistent.

    An image is right if the residual of the nearest view is small (see `residual_share`). It is unreadable if the
    residual is large, since then it shows no solid at all, or if it is mostly noise.

    Args:
        images: uint8 `(B, C, H, W)`.
        draw: renders images in 0..255, float `(B, C, H, W)`, from views `(B, n)`.
        views: many initial views, `(S, n)`.
    """
    images, views = tensors(images, views)
    residual = residual_share(images, draw, views)
    readable = _has_content(_checked(images)) & (residual <= NO_SOLID)
    return Verdict(readable, readable & (residual <= NO_VIEW))


def residual_share(images: Array, draw: Callable[[Tensor], Tensor], views: Array) -> Tensor:
    """The share of an image's power that the nearest view does not explain, float64 `(B,)`; arguments of `one_view`.

    |x - y|^2 / |x - mean of x|^2 for the nearest rendering y, blurred as the image is, with pixel noise subtracted.
    """
    images, views = tensors(images, views)
    x = _checked(images)
    # A further parameter mixes a sharp and a blurred rendering, so that a blurred image is not counted as wrong.
    sharp = torch.cat([views, torch.rand(len(views), 1, generator=torch.Generator().manual_seed(0))], 1)
    found = nearest_drawing(_smooth(x), lambda rows: _softened(draw(rows[:, :-1]), rows[:, -1]), sharp)
    noise = _SMOOTHED_NOISE * _noise(x - draw(found.parameters[:, :-1])).square() * x[0].numel()
    return ((found.error - noise) / found.power.clamp(min=1e-9)).clamp(min=0)


def _checked(images: Tensor) -> Tensor:
    if images.dtype != torch.uint8 or images.dim() != 4 or not len(images):
        raise ValueError(
            f"rules take uint8 images (B, C, H, W), at least one; found {images.dtype} {tuple(images.shape)}"
        )
    return images.float()


def _check_wanted(wanted: Tensor, count: int) -> None:
    if wanted.dtype != torch.int64 or wanted.shape != (count,):
        raise ValueError(f"wanted is int64 ({count},), one per image; found {wanted.dtype} {tuple(wanted.shape)}")


def _sizes(areas: tuple[float, float]) -> tuple[float, float]:
    """The range of areas of an object, with a margin for soft edges and noise."""
    return 0.55 * areas[0], 1.4 * areas[1]


def _smooth(x: Tensor) -> Tensor:
    """Images filtered by (1, 2, 1) / 4 along both axes."""
    return avg_pool2d(avg_pool2d(pad(x, (1, 1, 1, 1), mode="replicate"), 2, 1), 2, 1)


def _softened(x: Tensor, mix: Tensor) -> Tensor:
    """A mix (B,) of images smoothed once and four times."""
    once = _smooth(x)
    return torch.lerp(once, _smooth(_smooth(_smooth(once))), mix[:, None, None, None])


def _noise(x: Tensor) -> Tensor:
    """The standard deviation `(B,)` of pixel noise, from the median of the second differences along both axes.

    These are 0 wherever an image is flat or has an edge along an axis. After Immerkaer 1996, with the median instead of
    the mean, since these images have many edges.
    """
    along = x[..., 2:] - 2 * x[..., 1:-1] + x[..., :-2]
    both = along[..., 2:, :] - 2 * along[..., 1:-1, :] + along[..., :-2, :]
    return both.flatten(1).abs().median(1).values.double() / (6 * 0.6745)


def _has_content(x: Tensor) -> Tensor:
    return ((x - x.mean((2, 3), keepdim=True)).square().mean((1, 2, 3)) > FLAT**2) & (_noise(x) < NOISY)


def _without(parts: Components, mask: Tensor, most: float = 0.0) -> Components:
    """The components that contain at most `most` pixels of a mask."""
    inside = torch.zeros(len(mask), parts.areas.shape[1] + 1, dtype=torch.float64, device=mask.device)
    inside.scatter_add_(1, parts.labels.flatten(1) + 1, mask.flatten(1).double())
    return _only(parts, inside[:, 1:] <= most)


def _only(parts: Components, chosen: Tensor) -> Components:
    """The components selected by a mask `(B, parts)`; the others have area 0 and no pixels."""
    kept = pad(chosen, (1, 0)).gather(1, parts.labels.flatten(1) + 1)
    labels = torch.where(kept.view_as(parts.labels), parts.labels, -1)
    return Components(labels, parts.areas * chosen, parts.centres, parts.at_edge)


def _largest(parts: Components) -> Tensor:
    """The pixels of each image's largest component, bool `(B, H, W)`."""
    if not parts.areas.shape[1]:
        return torch.zeros_like(parts.labels, dtype=torch.bool)
    return parts.labels == parts.areas.argmax(1)[:, None, None]


def _skin(light: Tensor) -> Tensor:
    """The brightness of the skin in each image, `(B,)`: the median of the bright pixels."""
    bright = light.flatten(1).masked_fill(light.flatten(1) < LIT, float("nan"))
    return bright.nanmedian(1).values.nan_to_num(255.0)


def _in_place(filled: Tensor, inner: Components) -> Tensor:
    """Whether four parts are in the positions of a face; undefined for images with more or fewer."""
    side = filled.shape[-1]
    if inner.areas.shape[1] < 4:
        return torch.zeros(len(filled), dtype=torch.bool, device=filled.device)
    weight = filled.double() / filled.sum((1, 2), keepdim=True).clamp(min=1)
    line = torch.arange(side, dtype=torch.float64, device=filled.device) + 0.5
    x, y = (weight.sum(1) * line).sum(1), (weight.sum(2) * line).sum(1)
    # An ellipse of radii a and b has variances a^2 / 4 and b^2 / 4.
    a = 2 * (weight.sum(1) * (line - x[:, None]).square()).sum(1).sqrt().clamp(min=1)
    b = 2 * (weight.sum(2) * (line - y[:, None]).square()).sum(1).sqrt().clamp(min=1)
    chosen = inner.areas.topk(4).indices
    areas = inner.areas.gather(1, chosen)
    place = inner.centres.gather(1, chosen[..., None].expand(-1, -1, 2)) - torch.stack([x, y], 1)[:, None]
    order = place[..., 1].argsort(1)
    areas, place = areas.gather(1, order), place.gather(1, order[..., None].expand(-1, -1, 2))
    eyes, nose, mouth = place[:, :2], place[:, 2], place[:, 3]
    apart = (eyes[:, 0, 0] - eyes[:, 1, 0]).abs() / 2 / a
    alike = areas[:, :2].amax(1) <= 1.9 * areas[:, :2].amin(1)
    level = (eyes[:, 0, 1] - eyes[:, 1, 1]).abs() <= LEVEL * side
    on_axis = torch.stack([eyes[..., 0].mean(1), nose[:, 0], mouth[:, 0]]).abs().amax(0) <= ON_AXIS * side
    ranges = ((apart, ASIDE), (eyes[..., 1].mean(1) / b, UP), (nose[:, 1] / b, NOSE), (mouth[:, 1] / b, MOUTH))
    there = torch.stack([(value > low) & (value < high) for value, (low, high) in ranges]).all(0)
    return alike & level & on_axis & there
