"""Images of coloured shapes with captions: a test of whether a generator follows a text."""

__all__ = ["Scenes"]

from dataclasses import dataclass, replace
from itertools import product
from typing import ClassVar

import torch
from torch import Tensor

from zerosum._checks import require, require_room
from zerosum.conditions.text import Text
from zerosum.data.conditions import Conditions
from zerosum.data.dataset import Dataset, in_memory
from zerosum.data.held_out import check_part, split
from zerosum.probes import drawing

MOST = 3  # objects
SIZES = ("small", "large")
COLOURS = ("red", "yellow", "green", "cyan", "blue", "purple")
KINDS = ("circle", "square", "triangle")
RELATIONS = ("left of", "right of", "above", "below")
HELD_OUT = (("blue", "circle"), ("red", "square"), ("yellow", "triangle"))  # pairs that are in no training image
_STEPS = torch.tensor([[1, 0], [-1, 0], [0, 1], [0, -1]])  # from an object to the next one, in cells
_OTHERS = torch.tensor([[0, 2, 3], [1, 2, 3], [0, 1, 2], [0, 1, 3]])  # relations that may follow a relation
_PALETTE = torch.tensor(
    [
        *([230.0, 50.0, 50.0], [235.0, 225.0, 55.0], [60.0, 210.0, 70.0]),
        *([60.0, 215.0, 225.0], [70.0, 80.0, 245.0], [215.0, 65.0, 220.0]),
    ]
)
# Circumradii of a circle, a square and a triangle, small and large, and how far centres move; relative to a cell.
_RADII = torch.tensor([[0.206, 0.259, 0.28], [0.328, 0.411, 0.433]])
_JITTER = 0.045
_DROP = 0.25  # of a triangle's circumradius: its box is centred in the cell
_NUMBERS = 3 + 5 * MOST + 3  # random numbers of an image


@dataclass(frozen=True)
class Scenes:
    """Images of one or more coloured shapes on a dark ground, RGB, each under a caption.

    A caption is like "a large red circle above a small blue square": shapes are circles, squares and triangles of six
    colours and two sizes, and each but the last is left of, right of, above or below the next. They are in cells of a
    square grid, moved together. Three pairs of a colour and a kind (a blue circle, a red square, a yellow
    triangle) are in no training image, although every word is; the held-out part has the images with such a pair.
    `follows` tests which images fit their captions, `answers` what of them is right.

    Args:
        count: number of images in both parts; about 3 in 10 are held out, 1 in 6 of those with a single shape.
        size: height and width of the images, in pixels, at least 10 for each of the cells.
        seed: random seed; an image depends on the seed and its index alone.
        part: "train", "test" or "all".
        shapes: number of shapes in an image, at most, 1 to 3.
        cells: cells along a side of the grid, at least as many as shapes.
    """

    held_out_differs: ClassVar[bool] = True

    count: int = 4_000
    size: int = 32
    seed: int = 0
    part: str = "train"
    shapes: int = MOST
    cells: int = 3

    def __post_init__(self) -> None:
        require(self, self.size >= 10 * self.cells and self.count >= 1, "size >= 10 cells and count >= 1")
        require(self, 1 <= self.shapes <= min(MOST, self.cells), f"1 <= shapes <= {MOST}, and as many cells")
        check_part(self, self.part)
        require_room(self, self.count, 3, self.size, self.size)

    def captions(self) -> tuple[str, ...]:
        """The captions of the images of this part."""
        conditions = self.open().conditions
        assert conditions is not None and isinstance(conditions.kind, Text)
        return tuple(map(conditions.kind.caption, conditions.table))

    def open(self) -> Dataset:
        """Render the images, uint8 (3, size, size)."""
        table = self._table()
        lists = (SIZES, COLOURS, KINDS, RELATIONS if self.shapes > 1 else ())
        words = {word for names in lists for name in names for word in name.split()}
        kind = Text(("a", *sorted(words)), 4 * self.shapes + 2 * (self.shapes - 1))
        tokens = kind.tokens([_caption(*row) for row in zip(*(column.tolist() for column in table), strict=True)])
        images = torch.cat([self._rendered(table, rows) for rows in drawing.blocks(torch.arange(self.count))])
        source = replace(self, part="all")
        whole = in_memory("scenes", images, conditions=Conditions(kind, tokens), made_by=source)
        number, _, colour, shape, _ = table
        pairs = [(COLOURS.index(one), KINDS.index(other)) for one, other in HELD_OUT]
        held = torch.stack([(colour == one) & (shape == other) for one, other in pairs]).any(0)
        return split(whole, (held & (torch.arange(MOST) < number[:, None])).any(1), self.part)

    def _table(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """The number of objects (count,); size, colour and kind (count, 3) of each; relations (count, 2)."""
        u = self._numbers()
        size, colour, shape = u[:, 3 : 3 + 3 * MOST].view(-1, 3, MOST).unbind(1)
        first, second = (u[:, -2] * 4).long(), (u[:, -1] * 3).long()
        relations = torch.stack([first, _OTHERS[first].gather(1, second[:, None])[:, 0]], 1)
        counts = (1 + (u[:, 0] * self.shapes).long()).clamp(max=self.shapes)
        return counts, (size * 2).long(), (colour * len(COLOURS)).long(), (shape * len(KINDS)).long(), relations

    def _numbers(self) -> Tensor:
        return drawing.numbers(self.seed, self.count, _NUMBERS)

    def _rendered(self, table: tuple[Tensor, ...], rows: Tensor) -> Tensor:
        number, size, colour, shape, relations = (column[rows] for column in table)
        u = self._numbers()[rows]
        centre = self._placed(u, number, relations)
        ground = drawing.between(u[:, -3:-2], 0, 40).expand(-1, 3)
        image = drawing.flat(self.size, ground).clone()
        for k, kind in product(range(MOST), range(len(KINDS))):
            some = ((k < number) & (shape[:, k] == kind)).nonzero()[:, 0]
            radius = _RADII[size[some, k], kind] * self.size / self.cells
            coverage = self._covered(kind, centre[some, k], radius)
            image[some] = drawing.paint(image[some], coverage, _PALETTE[colour[some, k]])
        return drawing.to_bytes(image)

    def _covered(self, kind: int, centre: Tensor, radius: Tensor) -> Tensor:
        if kind == 0:
            return drawing.covered(drawing.ellipse(self.size, centre, radius[:, None].expand(-1, 2)))
        if kind == 2:
            centre = centre + torch.stack([torch.zeros_like(radius), _DROP * radius], 1)
        angle = torch.full_like(radius, torch.pi / 4 if kind == 1 else torch.pi / 6)
        return drawing.covered(drawing.polygon(self.size, drawing.turned(centre, radius, angle, 5 - kind)))

    def _placed(self, u: Tensor, number: Tensor, relations: Tensor) -> Tensor:
        """The centres of the objects (B, 3, 2), x and y in pixels."""
        cells = torch.cat([torch.zeros(len(u), 1, 2), _STEPS[relations].cumsum(1)], 1)
        absent = (torch.arange(MOST) >= number[:, None])[:, :, None]
        low = cells.masked_fill(absent, MOST).amin(1, keepdim=True)
        free = self.cells - 1 - (cells - low).masked_fill(absent, 0).amax(1, keepdim=True)
        moved = cells - low + free * u[:, None, 1:3]
        jitter = (2 * u[:, 3 + 3 * MOST : -3].view(-1, MOST, 2) - 1) * _JITTER
        return (moved + 0.5 + jitter) * (self.size / self.cells)


def _caption(number: int, sizes: list[int], colours: list[int], kinds: list[int], relations: list[int]) -> str:
    objects = [
        f"a {SIZES[size]} {COLOURS[colour]} {KINDS[kind]}"
        for size, colour, kind in zip(sizes[:number], colours, kinds, strict=False)
    ]
    links = [RELATIONS[relation] for relation in relations[: number - 1]]
    return " ".join(text for pair in zip(objects, [*links, ""], strict=True) for text in pair if text)
