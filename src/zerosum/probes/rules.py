"""Whether pictures keep a rule: how many objects, mirrored halves, one of each part, one view of a solid.

Each reading first asks whether a picture shows such things at all, and only then whether they are right. Pictures are
uint8 `(B, C, H, W)`, smoothed before they are read, so that noise and a soft edge decide nothing.
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

LIT = 110.0  # an object is brighter than this in some channel, and the ground is far below
GHOST = 75.0  # brighter than any ground: what is between the two is no object, and something
SPECK = 0.15  # of the smallest object's area: what is smaller counts for nothing
FLAT = 8.0  # deviation over a picture, in grey levels, of one that shows nothing
UNLIKE = 0.03  # share of a picture in which its halves differ, from which they are unlike
DARK = 80.0  # as light as the parts of a face are
HEAD = (0.25, 0.62)  # area of a head, in pictures
PART = 0.003  # area in pictures from which something in a head is a part
LEVEL, ON_AXIS = 0.03, 0.035  # how far an eye may be above the other, and a part from the head's axis; in sides
ASIDE, UP, NOSE, MOUTH = (0.38, 0.56), (-0.43, -0.23), (-0.04, 0.18), (0.5, 0.7)  # where parts lie, in heads' radii
NO_VIEW, NO_SOLID = 0.002, 0.2  # share of a picture that the nearest view leaves over: no view, and no solid
NOISY = 40.0  # deviation of noise from pixel to pixel, in grey levels, from which nothing is read
_SMOOTHED_NOISE = (6 / 16) ** 2  # the power of such noise after smoothing


@dataclass(frozen=True)
class RuleKept:
    """How often samples keep a rule; the three shares sum to 1.

    Attributes:
        samples: how many were read.
        kept: share that keeps it.
        broken: share that shows what the rule is about, and breaks it.
        unreadable: share that does not show it clearly enough to tell.
        error: standard error of `broken`.
    """

    samples: int
    kept: float
    broken: float
    unreadable: float
    error: float


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a reading says of each picture: bool `(B,)`; one that is not readable is not right either."""

    readable: Tensor
    right: Tensor

    def told(self) -> RuleKept:
        """The shares over all pictures."""
        count = len(self.readable)
        kept = float(self.right.double().mean())
        readable = float(self.readable.double().mean())
        broken = readable - kept
        return RuleKept(count, kept, broken, 1 - readable, math.sqrt(max(broken * (1 - broken), 0) / count))


def exactly(images: Array, wanted: Array, areas: tuple[float, float]) -> Verdict:
    """Whether bright objects on a dark ground are as many as wanted.

    An object is a part that hangs together, of about an object's area. Unreadable is a picture with anything else in
    it: parts too large, as of two objects run into each other, or too small, or too faint for an object.

    Args:
        images: uint8 `(B, C, H, W)`.
        wanted: the number of objects of each picture, a tensor or array, int64 `(B,)`; or a list of the numbers that
            are right for any.
        areas: the smallest and the largest area of an object, in pixels.
    """
    images = tensor(images)
    light = _smooth(_checked(images).amax(1, keepdim=True))[:, 0]
    lit = components(light > LIT)
    objects = lit.count(*_sizes(areas))
    strange = lit.count(SPECK * areas[0]) > objects
    ghosts = _without(components(light > GHOST), light > LIT).count(SPECK * areas[0]) > 0
    if isinstance(wanted, Sequence):
        right = torch.isin(objects, torch.tensor(wanted, device=objects.device))
    else:
        each = tensor(wanted)
        _check_wanted(each, len(images))
        right = objects == each.to(objects.device)
    readable = ~strange & ~ghosts
    return Verdict(readable, readable & right)


def object_counts(images: Array, areas: tuple[float, float]) -> Tensor:
    """How many objects `exactly` finds in each picture, int64 `(B,)`, whether or not it is readable."""
    images = tensor(images)
    return components(_smooth(_checked(images).amax(1, keepdim=True))[:, 0] > LIT).count(*_sizes(areas))


def unlikeness(images: Array) -> Tensor:
    """In what share of a picture its right half is not the left one mirrored, float64 `(B,)`.

    With e the even and o the odd part about the vertical axis, x = e + o, and e taken without its mean in each channel:
    |o|^2 / (|e|^2 + |o|^2), where noise from pixel to pixel is taken off. 0 for mirrored halves, 1/2 for ones that have
    nothing to do with each other.
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
    """Whether the right half is the left one mirrored: `unlikeness` up to 0.03.

    Unreadable is a picture that shows next to nothing, or in which most is noise from pixel to pixel.
    """
    images = tensor(images)
    readable = _shows_something(_checked(images))
    return Verdict(readable, readable & (unlikeness(images) <= UNLIKE))


def one_of_each(images: Array) -> Verdict:
    """Whether a face has one head, two eyes, one nose and one mouth, each in its place.

    The head is what is bright and large; its parts are the dark islands in it. Eyes are the upper two, alike and level,
    either side of the head's axis; the nose is next, the mouth last, both on the axis. Unreadable is a picture without
    a head, nothing bright of a head's size that keeps off the edge, and one with a part so faint that it can be meant
    or not.
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
    held = _only(islands, ~islands.at_edge)
    filled = head | (held.labels >= 0)
    area = filled.sum((1, 2)).double() / pixels
    row = torch.arange(len(area), device=area.device)
    loose = (
        heads.at_edge[row, heads.areas.argmax(1)] if heads.areas.shape[1] else torch.ones_like(area, dtype=torch.bool)
    )
    readable = (area > HEAD[0]) & (area < HEAD[1]) & ~loose & ~faint & (_noise(x) < NOISY)
    alone = heads.count(PART * pixels) == 1
    parts = held.count(PART * pixels) == 4
    return Verdict(readable, readable & alone & parts & _in_place(filled, held))


def one_view(images: Array, draw: Callable[[Tensor], Tensor], views: Array) -> Verdict:
    """Whether a picture is one that `draw` makes of some view, as of a solid whose corners and faces all must agree.

    A picture is right where the nearest view leaves next to nothing of it over (see `left_over`); one is unreadable
    where much is left, since then no solid is seen at all, or where most is noise.

    Args:
        images: uint8 `(B, C, H, W)`.
        draw: makes pictures of 0..255, float `(B, C, H, W)`, of views `(B, n)`.
        views: many of them, `(S, n)`, to begin from.
    """
    images, views = tensors(images, views)
    left = left_over(images, draw, views)
    readable = _shows_something(_checked(images)) & (left <= NO_SOLID)
    return Verdict(readable, readable & (left <= NO_VIEW))


def left_over(images: Array, draw: Callable[[Tensor], Tensor], views: Array) -> Tensor:
    """What share of a picture the nearest view does not explain, float64 `(B,)`; arguments as for `one_view`.

    |x - y|^2 / |x - mean of x|^2 for the nearest drawing y that is as soft as the picture is, where noise from pixel to
    pixel is taken off.
    """
    images, views = tensors(images, views)
    x = _checked(images)
    # A further parameter mixes a sharp and a soft drawing, so that a picture is not wrong for being blurred.
    sharp = torch.cat([views, torch.rand(len(views), 1, generator=torch.Generator().manual_seed(0))], 1)
    found = nearest_drawing(_smooth(x), lambda rows: _softened(draw(rows[:, :-1]), rows[:, -1]), sharp)
    noise = _SMOOTHED_NOISE * _noise(x - draw(found.parameters[:, :-1])).square() * x[0].numel()
    return ((found.error - noise) / found.power.clamp(min=1e-9)).clamp(min=0)


def _checked(images: Tensor) -> Tensor:
    if images.dtype != torch.uint8 or images.dim() != 4 or not len(images):
        raise ValueError(
            f"a rule is read from uint8 pictures (B, C, H, W), at least one; found {images.dtype} {tuple(images.shape)}"
        )
    return images.float()


def _check_wanted(wanted: Tensor, count: int) -> None:
    if wanted.dtype != torch.int64 or wanted.shape != (count,):
        raise ValueError(
            f"wanted numbers are int64 ({count},), one a picture; found {wanted.dtype} {tuple(wanted.shape)}"
        )


def _sizes(areas: tuple[float, float]) -> tuple[float, float]:
    """The areas between which a part is an object: edges take from small ones, and noise adds to large ones."""
    return 0.55 * areas[0], 1.4 * areas[1]


def _smooth(x: Tensor) -> Tensor:
    """Pictures with each pixel averaged with its neighbours, by (1, 2, 1) / 4 along either side."""
    return avg_pool2d(avg_pool2d(pad(x, (1, 1, 1, 1), mode="replicate"), 2, 1), 2, 1)


def _softened(x: Tensor, mix: Tensor) -> Tensor:
    """Pictures smoothed once, or by shares (B,) four times."""
    once = _smooth(x)
    return torch.lerp(once, _smooth(_smooth(_smooth(once))), mix[:, None, None, None])


def _noise(x: Tensor) -> Tensor:
    """The deviation `(B,)` of noise from pixel to pixel, from the median of the second differences along both sides.

    These are 0 wherever a picture is flat or has a straight edge along a side; after Immerkaer 1996, whose mean the
    median replaces, since here edges are many.
    """
    along = x[..., 2:] - 2 * x[..., 1:-1] + x[..., :-2]
    both = along[..., 2:, :] - 2 * along[..., 1:-1, :] + along[..., :-2, :]
    return both.flatten(1).abs().median(1).values.double() / (6 * 0.6745)


def _shows_something(x: Tensor) -> Tensor:
    return ((x - x.mean((2, 3), keepdim=True)).square().mean((1, 2, 3)) > FLAT**2) & (_noise(x) < NOISY)


def _without(parts: Components, mask: Tensor, most: float = 0.0) -> Components:
    """The parts in which no pixel of a mask lies, or some, up to `most`."""
    held = torch.zeros(len(mask), parts.areas.shape[1] + 1, dtype=torch.float64, device=mask.device)
    held.scatter_add_(1, parts.labels.flatten(1) + 1, mask.flatten(1).double())
    return _only(parts, held[:, 1:] <= most)


def _only(parts: Components, chosen: Tensor) -> Components:
    """The parts chosen by a mask `(B, parts)`; the others have area 0 and no pixels."""
    kept = pad(chosen, (1, 0)).gather(1, parts.labels.flatten(1) + 1)
    labels = torch.where(kept.view_as(parts.labels), parts.labels, -1)
    return Components(labels, parts.areas * chosen, parts.centres, parts.at_edge)


def _largest(parts: Components) -> Tensor:
    """The pixels of each picture's largest part, bool `(B, H, W)`."""
    if not parts.areas.shape[1]:
        return torch.zeros_like(parts.labels, dtype=torch.bool)
    return parts.labels == parts.areas.argmax(1)[:, None, None]


def _skin(light: Tensor) -> Tensor:
    """How light the skin of each picture is, `(B,)`: the median of what is bright."""
    bright = light.flatten(1).masked_fill(light.flatten(1) < LIT, float("nan"))
    return bright.nanmedian(1).values.nan_to_num(255.0)


def _in_place(filled: Tensor, held: Components) -> Tensor:
    """Whether four parts lie where a face has them; anything for pictures with more or fewer."""
    side = filled.shape[-1]
    if held.areas.shape[1] < 4:
        return torch.zeros(len(filled), dtype=torch.bool, device=filled.device)
    weight = filled.double() / filled.sum((1, 2), keepdim=True).clamp(min=1)
    line = torch.arange(side, dtype=torch.float64, device=filled.device) + 0.5
    x, y = (weight.sum(1) * line).sum(1), (weight.sum(2) * line).sum(1)
    # An ellipse of radii a and b has variances a^2 / 4 and b^2 / 4.
    a = 2 * (weight.sum(1) * (line - x[:, None]).square()).sum(1).sqrt().clamp(min=1)
    b = 2 * (weight.sum(2) * (line - y[:, None]).square()).sum(1).sqrt().clamp(min=1)
    chosen = held.areas.topk(4).indices
    areas = held.areas.gather(1, chosen)
    place = held.centres.gather(1, chosen[..., None].expand(-1, -1, 2)) - torch.stack([x, y], 1)[:, None]
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
