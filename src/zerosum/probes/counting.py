"""Pictures of a known number of objects: whether a generator can count."""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._checks import require
from zerosum.data.dataset import Dataset, in_memory
from zerosum.probes import drawing

MOST = 5
_PALETTE = (
    *((230.0, 60.0, 60.0), (70.0, 200.0, 80.0), (80.0, 120.0, 255.0)),
    *((240.0, 210.0, 60.0), (220.0, 80.0, 220.0), (70.0, 210.0, 220.0)),
)
_RADII = (0.095, 0.115)  # of the side
_REACH = (1.0, 1.2, 1.35)  # from the centre of a disc, a square, a triangle to its farthest point, in radii
_GAP, _EDGE = 0.075, 0.02  # between two objects, and from an object to the picture's edge; of the side
_SPOTS = ((0.0, 0.0), (1.0, 0.0), (0.5, 0.5), (0.0, 1.0), (1.0, 1.0))
_MOVES = 16  # places offered to each object


@dataclass(frozen=True)
class Counting:
    """Objects on a dark ground, never touching, as many as the label says: discs, squares and triangles of six colours.

    Which number, and of each object the shape, colour, size, turn and place, are drawn at random.

    Args:
        numbers: how many objects there may be, each equally likely, in 1..5; they are the classes.
        side: of the pictures, in pixels, at least 32.
        count: how many pictures are drawn.
        seed: which pictures are drawn.
    """

    numbers: tuple[int, ...] = (1, 2, 3, 4, 5)
    side: int = 32
    count: int = 20_000
    seed: int = 0

    def __post_init__(self) -> None:
        fits = 0 < len(self.numbers) == len({*self.numbers}) and all(1 <= n <= MOST for n in self.numbers)
        require(self, fits, f"numbers in 1..{MOST}, at least one, each once")
        require(self, self.side >= 32 and self.count >= 1, "side >= 32 and count >= 1")

    def areas(self) -> tuple[float, float]:
        """The smallest and the largest area of an object, in pixels: a small triangle's and a large disc's."""
        low, high = (radius * self.side for radius in _RADII)
        return 0.75 * 3**0.5 * (_REACH[2] * low) ** 2, torch.pi * high**2

    def open(self) -> Dataset:
        """Draw the pictures, uint8 (3, side, side)."""
        u = drawing.numbers(self.seed, self.count, 2 + 4 * MOST)
        label = (u[:, 0] * len(self.numbers)).long()
        wanted = torch.tensor(self.numbers)[label]
        kind, hue, size, angle = u[:, 2:].view(-1, MOST, 4).unbind(-1)
        kind, hue = (kind * len(_REACH)).long(), torch.tensor(_PALETTE)[(hue * len(_PALETTE)).long()]
        radius = self.side * drawing.between(size, *_RADII)
        place = self._placed(wanted, radius * torch.tensor(_REACH)[kind])
        ground = drawing.between(u[:, 1:2], 0, 40).expand(-1, 3)
        pictures = []
        for rows in drawing.blocks(torch.arange(self.count)):
            picture = drawing.flat(self.side, ground[rows]).clone()
            for k, shape in itertools.product(range(max(self.numbers)), range(len(_REACH))):
                some = ((k < wanted[rows]) & (kind[rows, k] == shape)).nonzero()[:, 0]
                these = rows[some]
                coverage = self._covered(shape, place[these, k], radius[these, k], angle[these, k])
                picture[some] = drawing.paint(picture[some], coverage, hue[these, k])
            pictures.append(drawing.to_bytes(picture))
        names = tuple(map(str, self.numbers))
        return in_memory(f"{' or '.join(names)} objects", torch.cat(pictures), label, names, made_by=self)

    def _covered(self, shape: int, centre: Tensor, radius: Tensor, angle: Tensor) -> Tensor:
        """What a disc, square or triangle (0, 1, 2) of each picture covers, (B, side, side)."""
        if shape == 0:
            return drawing.covered(drawing.ellipse(self.side, centre, radius[:, None].expand(-1, 2)))
        corners = drawing.turned(centre, _REACH[shape] * radius, 2 * torch.pi * angle, 5 - shape)
        return drawing.covered(drawing.polygon(self.side, corners))

    def _placed(self, wanted: Tensor, reach: Tensor) -> Tensor:
        """Places (count, 5, 2) of objects of reaches (count, 5): as on a die's five, and then moved about at random.

        Each object is offered places all over the picture, again and again, and takes those that keep off the others.
        """
        spots, far = torch.tensor(_SPOTS), _EDGE + _REACH[-1] * _RADII[-1]
        u = drawing.numbers(self.seed + 1, self.count, MOST + _MOVES * MOST * 2)
        place = self.side * (far + (1 - 2 * far) * spots[u[:, :MOST].argsort(1)])
        edge = (reach + _EDGE * self.side)[:, None, :, None]
        offers = edge + u[:, MOST:].view(-1, _MOVES, MOST, 2) * (self.side - 2 * edge)
        apart = reach[:, :, None] + reach[:, None] + _GAP * self.side
        absent = torch.arange(MOST) >= wanted[:, None]
        for move, k in itertools.product(range(_MOVES), range(max(self.numbers))):
            offer = offers[:, move, k]
            clear = ((offer[:, None] - place).norm(dim=2) >= apart[:, k]) | absent
            clear[:, k] = True
            place[:, k] = torch.where(clear.all(1, keepdim=True), offer, place[:, k])
        return place
