"""Windows of frames as pairs: the condition is the past, the sample is the future."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from torch import Tensor

from zerosum.conditions.image import Image
from zerosum.data.conditions import Conditions
from zerosum.data.dataset import Dataset

Frames = Callable[[Tensor, int, int], Tensor]  # of windows at indices (B,), frames from one to another: uint8


@dataclass(frozen=True)
class Layout:
    """The shape (C, H, W) of a frame, and how many of a window are past and future."""

    frame: tuple[int, int, int]
    past: int
    future: int


def windows(
    name: str, count: int, layout: Layout, frames: Frames, content: Callable[[Collection[str]], str]
) -> Dataset:
    """A data set of windows: past frames stacked as channels, the oldest first, are the condition of the future ones.

    `frames` returns frames as uint8 (B, frames, C, H, W), and `content` a text that changes with them, but for files
    given by name.
    """
    channels, height, width = layout.frame
    past, end = layout.past, layout.past + layout.future

    def text(without: Collection[str]) -> str:
        return f"{content(without)} {past} past and {layout.future} future frames"

    return Dataset(
        name,
        (layout.future * channels, height, width),
        count,
        lambda index: frames(index, past, end).flatten(1, 2),
        Conditions(Image((past * channels, height, width), content="frames"), _Past(count, past, frames)),
        content=lambda: text(()),
        content_without=text,
    )


@dataclass(frozen=True, eq=False)
class _Past:
    """The past frames of each window."""

    count: int
    past: int
    frames: Frames
    derived: bool = False

    def __len__(self) -> int:
        return self.count

    def of(self, indices: Tensor, x: Tensor | None) -> Tensor:
        """The past frames of the windows at indices `(B,)`, stacked as channels."""
        return self.frames(indices, 0, self.past).flatten(1, 2)

    def content(self, without: Collection[str] = ()) -> str:
        """Their number, as the frames are hashed anyway."""
        return f"{self.past} past frames"
