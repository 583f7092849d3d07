"""Pictures of a solid in perspective: whether a generator has understood that there is one view."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._checks import require
from zerosum.data.dataset import Dataset, in_memory
from zerosum.probes import drawing

# Half the width, height and depth; turn to the right, tilt to the camera, in degrees; shifts on the picture, in sides
_LOW = (0.7, 0.7, 0.7, 30.0, 28.0, -0.03, -0.03)
_HIGH = (1.0, 1.0, 1.0, 60.0, 46.0, 0.03, 0.03)
_DISTANCE, _FOCAL = 3.4, 0.74  # of the camera from the box's centre; and of its lens, in sides
_GROUND, _SHADES = 18.0, (235.0, 155.0, 85.0)  # of the picture; of the faces on top, right and left
_CORNERS = ((-1, 1, 1), (1, 1, 1), (1, 1, -1), (-1, 1, -1), (-1, -1, 1), (1, -1, 1), (-1, -1, -1))
_FACES = ((0, 3, 2, 1), (0, 1, 5, 4), (3, 0, 4, 6))  # top, right and left by corner, clockwise on the screen


@dataclass(frozen=True)
class Cuboids:
    """A box seen from above in strong perspective, three of its faces, each in its shade of grey.

    Size and view differ from picture to picture by seven numbers. All else follows from them: where the seven corners
    that one sees lie, that the edges of each direction run to one point, which face is bright.

    Args:
        side: of the pictures, in pixels, at least 32.
        count: how many pictures are drawn.
        seed: which pictures are drawn.
    """

    side: int = 32
    count: int = 20_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.side >= 32 and self.count >= 1, "side >= 32 and count >= 1")

    def open(self) -> Dataset:
        """Draw the pictures, uint8 (1, side, side)."""
        pictures = [drawing.to_bytes(self.draw(rows)) for rows in drawing.blocks(self.views())]
        return in_memory("cuboids", torch.cat(pictures), made_by=self)

    def views(self) -> Tensor:
        """The views (count, 7): half width, height and depth, turn and tilt in degrees, shifts in sides."""
        u = drawing.numbers(self.seed, self.count, len(_LOW))
        return torch.tensor(_LOW) + u * (torch.tensor(_HIGH) - torch.tensor(_LOW))

    def corners(self, views: Tensor) -> Tensor:
        """Where the seven corners (B, 7, 2) lie on the picture, in pixels; that which all three faces share is first.

        A corner P of the box, turned by R about the vertical and tilted to the camera at distance d, is seen at
        f (x, -y) / (d - z) with (x, y, z) = R P.
        """
        box = torch.tensor(_CORNERS, dtype=views.dtype) * views[:, None, :3]
        turn, tilt = (views[:, 3:5] * (math.pi / 180)).unbind(1)
        x = box[..., 0] * turn.cos()[:, None] + box[..., 2] * turn.sin()[:, None]
        deep = box[..., 2] * turn.cos()[:, None] - box[..., 0] * turn.sin()[:, None]
        y = box[..., 1] * tilt.cos()[:, None] - deep * tilt.sin()[:, None]
        z = box[..., 1] * tilt.sin()[:, None] + deep * tilt.cos()[:, None]
        seen = _FOCAL * torch.stack([x, -y], -1) / (_DISTANCE - z)[..., None]
        return self.side * (0.5 + views[:, None, 5:7] + seen)

    def draw(self, views: Tensor) -> Tensor:
        """The pictures (B, 1, side, side) of views, float32 of 0..255, not rounded."""
        return self.draw_corners(self.corners(views))

    def draw_corners(self, corners: Tensor) -> Tensor:
        """The pictures of corners (B, 7, 2), whether or not any view has them."""
        picture = drawing.flat(self.side, corners.new_full((len(corners), 1), _GROUND))
        light = torch.zeros_like(picture)
        # Faces add up, so that on an edge between two of them each pixel has its share of both and none of the ground.
        for face, shade in zip(_FACES, _SHADES, strict=True):
            coverage = drawing.covered(drawing.polygon(self.side, corners[:, face]))[:, None]
            light = light + coverage * (shade - _GROUND)
        return picture + light
