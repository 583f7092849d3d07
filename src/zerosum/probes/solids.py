"""Images of a box in perspective: a test of geometric consistency."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._checks import require, require_room
from zerosum.data.dataset import Dataset, in_memory
from zerosum.probes import drawing

# Half width, height and depth; rotation and tilt in degrees; shifts relative to the image size
_LOW = (0.7, 0.7, 0.7, 30.0, 28.0, -0.03, -0.03)
_HIGH = (1.0, 1.0, 1.0, 60.0, 46.0, 0.03, 0.03)
_DISTANCE, _FOCAL = 3.4, 0.74  # of the camera from the box's centre; focal length, relative to the image size
_GROUND, _SHADES = 18.0, (235.0, 155.0, 85.0)  # of the background; of the faces on top, right and left
_CORNERS = ((-1, 1, 1), (1, 1, 1), (1, 1, -1), (-1, 1, -1), (-1, -1, 1), (1, -1, 1), (-1, -1, -1))
_FACES = ((0, 3, 2, 1), (0, 1, 5, 4), (3, 0, 4, 6))  # top, right and left by corner, clockwise on the screen


@dataclass(frozen=True)
class Cuboids:
    """A box seen from above in strong perspective: three faces, each in its own shade of grey.

    Size and view vary by seven parameters. They determine everything else: the positions of the seven visible corners,
    the vanishing points, the brightness of the faces.

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
        require_room(self, self.count, self.side, self.side)

    def open(self) -> Dataset:
        """Render the images, uint8 (1, side, side)."""
        images = [drawing.to_bytes(self.draw(rows)) for rows in drawing.blocks(self.views())]
        return in_memory("cuboids", torch.cat(images), made_by=self)

    def views(self) -> Tensor:
        """The views (count, 7): half width, height and depth, rotation and tilt in degrees, relative shifts."""
        u = drawing.numbers(self.seed, self.count, len(_LOW))
        return torch.tensor(_LOW) + u * (torch.tensor(_HIGH) - torch.tensor(_LOW))

    def corners(self, views: Tensor) -> Tensor:
        """The positions (B, 7, 2) of the seven corners, in pixels; the corner shared by all faces is first.

        A corner P of the box, rotated by R about the vertical and tilted to the camera at distance d, is projected to f
        (x, -y) / (d - z) with (x, y, z) = R P.
        """
        box = torch.tensor(_CORNERS, dtype=views.dtype) * views[:, None, :3]
        turn, tilt = (views[:, 3:5] * (math.pi / 180)).unbind(1)
        x = box[..., 0] * turn.cos()[:, None] + box[..., 2] * turn.sin()[:, None]
        deep = box[..., 2] * turn.cos()[:, None] - box[..., 0] * turn.sin()[:, None]
        y = box[..., 1] * tilt.cos()[:, None] - deep * tilt.sin()[:, None]
        z = box[..., 1] * tilt.sin()[:, None] + deep * tilt.cos()[:, None]
        projected = _FOCAL * torch.stack([x, -y], -1) / (_DISTANCE - z)[..., None]
        return self.side * (0.5 + views[:, None, 5:7] + projected)

    def draw(self, views: Tensor) -> Tensor:
        """Render views as images (B, 1, side, side), float32 in 0..255, not rounded."""
        return self.draw_corners(self.corners(views))

    def draw_corners(self, corners: Tensor) -> Tensor:
        """Render corners (B, 7, 2), which need not be those of a view."""
        image = drawing.flat(self.side, corners.new_full((len(corners), 1), _GROUND))
        light = torch.zeros_like(image)
        # Faces are added, so that a pixel on the edge between two has a share of both and none of the background.
        for face, shade in zip(_FACES, _SHADES, strict=True):
            coverage = drawing.covered(drawing.polygon(self.side, corners[:, face]))[:, None]
            light = light + coverage * (shade - _GROUND)
        return image + light
