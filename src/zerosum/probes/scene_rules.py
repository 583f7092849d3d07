"""Read scenes: which coloured shapes an image has, of which size and where, and whether a caption fits.

Like the other detectors (`rules.py`), this one does not depend on the code that draws. A colour is the nearest of six
hues, a kind follows from moments of the shape, a size from its area, a relation from the centres.
"""

__all__ = ["SceneAnswers", "SceneObject", "answers", "follows", "scene_objects"]

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from zerosum._arrays import Array, tensor
from zerosum.probes.connected import components
from zerosum.probes.rules import Verdict

_HUES = {"red": 0.0, "yellow": 60.0, "green": 120.0, "cyan": 180.0, "blue": 240.0, "purple": 300.0}  # in degrees
_CHROMA = 60.0  # grey levels of chroma from which a pixel is an object
_SPECK, _SMALLEST, _LARGEST = 0.036, 0.063, 0.63  # areas relative to a cell's: ignored, and those of an object
_LARGE = {"circle": 0.2313, "square": 0.2313, "triangle": 0.1683}  # areas from which an object is large
_SKEW, _CIRCULAR = 0.007, 0.001  # cumulants above which a shape is a triangle, and a circle
_ONE = r"(?:(?:a|an|the) )?(?:(small|large) )?(red|yellow|green|cyan|blue|purple) (circle|square|triangle)"
_LINK = r"(left of|right of|above|below)"
_Wanted = tuple[list[tuple[str, ...]], list[str]]  # the objects of a caption, and their relations


@dataclass(frozen=True)
class SceneObject:
    """A shape in an image.

    Attributes:
        size: "small" or "large".
        colour: "red", "yellow", "green", "cyan", "blue" or "purple".
        kind: "circle", "square" or "triangle".
        centre: x and y of its centre of mass, in shares of the image's width and height.
    """

    size: str
    colour: str
    kind: str
    centre: tuple[float, float]


@dataclass(frozen=True, eq=False)
class SceneAnswers:
    """What of each caption its image has right, bool `(B,)`; an image with another number of objects has nothing right.

    Attributes:
        count: the number of objects.
        size: the size of every object.
        colour: the colour of every object.
        kind: the kind of every object.
        place: where every object is, seen from the next one.
        related: whether the caption says where objects are.
    """

    count: Tensor
    size: Tensor
    colour: Tensor
    kind: Tensor
    place: Tensor
    related: Tensor


def scene_objects(images: Array, cells: int = 3) -> list[tuple[SceneObject, ...] | None]:
    """The shapes in each image, from left to right; None for an image with a part that is no shape, or with none.

    Args:
        images: uint8 `(B, 3, H, W)`.
        cells: of `Scenes`, which sizes refer to.
    """
    images = tensor(images)
    if images.dtype != torch.uint8 or images.dim() != 4 or images.shape[1] != 3:
        raise ValueError(f"scenes are uint8 images (B, 3, H, W); found {images.dtype} {tuple(images.shape)}")
    x = images.cpu().double()
    return [_objects(*one, cells) for one in zip(x, *_parts(x), strict=True)]


def follows(images: Array, captions: Sequence[str], cells: int = 3) -> Verdict:
    """Whether each image has just the objects of its caption, of their sizes, colours and kinds, related as it says.

    An image is unreadable if it has a part that is no shape.

    Args:
        images: uint8 `(B, 3, H, W)`.
        captions: a caption of each, such as "a large red circle left of a small blue square". A size may be omitted.
        cells: as in `scene_objects`.

    Raises:
        ValueError: for captions of another form, and unless there is one for each image.
    """
    found, wanted = _compared(images, captions, cells)
    right = [one is not None and _fits(one, *other) for one, other in zip(found, wanted, strict=True)]
    return Verdict(torch.tensor([one is not None for one in found]), torch.tensor(right))


def answers(images: Array, captions: Sequence[str], cells: int = 3) -> SceneAnswers:
    """What of its caption each image has right, by the order of its objects that fits the caption best.

    Args:
        images: uint8 `(B, 3, H, W)`.
        captions: as in `follows`.
        cells: as in `scene_objects`.

    Raises:
        ValueError: as `follows`.
    """
    found, wanted = _compared(images, captions, cells)
    rows = [_answers(one or (), *other) for one, other in zip(found, wanted, strict=True)]
    count, size, colour, kind, place = torch.tensor(rows).unbind(1)
    related = torch.tensor([bool(relations) for _, relations in wanted])
    return SceneAnswers(count, size, colour, kind, place, related)


def _answers(found: Sequence[SceneObject], objects: list[tuple[str, ...]], relations: list[str]) -> list[bool]:
    """Whether number, sizes, colours, kinds and relations are right, in the order with the most right words."""
    if len(found) != len(objects):
        return [False] * 5
    best, most = [False] * 5, -1
    for order in itertools.permutations(found):
        words = [
            [size in ("", one.size) for one, (size, _, _) in zip(order, objects, strict=True)],
            [one.colour == colour for one, (_, colour, _) in zip(order, objects, strict=True)],
            [one.kind == kind for one, (_, _, kind) in zip(order, objects, strict=True)],
            [_relation(*pair) == wanted for pair, wanted in zip(itertools.pairwise(order), relations, strict=True)],
        ]
        right = sum(map(sum, words))
        if right > most:
            best, most = [True, *map(all, words)], right
    return best


def _compared(
    images: Array, captions: Sequence[str], cells: int
) -> tuple[list[tuple[SceneObject, ...] | None], list[_Wanted]]:
    found = scene_objects(images, cells)
    if len(found) != len(captions):
        raise ValueError(f"each image has a caption; found {len(found)} images and {len(captions)} captions")
    return found, [_described(caption) for caption in captions]


def _described(caption: str) -> _Wanted:
    """The objects of a caption, each a size, a colour and a kind, and the relation of each to the next."""
    text = " ".join(re.findall(r"\w+", caption.lower()))
    if not re.fullmatch(rf"{_ONE}(?: {_LINK} {_ONE})*", text):
        raise ValueError(f"a scene's caption is like 'a red circle above a small blue square'; found {caption!a:.80}")
    return re.findall(_ONE, text), re.findall(_LINK, text)


def _fits(found: Sequence[SceneObject], objects: Sequence[tuple[str, ...]], relations: Sequence[str]) -> bool:
    """Whether the objects are the described ones in some order."""
    return len(found) == len(objects) and any(
        all(
            size in ("", one.size) and (colour, kind) == (one.colour, one.kind)
            for one, (size, colour, kind) in zip(order, objects, strict=True)
        )
        and all(_relation(*pair) == wanted for pair, wanted in zip(itertools.pairwise(order), relations, strict=True))
        for order in itertools.permutations(found)
    )


def _relation(one: SceneObject, other: SceneObject) -> str:
    """Where an object is, seen from another: along the axis of the larger distance."""
    across, down = (a - b for a, b in zip(one.centre, other.centre, strict=True))
    if abs(across) > abs(down):
        return "left of" if across < 0 else "right of"
    return "above" if down < 0 else "below"


def _parts(x: Tensor) -> tuple[Tensor, Tensor]:
    """The number of the coloured part of each pixel from 0, int64 (B, H, W), or -1, with a margin of a pixel; and
    the share of each pixel that is coloured (B, H, W), to the chroma of the part.
    """
    chroma = x.amax(1) - x.amin(1)
    ground = chroma.masked_fill(chroma > _CHROMA, math.nan).flatten(1).nanmedian(1).values.nan_to_num(0)
    chroma = chroma - ground[:, None, None]  # that of noise on grey
    labels = components(chroma > _CHROMA).labels
    grown = max_pool2d(labels[:, None].double(), 3, 1, 1)[:, 0].long()
    return torch.where(labels < 0, grown, labels), chroma


def _objects(image: Tensor, labels: Tensor, chroma: Tensor, cells: int) -> tuple[SceneObject, ...] | None:
    found = []
    for number in range(int(labels.max()) + 1):
        inside = labels == number
        if not inside.any():
            continue
        most = chroma[inside].quantile(0.85)  # of pixels that are covered whole, also in the smallest shapes
        weight = torch.where(inside, chroma / most, 0).clamp(0, 1)
        area = float(weight.sum()) / weight.numel() * cells**2
        if area < _SPECK:
            continue
        if not _SMALLEST <= area <= _LARGEST:
            return None
        found.append(_shape(image, weight, area))
    return tuple(sorted(found, key=lambda one: one.centre)) or None


def _shape(image: Tensor, weight: Tensor, area: float) -> SceneObject:
    """The shape of a weight of each pixel (H, W)."""
    height, width = weight.shape
    total = weight.sum()
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    centre = (weight * x).sum() / total, (weight * y).sum() / total
    across, down = x - centre[0], y - centre[1]
    share = weight / total
    # Cumulants of the pixels' positions, which blur leaves unchanged: of y, 3rd order, 0 for circles and squares; of x
    # and y, 2nd order each, 0 for a square and -R^4 / 48 for a circle, -1 / (48 pi^2) relative to the area squared.
    skew = float((share * down**3).sum() / total**1.5)
    circular = -float((share * across**2 * down**2).sum() - (share * across**2).sum() * (share * down**2).sum())
    kind = "triangle" if abs(skew) > _SKEW else "circle" if circular > _CIRCULAR * float(total) ** 2 else "square"
    solid = weight > 0.8
    red, green, blue = (image[:, solid] if solid.any() else image[:, weight > 0.5]).mean(1).tolist()
    hue = math.degrees(math.atan2(3**0.5 * (green - blue), 2 * red - green - blue)) % 360
    colour = min(_HUES, key=lambda name: abs((hue - _HUES[name] + 180) % 360 - 180))
    size = "large" if area > _LARGE[kind] else "small"
    return SceneObject(size, colour, kind, (float(centre[0]) / width, float(centre[1]) / height))
