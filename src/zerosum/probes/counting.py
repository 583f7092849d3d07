"""Images with a given number of objects: a test of counting."""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._checks import require, require_room
from zerosum.data.dataset import Dataset, in_memory
from zerosum.probes import drawing

MOST = 5
_PALETTE = (
    *((230.0, 60.0, 60.0), (70.0, 200.0, 80.0), (80.0, 120.0, 255.0)),
    *((240.0, 210.0, 60.0), (220.0, 80.0, 220.0), (70.0, 210.0, 220.0)),
)
_RADII = (0.095, 0.115)  # relative to the image size
_CIRCUMRADIUS = (1.0, 1.2, 1.35)  # circumradius of a disc, a square, a triangle, in radii
_GAP, _EDGE = 0.075, 0.02  # between two objects, and from an object to the image's edge; relative to the image size
_SPOTS = ((0.0, 0.0), (1.0, 0.0), (0.5, 0.5), (0.0, 1.0), (1.0, 1.0))
_PROPOSALS = 16  # positions proposed for each object


@dataclass(frozen=True)
class Counting:
    """Non-touching objects on a dark background: discs, squares, triangles of six colours; the label is their number.

    The number and each object's shape, colour, size, rotation and position are random.

    Args:
        numbers: possible numbers of objects, equally likely, in 1..5; they are the classes.
        side: height and width of the images, in pixels, at least 32.
        count: number of images.
        seed: random seed.
    """

    numbers: tuple[int, ...] = (1, 2, 3, 4, 5)
    side: int = 32
    count: int = 20_000
    seed: int = 0

    def __post_init__(self) -> None:
        fits = 0 < len(self.numbers) == len({*self.numbers}) and all(1 <= n <= MOST for n in self.numbers)
        require(self, fits, f"numbers in 1..{MOST}, at least one, each once")
        require(self, self.side >= 32 and self.count >= 1, "side >= 32 and count >= 1")
        require_room(self, self.count, 3, self.side, self.side)

    def areas(self) -> tuple[float, float]:
        """The smallest and the largest area of an object, in pixels: of a small triangle and of a large disc."""
        low, high = (radius * self.side for radius in _RADII)
        return 0.75 * 3**0.5 * (_CIRCUMRADIUS[2] * low) ** 2, torch.pi * high**2

    def open(self) -> Dataset:
        """Render the images, uint8 (3, side, side)."""
        u = drawing.numbers(self.seed, self.count, 2 + 4 * MOST)
        label = (u[:, 0] * len(self.numbers)).long()
        wanted = torch.tensor(self.numbers)[label]
        kind, hue, size, angle = u[:, 2:].view(-1, MOST, 4).unbind(-1)
        kind, hue = (kind * len(_CIRCUMRADIUS)).long(), torch.tensor(_PALETTE)[(hue * len(_PALETTE)).long()]
        radius = self.side * drawing.between(size, *_RADII)
        place = self._placed(wanted, radius * torch.tensor(_CIRCUMRADIUS)[kind])
        ground = drawing.between(u[:, 1:2], 0, 40).expand(-1, 3)
        images = []
        for rows in drawing.blocks(torch.arange(self.count)):
            image = drawing.flat(self.side, ground[rows]).clone()
            for k, shape in itertools.product(range(max(self.numbers)), range(len(_CIRCUMRADIUS))):
                some = ((k < wanted[rows]) & (kind[rows, k] == shape)).nonzero()[:, 0]
                these = rows[some]
                coverage = self._covered(shape, place[these, k], radius[these, k], angle[these, k])
                image[some] = drawing.paint(image[some], coverage, hue[these, k])
            images.append(drawing.to_bytes(image))
        names = tuple(map(str, self.numbers))
        return in_memory(f"{' or '.join(names)} objects", torch.cat(images), label, names, made_by=self)

    def _covered(self, shape: int, centre: Tensor, radius: Tensor, angle: Tensor) -> Tensor:
        """The coverage of a disc, square or triangle (0, 1, 2) in each image, (B, side, side)."""
        if shape == 0:
            return drawing.covered(drawing.ellipse(self.side, centre, radius[:, None].expand(-1, 2)))
        corners = drawing.turned(centre, _CIRCUMRADIUS[shape] * radius, 2 * torch.pi * angle, 5 - shape)
        return drawing.covered(drawing.polygon(self.side, corners))

    def _placed(self, wanted: Tensor, radius: Tensor) -> Tensor:
        """Positions (count, 5, 2) of objects of circumradii (count, 5): the five of a die, then moved at random.

        For each object, random positions in the image are proposed and accepted if they do not overlap with others.
        """
        spots, far = torch.tensor(_SPOTS), _EDGE + _CIRCUMRADIUS[-1] * _RADII[-1]
        u = drawing.numbers(self.seed + 1, self.count, MOST + _PROPOSALS * MOST * 2)
        place = self.side * (far + (1 - 2 * far) * spots[u[:, :MOST].argsort(1)])
        edge = (radius + _EDGE * self.side)[:, None, :, None]
        proposals = edge + u[:, MOST:].view(-1, _PROPOSALS, MOST, 2) * (self.side - 2 * edge)
        apart = radius[:, :, None] + radius[:, None] + _GAP * self.side
        absent = torch.arange(MOST) >= wanted[:, None]
        for trial, k in itertools.product(range(_PROPOSALS), range(max(self.numbers))):
            proposal = proposals[:, trial, k]
            clear = ((proposal[:, None] - place).norm(dim=2) >= apart[:, k]) | absent
            clear[:, k] = True
            place[:, k] = torch.where(clear.all(1, keepdim=True), proposal, place[:, k])
        return place
