"""Digits that move and bounce: clips with a known motion."""

__all__ = ["MovingDigits"]

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu

from zerosum._checks import require, require_room
from zerosum.data.dataset import Dataset
from zerosum.data.held_out import check_part, part_of
from zerosum.data.pairs._windows import Layout, windows
from zerosum.data.sources.digits import Digits

_BOX = 20  # height and width of the largest digit without its margin
_SPEED = (1.0, 3.0)  # pixels a frame
_SMALLEST = 28
_NUMBERS = 5  # drawn for each digit: which, where (2), speed and direction
_AT_ONCE = 128  # windows that are rendered together


@dataclass(frozen=True)
class MovingDigits:
    """Clips of bouncing digits, grey: the condition is the past frames, the sample the future ones.

    Each digit, without its margin, starts anywhere in the frame, moves by 1 to 3 pixels a frame in any direction, and
    is reflected where it meets the border; digits pass through each other. So the future is determined by two past
    frames, but for digits that overlap. After Srivastava et al. 2015 (arXiv 1502.04681), on the bundled digits.
    Positions are not rounded: a digit between pixels is interpolated.

    Args:
        count: number of clips, each of one window.
        past: frames of the condition, stacked as channels, the oldest first.
        future: frames of the sample, stacked as channels.
        digits: digits in each clip.
        size: height and width of a frame, at least 28.
        seed: random seed; a clip depends on the seed and its index alone.
        part: "train", "test" or "all": one clip in ten is held out by its index.
    """

    count: int = 2_000
    past: int = 4
    future: int = 1
    digits: int = 1
    size: int = 32
    seed: int = 0
    part: str = "train"

    def __post_init__(self) -> None:
        require(self, min(self.count, self.past, self.future, self.digits) >= 1, "count, past, future and digits >= 1")
        require(self, self.size >= _SMALLEST, f"size >= {_SMALLEST}")
        check_part(self, self.part)
        require_room(self, self.count, self.digits, _NUMBERS, 4)
        require_room(self, _AT_ONCE, self.past + self.future, self.digits, self.size, self.size, 4)

    def labels(self) -> Tensor:
        """The class of each digit of all clips, int64 `(count, digits)`."""
        found = Digits().open().labels
        assert found is not None
        return found[self._drawn()[0]]

    def open(self) -> Dataset:
        """Draw the motions; frames are rendered when they are read."""
        which, start, velocity = self._drawn()
        glyphs, sizes = _trimmed()

        def frames(index: Tensor, first: int, end: int) -> Tensor:
            return torch.cat(
                [
                    _rendered(
                        glyphs[which[rows]],
                        _positions(start[rows], velocity[rows], self.size - sizes[which[rows]], first, end),
                        self.size,
                    )
                    for rows in torch.split(index, _AT_ONCE)
                ]
            )

        layout = Layout((1, self.size, self.size), self.past, self.future)
        found = windows("moving digits", self.count, layout, frames, lambda _: repr(self))
        return part_of(found, self.part)

    def _drawn(self) -> tuple[Tensor, Tensor, Tensor]:
        """Which digits (count, digits); their starts in [0, 1) and velocities in pixels a frame, (count, digits, 2)."""
        random = torch.Generator().manual_seed(self.seed)
        u = torch.rand(self.count, self.digits, _NUMBERS, generator=random, dtype=torch.float64)
        speed, angle = _SPEED[0] + (_SPEED[1] - _SPEED[0]) * u[..., 3:4], 2 * torch.pi * u[..., 4:]
        velocity = speed * torch.cat([angle.sin(), angle.cos()], -1)
        return (u[..., 0] * len(_trimmed()[1])).long(), u[..., 1:3], velocity


def _positions(start: Tensor, velocity: Tensor, free: Tensor, first: int, end: int) -> Tensor:
    """The upper left corners (B, frames, digits, 2), as y and x, of digits that are free to move by (B, digits, 2)."""
    time = torch.arange(first, end, dtype=torch.float64)[:, None, None]
    free = free[:, None].double()
    straight = start[:, None] * free + time * velocity[:, None]
    return free - (straight.remainder(2 * free) - free).abs()


def _rendered(glyphs: Tensor, place: Tensor, size: int) -> Tensor:
    """Frames uint8 (B, frames, 1, size, size) of digits (B, digits, box, box) at corners (B, frames, digits, 2)."""
    pixels, inside = torch.arange(size)[:, None], torch.arange(_BOX)
    # A pixel takes the row or column of the digit within one pixel of it, by linear interpolation.
    weights = relu(1 - (pixels - place[..., None, None] - inside).abs()).float()
    images = weights[..., 0, :, :] @ glyphs[:, None].float() @ weights[..., 1, :, :].mT
    return images.amax(2, keepdim=True).round().to(torch.uint8)


def _trimmed() -> tuple[Tensor, Tensor]:
    """All digits without their margins, uint8 (N, box, box), in the upper left corner; and their sizes (N, 2)."""
    digits = Digits().open()
    x = digits.read(torch.arange(len(digits)))[:, 0]
    sizes = []
    for axis in (1, 2):
        ink = (x > 0).any(3 - axis).byte()
        low = ink.argmax(1)
        sizes.append(x.shape[axis] - ink.flip(1).argmax(1) - low)
        rows = (low[:, None] + torch.arange(x.shape[axis])) % x.shape[axis]
        x = x.gather(axis, rows[:, :, None].expand_as(x) if axis == 1 else rows[:, None].expand_as(x))
    return x[:, :_BOX, :_BOX], torch.stack(sizes, 1)
