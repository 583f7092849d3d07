"""Images with global structure: a test of long-range consistency."""

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._checks import require, require_room
from zerosum.data.dataset import Dataset, in_memory
from zerosum.probes import drawing

_SHAPES = 5
# The columns of a table of faces: an ellipse for the head and each part, and the colours.
PARTS = ("head", "left eye", "right eye", "nose", "mouth")
_COLOURS = ("background", "skin", "eyes", "nose", "mouth")


@dataclass(frozen=True)
class Mirrored:
    """Coloured discs and bars on a background; the right half is the mirror image of the left.

    The content is random; the rule is that each half determines the other.

    Args:
        side: height and width of the images, in pixels, even and at least 16.
        count: number of images.
        seed: random seed.
    """

    side: int = 32
    count: int = 20_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.side >= 16 and self.side % 2 == 0, "an even side >= 16")
        require(self, self.count >= 1, "count >= 1")
        require_room(self, self.count, 3, self.side, self.side)

    def open(self) -> Dataset:
        """Render the images, uint8 (3, side, side)."""
        u = drawing.numbers(self.seed, self.count, 3 + 8 * _SHAPES)
        images = torch.cat([drawing.to_bytes(self._drawn(rows)) for rows in drawing.blocks(u)])
        return in_memory("mirrored shapes", images, made_by=self)

    def _drawn(self, u: Tensor) -> Tensor:
        """Render rows of the table as images (B, 3, side, side)."""
        image = drawing.flat(self.side, drawing.between(u[:, :3], 0, 90))
        for k, v in enumerate(u[:, 3:].view(len(u), _SHAPES, 8).unbind(1)):
            centre = self.side * torch.stack([drawing.between(v[:, 0], 0.04, 0.46), v[:, 1]], 1)
            colour = drawing.between(v[:, 2:5], 30, 255)
            size = self.side * drawing.between(v[:, 5:7], 0.08, 0.2)
            if k % 2:
                shape = drawing.ellipse(self.side, centre, size[:, :1].expand(-1, 2))
            else:
                shape = drawing.polygon(self.side, _bars(centre, size * torch.tensor([1.0, 0.45]), v[:, 7]))
            image = drawing.paint(image, drawing.covered(shape), colour)
        left = image[..., : self.side // 2]
        return torch.cat([left, left.flip(-1)], -1)


@dataclass(frozen=True)
class Faces:
    """Schematic frontal faces: a head with two eyes, a nose and a mouth, each once and in its place.

    Position, proportions and colours vary. In every face the parts are ellipses darker than the skin, the eyes are of
    similar size and level, on either side of the head's axis, and nose and mouth are on the axis, in this order.

    Args:
        side: height and width of the images, in pixels, at least 32.
        count: number of images.
        seed: random seed.
    """

    side: int = 32
    count: int = 20_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.side >= 32 and self.count >= 1, "side >= 32 and count >= 1")
        require_room(self, self.count, 3, self.side, self.side)

    def open(self) -> Dataset:
        """Render the images, uint8 (3, side, side)."""
        images = [self.draw(*rows) for rows in zip(*map(drawing.blocks, self.table()), strict=True)]
        return in_memory("faces", torch.cat(images), made_by=self)

    def table(self) -> tuple[Tensor, Tensor]:
        """The parameters: ellipses (count, 5, 4) as x, y and two radii, in the order of `PARTS`, and colours.

        Lengths are relative to `side`. Colours (count, 5, 3) are of background, skin, eyes, nose and mouth.
        """
        between = drawing.between
        u = drawing.numbers(self.seed, self.count, 24).T
        x, y = between(u[0], 0.45, 0.55), between(u[1], 0.46, 0.54)
        across, down = between(u[2], 0.32, 0.38), between(u[3], 0.37, 0.43)
        apart, up = between(u[4], 0.42, 0.5) * across, between(u[5], 0.28, 0.36) * down
        eye, tall = between(u[6], 0.062, 0.078), between(u[7], 0.95, 1.2)
        eyes = [torch.stack([x + sign * apart, y - up, eye, eye * tall]) for sign in (-1, 1)]
        nose = torch.stack([x, y + between(u[8], 0.02, 0.1) * down, between(u[9], 0.05, 0.058), u[10] * 0.015 + 0.062])
        mouth = torch.stack([x, y + between(u[11], 0.57, 0.64) * down, between(u[12], 0.1, 0.14), u[13] * 0.01 + 0.05])
        ellipses = torch.stack([torch.stack([x, y, across, down]), *eyes, nose, mouth]).permute(2, 0, 1)
        tone = between(u[14], 0, 1)
        skin = torch.stack([210 + 40 * tone, 170 + 50 * tone, 140 + 60 * tone])
        ground = torch.stack([60 * u[15], 70 * u[16], 90 * u[17]])
        iris = torch.stack([10 + 30 * u[18], 20 + 40 * u[19], 30 + 60 * u[20]])
        nose_colour = torch.stack([110 + 40 * u[21], 40 + 30 * u[21], 20 + 20 * u[21]])
        lips = torch.stack([140 + 50 * u[22], 10 + 20 * u[23], 30 + 20 * u[23]])
        return ellipses, torch.stack([ground, skin, iris, nose_colour, lips]).permute(2, 0, 1)

    def draw(self, ellipses: Tensor, colours: Tensor) -> Tensor:
        """Render rows of a table as faces, uint8 (B, 3, side, side); ellipses of radius 0 are left out."""
        image = drawing.flat(self.side, colours[:, 0])
        for part, colour in enumerate((1, 2, 2, 3, 4)):
            one = self.side * ellipses[:, part]
            coverage = drawing.covered(drawing.ellipse(self.side, one[:, :2], one[:, 2:]))
            image = drawing.paint(image, coverage, colours[:, colour])
        return drawing.to_bytes(image)


def _bars(centre: Tensor, half: Tensor, angle: Tensor) -> Tensor:
    """Corners (B, 4, 2) of rectangles of half lengths (B, 2), rotated by angles in half turns, 0..1."""
    turn = torch.pi * angle
    along = torch.stack([turn.cos(), turn.sin()], 1) * half[:, :1]
    across = torch.stack([-turn.sin(), turn.cos()], 1) * half[:, 1:]
    return torch.stack([centre + a * along + b * across for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))], 1)
